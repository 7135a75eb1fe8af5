"""Changes are written down before they are sent: what the hypervisor has, the journal has."""

import numpy as np

from ballonet.engine.act import Changes
from ballonet.engine.ports import Clock, Journal
from ballonet.engine.tell import Teller
from ballonet.errors import JournalError
from ballonet.facts.act import Act, Outcome
from ballonet.facts.happening import Kind
from ballonet.facts.memory import Memory
from ballonet.facts.snapshot import Snapshot

ADOPTED = "adopted"  # the cause of a change that somebody else made


class WriteAhead:
    """Writes to a journal, if there is one, and tells once when it cannot, and when it can again."""

    def __init__(self, journal: Journal | None, teller: Teller, clock: Clock) -> None:
        self._journal = journal
        self._teller = teller
        self._clock = clock
        self._fails = False

    def written(self, changes: Changes, cause: Kind) -> bool:
        """Write changes down; return whether they may be sent."""
        if self._journal is None:
            return True
        return self._write(self._journal, changes.acts(self._clock.time(), cause))

    def refused(self, uuid: str, text: str) -> None:
        """Note that the hypervisor did not take a guest's last change."""
        if self._journal is not None:
            self._journal.settle(uuid, self._clock.time(), Outcome.REFUSED, text=text)

    def follow(self, before: Memory, after: Memory, snapshot: Snapshot) -> None:
        """Note which changes arrived since the look before, which are given up, and which others made."""
        if self._journal is None:
            return
        now = self._clock.time()
        ended = after.arrived & ~before.arrived
        stuck = after.stuck_until > before.stuck_until
        moved_away = after.target != before.target
        for row in np.flatnonzero(ended).tolist():
            outcome = Outcome.STUCK if stuck[row] else Outcome.FOREIGN if moved_away[row] else Outcome.REACHED
            self._journal.settle(snapshot.uuids[row], now, outcome, float(snapshot.actual[row]))
        others = np.flatnonzero(after.foreign_until > before.foreign_until).tolist()
        if others:
            self._write(self._journal, [_adopted(now, before, snapshot, row) for row in others])

    def _write(self, journal: Journal, acts: list[Act]) -> bool:
        """Write acts down; return whether that could be done."""
        try:
            journal.before(acts)
        except JournalError as error:
            if not self._fails:
                self._teller.say(Kind.FAILED, "", text=f"{error.message}; only observing until it can")
            self._fails = True
            return False
        if self._fails:
            self._teller.say(Kind.RECOVERED, "", text="the journal can be written again")
        self._fails = False
        return True


def _adopted(now: float, before: Memory, snapshot: Snapshot, row: int) -> Act:
    """Return what somebody else did, so that a restart does not take it for a wish that was not followed."""
    size = int(snapshot.actual[row])
    told, had = before.target[row], before.actual[row]
    known = int(had if np.isnan(told) else told)  # where we told it nothing, what it had
    return Act(now, snapshot.uuids[row], snapshot.names[row], known, size, ADOPTED)
