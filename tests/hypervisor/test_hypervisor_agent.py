"""What is said to agents in guests, and what their answers mean."""

import json
from dataclasses import replace

import pytest
from guest_agent import EXEC_COMMANDS, FILE_COMMANDS, MEMINFO, PSI, Agent

from ballonet.errors import HypervisorError, RefusedError
from ballonet.facts.agent import Heard
from ballonet.hypervisor.agent import LONGEST, Way, listen, probe, since, told
from ballonet.units import KIB

TOO_LONG = json.dumps({"return": 1001, "more": "x" * LONGEST})
TOLD = Heard(
    at=7.0,
    recent_ratio=0.0125,
    waited_seconds_total=2.5,
    swap_total_bytes=524284 * KIB,
    swap_free_bytes=420000 * KIB,
    committed_bytes=310000 * KIB,
)


@pytest.mark.parametrize("way", Way)
async def test_what_the_files_of_a_guest_say_is_heard_either_way(way: Way) -> None:
    agent = Agent()

    heard = await listen(agent.ask, way)

    assert replace(heard, at=7.0) == TOLD
    assert 104284 * KIB == heard.swapped_bytes
    assert not agent.open


@pytest.mark.parametrize(
    ("allows", "way"),
    [
        ((*FILE_COMMANDS, *EXEC_COMMANDS), Way.FILE),
        (FILE_COMMANDS, Way.FILE),
        (EXEC_COMMANDS, Way.EXEC),
        ((*FILE_COMMANDS[:2], *EXEC_COMMANDS), Way.EXEC),
    ],
)
async def test_files_are_read_by_what_the_agent_allows(allows: tuple[str, ...], way: Way) -> None:
    assert way is await probe(Agent(allows=allows).ask)


@pytest.mark.parametrize("allows", [(), FILE_COMMANDS[:2], EXEC_COMMANDS[:1]])
async def test_an_agent_that_allows_neither_way_is_refused_with_a_remedy(allows: tuple[str, ...]) -> None:
    with pytest.raises(RefusedError, match="lets nobody read files") as refused:
        await probe(Agent(allows=allows).ask)
    assert "guest-file-open" in refused.value.hint


async def test_a_kernel_without_pressure_tells_the_rest() -> None:
    agent = Agent({"/proc/meminfo": MEMINFO})

    heard = await listen(agent.ask, Way.FILE)

    assert heard.waited_seconds_total is None
    assert 310000 * KIB == heard.committed_bytes


async def test_a_file_that_can_be_opened_and_not_read_is_closed_and_passed_over() -> None:
    """So it is where PSI is built in and switched off."""
    agent = Agent()
    agent.instead["guest-file-read"] = json.dumps({"error": {"desc": "failed to read file"}})

    with pytest.raises(HypervisorError, match="told nothing"):
        await listen(agent.ask, Way.FILE)
    assert not agent.open
    assert 2 == agent.asked.count("guest-file-close")


async def test_a_file_is_closed_whatever_was_read() -> None:
    agent = Agent()
    agent.instead["guest-file-read"] = "nonsense"

    with pytest.raises(HypervisorError, match="nonsense"):
        await listen(agent.ask, Way.FILE)
    assert not agent.open


@pytest.mark.parametrize(
    "words",
    ["", "[]", "{}", "42", "{", '{"return": "x"}', '{"return": true}', "[" * 50_000, TOO_LONG],
)
async def test_what_is_no_answer_is_refused(words: str) -> None:
    agent = Agent()
    agent.instead["guest-file-open"] = words

    with pytest.raises(HypervisorError, match="nonsense") as refused:
        await listen(agent.ask, Way.FILE)
    assert refused.value.hint


async def test_a_process_that_does_not_end_is_not_waited_for() -> None:
    agent = Agent()
    agent.instead["guest-exec-status"] = json.dumps({"return": {"exited": False}})

    with pytest.raises(HypervisorError, match="did not end"):
        await listen(agent.ask, Way.EXEC)


@pytest.mark.parametrize(
    "text",
    [
        "SwapTotal: 100 kB\nSwapFree: 101 kB\n",  # more is left than there is
        "SwapTotal: 100 kB\n",
        "SwapTotal: -1 kB\nSwapFree: 0 kB\n",
        f"SwapTotal: {2**50} kB\nSwapFree: 0 kB\n",  # more than any machine has
    ],
)
def test_sizes_of_swap_that_cannot_be_true_are_unknown(text: str) -> None:
    assert Heard(1.0) == told(text, 1.0)


def test_a_share_is_never_more_than_all_of_the_time() -> None:
    assert 1.0 == told("some avg10=999.99 avg60=0.00 avg300=0.00 total=1\n", 1.0).recent_ratio


def test_only_the_line_of_some_is_read() -> None:
    heard = told("".join(reversed(PSI.splitlines(keepends=True))), 1.0)

    assert 2.5 == heard.waited_seconds_total


# --- the time between two -------------------------------------------------------------------------------


def waited(at: float, seconds: float | None) -> Heard:
    return Heard(at, waited_seconds_total=seconds)


@pytest.mark.parametrize(
    ("before", "now", "ratio"),
    [
        (waited(100.0, 5.0), waited(102.0, 5.5), 0.25),
        (waited(100.0, 5.0), waited(102.0, 5.0), 0.0),
        (waited(100.0, 5.0), waited(102.0, 9.0), 1.0),  # more than there was
    ],
)
def test_pressure_is_the_share_of_the_time_between_two_questions(
    before: Heard, now: Heard, ratio: float
) -> None:
    heard = since(now, before, 10.0)

    assert (100.0, ratio) == (heard.since, heard.pressure_ratio)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (None, waited(102.0, 5.5)),
        (waited(100.0, None), waited(102.0, 5.5)),
        (waited(100.0, 5.0), waited(102.0, None)),
        (waited(100.0, 5.0), waited(111.0, 5.5)),  # too long ago to say anything of now
        (waited(100.0, 5.0), waited(102.0, 0.1)),  # it booted anew
        (waited(100.0, 5.0), waited(99.0, 5.5)),  # the clock was set
        (waited(100.0, 5.0), waited(100.0, 5.5)),
    ],
)
def test_pressure_is_unknown_without_two_answers_of_one_life_close_to_each_other(
    before: Heard | None, now: Heard
) -> None:
    assert now == since(now, before, 10.0)
