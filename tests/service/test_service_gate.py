"""Who may ask what, by real requests: over TCP from a browser's point of view, on the socket as other users.

What dawdles, and how many connections there may be, is in `test_service_server` and `test_service_web`.
"""

import json
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hosted import USES, Hosted, ask_as, hosted

from ballonet.service.failing import MOST_BODY_BYTES

PAUSE = b"{}"
READ = ("GET", "/v1/status", None)
CHANGE = ("POST", "/v1/pause", PAUSE)
END = ("DELETE", "/v1/room/none", None)
TOO_LARGE = ("POST", "/v1/pause", b" " * (MOST_BODY_BYTES + 1))
TOKEN = {"Authorization": "Bearer TOKEN"}
TEXT = {"Content-Type": "text/plain"}


@pytest.fixture(scope="module")
def service() -> Iterator[Hosted]:
    with tempfile.TemporaryDirectory(prefix="ballonet-") as directory:
        Path(directory).chmod(0o755)  # other users come as far as this
        with hosted(Path(directory) / "run" / "ballonet.sock", web=True) as found:
            yield found


def token(service: Hosted) -> str:
    return str(json.loads(service.ask("GET", "/v1/token")[1])["token"])


def filled(headers: dict[str, str], service: Hosted) -> dict[str, str]:
    """Put the port and the token where a table says so."""
    assert service.web is not None
    port, secret = str(service.web.address.port), token(service)
    return {name: value.replace("PORT", port).replace("TOKEN", secret) for name, value in headers.items()}


Asked = tuple[str, str, bytes | None]
Groups = tuple[int, ...] | None
TABLE: list[tuple[Asked, dict[str, str], int]] = [
    # Whoever is on this host may read.
    (READ, {}, 200),
    (("HEAD", "/-/healthy", None), {}, 200),
    (READ, {"Authorization": "Bearer nonsense"}, 200),
    # The names of this address, and no other: a name that was bound to it anew is not ours.
    (READ, {"Host": "127.0.0.1:PORT"}, 200),
    (READ, {"Host": "localhost:PORT"}, 200),
    (READ, {"Host": "LocalHost:PORT"}, 200),
    (READ, {"Host": "[::1]:PORT"}, 200),
    (READ, {"Host": "evil.example"}, 421),
    (READ, {"Host": "evil.example:PORT"}, 421),
    (READ, {"Host": "localhost"}, 421),
    (READ, {"Host": "localhost:1"}, 421),
    (READ, {"Host": "localhost:PORT.evil.example"}, 421),
    (READ, {"Host": "localhost.:PORT"}, 421),
    (READ, {"Host": "127.1:PORT"}, 421),
    (READ, {"Host": "0.0.0.0:PORT"}, 421),
    (READ, {"Host": ""}, 421),
    (READ, {"Host": "evil.example", "X-Forwarded-Host": "localhost:PORT"}, 421),
    (CHANGE, {**TOKEN, "Host": "evil.example:PORT"}, 421),
    # What browsers say of other sites' pages.
    (READ, {"Origin": "http://evil.example"}, 403),
    (READ, {"Origin": "http://localhost:PORT"}, 200),
    (READ, {"Sec-Fetch-Site": "cross-site"}, 403),
    (READ, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, 403),
    (READ, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403),
    (READ, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200),
    (READ, {"Sec-Fetch-Site": "same-origin"}, 200),
    (CHANGE, {**TOKEN, "Origin": "http://evil.example"}, 403),
    (CHANGE, {**TOKEN, "Origin": "null"}, 403),
    (CHANGE, {**TOKEN, "Origin": "https://localhost:PORT"}, 403),
    (CHANGE, {**TOKEN, "Origin": "http://localhost:1"}, 403),
    (
        CHANGE,
        {
            **TOKEN,
            "Sec-Fetch-Site": "cross-site",
            "Sec-Fetch-Mode": "navigate",
            "Sec-Fetch-Dest": "document",
        },
        403,
    ),
    (END, {**TOKEN, "Origin": "http://evil.example"}, 403),
    # Changes have the token.
    (CHANGE, {}, 401),
    (CHANGE, {"Origin": "http://localhost:PORT"}, 401),
    (CHANGE, {"Authorization": ""}, 401),
    (CHANGE, {"Authorization": "Bearer"}, 401),
    (CHANGE, {"Authorization": "Bearer "}, 401),
    (CHANGE, {"Authorization": "Bearer nonsense"}, 401),
    (CHANGE, {"Authorization": "Bearer TOKENx"}, 401),
    (CHANGE, {"Authorization": "Basic TOKEN"}, 401),
    (CHANGE, {"Authorization": "TOKEN"}, 401),
    (CHANGE, {"Authorization": "Bearer \xfc"}, 401),
    (("POST", "/v1/pause?token=TOKEN", PAUSE), {}, 401),
    (END, {}, 401),
    (("PUT", "/v1/status", PAUSE), {}, 401),
    (("OPTIONS", "/v1/pause", None), {}, 401),
    (("POST", "/nowhere", PAUSE), {}, 401),
    (CHANGE, TOKEN, 200),
    (CHANGE, {"authorization": "bearer TOKEN"}, 200),
    (CHANGE, {**TOKEN, "Origin": "http://127.0.0.1:PORT", "Host": "127.0.0.1:PORT"}, 200),
    (("POST", "/v1/resume", PAUSE), TOKEN, 200),
    (END, TOKEN, 404),
    # A body is as on the socket.
    (CHANGE, {**TOKEN, **TEXT}, 415),
    (TOO_LARGE, TOKEN, 413),
    (TOO_LARGE, {}, 401),
    # The token itself is told on the socket only.
    (("GET", "/v1/token", None), {}, 403),
    (("GET", "/v1/token", None), TOKEN, 403),
    (("GET", "/v1/token%0A", None), {}, 403),
    (("GET", "/v1/to%6ben", None), {}, 403),
    (("GET", "//v1/token", None), {}, 404),
]


def state(service: Hosted) -> tuple[bytes, bytes, list[float]]:
    """Return all that requests can change."""
    holds, room = (service.ask("GET", route)[1] for route in ("/v1/holds", "/v1/room"))
    return holds, room, [service.size(name) for name in USES]


@contextmanager
def unchanged_if(service: Hosted, *, refused: bool) -> Iterator[None]:
    """Assert that who was refused changed nothing; undo what others did."""
    before = state(service)
    yield
    if refused:
        assert before == state(service)
    else:
        service.ask("POST", "/v1/resume", PAUSE)


@pytest.mark.parametrize(("asked", "headers", "status"), TABLE, ids=lambda each: str(each)[:90])
def test_each_request_over_tcp_has_its_answer(
    service: Hosted, asked: Asked, headers: dict[str, str], status: int
) -> None:
    with unchanged_if(service, refused=status >= 400):
        found, said, content = service.ask_web(*asked, filled(headers, service))
    assert status == found
    assert ("nosniff", "no-referrer") == (said["x-content-type-options"], said["referrer-policy"])
    assert "no-store" == said["cache-control"]
    if status >= 400:
        failure: Any = json.loads(content)
        assert {"error", "hint", "exit_code"} == set(failure)
        assert (status == 401) == ("www-authenticate" in said)


# Bytes that no client of ours sends, from a page's, a proxy's or a smuggler's point of view.
BYTES: list[tuple[bytes, bytes]] = [
    (b"GET /v1/holds HTTP/1.1\r\nHost: localhost:PORT\r\nHost: evil.example\r\n\r\n", b"400"),
    (b"GET /v1/holds HTTP/1.1\r\n\r\n", b"400"),
    (b"GET /v1/holds HTTP/1.0\r\n\r\n", b"421"),
    (b"GET http://localhost:PORT/v1/holds HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"421"),
    (b"POST /v1/pause HTTP/1.1\r\nHost: localhost:PORT\r\nContent-Length: 2\r\n\r\n{}", b"401"),
    (
        (
            b"POST /v1/pause HTTP/1.1\r\nHost: localhost:PORT\r\nContent-Length: 2\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nPOST /v1/pause HTTP/1.1\r\n\r\n"
        ),
        b"401",
    ),
    (b"POST /v1/pause HTTP/1.1\r\nHost: localhost:PORT\r\nContent-Length: -2\r\n\r\n{}", b"400"),
    (b"CONNECT localhost:PORT HTTP/1.1\r\nHost: localhost:PORT\r\n\r\n", b"401"),
    (
        (
            b"GET /v1/stream HTTP/1.1\r\nHost: localhost:PORT\r\nOrigin: http://evil.example\r\n"
            b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a\r\n\r\n"
        ),
        b"403",
    ),
    (b"GET /v1/holds HTTP/1.1\r\nHost: localhost:PORT\r\nX: a\r\n b\x00\r\n\r\n", b"400"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"421"),
]


@pytest.mark.parametrize(("sent", "status"), BYTES, ids=lambda each: str(each)[:60])
def test_odd_bytes_over_tcp_have_their_answer(service: Hosted, sent: bytes, status: bytes) -> None:
    assert service.web is not None
    with (
        unchanged_if(service, refused=True),
        socket.create_connection(service.web.address, timeout=60.0) as connection,
    ):
        connection.sendall(sent.replace(b"PORT", str(service.web.address.port).encode()))
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert status == answer.split()[1]


# Who asks on the socket: this process's own user, a stranger, and a stranger in the socket's group. Its mode
# lets all of them come as far as the service's own check, as a careless administrator might.
SELF, STRANGER, MEMBER = None, (), (os.getegid(),)
PRIVILEGED = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
SOCKET: list[tuple[Groups, Asked, dict[str, str], int]] = [
    (SELF, READ, {"Host": "evil.example", "Origin": "http://evil.example"}, 200),
    (SELF, CHANGE, {}, 200),
    (SELF, ("POST", "/v1/resume", PAUSE), {}, 200),
    (SELF, CHANGE, TEXT, 415),
    (SELF, CHANGE, {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    (SELF, TOO_LARGE, {}, 413),
    (SELF, END, {}, 404),
    (SELF, ("GET", "/v1/token", None), {}, 200),
    (STRANGER, READ, {}, 403),
    (STRANGER, READ, {"Authorization": "Bearer TOKEN"}, 403),
    (STRANGER, ("GET", "/", None), {}, 403),
    (STRANGER, ("GET", "/metrics", None), {}, 403),
    (STRANGER, ("GET", "/v1/token", None), {}, 403),
    (STRANGER, ("GET", "/nowhere", None), {}, 403),
    (STRANGER, CHANGE, {}, 403),
    (STRANGER, CHANGE, TOKEN, 403),
    (STRANGER, TOO_LARGE, {}, 403),
    (STRANGER, END, {}, 403),
    (MEMBER, READ, {}, 200),
    (MEMBER, CHANGE, {}, 200),
    (MEMBER, CHANGE, TEXT, 415),
    (MEMBER, TOO_LARGE, {}, 413),
]


@pytest.mark.parametrize(
    ("who", "asked", "headers", "status"),
    [
        pytest.param(*row, marks=[] if row[0] is None else [PRIVILEGED], id=str(row)[:90].replace("\0", ""))
        for row in SOCKET
    ],
)
def test_on_the_socket_the_kernel_tells_who_it_is(
    service: Hosted, who: Groups, asked: Asked, headers: dict[str, str], status: int
) -> None:
    headers = filled(headers, service)
    service.path.chmod(0o666)
    service.path.parent.chmod(0o755)
    with unchanged_if(service, refused=status >= 400):
        if who is None:
            found, content = service.ask(*asked, headers)
        else:
            found, content = ask_as(service.path, who, *asked, headers)
    assert status == found
    if status >= 400:
        assert {"error", "hint", "exit_code"} == set(json.loads(content))


def test_what_the_web_changes_is_done_by_the_web(service: Hosted) -> None:
    _, _, content = service.ask_web(*CHANGE, filled(TOKEN, service))
    assert "web" == json.loads(content)["who"]
    service.ask("POST", "/v1/resume", PAUSE)
