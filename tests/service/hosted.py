"""A service in a thread: four simulated guests behind a real socket, whose time passes when it is told to.

Guests that are waited for move: whoever sleeps on the clock has a tick come with it.
"""

import asyncio
import json
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from ballonet.engine.counts import CountedJournal, Counts
from ballonet.engine.engine import Engine
from ballonet.engine.engine import World as Ports
from ballonet.facts.address import Address
from ballonet.facts.happening import Happening
from ballonet.policy.settings import Settings
from ballonet.service.api import make_app
from ballonet.service.connection import Connection
from ballonet.service.daemon import open_web
from ballonet.service.facade import Service
from ballonet.service.history import History
from ballonet.service.recent import Recent
from ballonet.service.server import Server
from ballonet.service.web import WebServer
from ballonet.simulator.schedule import Step
from ballonet.simulator.spec import Spec
from ballonet.simulator.virtual import VirtualClock
from ballonet.simulator.world import World
from ballonet.units import GIB, MIB

USES = {"busy": 500.0, "idle": 60.0, "spare": 60.0, "web": 200.0}  # MiB in use, of 1 GiB each


class ToldClock(VirtualClock):
    """Time that passes when somebody sleeps, and then each tick comes in time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.on_sleep: Callable[[], Awaitable[object]] = lambda: asyncio.sleep(0)

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)
        await self.on_sleep()


@dataclass
class Hosted:
    """What a test holds of it; `does` runs a coroutine in the service's own thread."""

    path: Path
    loop: asyncio.AbstractEventLoop
    clock: ToldClock
    world: World
    engine: Engine
    service: Service
    server: Server
    log: Recent
    web: WebServer | None = None
    stopped: bool = field(default=False)

    def does(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=60.0)

    def ticks(self, count: int = 1) -> None:
        self.does(self._ticks(count))

    async def _ticks(self, count: int) -> None:
        for _ in range(count):
            await self.clock.sleep(2.0)

    def tell(self, happening: Happening) -> None:
        self.loop.call_soon_threadsafe(self.log.tell, happening)

    def size(self, name: str) -> float:
        return float(self.world.state.actual[sorted(USES).index(name)])

    def uuid(self, name: str) -> str:
        return f"simulated-{name}"

    def stop(self) -> None:
        if not self.stopped:
            self.stopped = True
            self.service.close()
            self.does(self.server.stop())
            if self.web is not None:
                self.does(self.web.stop())

    def ask(
        self, method: str, route: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Make one request by hand, as a program in another language would."""
        connection = HTTPConnection("localhost", timeout=60.0)
        connection.sock = connect(self.path)
        status, _, content = _asked(connection, method, route, body, headers)
        return status, content

    def ask_web(
        self, method: str, route: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Make one request over TCP; return the answer's headers, too, in lower case."""
        assert self.web is not None
        return _asked(HTTPConnection(*self.web.address, timeout=60.0), method, route, body, headers)

    @contextmanager
    def following(self, route: str) -> Iterator[Iterator[bytes]]:
        """Read an answer line by line, as it comes."""
        connection = HTTPConnection("localhost", timeout=60.0)
        connection.sock = connect(self.path)
        connection.request("GET", route)
        with connection.getresponse() as response:
            assert 200 == response.status
            yield iter(response)
        connection.close()


def _asked(
    connection: HTTPConnection, method: str, route: str, body: bytes | None, headers: dict[str, str] | None
) -> tuple[int, dict[str, str], bytes]:
    kind = {"Content-Type": "application/json"} if body is not None else {}
    with suppress(BrokenPipeError):  # it was refused before it was read
        connection.request(method, route, body, {**kind, **(headers or {})})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, content


# What a stranger runs: the system's interpreter alone, as it may not read where ballonet is.
STRANGER = """
import http.client, json, socket, sys
path, method, route, headers = json.loads(sys.argv[1])
connection = http.client.HTTPConnection("localhost")
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.connect(path)
try:
    connection.request(method, route, sys.stdin.buffer.read() or None, headers)
except (BrokenPipeError, ConnectionResetError):
    pass  # refused before it was read
response = connection.getresponse()
print(response.status, response.read().decode())
"""


def ask_as(
    path: Path,
    groups: Sequence[int],
    method: str,
    route: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    *,
    uid: int = 65534,
) -> tuple[int, bytes]:
    """Make one request on the socket as another user, of no group but these; needs root."""
    kind = {"Content-Type": "application/json"} if body is not None else {}
    result = subprocess.run(
        [
            "/usr/bin/python3",
            "-I",
            "-c",
            STRANGER,
            json.dumps([str(path), method, route, {**kind, **(headers or {})}]),
        ],
        input=body or b"",
        user=uid,
        group=65534,
        extra_groups=list(groups),
        cwd="/",
        capture_output=True,
        check=True,
        timeout=60,
    )
    code, _, content = result.stdout.partition(b" ")
    return int(code), content


def until(condition: Callable[[], bool]) -> None:
    """Wait until the service has noticed."""
    deadline = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(60.0)
    connection.connect(os.fspath(path))
    return connection


@pytest.fixture
def place() -> Iterator[Path]:
    """Return where a socket may be: its path is short, and other users come as far as this."""
    with tempfile.TemporaryDirectory(prefix="ballonet-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory) / "run" / "ballonet.sock"


@pytest.fixture
def service(place: Path) -> Iterator[Hosted]:
    """Return a service that runs, its guests settled."""
    with hosted(place) as found:
        yield found


@contextmanager
def hosted(
    path: Path,
    *,
    enforce: bool = True,
    budget_bytes: float = 3.0 * GIB,
    ticks: int = 15,
    group: str | None = None,
    web: bool = False,
    world: Callable[[VirtualClock], World] | None = None,
) -> Iterator[Hosted]:
    """Serve a host that an engine has had so many ticks to settle."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        host = asyncio.run_coroutine_threadsafe(
            _begin(path, ticks, group, world or _four, enforce=enforce, budget_bytes=budget_bytes, web=web),
            loop,
        ).result(timeout=60.0)
        try:
            yield host
        finally:
            host.stop()
    finally:
        asyncio.run_coroutine_threadsafe(_hang_up(loop), loop).result(timeout=60.0)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _hang_up(loop: asyncio.AbstractEventLoop) -> None:
    """Close what the server leaves open for a moment: whoever was refused may take some time to read why."""
    for transport in list(vars(loop)["_transports"].values()):
        transport.abort()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def _four(clock: VirtualClock) -> World:
    specs = [Spec(name, GIB, [Step(anon_mib=mib, hot_mib=mib)], vcpus=2) for name, mib in USES.items()]
    return World(specs, clock=clock, host_bytes=16 * GIB)


async def _begin(
    path: Path,
    ticks: int,
    group: str | None,
    made: Callable[[VirtualClock], World],
    *,
    enforce: bool,
    budget_bytes: float,
    web: bool,
) -> Hosted:
    clock, log = ToldClock(), Recent()
    world = made(clock)
    settings = Settings(
        budget_bytes=budget_bytes, reserve_bytes=256.0 * MIB, boot_grace_seconds=0.0, give_surplus=False
    )
    counts, history = Counts(), History()

    def tell(happening: Happening) -> None:
        counts.heard(happening)
        log.tell(happening)
        history.hear(happening)

    journal = CountedJournal(counts, None)
    ports = Ports(world, clock, world, world)
    engine = Engine(ports, settings, tell, enforce=enforce, journal=journal)

    async def tick() -> None:
        plan = await engine.tick()
        counts.ticked(plan, engine.tick_seconds, settings.interval_seconds)
        history.take(plan, engine)

    clock.on_sleep = tick
    for _ in range(ticks):
        await clock.sleep(2.0)
    service = Service([Connection("sim:four", world, engine)], log, history, counts)

    async def tick_and_tell() -> None:
        await tick()
        service.ticked()

    clock.on_sleep = tick_and_tell
    server = Server(make_app(service), path, group=group)
    await server.start()
    opened = await open_web(service, Address("127.0.0.1", 0), path.parent) if web else None
    return Hosted(path, asyncio.get_running_loop(), clock, world, engine, service, server, log, opened)
