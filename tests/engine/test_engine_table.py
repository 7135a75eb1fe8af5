from dataclasses import replace

from pretend import guest

from ballonet.engine.table import judge
from ballonet.facts.guest import State


def test_who_could_not_be_asked_yet_is_left_alone_for_that_and_nothing_else() -> None:
    unseen = replace(guest("a"), state=State.UNKNOWN, job="no answer", device=None, maximum_bytes=None)
    judged = judge([unseen, replace(unseen, hypervisor="qmp:/run/*.qmp")])
    assert ["busy", "busy"] == [each.verdict.code for each in judged]
    assert ["", "why: ballonet doctor a"] == [each.verdict.remedy for each in judged]


def test_a_state_that_the_hypervisor_does_not_know_is_none_of_running() -> None:
    assert "not-running" == judge([replace(guest("a"), state=State.UNKNOWN)])[0].verdict.code
