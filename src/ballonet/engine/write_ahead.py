"""Changes are written down before they are sent: what the hypervisor has, the journal has."""

from ballonet.engine.act import Changes
from ballonet.engine.ports import Clock, Journal
from ballonet.engine.tell import Teller
from ballonet.errors import JournalError
from ballonet.facts.happening import Kind


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
        try:
            self._journal.before(changes.acts(self._clock.time(), cause))
        except JournalError as error:
            if not self._fails:
                self._teller.say(Kind.FAILED, "", text=f"{error.message}; only observing until it can")
            self._fails = True
            return False
        if self._fails:
            self._teller.say(Kind.RECOVERED, "", text="the journal can be written again")
        self._fails = False
        return True
