"""What the control law is told on a host."""

import pytest

from ballonet.config.law import law
from ballonet.config.load import Loaded, composed
from ballonet.config.read import layer
from ballonet.errors import Issue, SettingsError
from ballonet.facts.host import HostMemory
from ballonet.policy.settings import Settings
from ballonet.units import GIB

HOST = HostMemory(16 * GIB, 8 * GIB, 0, 0, None, None, None, 0)


def loaded(text: str) -> Loaded:
    said = layer("x.toml", text)
    return Loaded(composed(said), said)


def test_without_files_it_is_the_laws_own_defaults() -> None:
    assert Settings(budget_bytes=0.9 * 16 * GIB) == law(loaded(""), HOST)


def test_every_setting_of_the_host_reaches_it() -> None:
    host = '[host]\nbudget = "8GiB"\nreserve = "0M"\nsurplus = "keep"\nallow_swap = true\n'

    found = law(loaded(f'{host}[service]\ninterval = "500ms"'), None)

    assert (
        Settings(
            budget_bytes=8.0 * GIB,
            reserve_bytes=0.0,
            interval_seconds=0.5,
            give_surplus=False,
            allow_swap=True,
        )
        == found
    )


def test_auto_is_the_host_but_the_reserve() -> None:
    assert 14.0 * GIB == law(loaded('host.budget = "auto"\nhost.reserve = "2GiB"\n'), HOST).budget_bytes


@pytest.mark.parametrize(
    ("text", "host", "place", "message"),
    [
        ('host.budget = "20GiB"', HOST, "x.toml:1: host.budget", "more than the host has (16.0 GiB)"),
        ("", None, "default: host.budget", "the guests run on another host"),
        ('\nhost.reserve = "16GiB"', HOST, "x.toml:2: host.reserve", "all that the host has (16.0 GiB)"),
    ],
)
def test_what_this_host_does_not_have_is_refused_with_the_place_of_the_setting(
    text: str, host: HostMemory | None, place: str, message: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        law(loaded(text), host)

    [issue] = refused.value.issues
    assert isinstance(issue, Issue)
    assert issue.text.startswith(place)
    assert message in issue.message
    assert issue.hint
