"""The page's addresses: what they answer, how, and to whom it does not matter whether it is HTML."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hosted import Hosted, hosted

from ballonet.service.models import PauseAsked


@pytest.mark.parametrize("path", ["/", "/guest/web", "/guest/simulated-web", "/events", "/events?kind=asked"])
def test_a_page_is_html_under_a_strict_policy(service: Hosted, path: str) -> None:
    status, content = service.ask("GET", path)
    assert 200 == status
    assert content.startswith(b"<!doctype html>")
    assert b"style=" not in content
    assert b"<script>" not in content


def test_a_guest_that_is_not_there_is_told_on_a_page(service: Hosted) -> None:
    status, content = service.ask("GET", "/guest/nobody")
    assert 404 == status
    assert b"hint:" in content
    assert b"<!doctype html>" in content


def test_before_the_first_look_a_page_says_so_and_tries_again(place: Path) -> None:
    with hosted(place, ticks=0) as host:
        status, content = host.ask("GET", "/")
        assert 503 == status
        assert b"no guest of sim:four was looked at yet" in content
        host.ticks()
        assert 200 == host.ask("GET", "/")[0]


def test_all_that_a_page_asks_for_is_there(service: Hosted) -> None:
    _, content = service.ask("GET", "/static/page.js")
    assert b"./actions.js" in content
    for name in (
        "page.css",
        "page.js",
        "theme.js",
        "icon.svg",
        "uPlot.iife.min.js",
        "uPlot.min.css",
        "uPlot.LICENSE",
    ):
        assert 200 == service.ask("GET", f"/static/{name}")[0]
    for name in ("nothing.js", "../render.py", "..%2Frender.py", "%2e%2e/views.py"):
        assert 404 == service.ask("GET", f"/static/{name}")[0]


@pytest.mark.parametrize("path", ["/events", "/static/page.css"])
def test_who_takes_it_compressed_gets_it_so(service: Hosted, path: str) -> None:
    status, content = service.ask("GET", path, headers={"Accept-Encoding": "gzip"})
    assert (200, service.ask("GET", path)[1]) == (status, gzip.decompress(content))


def test_a_filter_may_say_anything(service: Hosted) -> None:
    for query in (
        "guest=%00",
        "kind=nonsense",
        "guest=" + "x" * 5000,
        "text=%ff",
        "guest=a&guest=b",
        "more=1",
    ):
        status, content = service.ask("GET", f"/events?{query}")
        assert 200 == status
        assert b"What happened" in content


# --- the stream -------------------------------------------------------------------------------------------


def test_each_tick_and_event_comes(service: Hosted) -> None:
    with service.following("/v1/stream?after=0") as lines:
        first = [next(lines).decode() for _ in range(4)]
        assert ["id: 1\n", "event: happened\n"] == first[:2]
        assert 1 == json.loads(first[2].removeprefix("data: "))["id"]
        tick = next_overview(lines)["tick"]
        service.ticks()
        assert tick + 1 == next_overview(lines)["tick"]
        service.does(service.service.pause(PauseAsked(guest="web"), "anna"))
        told = next(line for line in lines if line.startswith(b"data: "))
        assert "anna" in json.loads(told.removeprefix(b"data: "))["sentence"]
        holds = next_overview(lines)["status"]["holds"]
        assert ["web"] == [hold["name"] for hold in holds]


def test_who_comes_again_goes_on_after_the_last_event(service: Hosted) -> None:
    newest = max(record.id for record in service.log.events())
    for number in (newest - 2, newest):
        with service.following(f"/v1/stream?after={number}") as lines:
            ids = []
            for line in lines:
                if line.startswith(b"id: "):
                    ids.append(int(line.removeprefix(b"id: ")))
                if line == b"event: overview\n":
                    break
            assert list(range(number + 1, newest + 1)) == ids


def test_an_id_of_another_life_is_no_reason_to_wait(service: Hosted) -> None:
    with service.following("/v1/stream?after=100000") as lines:
        assert b"id: 1\n" == next(lines)


def test_a_reader_that_does_not_read_misses_ticks_and_costs_nothing(service: Hosted) -> None:
    async def slow() -> list[int]:
        seen = []
        async for _, overview in service.service.stream(None):
            seen.append(overview.tick)
            if len(seen) == 2:
                break
            for _ in range(50):
                await service.clock.sleep(2.0)
        return seen

    first, second = service.does(slow())
    assert second >= first + 50


def test_a_stream_ends_with_the_service(service: Hosted) -> None:
    with service.following("/v1/stream") as lines:
        next_overview(lines)
        service.stop()
        assert [] == [line for line in lines if line.startswith(b"event")]


def test_nonsense_instead_of_an_event_is_refused(service: Hosted) -> None:
    assert 400 == service.ask("GET", "/v1/stream?after=x")[0]
    assert 400 == service.ask("GET", "/v1/stream?after=-1")[0]


def next_overview(lines: Iterator[bytes]) -> Any:
    while next(lines) != b"event: overview\n":
        pass
    return json.loads(next(lines).removeprefix(b"data: "))
