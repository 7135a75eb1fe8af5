"""The product broken on purpose, a promise at a time: the test that SPECIFICATION.md names for it fails."""

import asyncio
import ipaddress
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import numpy as np
import pytest
import test_config_load as loads
import test_engine_act as act
import test_engine_ask as asks
import test_engine_by_hand as by_hand
import test_engine_engine as engine
import test_engine_loop as loop
import test_engine_remember as remembered
import test_engine_trust as trust
import test_facts_fuzz as fuzz
import test_hypervisor_rows as rows
import test_policy_bites as bites
import test_policy_plan as plans
import test_policy_properties as properties
import test_policy_reflex as reflexes
import test_policy_room as rooms
import test_service_claim as claim
import test_service_daemon as daemon
import test_service_gate as gate
import test_service_keeping as keeping
from hosted import Hosted, hosted
from hypothesis import Phase, given, settings
from test_specification import TESTS

from ballonet.config import load as config_load
from ballonet.config.read import read_layer
from ballonet.engine.ask import Asker
from ballonet.engine.engine import Engine
from ballonet.engine.write_ahead import WriteAhead
from ballonet.errors import BallonetError, SettingsError
from ballonet.facts.happening import Kind
from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan
from ballonet.facts.snapshot import Snapshot
from ballonet.facts.verdict import CODES
from ballonet.policy.motion import motion
from ballonet.policy.need import wants
from ballonet.policy.plan import plan
from ballonet.policy.settings import Settings
from ballonet.service.daemon import Daemon
from ballonet.units import GIB, MIB

Patch: TypeAlias = pytest.MonkeyPatch
# Always the same examples: a defect that these find is found in every run.
few = settings(max_examples=300, derandomize=True, database=None, phases=[Phase.generate])


@dataclass(frozen=True)
class Break:
    """A defect, planted by a function, and the test that must not outlive it."""

    promise: str
    plants: Callable[[Patch], None]
    test: Callable[..., Any]
    arguments: tuple[Any, ...] = ()


def decides(made: Callable[[Snapshot, Memory, Settings], Plan]) -> Callable[[Patch], None]:
    """Return what has the policy's tests see these plans instead."""

    def plant(patch: Patch) -> None:
        for module in (plans, properties):
            patch.setattr(module, "plan", made)

    return plant


def targets(change: Callable[[Plan], Any]) -> Callable[[Patch], None]:
    return decides(lambda *known: _with_targets(plan(*known), change))


def _with_targets(made: Plan, change: Callable[[Plan], Any]) -> Plan:
    return replace(made, target=change(made))


def forgets(**columns: float) -> Callable[[Patch], None]:
    """Return what has plans made as if this was remembered of all guests."""

    def forgetful(table: Snapshot, memory: Memory, law: Settings) -> Plan:
        kept: dict[str, Any] = {
            name: np.full(len(table), value, dtype=getattr(memory, name).dtype)
            for name, value in columns.items()
        }
        return plan(table, replace(memory, **kept), law)

    return decides(forgetful)


def sends_all(name: str, *modules: str) -> Callable[[Patch], None]:
    """Return what has a check of what is sent find nothing."""

    def plant(patch: Patch) -> None:
        for module in modules:
            patch.setattr(f"{module}.{name}", lambda changes, *_: np.zeros(len(changes), dtype=np.int8))

    return plant


def manages_all(patch: Patch) -> None:
    patch.setattr("ballonet.policy.plan.verdicts", lambda table, *_: np.full(len(table), CODES["managed"]))


def sets(target: str, value: Any) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(target, value)


async def one_by_one(actor: Any, changes: Any, _: object) -> dict[str, BallonetError]:
    for uuid, size in changes.sizes().items():
        await actor._hypervisor.resize(uuid, size)
    return {}


def restless(patch: Patch) -> None:
    """Have a page taken from whoever rests."""

    def moves(table: Snapshot, *rest: Any) -> Any:
        target, bound = motion(table, *rest)
        return np.where(np.isnan(target), table.actual - 4096, target), bound

    patch.setattr("ballonet.policy.plan.motion", moves)


def asks_on(patch: Patch) -> None:
    """Have guests asked again that have not answered yet."""
    ask = Asker.ask

    def impatient(asker: Any, uuids: Any) -> None:
        asker._pending = {}
        ask(asker, uuids)

    patch.setattr(Asker, "ask", impatient)


async def waits(_: Engine) -> bool:
    """Stand for a reflex that waits for the tick."""
    return False


def loads_in_part(files: Any, options: Any = ()) -> config_load.Loaded:
    """Return what can be read of some files, whatever is wrong in the others."""
    layers = list(options)
    for path in files:
        with suppress(SettingsError):
            layers.append(read_layer(path))
    said = config_load.overlaid(layers)
    return config_load.Loaded(config_load.composed(said), said, tuple(files))


def gives_way(patch: Patch) -> None:
    """Have a service whose new settings are wrong go on without any."""
    reload = Daemon.reload

    def reloaded(daemon: Daemon) -> None:
        reload(daemon)
        if not daemon.service.status().settings.succeeded:
            daemon.engine.change(daemon.engine.settings, daemon._rules.limits, enforce=False)

    patch.setattr(Daemon, "reload", reloaded)


TRUST = trust.test_a_shrink_that_must_not_be_is_not_sent_and_told
PLANS = properties.test_every_plan_keeps_the_promises
UNTRUSTING = sends_all("broken_trust", "ballonet.engine.sender")
UNCHECKED = sends_all("broken_promises", "test_engine_act")
WHILE_IT_HANGS = loop.test_a_burst_is_answered_while_a_tick_hangs
# A name that was bound to this address anew, another site's page, and a change without the token.
LET_IN = [
    (gate.READ, {"Host": "evil.example"}),
    (gate.READ, {"Origin": "http://evil.example"}),
    (gate.CHANGE, {}),
]


BREAKS = [
    Break("G1", targets(lambda made: made.target / 8), PLANS),
    Break("G1", UNCHECKED, act.test_what_would_break_a_promise_is_named, (1024, {}, "G1")),
    Break("G2", targets(lambda made: made.target * 8), PLANS),
    Break("G2", UNCHECKED, act.test_what_would_break_a_promise_is_named, (GIB + 1, {}, "G2")),
    Break("G3", forgets(changed_at=-np.inf), plans.test_statistics_older_than_our_last_change_do_not_shrink),
    Break("G3", manages_all, plans.test_guests_that_must_not_be_touched_are_not, ("usable", -1.0, "absurd")),
    Break("G3", UNTRUSTING, TRUST, (16 * MIB, {"stats_at": 900.0}, {}, "G3", Kind.PLANNED)),
    Break("G4", forgets(distress=False), plans.test_nothing_is_taken_from_a_guest_that_swaps),
    Break("G4", UNTRUSTING, TRUST, (16 * MIB, {}, {"distress": True}, "G4", Kind.LENT)),
    Break(
        "G5",
        sets("ballonet.policy.bites.cache", lambda table: 9.0 * table.actual),
        bites.test_half_of_the_cache_is_the_most_at_once,
    ),
    Break(
        "G5",
        UNTRUSTING,
        TRUST,
        (100 * MIB, {"usable": 90.0 * MIB, "unused": 80.0 * MIB}, {}, "G5", Kind.PLANNED),
    ),
    Break("G6", forgets(arrived=True), PLANS),
    Break("G6", UNTRUSTING, TRUST, (16 * MIB, {}, {"arrived": False}, "G6", Kind.PLANNED)),
    Break("G7", manages_all, PLANS),
    Break("G7", UNCHECKED, act.test_what_would_break_a_promise_is_named, (512 * MIB, {"device": None}, "G7")),
    Break(
        "G8",
        sets("ballonet.policy.plan.wants", lambda *known: 2.0**58 / (1.0 + wants(*known))),
        properties.test_more_need_never_gets_less,
    ),
    Break(
        "H1",
        decides(
            lambda table, memory, law: plan(table, memory, replace(law, budget_bytes=9 * law.budget_bytes))
        ),
        PLANS,
    ),
    Break(
        "H2",
        sets("ballonet.policy.room.sizes", lambda table: table.actual / 2),
        rooms.test_what_was_granted_and_what_is_not_given_back_yet_are_held,
    ),
    Break(
        "H3",
        decides(lambda table, memory, law: plan(table, memory, replace(law, reserve_bytes=0.0))),
        properties.test_below_the_reserve_nothing_grows,
    ),
    Break(
        "H4",
        sets("ballonet.engine.act.Actor.send", one_by_one),
        engine.test_one_failing_guest_costs_itself_alone,
        ("four",),
    ),
    Break(
        "H4",
        sets("ballonet.hypervisor.libvirt.rows.HypervisorError", KeyError),
        rows.test_a_definition_that_cannot_be_read_costs_its_guest_alone,
    ),
    Break(
        "H6",
        sets("ballonet.policy.reflex.waterfill", lambda low, high, weight, budget: high),
        reflexes.test_it_never_grants_more_than_the_pool_nor_takes_what_was_not_spare,
    ),
    Break("H5", sets("ballonet.engine.engine.Engine.glance", waits), WHILE_IT_HANGS),
    Break("H5", asks_on, asks.test_one_that_hangs_or_fails_holds_up_nobody_and_is_not_asked_twice),
    Break("Q1", restless, engine.test_brings_guests_within_the_budget_and_then_rests, ("four",)),
    Break("Q2", manages_all, engine.test_somebody_elses_change_is_adopted, ("four",)),
    Break(
        "S1",
        targets(lambda made: made.target + np.random.default_rng().random(len(made.target))),
        properties.test_the_same_inputs_give_the_same_plans_byte_for_byte,
    ),
    Break(
        "S2",
        sets("ballonet.engine.engine.Engine.writes", property(lambda _: True)),
        engine.test_observing_writes_nothing_and_says_what_it_would_do_once,
    ),
    Break(
        "S3",
        sets("ballonet.engine.remember.UNDER_WAY_SECONDS", 0.0),
        remembered.test_a_change_that_was_under_way_goes_on,
    ),
    Break(
        "S3",
        sets("ballonet.engine.engine.Engine.recall", lambda *_, **__: None),
        keeping.test_a_service_that_is_killed_gets_where_it_would_have_got,
        ("tmp_path", 62.0),
    ),
    Break(
        "S4",
        lambda patch: patch.setattr(WriteAhead, "written", lambda *_: True),
        by_hand.test_everything_sent_was_written_down_before,
    ),
    Break(
        "S4",
        lambda patch: patch.setattr(WriteAhead, "written", lambda *_: True),
        by_hand.test_a_full_journal_stops_acting_and_not_observing,
    ),
    Break(
        "S5",
        sets("ballonet.service.claim.Claim.take", lambda _: None),
        claim.test_the_second_is_told_who_has_it_until_that_ends,
        ("tmp_path",),
    ),
    Break(
        "S6",
        lambda patch: patch.setattr(Engine, "_after_a_gap", lambda *_: False),
        engine.test_after_a_gap_it_looks_before_it_acts,
        ("four",),
    ),
    Break(
        "S7",
        sets("ballonet.config.load.load_files", loads_in_part),
        loads.test_all_that_is_wrong_in_all_files_is_said_together_and_nothing_is_loaded,
        ("tmp_path",),
    ),
    Break("S7", gives_way, daemon.test_settings_that_are_wrong_leave_those_before_in_force_and_that_shows),
    Break(
        "S8",
        lambda patch: patch.setattr(Daemon, "_failed", lambda daemon, _: daemon._notifier.ticked("")),
        daemon.test_a_tick_that_failed_feeds_no_watchdog,
        ("monkeypatch",),
    ),
    *[
        Break(
            "A1",
            sets("ballonet.service.gate.Gate._refusal", lambda *_: None),
            gate.test_each_request_over_tcp_has_its_answer,
            ("service", asked, headers, status),
        )
        for asked, headers, status in gate.TABLE
        if (asked, headers) in LET_IN
    ],
    Break(
        "A1",
        sets("ballonet.facts.address._LOOPBACK", ipaddress.ip_network("0.0.0.0/0")),
        fuzz.test_any_text_is_an_address_of_this_host_alone_or_refused,
    ),
]


@pytest.mark.parametrize("planted", BREAKS, ids=lambda each: f"{each.promise} {each.test.__name__}"[:70])
def test_a_broken_promise_is_found_by_its_test(
    planted: Break, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = str(Path(planted.test.__code__.co_filename).name)
    assert (path, planted.test.__name__) in {(Path(file).name, name) for file, name in TESTS[planted.promise]}
    made: dict[str, Callable[[], Any]] = {
        "four": engine.four_guests,
        "tmp_path": lambda: tmp_path,
        "monkeypatch": lambda: around.enter_context(pytest.MonkeyPatch.context()),
        "service": lambda: around.enter_context(served()),
    }
    with ExitStack() as around:
        arguments = [
            made[each]() if isinstance(each, str) and each in made else each for each in planted.arguments
        ]
        planted.plants(monkeypatch)

        with pytest.raises((AssertionError, pytest.fail.Exception, BallonetError, BaseExceptionGroup)):
            run(planted.test, arguments)


@contextmanager
def served() -> Iterator[Hosted]:
    """Yield a service that answers on a socket and over TCP."""
    with (
        TemporaryDirectory(prefix="ballonet-") as directory,
        hosted(Path(directory) / "run" / "ballonet.sock", web=True) as found,
    ):
        yield found


def run(test: Callable[..., Any], arguments: list[Any]) -> None:
    """Run a test as pytest would; one of hypothesis with few examples, and nothing remembered of them."""
    found = getattr(test, "hypothesis", None)
    if found is not None:
        few(given(**found._given_kwargs)(found.inner_test))()
    elif asyncio.iscoroutinefunction(test):
        asyncio.run(test(*arguments))
    else:
        test(*arguments)
