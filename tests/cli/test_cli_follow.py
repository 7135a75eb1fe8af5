"""Following a guest: reached, or why not and how far it came."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from ballonet.cli.follow import follow, why_not
from ballonet.engine.ports import Hypervisor
from ballonet.errors import NotReachedError
from ballonet.facts.guest import Device, Guest, State
from ballonet.facts.statistics import Statistics
from ballonet.units import GIB, MIB

WEB = Guest(
    name="web",
    uuid="1",
    id=1,
    state=State.RUNNING,
    read_at=1000.0,
    maximum_bytes=2 * GIB,
    actual_bytes=GIB,
    device=Device("virtio", autodeflate=False, free_page_reporting=False, period_seconds=1),
    statistics=Statistics(usable_bytes=700 * MIB, unused_bytes=600 * MIB, last_update=999.0),
)


@dataclass
class ToldClock:
    now: float = 0.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


class Scripted:
    """A hypervisor that tells one guest's story, its last line again and again."""

    def __init__(self, story: Iterator[Guest]) -> None:
        self.story, self.last = story, WEB

    async def guest(self, reference: str) -> Guest:
        assert WEB.uuid == reference
        self.last = next(self.story, self.last)
        return self.last


def sizes(*mib: int) -> Hypervisor:
    return Scripted(replace(WEB, actual_bytes=size * MIB) for size in mib)  # type: ignore[return-value]


async def test_it_follows_until_the_size_is_reached() -> None:
    seen: list[int] = []
    seconds = await follow(sizes(1024, 800, 600, 512, 400), WEB, 512 * MIB, 30, seen.append, ToldClock())
    assert [1024, 800, 600, 512] == [size // MIB for size in seen]
    assert seconds == pytest.approx(0.3)


async def test_it_gives_up_when_the_time_is_over() -> None:
    clock = ToldClock()
    with pytest.raises(
        NotReachedError, match=r"from 1.00 GiB to 700 MiB, not to 512 MiB.*30 s are over"
    ) as why:
        await follow(sizes(1024, 900, 700), WEB, 512 * MIB, 30, lambda _: None, clock)
    assert why.value.hint
    assert clock.now == pytest.approx(30, abs=0.2)


async def test_it_says_when_a_guest_is_only_slow() -> None:
    slow = sizes(*range(1024, 600, -2))
    with pytest.raises(NotReachedError, match="still moving"):
        await follow(slow, WEB, 512 * MIB, 5, lambda _: None, ToldClock())


async def test_it_does_not_wait_for_a_guest_that_has_ended() -> None:
    ended = replace(WEB, id=None, state=State.SHUT_OFF, actual_bytes=512 * MIB)
    story: Hypervisor = Scripted(iter([WEB, ended]))  # type: ignore[assignment]
    clock = ToldClock()
    with pytest.raises(NotReachedError, match="'web' is shut off: it ended on the way to 512 MiB") as why:
        await follow(story, WEB, 512 * MIB, 30, lambda _: None, clock)
    assert "start it: virsh start web" == why.value.hint
    assert clock.now < 1


@pytest.mark.parametrize(
    ("now", "message", "hint"),
    [
        (
            replace(WEB, statistics=Statistics()),
            "stays at 1.00 GiB: its balloon driver is silent",
            "modprobe virtio_balloon",
        ),
        (
            replace(WEB, statistics=replace(WEB.statistics, last_update=900.0)),
            "stays at 1.00 GiB: its balloon driver is silent",
            "modprobe virtio_balloon",
        ),
        (
            replace(WEB, actual_bytes=700 * MIB, statistics=replace(WEB.statistics, usable_bytes=0)),
            "to 700 MiB, not to 512 MiB: it is out of memory (0 B usable)",
            "ballonet set web 854MiB",  # 7.5 % of its maximum more, in whole MiB
        ),
        (replace(WEB, state=State.PAUSED), "paused", "virsh resume web"),
        (replace(WEB, actual_bytes=700 * MIB), "it stopped there", "ballonet doctor web"),
        (replace(WEB, actual_bytes=None), "does not say its size", "ballonet doctor web"),
    ],
)
def test_what_stopped_it(now: Guest, message: str, hint: str) -> None:
    said, advice = why_not(WEB, now, 512 * MIB, stalled=True)
    assert message in said
    assert hint in advice
