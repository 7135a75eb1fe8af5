"""Agents are asked beside all else: whoever hangs, refuses or lies costs what it would have told."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
from guest_agent import Agent

from ballonet.errors import DeadlineError
from ballonet.facts.agent import Channel
from ballonet.facts.guest import Guest, State
from ballonet.hypervisor import agents as module
from ballonet.hypervisor.agents import Agents, hear

GUEST = Guest("web", "u-web", 1, State.RUNNING, read_at=0.0, channel=Channel.CONNECTED)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the monotonic seconds, which stand still until somebody moves them."""
    seconds = [100.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    return seconds


class Ward:
    """Guests with an agent each."""

    def __init__(self, *names: str) -> None:
        self.agents = {f"u-{name}": Agent() for name in names}
        self.guests = [replace(GUEST, name=name, uuid=f"u-{name}") for name in names]
        self.heard = Agents(lambda uuid: nullcontext(self.agents[uuid].ask), at_once=3, new_at_once=1)

    def look(self, guests: Sequence[Guest] | None = None) -> list[Guest]:
        return self.heard.hear(self.guests if guests is None else guests, lambda _: True)


async def settle() -> None:
    """Let all go on that can."""
    for _ in range(100):
        await asyncio.sleep(0)


async def test_a_look_shows_what_was_told_before_it_and_waits_for_nobody() -> None:
    ward = Ward("web")

    assert [None] == [guest.heard for guest in ward.look()]
    await settle()
    [after] = ward.look()

    assert after.heard is not None
    assert 2.5 == after.heard.waited_seconds_total


async def test_the_second_answer_tells_the_pressure_in_between(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    ward, agent = Ward("web"), "u-web"
    times = iter([1000.0, 1002.0])
    monkeypatch.setattr("ballonet.hypervisor.agent.time", SimpleNamespace(time=lambda: next(times)))
    ward.look()
    await settle()
    ward.agents[agent].files["/proc/pressure/memory"] = (
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=3000000\n"
    )
    clock[0] += 2.0
    assert [None] == [guest.pressure_ratio for guest in ward.look()]
    await settle()

    [guest] = ward.look()

    assert 0.25 == guest.pressure_ratio
    assert guest.heard is not None
    assert 1000.0 == guest.heard.since


@pytest.mark.parametrize(
    "guest",
    [
        replace(GUEST, channel=None),
        replace(GUEST, state=State.PAUSED),
        replace(GUEST, job="migration out"),
    ],
)
async def test_who_has_no_channel_does_not_run_or_is_busy_is_not_asked(guest: Guest) -> None:
    ward = Ward("web")

    ward.look([guest])
    await settle()

    assert [] == ward.agents["u-web"].asked


async def test_only_those_are_asked_that_are_wanted() -> None:
    ward = Ward("web", "db")

    ward.heard.hear(ward.guests, lambda guest: guest.name == "db")
    await settle()

    assert [] == ward.agents["u-web"].asked
    assert ward.agents["u-db"].asked


async def test_who_is_not_wanted_any_more_shows_nothing_any_more() -> None:
    ward = Ward("web")
    ward.look()
    await settle()

    [guest] = ward.heard.hear(ward.guests, lambda _: False)

    assert guest.heard is None


async def test_one_is_asked_once_a_tick_and_what_it_allows_once() -> None:
    ward, agent = Ward("web"), "u-web"
    ward.look()
    ward.look()
    await settle()
    ward.look()
    await settle()

    assert 1 == ward.agents[agent].asked.count("guest-info")
    assert 2 == ward.agents[agent].asked.count("guest-file-open")


async def test_agents_that_hang_keep_nobody_waiting_who_answered_before(clock: list[float]) -> None:
    hung = [f"hung-{number}" for number in range(20)]
    ward = Ward(*hung, "web")
    for name in hung:
        ward.agents[f"u-{name}"].hangs = {"guest-info"}
    ward.look(ward.guests[-1:])
    await settle()
    ward.look()
    await settle()
    clock[0] += 2.0
    ward.look()
    await settle()

    assert 4 == ward.agents["u-web"].asked.count("guest-file-open")
    assert 1 == sum(len(ward.agents[f"u-{name}"].asked) for name in hung)
    await ward.heard.close()


async def test_who_hangs_is_asked_with_those_that_never_answered_from_then_on(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEADLINE_SECONDS", 0.01)
    ward = Ward("one", "two", "three", "web")
    ward.look()
    await settle()
    for name in ("one", "two", "three"):
        ward.agents[f"u-{name}"].hangs = {"guest-file-open", "guest-info"}
    clock[0] += 2.0
    ward.look()
    async with asyncio.timeout(60):
        while ward.agents["u-web"].asked.count("guest-file-open") < 4:  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0)
    await ward.heard.close()


async def test_a_failure_is_followed_by_a_pause_that_doubles(clock: list[float]) -> None:
    ward, agent = Ward("web"), "u-web"
    ward.agents[agent].instead["guest-info"] = "nonsense"
    asked = []
    for seconds in (0.0, 9.0, 1.5, 18.0, 2.5, 38.0):
        clock[0] += seconds
        ward.look()
        await settle()
        asked.append(len(ward.agents[agent].asked))

    assert [1, 1, 2, 2, 3, 3] == asked


async def test_what_was_told_stays_with_its_age_when_the_agent_falls_silent(clock: list[float]) -> None:
    ward, agent = Ward("web"), "u-web"
    ward.look()
    await settle()
    [before] = ward.look()
    ward.agents[agent].instead["guest-file-open"] = "nonsense"
    clock[0] += 2.0
    ward.look()
    await settle()

    assert [before.heard] == [guest.heard for guest in ward.look()]


async def test_what_was_told_a_minute_ago_is_forgotten() -> None:
    ward = Ward("web")
    ward.look()
    await settle()
    [told] = ward.look()
    assert told.heard is not None

    shown = [ward.look([replace(GUEST, read_at=told.heard.at + age)])[0].heard for age in (60.0, 60.1)]

    assert [told.heard, None] == shown


async def test_a_guest_that_began_anew_has_told_nothing() -> None:
    ward = Ward("web")
    ward.look()
    await settle()

    [again] = ward.look([replace(GUEST, id=2)])

    assert again.heard is None


async def test_an_agent_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEADLINE_SECONDS", 0.01)
    agent = Agent()
    agent.hangs = {"guest-info"}

    with pytest.raises(DeadlineError, match="did not tell") as late:
        await hear(nullcontext(agent.ask))
    assert late.value.hint
