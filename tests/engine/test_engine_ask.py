"""Asking guests for fresh statistics: seldom enough, and nobody waits for the answer."""

import asyncio

from pretend import PretendClock, PretendHypervisor

from ballonet.engine.ask import ASK_SECONDS, MOST_GUESTS, Asker
from ballonet.errors import HypervisorError


class Hanging(PretendHypervisor):
    async def refresh(self, uuid: str) -> None:
        await super().refresh(uuid)
        if uuid == "hangs":
            await asyncio.Event().wait()
        if uuid == "fails":
            raise HypervisorError("no", hint="none")


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_guest_is_asked_again_only_after_a_while() -> None:
    clock = PretendClock()
    hypervisor = Hanging(clock)
    asker = Asker(hypervisor, clock)

    asker.ask(["a", "b"])
    await settle()
    asker.ask(["a", "c"])
    await settle()
    assert ["a", "b", "c"] == hypervisor.refreshed

    clock.now += 2 * ASK_SECONDS
    asker.ask(["a"])
    await settle()
    assert ["a", "b", "c", "a"] == hypervisor.refreshed


async def test_one_that_hangs_or_fails_holds_up_nobody_and_is_not_asked_twice() -> None:
    clock = PretendClock()
    hypervisor = Hanging(clock)
    asker = Asker(hypervisor, clock)

    for _ in range(3):
        asker.ask(["hangs", "fails", "a"])
        await settle()
        clock.now += 2 * ASK_SECONDS
    assert 1 == hypervisor.refreshed.count("hangs")
    assert 3 == hypervisor.refreshed.count("a")
    assert 3 == hypervisor.refreshed.count("fails")


async def test_of_many_the_first_are_asked() -> None:
    clock = PretendClock()
    hypervisor = Hanging(clock)
    everybody = [f"g{number}" for number in range(100)]

    Asker(hypervisor, clock).ask(everybody)
    await settle()

    assert everybody[:MOST_GUESTS] == hypervisor.refreshed
