"""The journal beside a model of it, through writes, failures, crashes and restarts in any order."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from stored import act, happening

from ballonet.errors import JournalError
from ballonet.facts.act import ActRecord, Outcome
from ballonet.facts.happening import Kind
from ballonet.facts.request import Hold, Lease
from ballonet.service.store import Store, Target

WEB, DB = "uuid-web", "uuid-db"
UUIDS = st.sampled_from([WEB, DB])
IDS = st.integers(1, 3)
OVER_ALL = 2**63  # more bytes than the file can hold: such an act is refused


class Kept(RuleBasedStateMachine):
    """What is durable stays; what waits comes with the next write, or a crash takes it."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp())
        self.life = 0
        self.store = Store(self.directory())
        self.number = 0
        self.acts: list[ActRecord] = []
        self.requests: dict[str, Hold | Lease] = {}
        self.events: list[str] = []
        self.values: dict[str, str] = {}
        self.learned: dict[str, dict[str, float]] = {}
        self.waiting: list[Callable[[], None]] = []

    def directory(self) -> Path:
        return self.place / str(self.life)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.place)

    def written(self) -> None:
        """Have what waits written, as each write does first."""
        for write in self.waiting:
            write()
        self.waiting = []

    # --- what waits ---------------------------------------------------------------------------------

    @rule(uuid=UUIDS, outcome=st.sampled_from(Outcome))
    def settle(self, uuid: str, outcome: Outcome) -> None:
        self.number += 1
        at = float(self.number)
        self.store.settle(uuid, at, outcome, 7.0, "said")
        self.waiting.append(lambda: self.settled(uuid, at, outcome))

    def settled(self, uuid: str, at: float, outcome: Outcome) -> None:
        open_ = [i for i, each in enumerate(self.acts) if each.act.uuid == uuid and each.outcome is None]
        for index in reversed(open_):
            if index == open_[-1]:
                self.acts[index] = ActRecord(self.acts[index].act, outcome, at, 7, "said")
            elif outcome is not Outcome.REFUSED:
                self.acts[index] = replace(self.acts[index], outcome=Outcome.OVERTAKEN, settled_at=at)

    @rule(kind=st.sampled_from([Kind.CAME, Kind.WENT]))
    def tell(self, kind: Kind) -> None:
        self.store.tell(happening(1.0, kind))
        self.waiting.append(lambda: self.events.append(kind.value))

    # --- what is durable when the call returns ------------------------------------------------------

    @rule(uuids=st.lists(UUIDS, max_size=3))
    def before(self, uuids: list[str]) -> None:
        acts = [act(self.number + index, uuid) for index, uuid in enumerate(uuids)]
        self.number += len(acts)
        self.store.before(acts)
        self.written()
        self.acts += map(ActRecord, acts)

    @rule(uuid=UUIDS)
    def before_in_vain(self, uuid: str) -> None:
        """A write that fails changes nothing, and what waits goes on waiting."""
        with pytest.raises(JournalError):
            self.store.before([act(self.number, uuid), act(OVER_ALL, uuid)])

    @rule(number=IDS, uuid=UUIDS, until=st.none() | st.just(9.0))
    def hold(self, number: int, uuid: str, until: float | None) -> None:
        self.number += 1
        self.keep(Hold(f"hold-{number}", uuid, "web", float(self.number), until, "anna", ""))

    @rule(number=IDS, size=st.integers(1, 2**40))
    def lease(self, number: int, size: int) -> None:
        self.number += 1
        self.keep(Lease(f"lease-{number}", size, float(self.number), 9.0, "anna", ""))

    def keep(self, request: Hold | Lease) -> None:
        self.store.keep(request)
        self.written()
        self.requests.pop(request.id, None)  # the youngest stands last
        self.requests[request.id] = request

    @rule(kind=st.sampled_from(["hold", "lease"]), number=IDS)
    def drop(self, kind: str, number: int) -> None:
        self.store.drop(f"{kind}-{number}")
        self.written()
        self.requests.pop(f"{kind}-{number}", None)

    @rule(name=st.sampled_from(["mode", "paused"]), text=st.text(max_size=3))
    def set_value(self, name: str, text: str) -> None:
        self.store.set_value(name, text)
        self.written()
        self.values[name] = text

    @rule(uuid=UUIDS, value=st.floats(allow_nan=False, allow_infinity=False))
    def remember(self, uuid: str, value: float) -> None:
        self.store.remember({uuid: {"kept": value, "growth": float("nan")}}, 1.0)
        self.written()
        self.learned[uuid] = {"kept": value}

    @rule()
    def flush(self) -> None:
        self.store.flush()
        self.written()

    # --- how it ends --------------------------------------------------------------------------------

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.written()
        self.store = Store(self.directory())

    @precondition(lambda self: self.life < 5)
    @rule()
    def crash(self) -> None:
        """What is left is what the files hold at this moment."""
        before, self.life = self.directory(), self.life + 1
        shutil.copytree(before, self.directory())
        self.store.close()
        self.waiting = []
        self.store = Store(self.directory())
        assert self.store.damaged is None

    # --- what is there ------------------------------------------------------------------------------

    @invariant()
    def acts_are_there_with_their_outcomes(self) -> None:
        for uuid in (WEB, DB):
            assert [each for each in self.acts if each.act.uuid == uuid] == self.store.acts(uuid)
        took = [each for each in self.acts if each.outcome is not Outcome.REFUSED]
        targets = {
            each.act.uuid: Target(
                each.act.to_bytes, each.act.at, each.act.from_bytes if each.outcome is None else None
            )
            for each in took
        }
        assert targets == self.store.targets()

    @invariant()
    def requests_are_there_until_they_are_dropped(self) -> None:
        kept = list(self.requests.values())
        assert [each for each in kept if isinstance(each, Hold)] == self.store.holds()
        assert [each for each in kept if isinstance(each, Lease)] == self.store.leases()

    @invariant()
    def all_else_is_there(self) -> None:
        assert self.events == [record.kind for record in self.store.events()]
        assert self.learned == self.store.learned()
        names = ("mode", "paused")
        assert [self.values.get(name) for name in names] == [self.store.value(name) for name in names]


TestKept = Kept.TestCase
TestKept.settings = settings(deadline=None, max_examples=40, stateful_step_count=30)
