"""What a trial gives its policy to work with."""

from dataclasses import replace

from ballonet.facts.happening import Kind
from ballonet.simulator.density import Host, failures
from ballonet.simulator.scenarios import Scenario, scenario
from ballonet.simulator.scores import work_lost
from ballonet.simulator.trial import Trial, outcome
from ballonet.units import GIB, MIB

LARGE = Scenario(
    "six need 12 of their 16 GiB",
    {
        f"large-{number}": """
            at 0 anon_mib=500 hot_mib=500 rate=20 touches=16
            at 5 anon_mib=12000 grow_mib_s=300
            """
        for number in range(6)
    },
    budget_bytes=90.0 * GIB,
    seconds=60.0,
    maximum_bytes=16 * GIB,
    floor_bytes=None,
)


def test_it_is_the_budget_that_is_short_and_not_the_host() -> None:
    run, twin = outcome(Trial(LARGE)), outcome(Trial(LARGE, "none"))
    assert twin.history.resident[-1].sum() > 64 * GIB
    assert 0 == run.oom_kills
    assert work_lost(run, twin).max() < 0.005


def test_who_takes_little_at_a_time_is_within_the_budget_when_loads_begin() -> None:
    found = scenario("mix", 101)
    run = outcome(Trial(found, "proxmox"))
    assert run.history.actual[0].sum() <= found.budget_bytes + MIB


def test_what_nobody_needs_is_kept_on_the_host() -> None:
    assert not Trial(scenario("idle")).settings().give_surplus


def test_guests_are_at_work_at_their_maxima_where_the_policy_is_to_meet_them_so() -> None:
    found = scenario("first-squeeze")
    run = outcome(Trial(found))
    need = dict(zip(run.history.names, run.history.need[0], strict=True))
    assert found.whole_bytes() == run.history.actual[0].sum()
    assert need["web"] > 300 * MIB > 150 * MIB > need["files"]
    assert run.answers["web"].answered[1] > 0  # what the squeeze does to them counts from the beginning


def test_who_must_begin_above_the_budget_does_not_fail_for_that() -> None:
    found = scenario("first-squeeze")
    host = Host(found, outcome(Trial(found, "none")))
    assert outcome(Trial(found)).summary.over_budget_byte_seconds > 0
    assert () == failures([host], Trial(found), 0.63)


def test_the_engine_sees_its_guests_through_what_stands_before_its_ports() -> None:
    found = replace(scenario("same-instant"), seconds=20.0)
    run = outcome(Trial(found))
    blind = outcome(Trial(found), through=lambda ports: replace(ports, residents=None))

    assert run.summary.changes[Kind.BURST] > 0
    assert 0 == blind.summary.changes[Kind.BURST]
