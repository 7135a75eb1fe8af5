"""Where the terminal view gets its frames from: what each source tells, and does."""

from pathlib import Path

import pytest
from hosted import Hosted, hosted

from ballonet.errors import BallonetError, NotRunningError, RefusedError, UsageError
from ballonet.service.models import PauseAsked, ReleaseAsked, ResumeAsked, SetAsked
from ballonet.service.sources.recorded import Recorded
from ballonet.service.sources.served import Served
from ballonet.service.sources.simulated import Simulated
from ballonet.show.terminal.source import Frame
from ballonet.simulator.scenarios import scenario
from ballonet.simulator.trace_file import read
from ballonet.units import GIB, MIB

HEAD = (
    "# ballonet trace 1\n"
    "time,uuid,name,maximum_bytes,actual_bytes,usable_bytes,unused_bytes,available_bytes,statistics_at,"
    "floor_bytes,ceiling_bytes,held,target_bytes,host_total_bytes,host_available_bytes,rss_bytes\n"
)


def line(at: int, name: str, actual_mib: int, told_mib: int | None, held: int = 0) -> str:
    told = "" if told_mib is None else told_mib * MIB
    actual, usable = actual_mib * MIB, 200 * MIB
    return (
        f"{at},uuid-{name},{name},{GIB},{actual},{usable},{usable},{GIB},{at - 1},"
        f"{256 * MIB},{GIB},{held},{told},{16 * GIB},{8 * GIB},{actual}\n"
    )


def trace(path: Path, *lines: str) -> Recorded:
    path.write_text(HEAD + "".join(lines))
    return Recorded(read(path), path)


async def next_of(source: Served | Simulated) -> Frame:
    found = await source.next()
    assert found is not None
    return found


# --- a service -------------------------------------------------------------------------------------------


async def test_a_service_shows_each_tick_once_and_each_event_once(service: Hosted) -> None:
    source = Served(service.path, poll_seconds=0.0)
    first = await next_of(source)
    told = len(source.events)
    assert told > 0
    assert first.number == (await next_of(source)).number
    assert told == len(source.events)
    service.ticks()
    assert first.number + 1 == (await next_of(source)).number
    assert {"busy", "idle", "spare", "web"} == {guest.name for guest in first.overview.guests}
    numbers = [event.id for event in source.events]
    assert sorted(set(numbers)) == numbers


async def test_what_is_asked_for_is_done_by_the_service(service: Hosted) -> None:
    source, uuid = Served(service.path), service.uuid("web")
    (held,) = await source.act(PauseAsked, guest=uuid, for_seconds=60.0, why="tea")
    assert ("web", "tea") == (held.name, held.why)
    assert ["web"] == [hold.name for hold in await source.act(ResumeAsked, guest=uuid)]
    (held,) = await source.act(SetAsked, guest=uuid, size_bytes=700 * MIB)
    assert 700 * MIB == held.size_bytes
    service.ticks(3)
    assert 700 * MIB == service.size("web")
    assert ["web"] == [hold.name for hold in await source.act(ReleaseAsked, guest=uuid)]
    assert "web" == (await source.why(uuid)).name
    with pytest.raises(UsageError):
        await source.act(PauseAsked, guest=uuid, for_seconds=60.0, why="x" * 300)
    with pytest.raises(RefusedError):
        await source.act(SetAsked, guest=uuid, size_bytes=MIB)


async def test_a_service_that_went_is_told_and_one_that_came_back_is_gone_on_with(place: Path) -> None:
    source = Served(place, poll_seconds=0.0)
    with hosted(place):
        before = await next_of(source)
    with pytest.raises(NotRunningError):
        await source.next()
    with hosted(place, ticks=20):
        after = await next_of(source)
    assert before.number + 1 == after.number
    numbers = [event.at.timestamp() for event in source.events]
    assert sorted(numbers) == numbers


async def test_a_service_that_keeps_no_history_has_none(service: Hosted) -> None:
    source = Served(service.path)
    found = await source.history(service.uuid("web"), 600.0, 10)
    assert found is None or found.at_seconds
    await source.sparklines(120.0, 12)  # likewise, whatever the service knows of it


# --- a simulated host ------------------------------------------------------------------------------------


async def test_a_scenario_lives_to_its_end_a_tick_a_frame() -> None:
    source, frames = Simulated(scenario("one-bursts"), "one-bursts"), []
    while (found := await source.next()) is not None:
        frames.append(found)
    await source.close()
    assert [frame.number for frame in frames] == list(range(len(frames)))
    assert frames[-1].at - frames[0].at > 50.0
    states = {frame.rows["simulated-web"].state for frame in frames}
    assert {"growing", "steady"} <= states
    assert any(event.kind == "burst" for event in source.events)
    assert source.frame(3) is frames[3]


async def test_the_same_scenario_is_always_the_same() -> None:
    runs = []
    for _ in range(2):
        source = Simulated(scenario("step"), "step")
        runs.append([(await next_of(source)).overview.model_dump() for _ in range(30)])
        await source.close()
    assert runs[0] == runs[1]


async def test_people_act_on_simulated_guests_too() -> None:
    source = Simulated(scenario("idle"), "idle")
    await next_of(source)
    (held,) = await source.act(SetAsked, guest="simulated-web", size_bytes=300 * MIB, for_seconds=60.0)
    assert 300 * MIB == held.size_bytes
    for _ in range(5):
        row = (await next_of(source)).rows["simulated-web"]
    assert ("paused", 300 * MIB) == (row.state, row.actual_bytes)
    assert "asked for it" in (await source.why("simulated-web")).changes[-1].sentence
    assert await source.act(ResumeAsked, guest="simulated-web")
    assert await source.act(ReleaseAsked, guest="simulated-web")
    assert await source.act(PauseAsked, for_seconds=5.0)
    assert (await next_of(source)).overview.status.paused is not None
    with pytest.raises(RefusedError):
        await source.act(SetAsked, guest="simulated-web", size_bytes=GIB)
    await source.close()


# --- a recording -----------------------------------------------------------------------------------------


def test_a_recording_tells_what_it_has_and_no_more(tmp_path: Path) -> None:
    ticks = [line(at, "web", 896, None) for at in range(1000, 1008, 2)]
    source = trace(tmp_path / "run.csv", *ticks, line(1008, "web", 896, 832))
    assert range(5) == source.numbers
    frame = source.frame(4)
    row = frame.rows["uuid-web"]
    assert (896 * MIB, 832 * MIB, 832 * MIB) == (row.actual_bytes, row.told_bytes, row.target_bytes)
    assert ("shrinking", 1.0) == (row.state, row.stats_age_seconds)
    assert row.need_bytes is not None
    assert 256 * MIB < row.need_bytes < 896 * MIB
    assert row.swap_in_bytes_total is None
    status = frame.overview.status
    assert ("recorded", []) == (status.mode, status.hypervisors)
    assert status.host is not None
    assert 8 * GIB == status.host.headroom_bytes
    assert (1008.0, 1008.0) == (source.at(4), frame.at)


def test_what_guests_were_told_and_who_came_and_went_are_its_events(tmp_path: Path) -> None:
    source = trace(
        tmp_path / "run.csv",
        line(1000, "web", 1024, None) + line(1000, "old", 512, None),
        line(1002, "web", 1024, 900),
        line(1004, "new", 512, None) + line(1004, "web", 900, 900, held=1),
    )
    said = [(event.at.timestamp(), event.kind, event.name) for event in source.events]
    assert [
        (1002.0, "planned", "web"),
        (1002.0, "went", "old"),
        (1004.0, "came", "new"),
    ] == said
    assert (1024 * MIB, 900 * MIB) == (source.events[0].from_bytes, source.events[0].to_bytes)
    assert "paused" == source.frame(2).rows["uuid-web"].state
    assert source.frame(1).rows["uuid-web"].target_bytes is not None
    assert source.frame(2).rows["uuid-web"].target_bytes is None


async def test_nothing_is_done_in_a_recording_and_no_reasons_are_made_up(tmp_path: Path) -> None:
    source = trace(tmp_path / "run.csv", line(1000, "web", 1024, None))
    assert source.read_only
    assert await source.next() is None
    for refused in (source.act(PauseAsked), source.why("uuid-web")):
        with pytest.raises(BallonetError) as error:
            await refused
        assert error.value.hint
    assert source.frame(0).overview.status.host is not None


def test_a_long_recording_is_gone_to_any_place_at_once(tmp_path: Path) -> None:
    ticks = [line(at, "web", 512, 512) for at in range(1000, 9000, 2)]
    source = trace(tmp_path / "run.csv", *ticks)
    assert 4000 == len(source.numbers)
    assert 8998.0 == source.frame(3999).at
