"""What people asked for, until it ends: guests held as they are, and memory kept for guests to come."""

from collections.abc import Iterable, Sequence

import numpy as np

from ballonet.engine.ports import Clock, Journal
from ballonet.errors import NoSuchLeaseError
from ballonet.facts.request import ALL, Hold, Lease, number_of
from ballonet.facts.snapshot import Bools


class Requests:
    """Holds and leases; each is written down before it counts, and ends by itself."""

    def __init__(
        self,
        clock: Clock,
        journal: Journal | None = None,
        kept: Iterable[Hold | Lease] = (),
        *,
        given: int = 0,
    ) -> None:
        """Go on with those that were kept; ids go on above the highest number that was ever given."""
        self._clock = clock
        self._journal = journal
        self._kept: dict[str, Hold | Lease] = {request.id: request for request in kept}
        self._unwritten = set[str]()  # ids of what goes on and is not in the journal as it is
        self._next = 1 + max([given, *map(number_of, self._kept)])

    # --- asking -------------------------------------------------------------------------------------

    def hold(
        self,
        uuid: str,
        name: str,
        *,
        seconds: float | None,
        who: str,
        why: str = "",
        size_bytes: int | None = None,
    ) -> Hold:
        """Leave a guest (ALL: everybody) as it is from now on; it replaces what it was held for before.

        Raises `JournalError`, as all that changes something; what was before goes on then.
        """
        now = self._clock.time()
        until = None if seconds is None else now + seconds
        # Under the same id one write does for both, and a journal that fails in between loses neither.
        before = self.hold_of(uuid)
        hold_id = before.id if before else self._name("hold")
        hold = Hold(hold_id, uuid, name, now, until, who, why, size_bytes)
        self._keep(hold)
        return hold

    def undo(self, hold: Hold, before: Hold | None) -> None:
        """Take a hold back, if it did not end meanwhile: what the guest was held for before goes on.

        That goes on, too, where the journal has no room for it now: it is written with what is over next.
        """
        if self._kept.get(hold.id) != hold:
            return
        if before is None:
            self._drop(hold.id)
            return
        self._kept[before.id] = before
        self._kept = dict(sorted(self._kept.items(), key=lambda kept: kept[1].begun_at))
        self._unwritten.add(before.id)
        self._write()

    def resume(self, uuid: str) -> list[Hold]:
        """End what a guest (ALL: everybody) is held for; return it."""
        ended = [hold for hold in self.holds if hold.uuid == uuid]
        for hold in ended:
            self._drop(hold.id)
        return ended

    def lease(self, size_bytes: int, *, seconds: float, who: str, guest: str = "") -> Lease:
        """Keep host memory free from now on."""
        now = self._clock.time()
        lease = Lease(self._name("lease"), size_bytes, now, now + seconds, who, guest)
        self._keep(lease)
        return lease

    def drop(self, lease_id: str) -> Lease:
        """End a lease; raises `NoSuchLeaseError` with those that there are."""
        lease = self._kept.get(lease_id)
        if not isinstance(lease, Lease):
            known = ", ".join(lease.id for lease in self.leases) or "none"
            raise NoSuchLeaseError(f"there is no lease {lease_id!r}", hint=f"there are: {known}")
        self._drop(lease_id)
        return lease

    def started(self, name: str) -> Lease | None:
        """End the lease that a guest which starts now uses up, its own rather than anybody's; return it."""
        fitting = [lease for lease in self.leases if lease.guest in {name, ""}]
        lease = max(fitting, key=lambda each: each.guest == name, default=None)
        if lease is not None:
            self._drop(lease.id)
        return lease

    def expire(self) -> list[Hold | Lease]:
        """End what is over, and return it."""
        self._write()
        now = self._clock.time()
        over = [
            request for request in self._kept.values() if request.until is not None and request.until <= now
        ]
        for request in over:
            self._drop(request.id)
        return over

    # --- what is so ---------------------------------------------------------------------------------

    @property
    def holds(self) -> list[Hold]:
        """Return all holds, oldest first."""
        return [request for request in self._kept.values() if isinstance(request, Hold)]

    @property
    def leases(self) -> list[Lease]:
        """Return all leases, oldest first."""
        return [request for request in self._kept.values() if isinstance(request, Lease)]

    @property
    def paused(self) -> Hold | None:
        """Return the hold of everybody, if there is one."""
        return self.hold_of(ALL)

    def hold_of(self, uuid: str) -> Hold | None:
        """Return what a guest (ALL: everybody) is held for."""
        for each in self._kept.values():
            if isinstance(each, Hold) and each.uuid == uuid:
                return each
        return None

    @property
    def leased_bytes(self) -> int:
        """Return what all leases keep free together."""
        return sum(lease.size_bytes for lease in self.leases)

    def held(self, uuids: Sequence[str]) -> Bools:
        """Return who is held by name, in this order."""
        held = {hold.uuid for hold in self.holds}
        if not held:  # as nearly always
            return np.zeros(len(uuids), dtype=np.bool_)
        return np.array([uuid in held for uuid in uuids], dtype=np.bool_)

    # --- keeping ------------------------------------------------------------------------------------

    def _name(self, kind: str) -> str:
        number, self._next = self._next, self._next + 1
        return f"{kind}-{number}"

    def _keep(self, request: Hold | Lease) -> None:
        if self._journal is not None:
            self._journal.keep(request)
        self._unwritten.discard(request.id)
        self._kept.pop(request.id, None)  # the youngest stands last
        self._kept[request.id] = request

    def _write(self) -> None:
        """Write what could not be written."""
        for request_id in sorted(self._unwritten):
            if self._journal is not None:
                self._journal.keep(self._kept[request_id])
            self._unwritten.discard(request_id)

    def _drop(self, request_id: str) -> None:
        if self._journal is not None:
            self._journal.drop(request_id)
        self._unwritten.discard(request_id)
        del self._kept[request_id]
