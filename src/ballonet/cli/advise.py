"""`advise`: how much can be taken from each guest, at what price, and which guests need more."""

import asyncio
from typing import Annotated

import typer

from ballonet.cli.arguments import guest_names
from ballonet.cli.connect import connect, warn
from ballonet.cli.context import Context, columns
from ballonet.cli.known import known, limits_by, located
from ballonet.engine.clock import SystemClock
from ballonet.engine.limits import LimitsOf
from ballonet.engine.ports import Clock, Hypervisor
from ballonet.engine.table import judge
from ballonet.facts.guest import Guest
from ballonet.policy.advise import Advice, Allowed, freshness_seconds
from ballonet.policy.advise import advise as reckoned
from ballonet.show.advice import advice_details, advice_fields, advice_table
from ballonet.show.document import document

LOOK_SECONDS = 0.5
BETWEEN_SECONDS = 2.0  # samples nearer than that say little: hypervisors stamp them with whole seconds
LONGEST_SECONDS = 12.0  # Cockpit asks every 10 s; who is asked less often is judged by one sample


def advise(
    ctx: typer.Context,
    guest: Annotated[
        str | None,
        typer.Argument(metavar="GUEST", help="Its name, UUID or id.", autocompletion=guest_names),
    ] = None,
) -> None:
    """Show how much can be taken from guests, at what price, and which need more."""
    loaded = known(ctx.obj, warn)
    context = located(ctx.obj, loaded)
    advices = asyncio.run(_advices(context, guest, limits_by(loaded)))
    context.show(
        table=lambda: _text(advices, one=guest is not None),
        json=lambda: document(advice=[advice_fields(advice) for advice in advices]),
    )
    if not advices:
        context.remark("No guest is running; those that are shut off: ballonet guests --all")


def _text(advices: list[Advice], *, one: bool) -> str:
    return advice_details(advices[0], columns()) if one else advice_table(advices, columns())


async def _advices(context: Context, reference: str | None, limits: LimitsOf) -> list[Advice]:
    async with connect(context) as hypervisor:
        before, after = await two_readings(hypervisor, SystemClock(), reference)
    earlier = {guest.uuid: guest for guest in before}
    allowed = [
        Allowed(judged.floor_bytes, judged.ceiling_bytes, excluded=judged.verdict.code == "excluded")
        for judged in judge(after, limits)
    ]
    rows = zip(after, allowed, strict=True)
    return [reckoned(guest, earlier.get(guest.uuid), each) for guest, each in rows]


async def two_readings(
    hypervisor: Hypervisor, clock: Clock, reference: str | None
) -> tuple[list[Guest], list[Guest]]:
    """Return the guests now, and when all that report sent another sample: counters need two."""

    async def read() -> list[Guest]:
        return [await hypervisor.guest(reference)] if reference is not None else await hypervisor.guests()

    before = after = await read()
    awaited = {guest.uuid: guest for guest in before if _reports(guest)}
    started = clock.monotonic()
    while any(_waits(awaited.get(guest.uuid), guest) for guest in after):
        if clock.monotonic() - started >= LONGEST_SECONDS:
            break
        await clock.sleep(LOOK_SECONDS)
        after = await read()
    return before, after


def _reports(guest: Guest) -> bool:
    """Return whether another sample of a guest can be expected in time."""
    device, age = guest.device, guest.stats_age_seconds
    if device is None or age is None or not 0 < device.period_seconds <= LONGEST_SECONDS:
        return False
    return age <= freshness_seconds(device)


def _waits(before: Guest | None, now: Guest) -> bool:
    """Return whether a guest has not sent a sample that is far enough from its first."""
    first = before.statistics.last_update if before else None
    last = now.statistics.last_update
    return first is not None and last is not None and last - first < BETWEEN_SECONDS
