"""The guests that a scenario's trials are run on."""

from ballonet.lab.trial import specs
from ballonet.simulator.scenarios import scenario
from ballonet.simulator.trial import FREE_PAGE_REPORTING, Trial, without


def test_a_trial_without_free_page_reporting_needs_guests_of_its_own() -> None:
    found = scenario("same-instant")
    trials = [Trial(found, "none"), *without(found, [FREE_PAGE_REPORTING, "pool"]).values()]
    assert [True, False, True] == [trial.free_page_reporting for trial in trials]
    assert {False} == {spec.free_page_reporting for spec in specs(found, free_page_reporting=False)}
    assert {True} == {spec.free_page_reporting for spec in specs(found)}


def test_guests_that_grow_fast_have_two_processors() -> None:
    vcpus = {spec.name: spec.vcpus for spec in specs(scenario("same-instant"))}
    assert {"web": 2, "shop": 2, "batch": 1, "files": 1} == vcpus
