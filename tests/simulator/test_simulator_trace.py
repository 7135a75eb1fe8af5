"""Traces come back from files as they were, and what is no trace is answered with one line and a hint."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballonet.engine.engine import Engine
from ballonet.engine.engine import World as Ports
from ballonet.engine.loop import run
from ballonet.errors import UsageError
from ballonet.facts.plan import Plan
from ballonet.policy.settings import Settings
from ballonet.simulator import virtual
from ballonet.simulator.schedule import steps
from ballonet.simulator.spec import Spec
from ballonet.simulator.trace import NUMBERS, Trace, traced
from ballonet.simulator.trace_file import create, read, read_csv
from ballonet.simulator.world import World
from ballonet.units import MIB

LOADS = {"web": "at 0 anon_mib=40 hot_mib=40\nat 10 anon_mib=200 hot_mib=200", "shop": "at 0 anon_mib=80"}


async def _record(path: Path, seconds: float) -> list[Trace]:
    clock = virtual.VirtualClock()
    world = World([Spec(name, 512 * MIB, steps(load)) for name, load in LOADS.items()], clock=clock)
    ports = Ports(world, clock, world, world)
    settings = Settings(budget_bytes=600.0 * MIB, reserve_bytes=0.0, boot_grace_seconds=0.0)
    engine = Engine(ports, settings, lambda _: None, enforce=True)
    writer, ticks = create(path), []

    def keep(plan: Plan) -> None:
        ticks.append(traced(plan, engine.told, clock.EPOCH))
        writer.write(ticks[-1])

    await run(engine, ports, seconds=seconds, after_tick=keep)
    writer.close()
    assert sum(map(len, ticks)) == writer.rows
    return ticks


def recorded(path: Path, seconds: float = 100) -> list[Trace]:
    return virtual.run(_record(path, seconds))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_what_was_recorded_is_read_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"trace.{ending}"
    ticks = recorded(path)
    trace = read(path)
    assert not trace.warning
    assert len(ticks) == len(list(trace.ticks()))
    assert {"web", "shop"} == set(trace.names)
    np.testing.assert_array_equal(np.concatenate([tick.time for tick in ticks]), trace.time)
    for name in NUMBERS:
        wanted = np.concatenate([tick.numbers[name] for tick in ticks])
        np.testing.assert_array_equal(wanted, trace.numbers[name], err_msg=name)
    assert (trace.numbers["target_bytes"] < 512 * MIB).any()


def test_a_snapshot_comes_back(tmp_path: Path) -> None:
    recorded(tmp_path / "trace.csv", 20)
    trace = read(tmp_path / "trace.csv")
    last = trace.snapshot(list(trace.ticks())[-1])
    assert ("shop", "web") == last.names
    assert last.running.all()
    assert (last.obstacle == -1).all()
    assert (last.stats_age < 3).all()


def test_a_recording_cut_anywhere_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    recorded(path, 20)
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    cut = read(path)
    lines = whole.count(b"\n")
    assert lines - 3 == len(cut)
    assert f"cut in line {lines}" in cut.warning


def test_a_recording_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "trace.csv").write_text("mine")
    with pytest.raises(UsageError, match="exists"):
        create(tmp_path / "trace.csv")
    with pytest.raises(UsageError, match="no directory"):
        create(tmp_path / "none" / "trace.csv")


HEAD = "# ballonet trace 1\ntime,uuid,name,maximum_bytes,actual_bytes\n"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "is no trace"),
        (HEAD, "has no rows"),
        ("# ballonet trace 9\n" + HEAD, "line 1: version '9'"),
        ("# ballonet trace 1\ntime,uuid\n", "line 2: there is no column 'name'"),
        (HEAD + "1,u,n,2,x\n", "line 3, column 'actual_bytes': 'x' is not a number"),
        (HEAD + "1,u,n,2,inf\n", "line 3, column 'actual_bytes': 'inf' is not a number"),
        (HEAD + "1,u,n,2,-1\n", "line 3, column 'actual_bytes': below 0"),
        (HEAD + "1,u,n,2,1\n1,u,n\n", "line 4: 3 fields instead of 5"),
        (HEAD + "2,u,n,2,1\n1,u,n,2,1\n", "line 4, column 'time': it goes backward by 1 s"),
        (HEAD + ",u,n,2,1\n", "line 3, column 'time': empty"),
        (HEAD + "1,u,n,2,1\n1,u,n,2,1\n", "line 4: guest 'n' twice"),
    ],
)
def test_what_is_no_trace_is_named(tmp_path: Path, text: str, wrong: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(text)
    with pytest.raises(UsageError) as said:
        read(path)
    assert wrong in said.value.message
    assert said.value.hint


def test_bytes_that_are_no_text_and_half_a_parquet_file(tmp_path: Path) -> None:
    for content in (b"\xff\xfe\x00", b"PAR1 and then nothing"):
        (tmp_path / "trace").write_bytes(content)
        with pytest.raises(UsageError):
            read(tmp_path / "trace")
    with pytest.raises(UsageError):
        read(tmp_path)


@given(st.text(st.sampled_from('0123456789,.-+enaif"\n\r\x00 u#'), max_size=80))
def test_anything_after_a_header_is_read_or_refused(text: str) -> None:
    with suppress(UsageError):
        trace = read_csv(Path("trace.csv"), HEAD + text)
        assert len(trace.time) == len(trace.uuids) == len(trace.numbers["actual_bytes"])
