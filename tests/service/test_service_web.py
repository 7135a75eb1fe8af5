"""Listening on TCP: its token, what becomes of an address that cannot be had, and who dawdles there."""

import asyncio
import json
import os
import socket
import stat
from pathlib import Path

import pytest
from hosted import hosted
from starlette.applications import Starlette

from ballonet.errors import BallonetError, NotPermittedError
from ballonet.facts.address import Address
from ballonet.service.guarded import MOST_CONNECTIONS, GuardedProtocol
from ballonet.service.token import FILE, kept_token
from ballonet.service.web import WebServer

GROUP = os.getegid()


# --- the token -------------------------------------------------------------------------------------------


def test_the_token_is_kept_for_the_group(tmp_path: Path) -> None:
    token = kept_token(tmp_path, GROUP)
    found = (tmp_path / FILE).stat()
    assert (0o640, GROUP) == (stat.S_IMODE(found.st_mode), found.st_gid)
    assert f"{token}\n" == (tmp_path / FILE).read_text()
    assert token == kept_token(tmp_path, GROUP)
    assert [FILE] == [path.name for path in tmp_path.iterdir()]


def test_no_two_tokens_are_the_same(tmp_path: Path) -> None:
    assert 43 == len(kept_token(None, GROUP))
    assert kept_token(None, GROUP) != kept_token(None, GROUP)
    assert kept_token(tmp_path / "nowhere", GROUP) != kept_token(tmp_path / "nowhere", GROUP)


@pytest.mark.parametrize("text", ["", "short\n", "x" * 42 + "!\n", "\xff" * 43, "x" * 44])
def test_what_is_no_token_is_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / FILE
    path.write_text(text)
    path.chmod(0o640)
    assert path.read_text() != (token := kept_token(tmp_path, GROUP))
    assert f"{token}\n" == path.read_text()


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o602])
def test_a_token_that_others_may_have_seen_or_set_is_replaced(tmp_path: Path, mode: int) -> None:
    known = kept_token(tmp_path, GROUP)
    (tmp_path / FILE).chmod(mode)
    assert known != kept_token(tmp_path, GROUP)
    assert 0o640 == stat.S_IMODE((tmp_path / FILE).stat().st_mode)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("x" * 43)
    elsewhere.chmod(0o600)
    (tmp_path / FILE).symlink_to(elsewhere)
    assert "x" * 43 != kept_token(tmp_path, GROUP)
    assert "x" * 43 == elsewhere.read_text()
    assert not (tmp_path / FILE).is_symlink()


# --- the address -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1"])
def test_any_address_of_this_host_will_do(place: Path, host: str) -> None:
    async def served() -> str:
        server = WebServer(Starlette(), Address(host, 0), "secret")
        await server.start()
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(f"GET / HTTP/1.1\r\nHost: {server.address}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.readline()
        writer.close()
        await server.stop()
        return answer.decode()

    assert "HTTP/1.1 404 Not Found\r\n" == asyncio.run(served())


def test_a_port_that_is_taken_is_a_failure_with_a_hint() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(BallonetError) as caught:
        asyncio.run(WebServer(Starlette(), Address(*taken.getsockname()), "secret").start())
    assert "Address already in use" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(97, "Not supported")])
def test_what_the_system_forbids_is_told_with_a_hint(error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise error

    monkeypatch.setattr(socket, "socket", refused)
    with pytest.raises(BallonetError, match=error.strerror) as caught:
        WebServer(Starlette(), Address("127.0.0.1", 80), "secret").start().send(None)
    assert isinstance(error, PermissionError) == isinstance(caught.value, NotPermittedError)
    assert "drop-in" in caught.value.hint


# --- how many, and for how long --------------------------------------------------------------------------


def test_connections_over_tcp_are_bounded_and_leave_those_on_the_socket_alone(place: Path) -> None:
    with hosted(place, web=True) as service:
        assert service.web is not None
        idle = [socket.create_connection(service.web.address, timeout=60.0) for _ in range(MOST_CONNECTIONS)]
        for each in idle:  # answered: so it counts already
            each.sendall(f"GET /-/healthy HTTP/1.1\r\nHost: {service.web.address}\r\n\r\n".encode())
            assert each.recv(4096).startswith(b"HTTP/1.1 200")
        status, _, content = service.ask_web("GET", "/-/healthy")
        assert (503, 1) == (status, json.loads(content)["exit_code"])
        assert 200 == service.ask("GET", "/-/healthy")[0]
        for each in idle:
            each.close()


def test_who_dawdles_over_tcp_is_cut_off(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedProtocol, "request_seconds", 0.2)
    with hosted(place, web=True) as service:
        assert service.web is not None
        with socket.create_connection(service.web.address, timeout=60.0) as slow:
            slow.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: local")
            answer = b"".join(iter(lambda: slow.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_who_reads_nothing_of_what_it_asked_for_is_cut_off(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GuardedProtocol, "read_seconds", 0.2)
    with hosted(place, web=True) as service:
        assert service.web is not None
        with socket.create_connection(service.web.address, timeout=60.0) as deaf:
            page = f"GET / HTTP/1.1\r\nHost: {service.web.address}\r\n\r\n".encode()
            with pytest.raises((BrokenPipeError, ConnectionResetError)):
                deaf.sendall(page * 1_000_000)
        assert 200 == service.ask_web("GET", "/-/healthy")[0]


def test_answers_wait_for_no_acknowledgement(place: Path) -> None:
    with hosted(place, web=True) as service:
        assert service.web is not None
        serving = service.web._serving
        assert serving is not None
        with socket.create_connection(service.web.address, timeout=60.0) as browser:
            browser.sendall(f"GET /-/healthy HTTP/1.1\r\nHost: {service.web.address}\r\n\r\n".encode())
            assert browser.recv(4096)
            [connection] = serving._uvicorn.server_state.connections
            accepted = connection.transport.get_extra_info("socket")
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_without_tcp_there_is_no_token(place: Path) -> None:
    with hosted(place) as service:
        status, content = service.ask("GET", "/v1/token")
    assert (503, 3) == (status, json.loads(content)["exit_code"])
