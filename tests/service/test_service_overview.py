"""What a screen shows at once: the parts of the host's memory, and each guest's word."""

import asyncio
import itertools

from hosted import Hosted

from ballonet.engine.engine import Engine
from ballonet.engine.engine import World as Ports
from ballonet.policy.settings import Settings
from ballonet.service.client import Client
from ballonet.service.models import GuestState, Hold, Overview, PauseAsked
from ballonet.service.overview import guest_rows
from ballonet.simulator.schedule import Step
from ballonet.simulator.spec import Spec
from ballonet.simulator.virtual import VirtualClock
from ballonet.simulator.virtual import run as virtually
from ballonet.simulator.world import World
from ballonet.units import GIB, MIB


def overview(service: Hosted) -> Overview:
    return Client(service.path).get(Overview, "/v1/overview")


def test_the_parts_of_the_hosts_memory_are_all_of_it(service: Hosted) -> None:
    host = overview(service).status.host
    assert host is not None
    assert host.own_bytes is not None
    assert host.guests_bytes is not None
    parts = (host.own_bytes, host.guests_bytes, host.reserve_bytes, host.leased_bytes, host.headroom_bytes)
    assert host.total_bytes == sum(parts)
    assert 256 * MIB == host.reserve_bytes
    assert host.guests_bytes > 500 * MIB


def test_each_guest_has_its_sizes_in_order(service: Hosted) -> None:
    rows = {row.name: row for row in overview(service).guests}
    assert {"busy", "idle", "spare", "web"} == set(rows)
    for row in rows.values():
        assert row.floor_bytes is not None
        assert row.actual_bytes is not None
        assert row.ceiling_bytes is not None
        assert row.floor_bytes <= row.actual_bytes <= row.ceiling_bytes == GIB
    assert rows["busy"].need_bytes is not None
    assert rows["busy"].need_bytes > 500 * MIB


def test_a_guest_that_is_held_is_paused_until_then(service: Hosted) -> None:
    client = Client(service.path)
    held = client.post(Hold, "/v1/pause", PauseAsked(guest="web", for_seconds=60.0))
    service.ticks()
    row = next(row for row in overview(service).guests if row.name == "web")
    assert ("paused", "held", held.until) == (row.state, row.verdict.code, row.held_until)


def test_states_follow_a_guest_whose_needs_grow() -> None:
    clock = VirtualClock()
    needs = [
        Step(anon_mib=60.0, hot_mib=60.0),
        Step(at=120.0, anon_mib=700.0, hot_mib=700.0, grow_mib_s=20.0),
    ]
    guests = World([Spec("a", GIB, needs)], clock=clock)
    settings = Settings(budget_bytes=GIB, boot_grace_seconds=0.0, give_surplus=False)
    engine = Engine(Ports(guests, clock, guests, guests), settings, lambda _: None, enforce=True)
    seen: dict[float, GuestState] = {}

    async def live() -> None:
        while clock.monotonic() < 200.0:
            plan = await engine.tick()
            seen[clock.monotonic()] = guest_rows(engine, plan, str)[0].state
            await clock.sleep(2.0)

    virtually(live())
    assert "shrinking" in [state for at, state in seen.items() if at < 60.0]
    assert seen[110.0] in {"steady", "at floor"}
    assert {"growing", "steady"} <= {state for at, state in seen.items() if at > 120.0}


def test_who_watches_sees_each_tick(service: Hosted) -> None:
    async def three() -> list[int]:
        watched = service.service.watch()
        ticks = []
        async for seen in watched:
            ticks.append(seen.tick)
            if len(ticks) == 3:
                break
            await service.clock.sleep(2.0)
            asyncio.get_running_loop().call_soon(service.service.ticked)
        return ticks

    ticks = service.does(three())
    assert all(later == earlier + 1 for earlier, later in itertools.pairwise(ticks))
