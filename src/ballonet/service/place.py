"""Where the service listens."""

import os
from pathlib import Path

DEFAULT_SOCKET = Path("/run/ballonet/ballonet.sock")


def socket_path() -> Path:
    """Return where commands look for the service: `$BALLONET_SOCKET`, or the usual place."""
    return Path(os.environ.get("BALLONET_SOCKET") or DEFAULT_SOCKET)


def usual_socket() -> Path | None:
    """Return the usual place where this process may make a socket there, else None."""
    return DEFAULT_SOCKET if os.access(DEFAULT_SOCKET.parent, os.W_OK | os.X_OK) else None
