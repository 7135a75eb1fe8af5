"""Settings that are fine each, and contradict each other."""

import pytest

from ballonet.config.check import contradictions
from ballonet.config.load import overlaid
from ballonet.config.read import layer
from ballonet.errors import Issue


def found(*texts: str) -> list[Issue]:
    return contradictions(overlaid(layer(f"{number}.toml", text) for number, text in enumerate(texts)))


@pytest.mark.parametrize(
    ("texts", "place", "key", "message"),
    [
        (
            ['host.reserve = "8GiB"\nhost.budget = "1GiB"\n'],
            "0.toml:2",
            "host.budget",
            "the budget 1GiB is below the reserve 8GiB of host.reserve (0.toml:1)",
        ),
        (
            ['[guest."web-*"]\nfloor = "2GiB"\n', '[guest."web-*"]\nceiling = "1GiB"\n'],
            "0.toml:2",
            'guest."web-*".floor',
            'the floor 2GiB is above the ceiling 1GiB of guest."web-*".ceiling (1.toml:2)',
        ),
        (
            ['[guest.a]\nfloor = "60%"\n[guest.default]\nceiling = "50%"\n'],
            "0.toml:2",
            "guest.a.floor",
            "the floor 60% is above the ceiling 50% of guest.default.ceiling (0.toml:4)",
        ),
        (
            ['[guest.default]\nfloor = "2GiB"\n[guest.a]\nceiling = "1GiB"\n'],
            "0.toml:2",
            "guest.default.floor",
            "the floor 2GiB is above the ceiling 1GiB of guest.a.ceiling (0.toml:4)",
        ),
    ],
)
def test_they_are_told_at_the_first_and_name_the_other(
    texts: list[str], place: str, key: str, message: str
) -> None:
    [issue] = found(*texts)

    assert (place, key) == (f"{issue.file}:{issue.line}", issue.key)
    assert message == issue.message
    assert issue.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        'host.budget = "512MiB"\n',  # the reserve is the default: whoever runs so little knows
        'host.budget = "10%"\nhost.reserve = "64GiB"\n',  # nobody knows of which host
        'host.budget = "auto"\nhost.reserve = "64GiB"\n',
        'host.budget = "2GiB"\nhost.reserve = "2GiB"\n',
        'guest.a.floor = "1GiB"\nguest.a.ceiling = "1GiB"\n',
        'guest.a.floor = "90%"\nguest.a.ceiling = "1MiB"\n',  # by the guest's maximum
        'guest.a.floor = "2GiB"\nguest.b.ceiling = "1GiB"\n',
        'guest.default.floor = "2GiB"\n[guest.a]\nfloor = "1MiB"\nceiling = "1GiB"\n',
        'guest.a.floor = "100%"\nguest.a.weight = 3\n',
    ],
)
def test_what_may_be_meant_is_no_contradiction(text: str) -> None:
    assert [] == found(text)


def test_what_two_tables_have_from_the_default_is_said_once() -> None:
    text = '[guest.default]\nfloor = "2GiB"\nceiling = "1GiB"\n[guest.a]\nweight = 1\n[guest.b]\nweight = 1\n'

    assert 1 == len(found(text))
