"""`doctor`: what keeps ballooning from working or from paying, on the host and in each guest."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

import typer

from ballonet.cli.arguments import guest_names
from ballonet.cli.connect import connect, processes_of, warn
from ballonet.cli.context import Context, columns
from ballonet.cli.known import known, located
from ballonet.engine.ports import Hypervisor
from ballonet.errors import BallonetError, DeadlineError, HypervisorError, NoSuchGuestError, NotPermittedError
from ballonet.facts.guest import Guest, State
from ballonet.facts.host import OtherWriter
from ballonet.facts.uri import host_of
from ballonet.host.groups import limit_bytes
from ballonet.host.memory import LinuxHost
from ballonet.host.others import other_writers
from ballonet.host.residents import ProcessResidents
from ballonet.policy.diagnose import Finding, diagnose
from ballonet.policy.findings import OURS, Severity, Surroundings
from ballonet.service.claim import claimed_by
from ballonet.show.document import document
from ballonet.show.findings import finding_fields, findings_text

AT_ONCE = 8  # guests asked at the same time: a hung one holds up itself only


def doctor(
    ctx: typer.Context,
    guest: Annotated[
        str | None,
        typer.Argument(metavar="GUEST", help="Its name, UUID or id.", autocompletion=guest_names),
    ] = None,
) -> None:
    """Find what keeps ballooning from working or from paying, each with its remedy."""
    context: Context = ctx.obj
    if not context.uri_given:
        context = located(context, known(context, warn))
    findings = asyncio.run(_findings(context, guest))
    context.show(
        table=lambda: findings_text(findings, columns()),
        json=lambda: document(findings=[finding_fields(finding) for finding in findings]),
    )
    if any(finding.severity is Severity.PROBLEM for finding in findings):
        raise typer.Exit(BallonetError.exit_code)


async def _findings(context: Context, reference: str | None) -> list[Finding]:
    """Return what is found; that the hypervisor cannot be reached is a finding, too."""
    missed: list[BallonetError] = []
    try:
        async with connect(context, missed=missed.append) as hypervisor:
            facts = await hypervisor.facts()
            guests, unanswered = await _guests(hypervisor, reference)
            processes = processes_of(hypervisor)()
    except (HypervisorError, NotPermittedError) as error:
        local = not any(map(host_of, context.uris))
        around = replace(_surroundings(context, [], {}, local=local), unreachable=(*missed, error))
        return diagnose([], around)
    around = _surroundings(context, guests, processes, local=facts.local)
    around = replace(around, unreachable=tuple(missed))
    return diagnose(guests, replace(around, read_only=facts.read_only, unanswered=unanswered))


async def _guests(
    hypervisor: Hypervisor, reference: str | None
) -> tuple[list[Guest], dict[str, BallonetError]]:
    """Return the guests with what they store, and by UUID why one did not say it."""
    if reference is not None:
        return await _one(hypervisor, reference)
    gate = asyncio.Semaphore(AT_ONCE)
    unanswered: dict[str, BallonetError] = {}

    async def whole(row: Guest) -> Guest | None:
        async with gate:
            try:
                return await hypervisor.guest(row.uuid)
            except NoSuchGuestError:
                return None  # it went meanwhile
            except BallonetError as error:
                unanswered[row.uuid] = error
                return row

    rows = await hypervisor.guests(inactive=True)
    found = await asyncio.gather(*map(whole, rows))
    return [guest for guest in found if guest], unanswered


async def _one(hypervisor: Hypervisor, reference: str) -> tuple[list[Guest], dict[str, BallonetError]]:
    """Return one guest; where it hangs, the row that the bulk call has of it and why it was not asked."""
    try:
        return [await hypervisor.guest(reference)], {}
    except DeadlineError as error:
        for row in await hypervisor.guests():
            if reference in {row.name, row.uuid, str(row.id)}:
                return [row], {row.uuid: error}
        raise


def _surroundings(
    context: Context, guests: Sequence[Guest], processes: Mapping[str, int], *, local: bool
) -> Surroundings:
    """Return what this machine shows: what it runs, and more where the guests run on it."""
    ours = tuple(_services(context.uris))
    if not local:
        return Surroundings(host=None, writers=ours)
    running = {guest.uuid for guest in guests if guest.state is State.RUNNING}
    residents = ProcessResidents(known=lambda: processes)
    residents.follow(running)
    unseen = frozenset(running - residents.read().keys())
    limits = {uuid: limit for uuid in running if (limit := _limit_bytes(residents, uuid)) is not None}
    residents.follow(())
    host = LinuxHost()
    return Surroundings(host.memory(), host.means(), (*other_writers(), *ours), limits=limits, unseen=unseen)


def _limit_bytes(residents: ProcessResidents, uuid: str) -> int | None:
    """Return what the control groups of a followed guest let it have; None: they let it have all."""
    process = residents.process_of(uuid)
    return None if process is None else limit_bytes(process)


def _services(uris: Sequence[str]) -> list[OtherWriter]:
    """Return the services of this host that resize the guests of these hypervisors."""
    holders = [holder for uri in uris if (holder := claimed_by(uri)) is not None]
    return [
        OtherWriter(OURS, running=True, evidence=holder.strip(" ()") or "process unknown")
        for holder in dict.fromkeys(holders)
    ]
