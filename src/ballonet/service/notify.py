"""What systemd is told: that the service is ready, reloads, ticks, and stops (sd_notify(3))."""

import os
import socket
import time
from collections.abc import Mapping


class Notifier:
    """Sends one datagram each to $NOTIFY_SOCKET; without one, as outside of systemd, it does nothing."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        name = environment.get("NOTIFY_SOCKET", "")
        # A name that begins with "@" is an abstract one.
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        self._watched = "WATCHDOG_USEC" in environment

    def ready(self, status: str) -> None:
        """Tell that all is up, or up again after a reload."""
        self._send("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """Tell that settings are read again; `ready` ends it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def ticked(self, status: str) -> None:
        """Tell that a tick has ended: that alone feeds the watchdog."""
        self._send(*(["WATCHDOG=1"] if self._watched else []), f"STATUS={status}")

    def stopping(self, status: str) -> None:
        """Tell that it ends, and what it still does."""
        self._send("STOPPING=1", f"STATUS={status}")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        text = "\n".join(line.replace("\n", " ") for line in lines)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
            sending.setblocking(False)  # noqa: FBT003 (its only parameter)
            try:
                sending.sendto(text.encode(), self._address)
            except OSError:  # systemd is busy or gone: the next tick tells again
                return
