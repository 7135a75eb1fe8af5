"""Holds and leases beside a model of them, through failing journals and restarts."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from kept import MemoryJournal
from pretend import PretendClock

from ballonet.engine.requests import Requests
from ballonet.errors import JournalError, NoSuchLeaseError
from ballonet.facts.request import ALL, Hold, Lease

WEB, DB = "uuid-web", "uuid-db"
UUIDS = st.sampled_from([WEB, DB, ALL])
SECONDS = st.sampled_from([0.5, 1.0, 5.0, 60.0])
NAMES = st.sampled_from(["", "web", "db"])
GIB = 1 << 30


@dataclass
class Failing(MemoryJournal):
    """Takes so many more writes, and then no more."""

    takes: float = float("inf")

    def _room(self) -> None:
        if self.takes <= 0:
            raise JournalError("the journal is full", hint="make room")
        self.takes -= 1


class Asked(RuleBasedStateMachine):
    """What people ask for, in any order; the model is what is said to be in force, by what it is about."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = PretendClock()
        self.journal = Failing()
        self.requests = Requests(self.clock, self.journal)
        self.holds: dict[str, tuple[float | None, str]] = {}  # by UUID: until when, and who asked
        self.leases: dict[str, Lease] = {}

    def tried(self, change: Callable[[], object]) -> bool:
        """Make a change; return whether it was made."""
        self.clock.now += 0.001  # no two are made at once
        try:
            change()
        except JournalError:
            return False
        return True

    @rule(uuid=UUIDS, seconds=st.none() | SECONDS, who=st.sampled_from(["anna", "bob"]))
    def hold(self, uuid: str, seconds: float | None, who: str) -> None:
        if self.tried(lambda: self.requests.hold(uuid, "", seconds=seconds, who=who)):
            self.holds.pop(uuid, None)  # the youngest stands last
            self.holds[uuid] = (None if seconds is None else self.clock.time() + seconds, who)

    @rule(uuid=UUIDS, seconds=st.none() | SECONDS)
    def hold_in_vain(self, uuid: str, seconds: float | None) -> None:
        """As where the hypervisor refuses what a guest is set to: what it was held for before goes on."""
        before, held = self.requests.hold_of(uuid), list[Hold]()
        if not self.tried(lambda: held.append(self.requests.hold(uuid, "", seconds=seconds, who="eve"))):
            return
        if not self.tried(lambda: self.requests.undo(held[0], before)) and before is None:
            self.holds[uuid] = (held[0].until, "eve")  # it could not be taken back

    @rule(uuid=UUIDS)
    def resume(self, uuid: str) -> None:
        if self.tried(lambda: self.requests.resume(uuid)):
            self.holds.pop(uuid, None)

    @rule(size=st.integers(1, 8), seconds=SECONDS, guest=NAMES)
    def lease(self, size: int, seconds: float, guest: str) -> None:
        def make() -> None:
            made = self.requests.lease(size * GIB, seconds=seconds, who="anna", guest=guest)
            assert made.id not in self.leases
            self.leases[made.id] = Lease(
                made.id, size * GIB, self.clock.time(), self.clock.time() + seconds, "anna", guest
            )

        self.tried(make)

    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        lease_id = data.draw(st.sampled_from([*self.leases, "lease-0", *self.journal.requests]))
        if lease_id not in self.leases:
            with pytest.raises(NoSuchLeaseError) as refused:
                self.requests.drop(lease_id)
            assert all(known in refused.value.hint for known in self.leases or ["none"])
        elif self.tried(lambda: self.requests.drop(lease_id)):
            del self.leases[lease_id]

    @rule(name=st.sampled_from(["web", "db", "new"]))
    def started(self, name: str) -> None:
        """Its own lease goes first, then one for anybody; of two alike the older."""
        fits = [each for each in self.leases.values() if each.guest in {name, ""}]
        due = next((each for each in fits if each.guest), next(iter(fits), None))
        used: list[Lease | None] = []
        if self.tried(lambda: used.append(self.requests.started(name))):
            assert [due] == used
            self.leases.pop(due.id if due else "", None)

    @rule(seconds=SECONDS, takes=st.none() | st.integers(0, 2))
    def time_passes(self, seconds: float, takes: int | None) -> None:
        """What is over ends, also where that takes several tries."""
        self.clock.now += seconds
        self.journal.takes = float("inf") if takes is None else takes
        self.tried(self.requests.expire)
        self.journal.takes = float("inf")
        self.requests.expire()
        assert [] == self.requests.expire()
        now = self.clock.time()
        self.holds = {
            uuid: (until, who) for uuid, (until, who) in self.holds.items() if until is None or until > now
        }
        self.leases = {each.id: each for each in self.leases.values() if each.until > now}

    @rule(takes=st.none() | st.integers(0, 2))
    def journal_fills_up(self, takes: int | None) -> None:
        self.journal.takes = float("inf") if takes is None else takes

    @rule()
    def restart(self) -> None:
        if self.requests._unwritten:
            self.time_passes(0.0, None)
        kept = sorted(self.journal.requests.values(), key=lambda each: (each.begun_at, each.id))
        self.requests = Requests(self.clock, self.journal, kept)

    @invariant()
    def nothing_else_is_in_force(self) -> None:
        assert list(self.holds.items()) == [
            (hold.uuid, (hold.until, hold.who)) for hold in self.requests.holds
        ]
        assert list(self.leases.values()) == self.requests.leases
        assert sum(each.size_bytes for each in self.leases.values()) == self.requests.leased_bytes
        assert [WEB in self.holds, DB in self.holds] == self.requests.held([WEB, DB]).tolist()
        assert (ALL in self.holds) == (self.requests.paused is not None)

    @invariant()
    def the_journal_has_the_same(self) -> None:
        in_force: list[Hold | Lease] = [*self.requests.holds, *self.requests.leases]
        late = self.requests._unwritten
        written = {key: each for key, each in self.journal.requests.items() if key not in late}
        assert {each.id: each for each in in_force if each.id not in late} == written


TestAsked = Asked.TestCase
TestAsked.settings = settings(deadline=None, max_examples=100, stateful_step_count=30)


def test_without_a_journal_a_hold_that_is_taken_back_leaves_the_one_before() -> None:
    requests = Requests(PretendClock())
    before = requests.hold(WEB, "web", seconds=None, who="anna")
    requests.undo(requests.hold(WEB, "web", seconds=5.0, who="eve"), before)

    assert [before] == requests.holds


def test_a_hold_that_somebody_ended_meanwhile_is_not_taken_back() -> None:
    requests = Requests(PretendClock())
    before = requests.hold(WEB, "web", seconds=None, who="anna")
    hold = requests.hold(WEB, "web", seconds=5.0, who="eve")
    requests.resume(WEB)
    requests.undo(hold, before)

    assert [] == requests.holds
