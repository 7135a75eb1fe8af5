"""What the API asks of the service, where its routes do not show it."""

import asyncio

import pytest
from hosted import Hosted

from ballonet.engine.engine import Engine, World
from ballonet.engine.requests import Requests
from ballonet.errors import NoSuchGuestError, NotPermittedError, UsageError
from ballonet.facts.happening import Happening, Kind
from ballonet.policy.settings import Settings
from ballonet.service.client import Client, asked
from ballonet.service.connection import Connection
from ballonet.service.events import Question
from ballonet.service.facade import Service
from ballonet.service.models import (
    Hold,
    Holds,
    PauseAsked,
    Plan,
    ResumeAsked,
    RoomAsked,
    SetAsked,
    Status,
    Why,
)
from ballonet.service.recent import Recent
from ballonet.simulator.schedule import Step
from ballonet.simulator.spec import Spec
from ballonet.simulator.virtual import VirtualClock
from ballonet.simulator.virtual import run as virtually
from ballonet.simulator.world import World as Guests
from ballonet.units import GIB, MIB


def test_settings_that_could_not_be_read_show_in_the_status(service: Hosted) -> None:
    assert service.service.status().settings.succeeded
    service.service.reloaded("ballonet.toml:2: host.budget: 12 has no unit")
    settings = Client(service.path).get(Status, "/v1/status").settings
    assert (False, "ballonet.toml:2: host.budget: 12 has no unit") == (settings.succeeded, settings.error)
    service.service.reloaded()
    assert service.service.status().settings.error is None


def test_a_hold_of_a_guest_that_is_gone_can_be_ended(service: Hosted) -> None:
    service.engine.requests.hold("uuid-old", "old", seconds=None, who="anna")
    client = Client(service.path)
    [ended] = client.post(Holds, "/v1/resume", ResumeAsked(guest="old")).holds
    assert ("old", "anna") == (ended.name, ended.who)
    with pytest.raises(NoSuchGuestError):
        client.post(Holds, "/v1/resume", ResumeAsked(guest="old"))


def test_a_defect_is_one_answer_and_the_service_goes_on(
    service: Hosted, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(service.service, "_requests", None)
        code, content = service.ask("GET", "/v1/status")
    assert 500 == code
    assert b"this should not have happened: AttributeError" in content
    assert 200 == service.ask("GET", "/v1/status")[0]
    assert "AttributeError" in caplog.text


# --- several hypervisors ---------------------------------------------------------------------------------


def two_hosts(*, shared: bool = True) -> tuple[Service, list[Engine]]:
    """Return a service over two engines, of the guests "a" and "b"."""
    clock, connections = VirtualClock(), []
    requests = Requests(clock)
    for name in ("a", "b"):
        guests = Guests([Spec(name, GIB, [Step(anon_mib=60.0, hot_mib=60.0)])], clock=clock)
        engine = Engine(
            World(guests, clock, guests, guests),
            Settings(budget_bytes=GIB, boot_grace_seconds=0.0),
            lambda _: None,
            requests=requests if shared else None,
        )
        connections.append(Connection(f"sim:{name}", guests, engine))
    return Service(connections, Recent()), [each.engine for each in connections]


def test_guests_are_found_wherever_they_run() -> None:
    async def does() -> tuple[Status, Plan, Why, Hold, Status]:
        service, engines = two_hosts()
        for engine in engines:
            await engine.tick()
        status, plan, why = service.status(), service.plan(), await service.why("b")
        held = await service.pause(PauseAsked(guest="simulated-b"), "anna")
        await service.pause(PauseAsked(), "anna")
        assert not any(engine.writes for engine in engines)
        return status, plan, why, held, service.status()

    before, plan, why, held, after = virtually(does())
    assert ["sim:a", "sim:b"] == [each.uri for each in before.hypervisors]
    assert [["a"], ["b"]] == [[row.name for row in each.guests] for each in plan.hypervisors]
    assert ("sim:b", "b") == (why.hypervisor, held.name)
    assert before.paused is None
    assert after.paused
    assert ["b", None] == [hold.name for hold in after.holds]


def test_engines_of_one_service_know_of_the_same_requests() -> None:
    with pytest.raises(ValueError, match="share their requests"):
        virtually(_made())


async def _made() -> None:
    await asyncio.sleep(0)
    two_hosts(shared=False)


# --- events in memory ------------------------------------------------------------------------------------


def test_the_last_events_are_kept() -> None:
    log = Recent(most=3)
    for number in range(5):
        log.tell(Happening(float(number), Kind.CAME, f"guest-{number}", f"uuid-{number}"))
    assert [3, 4, 5] == [record.id for record in log.events()]
    assert [4, 5] == [record.id for record in log.events(Question(limit=2))]
    assert [3] == [record.id for record in log.events(Question(after_id=1, limit=1))]
    assert [4] == [record.id for record in log.events(Question(since=3.0, until=4.0))]
    assert [5] == [record.id for record in log.events(Question(name="guest-4"))]
    assert [] == log.events(Question(kinds={Kind.WENT}))


# --- what commands send ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        (SetAsked, {"guest": "web", "size_bytes": 0}, "size: Input should be greater than 0"),
        (SetAsked, {"guest": "a\nb", "size_bytes": MIB}, "guest: must not contain control characters"),
        (RoomAsked, {"size_bytes": MIB, "timeout_seconds": 700.0}, "timeout: Input should be less"),
    ],
)
def test_what_the_service_would_refuse_is_usage(
    kind: type[SetAsked], fields: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        asked(kind, **fields)


def test_a_failure_keeps_its_kind_on_the_way(service: Hosted) -> None:
    client = Client(service.path)
    with pytest.raises(NoSuchGuestError, match="no guest 'who' runs here"):
        client.get(Why, "/v1/guests/who/why")
    with pytest.raises(UsageError, match="no lease 'x'"):
        client.delete(Hold, "/v1/room/x")


def test_a_socket_that_one_may_not_connect_to_is_told_as_such(
    service: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("socket.socket.connect", denied)
    with pytest.raises(NotPermittedError, match="this user may not connect"):
        Client(service.path).get(Status, "/v1/status")
