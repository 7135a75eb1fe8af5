"""The gate before the API on TCP: who may ask what, by real requests from a browser's point of view."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hosted import Hosted, hosted

from ballonet.service.failing import MOST_BODY_BYTES

PAUSE = b"{}"
READ = ("GET", "/v1/status", None)
CHANGE = ("POST", "/v1/pause", PAUSE)
END = ("DELETE", "/v1/room/none", None)
TOO_LARGE = ("POST", "/v1/pause", b" " * (MOST_BODY_BYTES + 1))
TOKEN = {"Authorization": "Bearer TOKEN"}
TEXT = {"Content-Type": "text/plain"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("web") / "run" / "ballonet.sock"


@pytest.fixture(scope="module")
def service(place: Path) -> Iterator[Hosted]:
    with hosted(place, web=True) as found:
        yield found


def token(service: Hosted) -> str:
    return str(json.loads(service.ask("GET", "/v1/token")[1])["token"])


def filled(headers: dict[str, str], service: Hosted) -> dict[str, str]:
    """Put the port and the token where a table says so."""
    assert service.web is not None
    port, secret = str(service.web.address.port), token(service)
    return {name: value.replace("PORT", port).replace("TOKEN", secret) for name, value in headers.items()}


Asked = tuple[str, str, bytes | None]
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


@pytest.mark.parametrize(("asked", "headers", "status"), TABLE, ids=lambda each: str(each)[:90])
def test_each_request_over_tcp_has_its_answer(
    service: Hosted, asked: Asked, headers: dict[str, str], status: int
) -> None:
    found, said, content = service.ask_web(*asked, filled(headers, service))
    assert status == found
    assert ("nosniff", "no-referrer") == (said["x-content-type-options"], said["referrer-policy"])
    assert "no-store" == said["cache-control"]
    if status >= 400:
        failure: Any = json.loads(content)
        assert {"error", "hint", "exit_code"} == set(failure)
        assert (status == 401) == ("www-authenticate" in said)


@pytest.mark.parametrize(
    ("asked", "headers", "status"),
    [
        (READ, {"Host": "evil.example", "Origin": "http://evil.example"}, 200),
        (CHANGE, {}, 200),
        (("POST", "/v1/resume", PAUSE), {}, 200),
        (CHANGE, TEXT, 415),
        (TOO_LARGE, {}, 413),
        (("GET", "/v1/token", None), {}, 200),
    ],
    ids=str,
)
def test_on_the_socket_the_kernel_tells_who_it_is(
    service: Hosted, asked: Asked, headers: dict[str, str], status: int
) -> None:
    assert status == service.ask(*asked, headers)[0]


def test_what_the_web_changes_is_done_by_the_web(service: Hosted) -> None:
    _, _, content = service.ask_web(*CHANGE, filled(TOKEN, service))
    assert "web" == json.loads(content)["who"]
    service.ask("POST", "/v1/resume", PAUSE)


def test_nothing_was_changed_by_those_who_were_refused(service: Hosted) -> None:
    refused = [(asked, headers) for asked, headers, status in TABLE if status >= 400 and asked != END]
    for asked, headers in refused:
        service.ask_web(*asked, filled(headers, service))
    assert not json.loads(service.ask("GET", "/v1/holds")[1])["holds"]
