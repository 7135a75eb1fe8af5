"""What a service writes down beside its acts: events each tick, and each minute what it learned."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from ballonet.engine.engine import Engine
from ballonet.errors import JournalError
from ballonet.facts.happening import Happening, Kind
from ballonet.host.boot import boot_id
from ballonet.service.store import Store

REMEMBER_SECONDS = 60.0  # what is learned changes slowly: a minute of it lost at a kill is little
# But who is left alone for a while, as after a reset or a change by somebody else, is so after a kill, too.
_AT_ONCE = frozenset({Kind.REBOOTED, Kind.VERDICT})


class Keeper:
    """Keeps a store up to date with its engines, and them with it after a restart."""

    def __init__(
        self, store: Store, engines: Sequence[Engine], say: Callable[[str], None] = lambda _: None
    ) -> None:
        self._store = store
        self._engines = tuple(engines)
        self._say = say  # that it cannot be written, and that it can again
        self.fails = False  # whether the last write could not be made
        self._remembered_at = -REMEMBER_SECONDS
        self._hurries = False  # whether what was learned is to be written with this tick
        self._left_until = 0.0  # monotonic seconds: until when anybody is left alone who was moved

    def recall(self) -> None:
        """Have the engines know again what was learned, and what guests were told."""
        learned, targets = self._store.learned(), self._store.targets()
        same_boot = self._same_boot()
        for engine in self._engines:
            engine.recall(learned, targets, same_boot=same_boot)

    def _same_boot(self) -> bool:
        """Return whether what was kept is of this boot of the host; from now on it will be."""
        boot = boot_id()
        same = boot is not None and boot == self._store.value("boot")
        if boot is not None and not same:
            with suppress(JournalError):  # the next start will have to go by the wall clock
                self._store.set_value("boot", boot)
        return same

    def hear(self, happening: Happening) -> None:
        """Have what was learned written with the tick in which this happened."""
        if happening.kind in _AT_ONCE:
            self._hurries = True

    def ticked(self) -> None:
        """Write what happened in a tick; a failure is told once, and ends nothing."""
        now = self._engines[0].clock.monotonic()
        due = now - self._remembered_at >= REMEMBER_SECONDS
        hurries, self._hurries = self._hurries or self._moved(), False
        try:
            if due or hurries:
                self._remember()
            else:
                self._store.flush()
            if due:
                self._store.prune(self._engines[0].clock.time())
        except JournalError as error:
            if not self.fails:
                self._say(f"{error.message}: nothing is remembered until it can be written")
            self.fails, self._hurries = True, hurries
            return
        self._remembered_at = now if due else self._remembered_at
        if self.fails:
            self._say("what happens is remembered again")
        self.fails = False

    def _moved(self) -> bool:
        """Return whether somebody else moved a guest, left alone already or not, since it was asked last."""
        before = self._left_until
        for engine in self._engines:
            self._left_until = float(engine.memory.foreign_until.max(initial=self._left_until))
        return self._left_until > before

    def end(self) -> None:
        """Write all that is worth knowing after a restart, as far as it can be, and close the store."""
        try:
            self._remember()
        except JournalError as error:
            self._say(f"{error.message}: what was learned in the last minute is lost")
        self._store.close()

    def _remember(self) -> None:
        at = self._engines[0].clock.time()
        for engine in self._engines:
            self._store.remember(engine.learned(), at)
