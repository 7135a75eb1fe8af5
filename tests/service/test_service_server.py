"""The socket: who gets in, how many, for how long, and what becomes of it."""

import asyncio
import errno
import grp
import json
import os
import socket
import stat
import time
from pathlib import Path

import pytest
from hosted import Hosted, ask_as, connect, hosted, until
from starlette.applications import Starlette
from test_service_api import told

from ballonet.errors import BallonetError, NotPermittedError, RefusedError, UsageError
from ballonet.service.guarded import MOST_CONNECTIONS, GuardedProtocol
from ballonet.service.server import Server

NOBODY = 65534
NO_APP = Starlette()
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")


def as_user(path: Path, uid: int, *groups: int) -> tuple[int, dict[str, object]]:
    """Pause everybody as another user; return the code and the answer."""
    code, content = ask_as(path, groups, "POST", "/v1/pause", b"{}", uid=uid)
    return code, json.loads(content)


def opened(service: Hosted) -> None:
    """Let everybody come as far as the service's own check, as a careless administrator might."""
    service.path.chmod(0o666)
    service.path.parent.chmod(0o755)


# --- who -------------------------------------------------------------------------------------------------


def test_the_socket_is_for_its_group_alone(service: Hosted) -> None:
    found = service.path.stat()
    assert stat.S_ISSOCK(found.st_mode)
    assert 0o660 == stat.S_IMODE(found.st_mode)
    assert 0o750 == stat.S_IMODE(service.path.parent.stat().st_mode)
    assert (os.getegid(), os.getegid()) == (found.st_gid, service.path.parent.stat().st_gid)


@ROOT_ONLY
def test_another_group_may_be_named(place: Path) -> None:
    with hosted(place, group=grp.getgrgid(NOBODY).gr_name) as service:
        assert (NOBODY, NOBODY) == (service.path.stat().st_gid, service.path.parent.stat().st_gid)
        code, hold = as_user(service.path, NOBODY)
        assert (200, "nobody") == (code, hold["who"])


def test_a_group_must_exist(place: Path) -> None:
    with pytest.raises(UsageError, match="no group 'nonsense'"):
        Server(NO_APP, place, group="nonsense")


@ROOT_ONLY
def test_other_users_are_refused_whatever_the_files_modes_are(service: Hosted) -> None:
    opened(service)
    code, failure = as_user(service.path, NOBODY)
    assert (403, 7, "nobody may not use this socket") == (code, failure["exit_code"], failure["error"])
    assert not json.loads(service.ask("GET", "/v1/holds")[1])["holds"]


@ROOT_ONLY
def test_members_of_the_group_are_let_in_and_known_by_name(service: Hosted) -> None:
    opened(service)
    code, hold = as_user(service.path, NOBODY, os.getegid())
    assert (200, "nobody") == (code, hold["who"])
    code, hold = as_user(service.path, 54321, os.getegid())
    assert (200, "uid 54321") == (code, hold["who"])


# --- how many, and for how long --------------------------------------------------------------------------


def test_connections_are_bounded(service: Hosted) -> None:
    idle = [connect(service.path) for _ in range(MOST_CONNECTIONS)]
    for each in idle:  # answered: so it counts already
        each.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert each.recv(4096).startswith(b"HTTP/1.1 200")
    code, content = service.ask("GET", "/-/healthy")
    assert (503, 1) == (code, json.loads(content)["exit_code"])
    told(service, "GET", "/-/ready")  # whose contract has a 503 of its own
    for each in idle:
        each.close()
    until(lambda: service.ask("GET", "/-/healthy")[0] == 200)


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /-/healthy HTTP/1.1\r\nHost: local",
        b"POST /v1/pause HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    ],
    ids=["nothing", "half a header", "half a body"],
)
def test_who_dawdles_is_cut_off(
    place: Path, begun: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(GuardedProtocol, "request_seconds", 0.2)
    with hosted(place) as service, connect(service.path) as slow:
        slow.sendall(begun)
        answer = everything(slow)
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert 2 == json.loads(answer.partition(b"\r\n\r\n")[2])["exit_code"]
        monkeypatch.undo()
        assert not json.loads(service.ask("GET", "/v1/holds")[1])["holds"]
    assert [] == caplog.records


def test_who_takes_time_between_whole_requests_is_not(service: Hosted) -> None:
    with connect(service.path) as connection:
        for _ in range(3):
            connection.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: ")
            connection.sendall(b"localhost\r\n\r\n")
            answer = b""
            while not answer.endswith(b'{"healthy":true}'):
                answer += (part := connection.recv(4096))
                assert part


def test_who_reads_late_but_reads_is_not(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedProtocol, "read_seconds", 2.0)
    metrics = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with hosted(place) as service, connect(service.path) as late:
        late.sendall(100 * metrics)
        until(lambda: any(each.flow.write_paused for each in connections(service)))
        answer = b""
        while answer.count(b"HTTP/1.1 200") < 100:
            answer += late.recv(65536)
        time.sleep(2.1)  # for longer than anybody is waited for
        late.sendall(metrics)
        while answer.count(b"HTTP/1.1 200") < 101:
            answer += (part := late.recv(65536))
            assert part


def connections(service: Hosted) -> set[GuardedProtocol]:
    open_ones = service.server._serving._uvicorn.server_state.connections
    return {each for each in open_ones if isinstance(each, GuardedProtocol)}


@pytest.mark.parametrize("sent", [b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00"])
def test_what_is_no_http_is_refused(service: Hosted, sent: bytes) -> None:
    with connect(service.path) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert 2 == json.loads(answer.partition(b"\r\n\r\n")[2])["exit_code"]


def test_headers_have_an_end(service: Hosted) -> None:
    with connect(service.path) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000)
        assert everything(connection).startswith(b"HTTP/1.1 400 ")


def test_who_goes_while_following_leaves_nothing_behind(service: Hosted) -> None:
    with service.following("/v1/events?follow=true&limit=1") as lines:
        next(lines)
    until(lambda: len(asyncio.all_tasks(service.loop)) == 1)  # the server's own


def everything(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


# --- what becomes of the socket --------------------------------------------------------------------------


def test_a_server_takes_its_socket_away(place: Path) -> None:
    with hosted(place) as service:
        service.stop()
        assert not place.exists()


def test_a_dead_services_socket_is_replaced(place: Path) -> None:
    place.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(os.fspath(place))
    with hosted(place) as service:
        assert 200 == service.ask("GET", "/-/healthy")[0]


def test_a_living_services_socket_is_not(service: Hosted) -> None:
    with pytest.raises(RefusedError, match="another service answers"):
        asyncio.run(Server(NO_APP, service.path).start())
    assert 200 == service.ask("GET", "/-/healthy")[0]


def test_a_socket_that_another_took_over_is_left_to_it(place: Path) -> None:
    with hosted(place) as service:
        place.unlink()
        place.write_text("somebody else's")
        service.stop()
        assert "somebody else's" == place.read_text()


def test_other_files_are_left_alone(place: Path) -> None:
    place.parent.mkdir()
    place.write_text("precious")
    with pytest.raises(RefusedError, match="is no socket"):
        asyncio.run(Server(NO_APP, place).start())
    assert "precious" == place.read_text()


@pytest.mark.parametrize("path", ["/proc/ballonet/ballonet.sock", "/tmp/" + "x" * 200])
def test_a_socket_that_cannot_be_made_is_a_failure_with_a_hint(path: str) -> None:
    with pytest.raises(BallonetError) as caught:
        asyncio.run(Server(NO_APP, Path(path)).start())
    assert caught.value.hint


def test_rights_that_are_missing_are_told_as_such(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chown", denied)
    place.parent.mkdir()
    with pytest.raises(NotPermittedError, match="Operation not permitted"):
        asyncio.run(Server(NO_APP, place, group="nogroup").start())
    assert not place.exists()


def test_its_own_group_needs_no_right_to_give(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "chown")

    async def serve() -> Server:
        server = Server(NO_APP, place)
        await server.start()
        return server

    with asyncio.Runner() as runner:
        server = runner.run(serve())
        assert os.getegid() == place.stat().st_gid
        runner.run(server.stop())
