"""Schedules as text."""

import pytest

from ballonet.errors import UsageError
from ballonet.simulator.schedule import MAXIMUM_STEPS, Step, steps, written


def test_a_key_keeps_its_value_until_a_later_line_changes_it() -> None:
    text = "# a burst\nat 0 anon_mib=100  rate=50\n\n  at 2.5 anon_mib=300 # now\n"
    assert [Step(0.0, anon_mib=100.0, rate=50.0), Step(2.5, anon_mib=300.0, rate=50.0)] == steps(text)


def test_what_is_written_says_the_same() -> None:
    schedule = steps("at 0 anon_mib=100.25 rate=50\nat 2.5 hot_mib=1e3 grow_mib_s=300")
    assert schedule == steps(written(schedule))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has 1 to 256 lines, this one 0"),
        ("at 0\n" * (MAXIMUM_STEPS + 1), "this one 257"),
        ("anon_mib=3", "line 1 "),
        ("at 5\nat 4", "line 2 .* after 5 s"),
        ("at -1", "line 1 "),
        ("at nan", "line 1 "),
        ("\nat 0 anon=3", "line 2 .*'anon=3'"),
        ("at 0 rate=fast", "'rate=fast'"),
        ("at 0 rate=inf", "'rate=inf'"),
        ("at 0 rate", "'rate'"),
    ],
)
def test_a_bad_schedule_is_refused_by_its_line(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        steps(text)
    assert caught.value.hint
