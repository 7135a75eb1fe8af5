"""What people have done while the engine runs: a guest set, released, held, and room made for one to come."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ballonet.engine.act import PROMISES, Changes, broken_promises
from ballonet.engine.engine import Engine
from ballonet.errors import (
    BallonetError,
    NoSuchGuestError,
    NotReachedError,
    NotReadyError,
    RefusedError,
    UsageError,
)
from ballonet.facts.happening import Kind
from ballonet.facts.plan import Plan
from ballonet.facts.request import ALL, Hold, Lease
from ballonet.facts.verdict import CODES
from ballonet.policy.room import PAGE
from ballonet.policy.waterfill import waterfill
from ballonet.units import format_duration, format_size

LOOK_SECONDS = 0.2  # between two looks whether room was made


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and why."""

    who: str
    why: str = ""


class ByHand:
    """Carries out what people ask for, within all promises; raises `JournalError` where it must remember."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, reference: str) -> int:
        """Return the row of a guest by name, UUID or id in the last plan.

        Raises `NoSuchGuestError`, and `UsageError` where several have the name.
        """
        snapshot = self._plan().snapshot
        for names in (snapshot.uuids, snapshot.names):
            if names.count(reference) > 1:
                pairs = zip(snapshot.uuids, names, strict=True)
                raise _ambiguous(reference, [uuid for uuid, name in pairs if name == reference])
            if reference in names:
                return names.index(reference)
        raise NoSuchGuestError(f"no guest {reference!r} runs here", hint="see who is there: ballonet guests")

    def pause(self, reference: str, seconds: float | None, asker: Asker) -> Hold:
        """Leave a guest as it is (ALL: change nothing at all)."""
        uuid = name = ALL
        if reference != ALL:
            snapshot, row = self._plan().snapshot, self.find(reference)
            uuid, name = snapshot.uuids[row], snapshot.names[row]
        hold = self._engine.requests.hold(uuid, name, seconds=seconds, who=asker.who, why=asker.why)
        time = "" if seconds is None else f" for {format_duration(seconds)}"
        self._engine.say(Kind.HELD, name, uuid, f"{asker.who} has it left as it is{time}{_because(asker)}")
        return hold

    def resume(self, reference: str, asker: Asker) -> list[Hold]:
        """End what a guest is held for, also of one that is gone; ALL: what everybody is."""
        holds = self._engine.requests.holds
        matching = dict.fromkeys(hold.uuid for hold in holds if reference in {hold.uuid, hold.name, hold.id})
        if len(matching) > 1:
            raise _ambiguous(reference, list(matching))
        known = next(iter(matching), None)
        if known is None and reference != ALL:
            known = self._plan().snapshot.uuids[self.find(reference)]
        ended = self._engine.requests.resume(known or ALL)
        for hold in ended:
            self._engine.say(Kind.HELD, hold.name, hold.uuid, f"{asker.who} ended its hold")
        return ended

    async def set(self, reference: str, size_bytes: int, seconds: float | None, asker: Asker) -> Hold:
        """Have a guest resized and held; raises `RefusedError` with the promise that forbids it."""
        await self._engine.hear_of([self._plan().snapshot.uuids[self.find(reference)]])
        plan, row = self._plan(), self.find(reference)
        changes = Changes.of(plan.snapshot, np.array([row]), np.array([float(size_bytes)]))
        self._allow(changes)
        growth, free = size_bytes - float(plan.snapshot.actual[row]), max(self._engine.free_bytes, 0.0)
        if growth > free:
            raise RefusedError(
                f"the host can spare {format_size(free)}, and this takes {format_size(growth)}",
                hint="see who has memory: ballonet status",
            )
        requests, uuid = self._engine.requests, plan.snapshot.uuids[row]
        before = requests.hold_of(uuid)
        hold = requests.hold(
            uuid,
            plan.snapshot.names[row],
            seconds=seconds,
            who=asker.who,
            why=asker.why,
            size_bytes=size_bytes,
        )
        if not len(await self._engine.resize(changes, asker.who)):
            requests.undo(hold, before)
            raise BallonetError(
                f"{hold.name} could not be resized",
                hint="see why: ballonet events; if nothing stands there, its last change is not answered yet",
            )
        return hold

    async def release(self, reference: str, asker: Asker) -> list[Hold]:
        """Give guests (ALL: each that may be touched) all memory back that is free, and hold them.

        Raises `RefusedError` for one that must not be touched, and where guests are only observed.
        """
        snapshot = self._plan().snapshot
        if reference != ALL:
            row = self.find(reference)
            self._allow(Changes.of(snapshot, np.array([row]), snapshot.ceiling[[row]]))
        self._writing()
        await self.give_back(reference, asker)
        snapshot = self._plan().snapshot
        released = range(len(snapshot)) if reference == ALL else [self.find(reference)]
        return [
            self.pause(snapshot.uuids[row], None, Asker(asker.who, asker.why or "released"))
            for row in released
        ]

    async def give_back(self, reference: str, asker: Asker) -> None:
        """Grow guests (ALL: each that may be touched) as far as memory is free.

        Of what they are giving up just now as much is left to them as the budget has room for.
        """
        uuids = self._plan().snapshot.uuids
        await self._engine.hear_of(uuids if reference == ALL else [uuids[self.find(reference)]])
        snapshot, free = self._plan().snapshot, self._engine.free_bytes
        rows, actual, nothing = np.arange(len(snapshot)), snapshot.actual, np.zeros(len(snapshot))
        able = broken_promises(Changes.of(snapshot, rows, snapshot.ceiling)) == 0
        if reference != ALL:
            able &= rows == self.find(reference)
        leaving = np.where(able, np.fmax(actual - self._engine.told, 0.0), 0.0)
        left = waterfill(nothing, leaving, snapshot.weight, free + float(leaving.sum()))
        wish = np.where(able, np.maximum(snapshot.ceiling - actual, 0.0), 0.0)
        growth = waterfill(nothing, wish, snapshot.weight, max(free, 0.0))
        target = np.floor((actual - leaving + left + growth) / PAGE) * PAGE
        rows = np.flatnonzero(left + growth >= PAGE)
        await self._engine.resize(Changes.of(snapshot, rows, target[rows]), asker.who)

    # --- room for a guest to come -------------------------------------------------------------------

    def most_room_bytes(self) -> int:
        """Return how much could be kept free at most: what is free, and all that guests have beyond needs."""
        plan = self._plan()
        beyond = np.maximum(plan.snapshot.actual - plan.wanted[0], 0.0)
        beyond = np.where(plan.verdict == CODES["managed"], beyond, 0.0)
        return int(max(0.0, plan.free + float(beyond.sum())))

    async def make_room(
        self, size_bytes: int, *, timeout_seconds: float, hold_seconds: float, guest: str, asker: Asker
    ) -> Lease:
        """Free host memory, wait until the host shows it, and keep it.

        Raises `RefusedError` with what could be had at most, when nothing was taken, and `NotReachedError`
        when it did not come in time, or the lease ended before: a guest started. It is dropped then, and when
        whoever waits is cancelled.
        """
        most = self.most_room_bytes()
        if size_bytes > most:
            raise RefusedError(
                f"{format_size(most)} could be had at most without taking what guests need",
                hint="ask for less, shut a guest down, or raise the budget",
            )
        if not self._engine.writes and size_bytes > max(0.0, self._plan().free):
            raise RefusedError(
                "guests are only observed: nothing is taken", hint='mode = "enforce", or: ballonet resume'
            )
        lease = self._engine.requests.lease(size_bytes, seconds=hold_seconds, who=asker.who, guest=guest)
        with contextlib.ExitStack() as undo:
            undo.callback(self._give_up, lease)
            try:
                async with asyncio.timeout(timeout_seconds):
                    await self._until_free(lease)
            except TimeoutError as error:
                raise NotReachedError(
                    f"{format_size(size_bytes)} were not free within {format_duration(timeout_seconds)}",
                    hint="give it more time: --timeout 2m",
                ) from error
            undo.pop_all()
        size, time = format_size(size_bytes), format_duration(hold_seconds)
        whose = f"guest {guest!r}" if guest else "a guest"
        text = f"{lease.id}: {asker.who} has {size} kept free for {time}, for {whose} to come"
        self._engine.say(Kind.LEASED, "", "", text)
        return lease

    def drop(self, lease_id: str) -> Lease:
        """End a lease; raises `NoSuchLeaseError`."""
        lease = self._engine.requests.drop(lease_id)
        self._engine.wake.set()  # what it kept free can be had from the next tick on
        self._engine.say(Kind.LEASED, "", "", f"{lease.id} was ended by hand")
        return lease

    def _give_up(self, lease: Lease) -> None:
        """End a lease that nobody waits for any more; that it is used up or over is no error."""
        if lease in self._engine.requests.leases:
            self._engine.requests.drop(lease.id)
            self._engine.wake.set()
            self._engine.say(Kind.LEASED, "", "", f"{lease.id} was given up: {lease.who} waits no longer")

    async def _until_free(self, lease: Lease) -> None:
        """Wait for a tick that knows of all leases and has what they keep free; not for one that ended."""
        before = self._plan()
        while self._plan() is before or self._plan().free < 0.0:
            self._engine.wake.set()
            await self._engine.clock.sleep(LOOK_SECONDS)
            if lease not in self._engine.requests.leases:
                raise NotReachedError(
                    f"{lease.id} ended before {format_size(lease.size_bytes)} were free",
                    hint="a guest started, its time was over, or somebody ended it: ballonet events",
                )

    # --- what both need -----------------------------------------------------------------------------

    def _plan(self) -> Plan:
        if self._engine.plan is None:
            raise NotReadyError("no guest was looked at yet", hint="try again in a moment")
        return self._engine.plan

    def _allow(self, changes: Changes) -> None:
        broken = int(broken_promises(changes)[0])
        if broken:
            name = changes.snapshot.names[changes.rows[0]]
            raise RefusedError(f"{name}: {PROMISES[broken]}", hint=f"see its limits: ballonet show {name}")
        self._writing()

    def _writing(self) -> None:
        if not self._engine.writes:
            raise RefusedError("guests are only observed", hint='ballonet resume, or set mode = "enforce"')


def _because(asker: Asker) -> str:
    return f": {asker.why}" if asker.why else ""


def _ambiguous(name: str, uuids: Sequence[str]) -> UsageError:
    """Return the refusal to choose among guests of several hypervisors."""
    hint = f"name one by its UUID: {', '.join(uuids)}"
    return UsageError(f"{len(uuids)} guests are called {name!r}", hint=hint)
