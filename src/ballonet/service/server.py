"""The API on a unix socket: made so that only a group gets in, served, and taken away again."""

import asyncio
import contextlib
import grp
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from ballonet.errors import BallonetError, NotPermittedError, RefusedError, UsageError
from ballonet.service.guarded import GuardedProtocol

BACKLOG = 64
IDLE_SECONDS = 30  # a connection that asks nothing more is closed
GRACE_SECONDS = 5  # so long may last what is under way when the server stops
DATE_SECONDS = 1.0  # between two looks at the clock for the date of answers
PROBE_SECONDS = 1.0  # so long a service may take to show that it lives


class _Uvicorn(uvicorn.Server):
    """Leaves signals to the program that it runs in, and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()
        self.ending = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.up.set()

    async def main_loop(self) -> None:
        """Keep the date of answers right until it is to end; uvicorn's own loop wakes ten times a second."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DATE_SECONDS):
                    await self.ending.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Server:
    """Serves an application to root, this process's user, and the members of a group."""

    def __init__(self, app: ASGIApp, path: Path, *, group: str | None = None) -> None:
        """Name the socket and its group (None: this process's own); `UsageError` if there is no such."""
        self.path = path
        self._group_id = os.getegid() if group is None else _group_id(group)

        class Protocol(GuardedProtocol):
            group_id = self._group_id

        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                app,
                http=Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",  # a client's mistakes are told to the client
                access_log=False,
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._made: os.stat_result | None = None
        self._task: asyncio.Task[None] | None = None

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
        self._task = asyncio.create_task(self._uvicorn.serve(sockets=[listener]))
        await self._uvicorn.up.wait()

    async def stop(self) -> None:
        """End what is under way, within some seconds, and take the socket away."""
        if self._task is None:
            return
        self._uvicorn.should_exit = True
        self._uvicorn.ending.set()
        await self._task
        with contextlib.suppress(OSError):
            if self._made is not None and os.path.samestat(self._made, self.path.stat()):
                self.path.unlink()


# --- the socket ------------------------------------------------------------------------------------------


def _group_id(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise UsageError(
            f"there is no group {group!r}", hint=f"as root: groupadd --system {group}"
        ) from error


def _make_directory(directory: Path, group_id: int) -> None:
    """Make the directory for the group alone; one that is there stays as it is."""
    if not directory.exists():
        directory.mkdir(mode=0o750)
        os.chown(directory, -1, group_id)
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


def _listener(path: Path, group_id: int) -> socket.socket:
    """Return a socket at the path that the group, and nobody else, may connect to."""
    with contextlib.ExitStack() as undo:
        listener = undo.enter_context(socket.socket(socket.AF_UNIX))
        before = os.umask(0o177)  # nobody else gets in before the group is set
        try:
            listener.bind(os.fspath(path))
        finally:
            os.umask(before)
        undo.callback(path.unlink)
        os.chown(path, -1, group_id)
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
