import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import pytest
from running import NOWHERE, Run, two_lines

from ballonet.cli.advise import BETWEEN_SECONDS, LONGEST_SECONDS, two_readings
from ballonet.engine.ports import Clock, Hypervisor
from ballonet.facts.guest import Device, Guest, State
from ballonet.facts.statistics import Statistics
from ballonet.policy.advise import Advice, Allowed, advise
from ballonet.show.advice import advice_details, advice_table
from ballonet.units import GIB, MIB

START = 1_700_000_000.0


def test_unknown_is_said_and_why(ballonet: Run, host: str) -> None:
    result = ballonet("-c", host, "advise", "-o", "json")
    assert 0 == result.returncode
    document = json.loads(result.stdout)
    assert "ballonet/v1" == document["schema"]
    reasons = {advice["name"]: advice["unknown"] for advice in document["advice"]}
    assert {"bare", "locked", "web"} == reasons.keys()  # "off" is shut off
    assert "no balloon device" == reasons["bare"]
    assert all(None is advice["free_bytes"] for advice in document["advice"])


def test_one_guest_in_sentences(ballonet: Run, host: str) -> None:
    result = ballonet("-c", host, "advise", "off")
    assert 0 == result.returncode
    assert "What can be taken from off is unknown: it is shut off.\n  ballonet doctor off\n" == result.stdout


@pytest.mark.parametrize(
    ("uri", "guest", "code"), [(None, "nobody", 4), (NOWHERE, "web", 1), ("odd", "web", 2)]
)
def test_errors(ballonet: Run, host: str, uri: str | None, guest: str, code: int) -> None:
    result = ballonet("-c", uri or host, "advise", guest)
    assert code == result.returncode
    two_lines(result)


@dataclass
class Told:
    """A clock that jumps when somebody waits, and a hypervisor whose guests report by it."""

    rows: Sequence[Guest]
    now: float = 0.0
    answering: set[str] = field(default_factory=set)

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def guests(self) -> list[Guest]:
        return [self._now(row) for row in self.rows]

    async def guest(self, reference: str) -> Guest:
        [row] = [row for row in self.rows if row.name == reference]
        return self._now(row)

    def _now(self, row: Guest) -> Guest:
        period = row.device.period_seconds if row.device else 0
        if row.name not in self.answering or not period:
            return replace(row, read_at=START + self.now)
        last = START + self.now // period * period
        statistics = replace(row.statistics, last_update=last)
        return replace(row, read_at=START + self.now, statistics=statistics)


def guest(name: str = "web", *, period: int = 1, swapped: int = 0, **statistics: float | None) -> Guest:
    known = {"unused_bytes": 500 * MIB, "usable_bytes": 900 * MIB, "last_update": START, **statistics}
    counters = dict.fromkeys(("swap_in_bytes_total", "swap_out_bytes_total"), swapped)
    return Guest(
        name=name,
        uuid=name,
        id=1,
        state=State.RUNNING,
        read_at=START,
        maximum_bytes=2 * GIB,
        actual_bytes=2 * GIB,
        device=Device("virtio", autodeflate=False, free_page_reporting=True, period_seconds=period),
        statistics=Statistics(**counters, major_faults_total=0, **known),  # type: ignore[arg-type]
    )


async def waited(*rows: Guest, answering: str = "", reference: str | None = None) -> float:
    told = Told(rows, answering=set(answering.split()))
    await two_readings(cast("Hypervisor", told), cast("Clock", told), reference)
    return told.now


@pytest.mark.parametrize("period", [1, 2, 5, 10])
async def test_waits_for_the_next_sample_and_no_longer(period: int) -> None:
    assert max(period, BETWEEN_SECONDS) == await waited(guest(period=period), answering="web")


async def test_waits_for_the_slowest() -> None:
    assert 5.0 == await waited(guest("a"), guest("b", period=5), answering="a b")
    assert 2.0 == await waited(guest("a"), guest("b", period=5), answering="a b", reference="a")


async def test_waits_for_a_guest_that_falls_silent_but_not_for_ever() -> None:
    assert LONGEST_SECONDS == await waited(guest("a"), guest("b"), answering="a")


@pytest.mark.parametrize(
    "silent",
    [
        guest(period=0),
        guest(period=60),
        guest(last_update=None),
        guest(last_update=START - 60),
        replace(guest(), device=None),
    ],
)
async def test_does_not_wait_for_whom_it_would_be_in_vain(silent: Guest) -> None:
    assert 0.0 == await waited(silent)


def later(row: Guest, **statistics: int) -> Guest:
    moved = replace(row.statistics, last_update=START + 2, **statistics)
    return replace(row, read_at=START + 2, statistics=moved)


ENOUGH = advise(later(guest()), guest())
SHORT = advise(
    later(replace(guest("db"), actual_bytes=GIB), unused_bytes=0, usable_bytes=0, swap_in_bytes_total=MIB),
    replace(guest("db"), actual_bytes=GIB),
)


def test_the_table() -> None:
    expected = """\
GUEST    ACTUAL  NO COST    CACHE     SWAP    FLOOR     NEEDS
web    2.00 GiB  346 MiB  400 MiB  790 MiB  512 MiB    enough
db     1.00 GiB      0 B      0 B  512 MiB  512 MiB  +307 MiB
db: needs more, less than its reserve is usable, and it swaps
What can be taken: at no cost; on top at the cost of cache; beyond that by making it swap."""
    assert expected == advice_table([ENOUGH, SHORT])


def test_the_reckoning_in_sentences() -> None:
    expected = """\
web has 2.00 GiB of its 2.00 GiB: 900 MiB are usable, 500 MiB of these unused. \
It keeps 154 MiB as its kernel's reserve.
346 MiB can be taken at no cost:
  ballonet set web 1702MiB
400 MiB more can be taken at the cost of its cache, which is read again from disk where it is needed:
  ballonet set web 1302MiB
Taking 790 MiB more, down to its floor of 512 MiB, would make it swap.
In the last 2 s it swapped in 0 B/s and out 0 B/s, and had 0.0 major faults/s."""
    assert expected == advice_details(ENOUGH)


def test_a_guest_that_needs_more_is_told_how() -> None:
    text = advice_details(SHORT)
    assert (
        "It needs more: less than its reserve is usable, and it swaps.\n  ballonet set db 1332MiB\n" in text
    )
    assert "Nothing can be taken from it." in text


def test_a_guest_that_needs_more_than_its_maximum_is_told_how() -> None:
    full = advise(replace(guest(usable_bytes=0, unused_bytes=0), name="a b"))
    text = advice_details(full)
    assert "\n  ballonet set-max 'a b' 3GiB --config\n" in text
    assert "above max" in advice_table([full])
    assert "Whether it swaps now is unknown" in text


def test_a_guest_that_needs_more_than_its_ceiling_is_told_who_says_so() -> None:
    full = advise(guest(usable_bytes=0, unused_bytes=0), None, Allowed(ceiling_bytes=2 * GIB - MIB))
    text = advice_details(full)
    assert "It has all that its ceiling of 2.00 GiB allows; who says so:\n" in text
    assert "\n  ballonet config show --origin web\n" in text
    assert "above ceiling" in advice_table([full])


def test_what_one_sample_cannot_say_is_not_said() -> None:
    once: Advice = advise(guest())
    assert "–" == advice_table([once]).splitlines()[1].split()[-1]


def test_commands_are_not_wrapped() -> None:
    assert "\n  ballonet set web 1702MiB\n" in advice_details(ENOUGH, 20)


def test_memory_that_was_never_touched_wins_nothing() -> None:
    assert "holds 300 MiB on the host" in advice_details(advise(guest(rss_bytes=300 * MIB)))
