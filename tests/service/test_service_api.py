"""Every route on a simulated host behind a real socket: what it answers is what docs/openapi.json says."""

import asyncio
import json
import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from hosted import Hosted, connect, hosted, until
from jsonschema import Draft202012Validator

from ballonet.facts.happening import Happening, Kind
from ballonet.service.api import OPERATIONS
from ballonet.service.openapi import document
from ballonet.units import GIB, MIB

FILE = Path(__file__).parents[2] / "docs" / "openapi.json"
CONTRACT = json.loads(FILE.read_text())


def test_the_file_is_what_the_routes_and_models_say() -> None:
    assert json.loads(document(OPERATIONS)) == CONTRACT, "run script/reference"


def told(service: Hosted, method: str, path: str, body: Any = None, *, route: str | None = None) -> Any:
    """Make a request, hold its answer to the contract, and return it."""
    code, content = service.ask(method, path, None if body is None else json.dumps(body).encode())
    answer = json.loads(content)
    said = CONTRACT["paths"][route or path.partition("?")[0]][method.lower()]["responses"]
    schema = said.get(str(code), said["default"])["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": CONTRACT["components"]}).validate(answer)
    return answer


def refused(service: Hosted, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
    """Make a request that fails; return the HTTP code and what is said in the one shape of failures."""
    code, content = service.ask(method, path, body)
    failure = json.loads(content)
    assert {"error", "hint", "exit_code"} == set(failure)
    assert failure["error"]
    assert failure["hint"]
    return code, failure


# --- questions -------------------------------------------------------------------------------------------


def test_status_says_what_is_done_on_the_whole(service: Hosted) -> None:
    status = told(service, "GET", "/v1/status")
    assert ("enforce", None) == (status["mode"], status["paused"])
    assert 16 * GIB == status["host"]["total_bytes"]
    [hypervisor] = status["hypervisors"]
    assert ("sim:four", 3 * GIB) == (hypervisor["uri"], hypervisor["budget_bytes"])
    assert hypervisor["held_bytes"] == sum(service.size(name) for name in ("busy", "idle", "spare", "web"))
    assert 4 * GIB == hypervisor["held_bytes"] + hypervisor["given_back_bytes"]
    assert {"total": 4, "managed": 4, "by_verdict": {"managed": 4}} == hypervisor["guests"]
    assert 0.0 == hypervisor["last_tick"]["age_seconds"]


def test_a_paused_service_says_who_paused_it_and_until_when(service: Hosted) -> None:
    hold = told(service, "POST", "/v1/pause", {"for_seconds": 3600, "why": "maintenance"})
    assert hold["name"] is None
    status = told(service, "GET", "/v1/status")
    assert hold == status["paused"]
    assert "maintenance" == status["paused"]["why"]
    assert "enforce" == status["mode"]
    assert not told(service, "GET", "/v1/plan")["hypervisors"][0]["writes"]


def test_the_plan_has_each_guest_with_its_reason(service: Hosted) -> None:
    [hypervisor] = told(service, "GET", "/v1/plan")["hypervisors"]
    rows = {row["name"]: row for row in hypervisor["guests"]}
    assert ["busy", "idle", "spare", "web"] == list(rows)
    busy = rows["busy"]
    assert busy["wanted"] == busy["got"]
    assert ("nothing", None) == (busy["bound"], busy["target_bytes"])
    assert "it has what it should have: all of its need, all of its cushion" == busy["sentence"]


@pytest.mark.parametrize("reference", ["web", "simulated-web", "4"])
def test_why_of_a_guest_by_name_uuid_and_id(service: Hosted, reference: str) -> None:
    why = told(service, "GET", f"/v1/guests/{reference}/why", route="/v1/guests/{guest}/why")
    assert ("web", "managed", None) == (why["name"], why["verdict"]["code"], why["hold"])
    assert (GIB, GIB // 4, 100.0) == (
        why["inputs"]["maximum_bytes"],
        why["inputs"]["floor_bytes"],
        why["inputs"]["weight"],
    )
    assert 0.0 == why["inputs"]["stats_age_seconds"]
    assert why["learned"]["cushion_bytes"] == why["wanted"]["cushion_bytes"] > 0
    assert why["told_bytes"] == why["inputs"]["actual_bytes"]
    first, *_, last = why["changes"]
    assert (GIB, "planned") == (first["from_bytes"], first["kind"])
    assert why["inputs"]["actual_bytes"] == last["to_bytes"] == last["then_bytes"]


def test_a_guest_that_is_left_alone_wants_nothing_that_is_known(service: Hosted) -> None:
    told(service, "POST", "/v1/pause", {"guest": "web"})
    service.ticks()
    why = told(service, "GET", "/v1/guests/web/why", route="/v1/guests/{guest}/why")
    assert ("held", "web") == (why["verdict"]["code"], why["hold"]["name"])
    assert {None} == {*why["wanted"].values(), *why["got"].values(), why["learned"]["cushion_bytes"]}


def test_before_the_first_look_nothing_is_known_and_nothing_is_ready(place: Path) -> None:
    with hosted(place, ticks=0) as service:
        assert not told(service, "GET", "/-/ready")["ready"]
        assert told(service, "GET", "/-/healthy")["healthy"]
        [hypervisor] = told(service, "GET", "/v1/status")["hypervisors"]
        assert hypervisor["held_bytes"] is hypervisor["last_tick"] is hypervisor["state"] is None
        for path in ("/v1/plan", "/v1/room", "/v1/guests/web/why"):
            code, failure = refused(service, "GET", path)
            assert (503, 1) == (code, failure["exit_code"])
        service.ticks()
        assert told(service, "GET", "/-/ready")["ready"]


def test_a_service_that_has_not_looked_for_long_is_not_ready(service: Hosted) -> None:
    service.clock.now += 60.0
    assert "sim:four were last looked at 60 s ago" in told(service, "GET", "/-/ready")["reason"]
    assert 503 == service.ask("GET", "/-/ready")[0]


# --- events ----------------------------------------------------------------------------------------------


def test_events_are_found_by_guest_kind_and_time(service: Hosted) -> None:
    everything = told(service, "GET", "/v1/events")["events"]
    assert sorted(each["id"] for each in everything) == [each["id"] for each in everything]
    planned = told(service, "GET", "/v1/events?guest=web&kind=planned")["events"]
    assert planned == [each for each in everything if (each["name"], each["kind"]) == ("web", "planned")]
    assert planned[0]["reasons"]["wanted_bytes"]["need"] > 0
    middle = everything[10]["at"]
    assert everything == [
        *told(service, "GET", f"/v1/events?until={middle}")["events"],
        *told(service, "GET", f"/v1/events?since={middle}")["events"],
    ]
    assert everything[-3:] == told(service, "GET", "/v1/events?limit=3")["events"]


def test_what_people_ask_for_is_told_too(service: Hosted) -> None:
    told(service, "POST", "/v1/pause", {"guest": "web", "for_seconds": 60, "why": "a test"})
    told(service, "POST", "/v1/resume", {"guest": "web"})
    told(service, "POST", "/v1/room", {"size_bytes": 10 * MIB, "guest": "new"})
    said = [each["sentence"] for each in told(service, "GET", "/v1/events?kind=held&kind=leased")["events"]]
    assert [
        "root has it left as it is for 1 min: a test",
        "root ended its hold",
        "lease-2: root has 10.0 MiB kept free for 5 min, for guest 'new' to come",
    ] == [sentence.replace(_me(), "root") for sentence in said]


def test_a_guest_that_is_gone_has_its_events_still(service: Hosted) -> None:
    service.tell(Happening(1.0, Kind.WENT, "old", "uuid-old"))
    for reference in ("old", "uuid-old"):
        [event] = told(service, "GET", f"/v1/events?guest={reference}")["events"]
        assert ("old", "is gone") == (event["name"], event["sentence"])
    assert (404, 4) == _code(refused(service, "GET", "/v1/events?guest=older"))


def test_names_that_are_no_unicode_are_answered_all_the_same(service: Hosted) -> None:
    service.tell(Happening(1.0, Kind.CAME, "a\udcffb\x1b[2J", "uuid-odd"))
    [event] = told(service, "GET", "/v1/events?guest=uuid-odd")["events"]
    assert "a?b\x1b[2J" == event["name"]


def test_followed_events_come_one_a_line_until_the_service_ends(service: Hosted) -> None:
    with service.following("/v1/events?follow=true&limit=2") as lines:
        before = [json.loads(next(lines)) for _ in range(2)]
        service.tell(Happening(1.0, Kind.WENT, "old", "uuid-old"))
        new = json.loads(next(lines))
        assert before[-1]["id"] + 1 == new["id"]
        Draft202012Validator(
            {"$ref": "#/components/schemas/Event", "components": CONTRACT["components"]}
        ).validate(new)
        service.stop()
        assert [] == list(lines)


# --- having things done ----------------------------------------------------------------------------------


def test_a_guest_is_set_held_and_let_go(service: Hosted) -> None:
    asked = {"guest": "idle", "size_bytes": 800 * MIB, "for_seconds": 20, "why": "a test"}
    hold = told(service, "POST", "/v1/set", asked)
    assert ("idle", 800 * MIB, "a test", _me()) == (
        hold["name"],
        hold["size_bytes"],
        hold["why"],
        hold["who"],
    )
    assert [hold] == told(service, "GET", "/v1/holds")["holds"]
    service.ticks(5)
    assert 800 * MIB == service.size("idle")
    service.ticks(35)
    assert [] == told(service, "GET", "/v1/holds")["holds"]
    assert service.size("idle") < 500 * MIB


def test_released_guests_get_back_what_is_free(service: Hosted) -> None:
    [hold] = told(service, "POST", "/v1/release", {"guest": "idle"})["holds"]
    assert "released" == hold["why"]
    service.ticks(3)
    assert GIB == service.size("idle")
    assert 4 == len(told(service, "POST", "/v1/release", {"all": True})["holds"])
    assert 4 == len(told(service, "GET", "/v1/holds")["holds"])
    assert ["idle"] == [
        each["name"] for each in told(service, "POST", "/v1/resume", {"guest": "idle"})["holds"]
    ]


def test_room_is_made_listed_and_dropped(service: Hosted) -> None:
    most = told(service, "GET", "/v1/room")["most_bytes"]
    size = most - 16 * MIB
    lease = told(service, "POST", "/v1/room", {"size_bytes": size, "guest": "new", "hold_seconds": 600})
    assert (size, "new") == (lease["size_bytes"], lease["guest"])
    room = told(service, "GET", "/v1/room")
    assert ([lease], size) == (room["leases"], room["leased_bytes"])
    path = f"/v1/room/{lease['id']}"
    assert lease == told(service, "DELETE", path, route="/v1/room/{lease}")
    assert (404, 2) == _code(refused(service, "DELETE", path))


def test_room_that_does_not_come_in_time_is_kept_no_longer(service: Hosted) -> None:
    service.clock.on_sleep = lambda: asyncio.sleep(0.01)  # nobody looks at the guests
    size = told(service, "GET", "/v1/room")["most_bytes"] - MIB
    body = json.dumps({"size_bytes": size, "timeout_seconds": 0.05}).encode()
    assert (504, 6) == _code(refused(service, "POST", "/v1/room", body))
    assert [] == told(service, "GET", "/v1/room")["leases"]


def test_room_whose_client_goes_before_it_is_free_is_kept_no_longer(service: Hosted) -> None:
    service.clock.on_sleep = lambda: asyncio.sleep(0.01)  # nobody looks at the guests
    body = json.dumps({"size_bytes": told(service, "GET", "/v1/room")["most_bytes"] - MIB}).encode()
    connection = connect(service.path)
    connection.send(
        b"POST /v1/room HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    until(lambda: ["lease-1"] == [each["id"] for each in told(service, "GET", "/v1/room")["leases"]])
    connection.close()
    until(lambda: [] == told(service, "GET", "/v1/room")["leases"])


@pytest.mark.parametrize(
    ("route", "body", "code", "words"),
    [
        ("set", {"guest": "idle", "size_bytes": 16 * MIB}, 409, "G1"),
        ("set", {"guest": "idle", "size_bytes": 2 * GIB}, 409, "G2"),
        ("set", {"guest": "who", "size_bytes": GIB}, 404, "no guest 'who'"),
        ("pause", {"guest": "who"}, 404, "no guest 'who'"),
        ("resume", {"guest": "99"}, 404, "no guest '99'"),
        ("release", {"guest": "who"}, 404, "no guest 'who'"),
        ("room", {"size_bytes": 100 * GIB}, 409, "could be had at most"),
    ],
)
def test_what_cannot_be_is_refused(
    service: Hosted, route: str, body: dict[str, object], code: int, words: str
) -> None:
    found, failure = refused(service, "POST", f"/v1/{route}", json.dumps(body).encode())
    assert (code, {404: 4, 409: 5}[code]) == (found, failure["exit_code"])
    assert words in failure["error"]
    assert [] == told(service, "GET", "/v1/holds")["holds"]


@pytest.mark.parametrize("route", ["set", "release", "room"])
def test_who_only_observes_changes_nothing(place: Path, route: str) -> None:
    with hosted(place, enforce=False, budget_bytes=5 * GIB) as service:
        body = {
            "set": {"guest": "idle", "size_bytes": 800 * MIB},
            "release": {"all": True},
            "room": {"size_bytes": 2 * GIB},
        }[route]
        code, failure = refused(service, "POST", f"/v1/{route}", json.dumps(body).encode())
        assert (409, 5) == (code, failure["exit_code"])
        assert "only observed" in failure["error"]
        assert GIB == service.size("idle")
        told(service, "POST", "/v1/pause", {})


# --- what is no request ----------------------------------------------------------------------------------

SET = '{"guest": "web", "size_bytes": 900000000'


@pytest.mark.parametrize(
    ("route", "body", "words"),
    [
        ("set", "", "body: Invalid JSON"),
        ("set", "{", "body: Invalid JSON"),
        ("set", "[]", "Input should be an object"),
        ("set", "null", "Input should be an object"),
        ("set", '"web"', "Input should be an object"),
        ("set", SET + ', "colour": "red"}', "body.colour: Extra inputs"),
        ("set", '{"guest": "web"}', "body.size_bytes: Field required"),
        ("set", '{"guest": "web", "size_bytes": "900M"}', "body.size_bytes: Input should be a valid integer"),
        ("set", '{"guest": "web", "size_bytes": 900000000.5}', "valid integer"),
        ("set", '{"guest": "web", "size_bytes": true}', "valid integer"),
        ("set", '{"guest": "web", "size_bytes": 0}', "greater than 0"),
        ("set", '{"guest": "web", "size_bytes": -1}', "greater than 0"),
        ("set", '{"guest": "web", "size_bytes": 9223372036854775808}', "less than or equal"),
        ("set", '{"guest": "web", "size_bytes": 1e400}', "valid integer"),
        ("set", '{"guest": 7, "size_bytes": 1}', "body.guest: Input should be a valid string"),
        ("set", '{"guest": "", "size_bytes": 1}', "at least 1 character"),
        ("set", json.dumps({"guest": "w" * 257, "size_bytes": 1}), "at most 256 characters"),
        ("set", '{"guest": "web\\u001b[2J", "size_bytes": 1}', "must not contain control characters"),
        ("set", '{"guest": "web\\ud800", "size_bytes": 1}', "body: Invalid JSON"),
        ("set", SET + ', "for_seconds": "10m"}', "body.for_seconds: Input should be a valid number"),
        ("set", SET + ', "for_seconds": 0}', "greater than 0"),
        ("set", SET + ', "for_seconds": NaN}', "finite number"),
        ("set", SET + ', "for_seconds": 1e400}', "finite number"),
        ("set", SET + ', "for_seconds": 1e300}', "less than or equal"),
        ("set", SET + ', "why": "a\\nb"}', "must not contain control characters"),
        ("set", json.dumps({"guest": "web", "size_bytes": 1, "why": "w" * 257}), "at most 256 characters"),
        ("pause", '{"for": "1h"}', "body.for: Extra inputs"),
        ("release", "{}", "name one guest, or say all"),
        ("release", '{"guest": "web", "all": true}', "name one guest, or say all"),
        ("release", '{"all": "yes"}', "valid boolean"),
        ("room", '{"size_bytes": 1, "timeout_seconds": 601}', "less than or equal to 600"),
        ("set", "[" * 50_000, "Invalid JSON: recursion limit"),
        ("set", "\xff", "body: Invalid JSON"),
    ],
)
def test_bad_bodies_are_refused(service: Hosted, route: str, body: str, words: str) -> None:
    code, failure = refused(service, "POST", f"/v1/{route}", body.encode("latin-1"))
    assert (400, 2) == (code, failure["exit_code"])
    assert words in failure["error"]
    assert [] == told(service, "GET", "/v1/holds")["holds"]


def test_a_body_is_json_and_says_so(service: Hosted) -> None:
    code, content = service.ask("POST", "/v1/pause", b"{}", {"Content-Type": "text/plain"})
    assert (415, 2) == (code, json.loads(content)["exit_code"])


def test_a_body_has_an_end(service: Hosted) -> None:
    body = json.dumps({"why": "w" * 70_000}).encode()
    assert (413, 2) == _code(refused(service, "POST", "/v1/pause", body))


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/status/", 404),
        ("GET", "/v2/status", 404),
        ("GET", "/docs", 404),
        ("GET", "/v1/guests/web", 404),
        ("GET", "/../../etc/passwd", 404),
        ("POST", "/v1/status", 405),
        ("GET", "/v1/pause", 405),
        ("OPTIONS", "/v1/status", 405),
        ("PUT", "/v1/room", 405),
        ("GET", "/v1/events?limit=0", 400),
        ("GET", "/v1/events?limit=10001", 400),
        ("GET", "/v1/events?since=yesterday", 400),
        ("GET", "/v1/events?since=2026-01-01T00:00:00", 400),
        ("GET", "/v1/events?kind=nonsense", 400),
        ("GET", "/v1/events?colour=red", 400),
        ("GET", "/v1/events?guest=a%00b", 400),
        ("GET", f"/v1/guests/{'w' * 300}/why", 400),
        ("GET", "/v1/guests/a%1bb/why", 400),
    ],
)
def test_what_is_no_route_or_question_is_refused(service: Hosted, method: str, path: str, code: int) -> None:
    assert (code, 2) == _code(refused(service, method, path))


def test_the_contract_is_served_too(service: Hosted) -> None:
    code, content = service.ask("GET", "/openapi.json")
    assert (200, CONTRACT) == (code, json.loads(content))


def _code(found: tuple[int, dict[str, Any]]) -> tuple[int, int]:
    return found[0], found[1]["exit_code"]


def _me() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


# --- history ---------------------------------------------------------------------------------------------


def test_a_guests_history_ends_with_what_it_has_now(service: Hosted) -> None:
    found = told(service, "GET", "/v1/guests/web/history", route="/v1/guests/{guest}/history")
    assert ("web", "simulated-web", 2.0) == (found["name"], found["uuid"], found["step_seconds"])
    assert {len(found["at_seconds"])} == {len(each) for each in found.values() if isinstance(each, list)}
    assert 15 == len(found["at_seconds"])
    assert GIB == found["actual_bytes"][0]
    assert service.size("web") == found["actual_bytes"][-1] == found["told_bytes"][-1]
    assert [None] == found["swap_in_bytes"][:1]


def test_the_hosts_history_is_of_all_managed_guests(service: Hosted) -> None:
    found = told(service, "GET", "/v1/history")
    assert {16 * GIB} == {*found["total_bytes"]}
    assert {4 * GIB} == {*found["maximum_bytes"]}
    assert sum(service.size(name) for name in ("busy", "idle", "spare", "web")) == found["held_bytes"][-1]


def test_sparklines_have_a_line_a_guest_and_few_values(service: Hosted) -> None:
    found = told(service, "GET", "/v1/sparklines?points=3")
    assert {service.uuid(name) for name in ("busy", "idle", "spare", "web")} == {
        guest["uuid"] for guest in found["guests"]
    }
    assert {3} == {len(guest["actual_bytes"]) for guest in found["guests"]}


@pytest.mark.parametrize(
    "query", ["points=0", "points=x", "since=now", "since=2099-01-01T00:00:00Z", "step=1"]
)
def test_a_history_of_no_time_is_refused(service: Hosted, query: str) -> None:
    for path in ("history", "guests/web/history"):
        code, failure = refused(service, "GET", f"/v1/{path}?{query}")
        assert (400, 2) == (code, failure["exit_code"])


def test_the_history_of_nobody_is_refused(service: Hosted) -> None:
    assert 404 == refused(service, "GET", "/v1/guests/nobody/history")[0]
