"""The real store on a real file, on a disk that may be full, of a process that may be killed as it writes."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ballonet.errors import JournalError
from ballonet.facts.act import Act
from ballonet.facts.request import Hold, Lease
from ballonet.service.store import Store


class TroubledStore(Store):
    """Fails while the disk is full; `passing` is called before and after each write that must be durable."""

    def __init__(self, directory: Path, full: Callable[[], bool], passing: Callable[[str], None]) -> None:
        super().__init__(directory)
        self._full = full
        self._passing = passing

    def before(self, acts: Sequence[Act]) -> None:
        """Write down changes that are about to be sent."""
        self._passing("before an act is written")
        self._room()
        super().before(acts)
        self._passing("after an act is written")

    def keep(self, request: Hold | Lease) -> None:
        """Write down what somebody asked for."""
        self._room()
        super().keep(request)

    def drop(self, request_id: str) -> None:
        """Forget what somebody asked for."""
        self._room()
        super().drop(request_id)

    def flush(self) -> None:
        """Write what waits."""
        self._room()
        super().flush()

    def remember(self, learned: Mapping[str, Mapping[str, float]], at: float) -> None:
        """Keep what was learned."""
        self._room()
        super().remember(learned, at)

    def prune(self, now: float) -> int:
        """Forget what is old."""
        self._room()
        return super().prune(now)

    def let_go(self) -> None:
        """Close the files, as the kernel does those of a process that is dead."""
        self._database.close()
        self._lock.close()

    def _room(self) -> None:
        self._passing("")
        if self._full():
            raise JournalError("the disk is full", hint="make room")
