"""A guest whose rows are garbage beside three that are not: it is not resized, and they are as ever."""

import asyncio
from dataclasses import replace
from typing import Any

from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st
from pretend import PretendClock, PretendHypervisor, guest

from ballonet.engine.engine import Engine, World
from ballonet.facts.guest import Device, Guest, State
from ballonet.hypervisor.libvirt.definition import Definition
from ballonet.hypervisor.libvirt.rows import from_record
from ballonet.policy.settings import Settings
from ballonet.units import GIB, KIB, MIB

SIZE = GIB // KIB
DEVICE = Device("virtio", autodeflate=False, free_page_reporting=True, period_seconds=1)
DEFINITION = Definition(GIB, GIB, DEVICE, frozenset())
LIAR = "uuid-liar"

ABSENT = object()
absurd = st.sampled_from(
    [ABSENT, -1, -(2**40), 2**64 - 1, (2**64 - 1) // 1024, 2**63 - 1, SIZE * 2, 2**50, "x"]
)
# In each is something that no guest could mean: without it they might be true.
GARBAGE = {
    "balloon.usable": absurd,
    "balloon.unused": absurd,
    "balloon.current": st.sampled_from([ABSENT, -1, 2**64 - 1, 2**63 - 1, "x"]),
    "balloon.last-update": st.sampled_from([ABSENT, 0, -1, 1, 2**63 - 1, 2**64 - 1, 10**12, "x"]),
    "state.state": st.sampled_from([ABSENT, -1, 0, 3, 5, 99, "x"]),
    "balloon.available": st.sampled_from([0, SIZE // 100]),  # less than what it has usable and unused
}


class Domain:
    def name(self) -> str:
        return "liar"

    def UUIDString(self) -> str:  # noqa: N802 - libvirt's
        return LIAR

    def ID(self) -> int:  # noqa: N802 - libvirt's
        return 9


class Lied(PretendHypervisor):
    """Three guests that tell the truth, and one of whom libvirt says what it is given to say."""

    garbage: dict[str, Any]
    before: Guest | None = None

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        record: dict[str, Any] = {
            "state.state": 1,
            "balloon.current": SIZE,
            "balloon.maximum": SIZE,
            "balloon.usable": SIZE * 8 // 10,
            "balloon.unused": SIZE * 8 // 10,
            "balloon.available": SIZE * 95 // 100,
            "balloon.rss": SIZE,
            "balloon.swap_in": 0,
            "balloon.swap_out": 0,
            "balloon.last-update": int(self.clock.time()),
        }
        record |= self.garbage
        record = {key: value for key, value in record.items() if value is not ABSENT}
        self.before = from_record(Domain(), record, DEFINITION, self.before, self.clock.time())
        self.rows.pop(LIAR, None)
        return [*await super().guests(), self.before]

    async def resize(self, uuid: str, size_bytes: int, **how: Any) -> None:
        if uuid == LIAR:
            self.sent.append((uuid, size_bytes))
        else:
            await super().resize(uuid, size_bytes, **how)


def ran(garbage: dict[str, Any]) -> Lied:
    """Return the hypervisor after four ticks of a host that must take memory from everybody."""
    clock = PretendClock()
    hypervisor = Lied(clock)
    hypervisor.garbage = garbage
    for name in ("a", "b", "c"):
        hypervisor.add(replace(guest(name), state=State.RUNNING))
    settings = Settings(budget_bytes=2.0 * GIB + 512 * MIB, boot_grace_seconds=0.0)
    engine = Engine(World(hypervisor, clock), settings, lambda _: None, enforce=True)

    async def live() -> None:
        for _ in range(4):
            await engine.tick()
            clock.now += 2.0

    asyncio.run(live())
    return hypervisor


def test_of_the_same_guest_that_tells_the_truth_memory_is_taken() -> None:
    assert LIAR in dict(ran({}).sent)


@fuzzed
@given(
    st.sampled_from(sorted(GARBAGE)).flatmap(lambda key: st.tuples(st.just(key), GARBAGE[key])),
    st.dictionaries(st.sampled_from(["balloon.swap_in", "balloon.rss", "vcpu.maximum"]), absurd),
)
def test_garbage_leads_to_no_resize_of_its_guest_and_hinders_nobody(
    garbage: tuple[str, Any], more: dict[str, Any]
) -> None:
    key, value = garbage

    sent = [uuid for uuid, _ in ran({**more, key: value}).sent]

    assert LIAR not in sent
    assert {"uuid-a", "uuid-b", "uuid-c"} == set(sent)
