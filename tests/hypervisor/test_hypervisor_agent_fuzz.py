"""What an agent may answer, and what it would never: heard, unknown, or an error with a remedy."""

import base64
import json
import math

import pytest
from fuzzing import fuzzed, numbers, well_said
from guest_agent import MEMINFO, PSI, Agent
from hypothesis import given
from hypothesis import strategies as st

from ballonet.engine.table import side_by_side
from ballonet.errors import BallonetError
from ballonet.facts.agent import Channel, Heard
from ballonet.facts.guest import Guest, State
from ballonet.hypervisor import agent as module
from ballonet.hypervisor.agent import LARGEST_BYTES, Way, listen, probe, since, told

COMMANDS = (
    "guest-info",
    "guest-file-open",
    "guest-file-read",
    "guest-file-close",
    "guest-exec",
    "guest-exec-status",
)
encoded = st.binary().map(lambda raw: base64.b64encode(raw).decode()) | st.text()
odd = st.recursive(
    numbers | st.none() | st.booleans() | st.floats() | encoded,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["supported_commands", "name", "enabled", "buf-b64", "out-data", "pid", "exited", "desc"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
answers = st.text() | st.builds(
    lambda key, value: json.dumps({key: value}), st.sampled_from(["return", "error", "x"]), odd
)
numerals = numbers.map(str) | st.floats().map(str) | st.text(max_size=6)
texts = st.text() | st.builds(
    lambda psi, total, free, committed: (
        f"some avg10={psi} avg60=0.00 avg300=0.00 total={total}\n"
        f"SwapTotal: {total} kB\nSwapFree: {free} kB\nCommitted_AS: {committed} kB\n"
    ),
    *[numerals] * 4,
)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes in guests end without a wait."""
    monkeypatch.setattr(module, "EXEC_SECONDS", 0.0)


def is_sane(heard: Heard) -> bool:
    sizes = (heard.swap_total_bytes, heard.swap_free_bytes, heard.swapped_bytes, heard.committed_bytes)
    shares = (heard.recent_ratio, heard.pressure_ratio)
    waited = heard.waited_seconds_total
    return (
        all(size is None or 0 <= size <= LARGEST_BYTES for size in sizes)
        and all(share is None or 0.0 <= share <= 1.0 for share in shares)
        and (waited is None or (math.isfinite(waited) and waited >= 0.0))
    )


@fuzzed
@given(st.dictionaries(st.sampled_from(COMMANDS), answers), st.sampled_from(Way))
async def test_any_answers_are_heard_or_refused(instead: dict[str, str], way: Way) -> None:
    agent = Agent()
    agent.instead = instead
    for asks in (probe(agent.ask), listen(agent.ask, way)):
        try:
            found = await asks
        except BallonetError as error:
            well_said(error)
        else:
            assert isinstance(found, Way) or is_sane(found)


@fuzzed
@given(texts, texts, st.floats(0, 20))
def test_any_two_files_tell_numbers_that_can_be_decided_on_or_nothing(
    first: str, second: str, seconds: float
) -> None:
    heard = since(told(second, 1000.0 + seconds), told(first, 1000.0), 10.0)

    assert is_sane(heard)
    guest = Guest("g", "u", 1, State.RUNNING, 1.0, channel=Channel.CONNECTED, heard=heard)
    columns = side_by_side([guest])
    assert not (columns.swapped < 0.0).any()


def test_the_files_as_they_are_tell_all() -> None:
    assert None not in {told(PSI + MEMINFO, 1.0).recent_ratio, told(PSI + MEMINFO, 1.0).swapped_bytes}
