"""The API on a unix socket: made so that only a group gets in, served, and taken away again."""

import contextlib
import grp
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from starlette.types import ASGIApp

from ballonet.errors import BallonetError, NotPermittedError, RefusedError, UsageError
from ballonet.service.guarded import SocketProtocol
from ballonet.service.place import give
from ballonet.service.serving import Serving

PROBE_SECONDS = 1.0  # so long a service may take to show that it lives


class Server:
    """Serves an application to root, this process's user, and the members of a group."""

    def __init__(self, app: ASGIApp, path: Path, *, group: str | None = None) -> None:
        """Name the socket and its group (None: this process's own); `UsageError` if there is no such."""
        self.path = path
        self._group_id = os.getegid() if group is None else group_id(group)

        class Protocol(SocketProtocol):
            group_id = self._group_id

        self._serving = Serving(app, Protocol)
        self._made: os.stat_result | None = None

    async def start(self) -> None:
        """Make the socket and serve from now on.

        Raises `RefusedError` where another service answers on it, `NotPermittedError` without the rights,
        and `BallonetError` for all else that keeps the socket from being made.
        """
        with _failures(self.path):
            _make_directory(self.path.parent, self._group_id)
            _clear(self.path)
            listener = _listener(self.path, self._group_id)
        self._made = self.path.stat()
        await self._serving.start(listener)

    async def stop(self) -> None:
        """End what is under way, within some seconds, and take the socket away."""
        if not await self._serving.stop():
            return
        with contextlib.suppress(OSError):
            if self._made is not None and os.path.samestat(self._made, self.path.stat()):
                self.path.unlink()


# --- the socket ------------------------------------------------------------------------------------------


def group_id(group: str) -> int:
    """Return a group's number; `UsageError` if there is no such."""
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise UsageError(
            f"there is no group {group!r}", hint=f"as root: groupadd --system {group}"
        ) from error


def _make_directory(directory: Path, owners: int) -> None:
    """Make the directory for the group alone; one that is there stays as it is."""
    if not directory.exists():
        directory.mkdir(mode=0o750)
        give(directory, owners)
        directory.chmod(0o750)


def _clear(path: Path) -> None:
    """Take away what a dead service left; `RefusedError` where one lives, or something else is there."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise RefusedError(f"{path} is there and is no socket", hint="name another: --socket PATH")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(PROBE_SECONDS)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except TimeoutError:  # it is there, and too busy to answer
            pass
    raise RefusedError(
        f"another service answers on {path}",
        hint="ask it: ballonet status; or name another socket: --socket PATH",
    )


def _listener(path: Path, owners: int) -> socket.socket:
    """Return a socket at the path that the group, and nobody else, may connect to."""
    with contextlib.ExitStack() as undo:
        listener = undo.enter_context(socket.socket(socket.AF_UNIX))
        before = os.umask(0o177)  # nobody else gets in before the group is set
        try:
            listener.bind(os.fspath(path))
        finally:
            os.umask(before)
        undo.callback(path.unlink)
        give(path, owners)
        path.chmod(0o660)
        undo.pop_all()
    return listener


@contextlib.contextmanager
def _failures(path: Path) -> Iterator[None]:
    """Raise what the system says of a socket in our own words."""
    try:
        yield
    except PermissionError as error:
        raise NotPermittedError(
            f"{path} cannot be made: {error.strerror}", hint="name another socket: --socket PATH"
        ) from error
    except OSError as error:
        raise BallonetError(
            f"{path} cannot be made: {error.strerror or error}", hint="name another socket: --socket PATH"
        ) from error
