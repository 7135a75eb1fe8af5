"""One connection to libvirt: calls with deadlines, events, and coming back when it broke."""

import asyncio
import functools
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ballonet.engine.ports import Event, EventKind
from ballonet.errors import BrokenError, HypervisorError, UnreachableError
from ballonet.extras import remedy
from ballonet.hypervisor.libvirt.failures import connection_failure, failure
from ballonet.hypervisor.listeners import Listeners
from ballonet.hypervisor.threads import Threads

# Inside this process (the embedded driver) libvirt would log to standard error what we raise and say.
os.environ.setdefault("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null")
try:
    import libvirt
except ImportError:  # an extra: it compiles against the host's libvirt
    libvirt = None

__all__ = ["KIB", "Connection", "libvirt"]

Result = TypeVar("Result")

KIB = 1024  # libvirt's unit of memory

# ssh may ask the network; a local daemon may have to be started by its socket.
OPEN_SECONDS = 30.0
# Between two tries to connect again: a socket of this machine that nobody listens on refuses at once, and
# whoever comes back is to be managed within two ticks; a network is spared.
RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
LOCAL_RETRY_SECONDS = RETRY_SECONDS[:1]
# A connection that is silent for 1 x (29 + 1) s is dead, as in libvirt's own default of 5 x (5 + 1). While
# one call hangs, libvirt 9.0 may forget to send the next until anything else happens: a second is short of
# every deadline that matters.
SILENT_SECONDS, SILENT_TIMES = 1, 29


class Connection:
    """Runs calls on a libvirt connection, which it opens again when it broke."""

    def __init__(
        self, uri: str, *, read_only: bool, deadline_seconds: float, hears_events: bool = True
    ) -> None:
        self.uri = uri
        self._hears_events = hears_events
        self.read_only = read_only
        self.opened = 0  # how often: what was learnt of guests before is old
        self._deadline_seconds = deadline_seconds
        self._threads = Threads()
        self._raw: Any = None
        self._failures = 0
        self._retry_at = 0.0
        self._listeners = Listeners()
        self._loop = asyncio.get_running_loop()
        self._opening = asyncio.Lock()

    @property
    def timeouts(self) -> Mapping[str, int]:
        """Return how many calls got no answer in time, by what they were to do."""
        return self._threads.timeouts

    async def open(self) -> None:
        """Connect. Raises UsageError, NotPermittedError or HypervisorError, each with what to do."""
        if libvirt is None:
            raise HypervisorError(
                "libvirt-python is not installed",
                hint=f"apt install libvirt-dev pkg-config gcc python3-dev; {remedy('libvirt')}",
            )
        _start_event_loop()
        opener = libvirt.openReadOnly if self.read_only else libvirt.open
        what = f"connecting to {self.uri}"
        try:
            raw = await self._threads.run(lambda: opener(self.uri), what, OPEN_SECONDS)
            await self._threads.run(lambda: self._register(raw), what, self._deadline_seconds)
        except (libvirt.libvirtError, HypervisorError) as error:
            pauses = RETRY_SECONDS if urlsplit(self.uri).netloc else LOCAL_RETRY_SECONDS
            self._retry_at = time.monotonic() + pauses[min(self._failures, len(pauses) - 1)]
            self._failures += 1
            if isinstance(error, HypervisorError):
                raise
            text = error.get_error_message() or str(error)
            raise connection_failure(error.get_error_code(), text, self.uri) from error
        self._failures = 0
        self._raw = raw
        self.opened += 1

    async def close(self) -> None:
        """End the connection and all `events`."""
        self._listeners.end()
        raw, self._raw = self._raw, None
        if raw is not None:
            await self._threads.run(raw.close, "closing the connection", self._deadline_seconds)

    async def call(self, call: Callable[[Any], Result], what: str, deadline: float | None = None) -> Result:
        """Run a call (given libvirt's virConnect) in a thread, connected; its errors in our words."""
        if self._raw is None:
            await self._open_again()
        raw = self._raw
        try:
            return await self._threads.run(lambda: call(raw), what, deadline or self._deadline_seconds)
        except libvirt.libvirtError as error:
            if not raw.isAlive():  # libvirt's own state: no message is sent
                self._lose(raw)
                hint = "is its daemon running? ballonet connects again by itself"
                raise BrokenError(f"the connection to {self.uri} broke", hint=hint) from error
            raise failure(error.get_error_code(), error.get_error_message() or str(error), what) from error

    async def _open_again(self) -> None:
        """Connect again, once for all who ask: at once after it broke, then at growing intervals."""
        async with self._opening:
            if self._raw is not None:
                return
            left = self._retry_at - time.monotonic()
            if left > 0:
                raise UnreachableError(f"not connected to {self.uri}", hint=f"trying again in {left:.0f} s")
            await self.open()
            again = " again" if self.opened > 1 else ""
            self._listeners.tell(Event(EventKind.RECONNECTED, text=f"connected to {self.uri}{again}"))

    def _lose(self, raw: Any) -> None:
        """Let go of a broken connection, once, and say so to who listens."""
        if self._raw is raw:
            self._raw = None
            self._listeners.tell(Event(EventKind.LOST, text=f"the connection to {self.uri} broke"))

    # --- events -------------------------------------------------------------------------------------

    def events(self) -> AsyncIterator[Event]:
        """Yield what happens from this call on, until the connection is closed by us.

        Where there is none yet, that is the first that is told.
        """
        none_yet = Event(EventKind.LOST, text=f"there is no connection to {self.uri} yet")
        return self._listeners.listen([] if self.opened else [none_yet])

    def _register(self, raw: Any) -> None:
        """Ask for events, if they are wanted, and for a sign of life from a daemon (in a thread)."""
        events = (
            (libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._on_lifecycle),
            (libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, self._on_reboot),
            (libvirt.VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, self._on_balloon),
        )
        for number, callback in events if self._hears_events else ():
            raw.domainEventRegisterAny(None, number, callback, None)
        try:
            raw.setKeepAlive(SILENT_SECONDS, SILENT_TIMES)
        except libvirt.libvirtError:
            return  # a driver inside this process has no connection to keep alive

    def _on_lifecycle(self, _raw: Any, domain: Any, event: int, _detail: int, _opaque: Any) -> None:
        kinds = {
            libvirt.VIR_DOMAIN_EVENT_STARTED: EventKind.STARTED,
            libvirt.VIR_DOMAIN_EVENT_STOPPED: EventKind.STOPPED,
            libvirt.VIR_DOMAIN_EVENT_CRASHED: EventKind.STOPPED,
            libvirt.VIR_DOMAIN_EVENT_SUSPENDED: EventKind.PAUSED,
            libvirt.VIR_DOMAIN_EVENT_RESUMED: EventKind.RESUMED,
        }
        self._post(domain, kinds.get(event, EventKind.CHANGED))

    def _on_reboot(self, _raw: Any, domain: Any, _opaque: Any) -> None:
        self._post(domain, EventKind.REBOOTED)

    def _on_balloon(self, _raw: Any, domain: Any, actual_kib: int, _opaque: Any) -> None:
        self._post(domain, EventKind.BALLOON, actual_kib * KIB)

    def _post(self, domain: Any, kind: EventKind, actual_bytes: int | None = None) -> None:
        """Hand an event over from libvirt's thread."""
        event = Event(kind, domain.UUIDString(), domain.name(), actual_bytes)
        try:
            self._loop.call_soon_threadsafe(self._listeners.tell, event)
        except RuntimeError:
            return  # the program ends: its loop is closed


@functools.cache
def _start_event_loop() -> None:
    """Run libvirt's event loop in a thread, once a process and before the first connection."""
    libvirt.registerErrorHandler(lambda _opaque, _error: None, None)  # it would print what we raise
    libvirt.virEventRegisterDefaultImpl()

    def turn() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=turn, daemon=True, name="libvirt events").start()
