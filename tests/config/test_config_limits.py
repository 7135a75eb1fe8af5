"""Limits in bytes: what the files allow, what metadata make of it, and how an engine gets them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballonet.config.guest import Chosen, ForGuest
from ballonet.config.limits import FileLimits, GuestLimits, ceiling_bytes, floor_bytes, limits_of, tightened
from ballonet.config.load import Loaded, composed
from ballonet.config.model import GuestSettings
from ballonet.config.read import Origin, layer
from ballonet.config.values import Amount, Share, Size
from ballonet.engine.table import side_by_side
from ballonet.errors import Issue
from ballonet.facts.guest import Guest, State
from ballonet.policy.floors import floor_bytes as usual_floor_bytes
from ballonet.policy.floors import hard_floor_bytes
from ballonet.units import GIB, MIB

SIZES = st.integers(1, 64 * GIB).map(Size) | st.integers(1, 1000).map(lambda number: Share(number / 1000))
MAXIMA = st.integers(1, 64 * GIB)


def guest(
    floor: Amount,
    ceiling: Amount,
    weight: int = 100,
    *,
    manage: bool = True,
    agent: bool = False,
    metadata_floor: Amount = Share(1),  # noqa: B008 - a number
) -> ForGuest:
    def said(value: Any) -> Chosen[Any]:
        return Chosen(value, "default", Origin())

    own = (floor, ceiling, weight, manage, agent, metadata_floor)
    return ForGuest(*(said(each) for each in own))


def metadata(**said: Any) -> GuestSettings:
    return GuestSettings.model_construct(None, **said)


GUESTS = st.builds(
    guest,
    SIZES,
    SIZES,
    st.integers(1, 10_000),
    manage=st.booleans(),
    agent=st.booleans(),
    metadata_floor=SIZES | st.just(Share(1)),
)
SAID = st.fixed_dictionaries(
    {},
    optional={
        "floor": SIZES,
        "ceiling": SIZES,
        "weight": st.integers(1, 10_000),
        "manage": st.booleans(),
        "agent": st.booleans(),
    },
).map(lambda said: metadata(**said))


@pytest.mark.parametrize(
    ("floor", "maximum", "size"),
    [
        (Share(0.25), 8 * GIB, 2 * GIB),
        (Share(0.25), 512 * MIB, 256 * MIB),  # a share is never under 256 MiB
        (Size(180 * MIB), 512 * MIB, 180 * MIB),  # unless said
        (Size(1), 512 * MIB, hard_floor_bytes(512 * MIB)),
        (Size(4 * GIB), 1 * GIB, 1 * GIB),
        (Share(0.5), 128 * MIB, 128 * MIB),
        (Share(0.5), 0, 0),
    ],
)
def test_a_floor_in_bytes(floor: Amount, maximum: int, size: int) -> None:
    assert size == floor_bytes(floor, maximum)


@given(MAXIMA)
def test_the_default_floor_is_that_of_guests_without_settings(maximum: int) -> None:
    assert usual_floor_bytes(maximum) == floor_bytes(GuestSettings().floor, maximum)
    assert maximum == ceiling_bytes(GuestSettings().ceiling, maximum)


@given(GUESTS, MAXIMA)
def test_limits_lie_between_the_hard_floor_and_the_maximum(said: ForGuest, maximum: int) -> None:
    found = limits_of(said, maximum)

    assert hard_floor_bytes(maximum) <= found.floor_bytes <= found.ceiling_bytes <= maximum


def test_of_a_floor_above_the_ceiling_the_ceiling_holds() -> None:
    found = limits_of(guest(Size(3 * GIB), Share(0.5)), 4 * GIB)

    assert (2 * GIB, 2 * GIB) == (found.floor_bytes, found.ceiling_bytes)


@given(GUESTS, SAID, MAXIMA)
def test_metadata_only_tighten(said: ForGuest, own: GuestSettings, maximum: int) -> None:
    before = limits_of(said, maximum)
    after, _ = tightened(before, own, maximum)

    assert before.floor_bytes <= after.floor_bytes <= after.ceiling_bytes <= before.ceiling_bytes
    assert 1 <= after.weight <= before.weight
    assert after.managed <= before.managed
    assert after.agent <= before.agent


@given(GUESTS, SAID, MAXIMA)
def test_what_metadata_say_comes_true_or_is_an_issue(
    said: ForGuest, own: GuestSettings, maximum: int
) -> None:
    before = limits_of(said, maximum)
    after, issues = tightened(before, own, maximum)
    wanted = {
        "floor": (after.floor_bytes, floor_bytes(own.floor, maximum)),
        "ceiling": (after.ceiling_bytes, ceiling_bytes(own.ceiling, maximum)),
        "weight": (after.weight, own.weight),
        "manage": (after.managed, own.manage),
        "agent": (after.agent, own.agent),
    }

    unmet = {key for key in own.model_fields_set if wanted[key][0] != wanted[key][1]}
    assert unmet == {issue.key for issue in issues}
    assert all(issue.message and issue.hint for issue in issues)


@given(GUESTS, SAID, MAXIMA)
def test_metadata_twice_are_as_once(said: ForGuest, own: GuestSettings, maximum: int) -> None:
    once, _ = tightened(limits_of(said, maximum), own, maximum)

    assert once == tightened(once, own, maximum)[0]


LIMITS = GuestLimits(GIB, 3 * GIB, 100, managed=True, metadata_floor_bytes=4 * GIB)


@pytest.mark.parametrize(
    ("said", "changed", "keys"),
    [
        ({}, {}, []),
        ({"floor": Size(2 * GIB)}, {"floor_bytes": 2 * GIB}, []),
        ({"floor": Size(512 * MIB)}, {}, ["floor"]),
        ({"floor": Share(1)}, {"floor_bytes": 3 * GIB}, ["floor"]),
        ({"ceiling": Share(0.5)}, {"ceiling_bytes": 2 * GIB}, []),
        ({"ceiling": Share(1)}, {}, ["ceiling"]),
        ({"ceiling": Size(512 * MIB)}, {"ceiling_bytes": GIB}, ["ceiling"]),
        ({"weight": 50}, {"weight": 50}, []),
        ({"weight": 400}, {}, ["weight"]),
        ({"manage": False}, {"managed": False}, []),
        ({"manage": True}, {}, []),
        ({"agent": False}, {}, []),
        ({"agent": True}, {}, ["agent"]),
        (
            {"floor": Size(3 * GIB), "ceiling": Size(2 * GIB)},
            {"floor_bytes": 2 * GIB, "ceiling_bytes": 2 * GIB},
            ["floor"],
        ),
    ],
)
def test_what_would_loosen_is_left_out_with_an_issue(
    said: dict[str, Any], changed: dict[str, Any], keys: list[str]
) -> None:
    found, issues = tightened(LIMITS, metadata(**said), 4 * GIB)

    assert replace(LIMITS, **changed) == found
    assert keys == [issue.key for issue in issues]


def test_a_guest_may_keep_its_agent_from_being_asked() -> None:
    found, issues = tightened(replace(LIMITS, agent=True), metadata(agent=False), 4 * GIB)

    assert not found.agent
    assert not issues


def test_who_is_excluded_stays_so() -> None:
    excluded = replace(LIMITS, managed=False)

    found, [issue] = tightened(excluded, metadata(manage=True), 4 * GIB)

    assert excluded == found
    assert "manage" == issue.key


@given(GUESTS, SAID, MAXIMA)
def test_metadata_keep_no_more_than_the_host_lets_them(
    said: ForGuest, own: GuestSettings, maximum: int
) -> None:
    before = limits_of(said, maximum)
    after, _ = tightened(before, own, maximum)

    assert after.floor_bytes <= max(before.floor_bytes, before.metadata_floor_bytes)
    if before.metadata_floor_bytes < maximum:
        assert before.managed == after.managed


@pytest.mark.parametrize(
    ("said", "changed", "keys"),
    [
        ({"floor": Size(2 * GIB)}, {"floor_bytes": 2 * GIB}, []),
        ({"floor": Share(1)}, {"floor_bytes": 2 * GIB}, ["floor"]),
        ({"manage": False}, {}, ["manage"]),
        ({"manage": True, "weight": 50}, {"weight": 50}, []),
    ],
)
def test_what_the_host_does_not_let_metadata_keep_is_said_with_the_setting(
    said: dict[str, Any], changed: dict[str, Any], keys: list[str]
) -> None:
    bounded = replace(LIMITS, metadata_floor_bytes=2 * GIB)

    found, issues = tightened(bounded, metadata(**said), 4 * GIB)

    assert replace(bounded, **changed) == found
    assert keys == [issue.key for issue in issues]
    assert all("metadata_floor" in issue.hint for issue in issues)


def test_metadata_below_the_floor_of_the_files_change_nothing() -> None:
    found, [issue] = tightened(replace(LIMITS, metadata_floor_bytes=GIB), metadata(floor=Share(0.1)), 4 * GIB)

    assert GIB == found.floor_bytes
    assert "metadata_floor" not in issue.hint


# --- what an engine asks ----------------------------------------------------------------------------


class Asked:
    """The limits of guests by a settings file, and what was said about their metadata."""

    def __init__(self, text: str) -> None:
        said = layer("x.toml", text)
        self.notes: list[Issue] = []
        self._limits = FileLimits(Loaded(composed(said), said), self.notes.append)

    def asks(self, guest: Guest) -> bool:
        return self._limits.asks(guest)

    def columns(self, *guests: Guest) -> dict[str, list[Any]]:
        found = self._limits(side_by_side(guests))
        return {name: getattr(found, name).tolist() for name in ("floor", "ceiling", "weight", "excluded")}


def row(name: str, *, maximum: int | None = 4 * GIB, own: str = "") -> Guest:
    return Guest(name, f"uuid-{name}", 1, State.RUNNING, 0.0, maximum_bytes=maximum, metadata=own)


def test_each_guest_gets_its_own_in_the_order_asked_for() -> None:
    asked = Asked(
        '[guest."web-*"]\nfloor = "2GiB"\nweight = 400\n'
        '[guest.db]\nceiling = "50%"\n[guest.ci]\nmanage = false\n'
    )

    assert {
        "floor": [1.0 * GIB, 2.0 * GIB, 1.0 * GIB],
        "ceiling": [2.0 * GIB, 4.0 * GIB, 4.0 * GIB],
        "weight": [100.0, 400.0, 100.0],
        "excluded": [False, False, True],
    } == asked.columns(row("db"), row("web-1"), row("ci"))
    assert [] == asked.notes


def test_a_guest_that_changes_is_asked_about_anew_and_others_are_not() -> None:
    asked = Asked("")

    before = asked.columns(row("a"), row("b"))
    after = asked.columns(row("b"), row("a", maximum=8 * GIB))

    assert [4.0 * GIB, 4.0 * GIB] == before["ceiling"]
    assert [4.0 * GIB, 8.0 * GIB] == after["ceiling"]


def test_a_guest_of_unknown_size_has_no_limits_and_breaks_nobodys() -> None:
    found = Asked("").columns(row("a", maximum=None), row("b"))

    assert [0.0, 1.0 * GIB] == found["floor"]


def test_no_guest_at_all() -> None:
    assert {"floor": [], "ceiling": [], "weight": [], "excluded": []} == Asked("").columns()


def test_metadata_count_and_what_they_say_in_vain_is_said_once() -> None:
    asked = Asked("")
    guests = (
        row("good", own='<guest floor="2GiB" manage="no"/>'),
        row("greedy", own='<guest floor="2GiB" weight="400"/>'),
        row("garbage", own='<guest floor="2"/>'),
    )

    for _ in range(3):
        found = asked.columns(*guests)

    assert [2.0 * GIB, 2.0 * GIB, 1.0 * GIB] == found["floor"]
    assert [100.0, 100.0, 100.0] == found["weight"]
    assert [True, False, False] == found["excluded"]
    assert [
        "metadata of greedy: weight: 400 is above 100",
        "metadata of garbage: floor: size '2' has no unit",
    ] == [issue.text for issue in asked.notes]


def test_how_far_metadata_go_depends_on_the_guest() -> None:
    asked = Asked('[guest.default]\nmetadata_floor = "50%"\n[guest."db-*"]\nmetadata_floor = "100%"\n')
    own = '<guest floor="100%" manage="no"/>'

    found = asked.columns(row("web", own=own), row("db-1", own=own))

    assert [2.0 * GIB, 4.0 * GIB] == found["floor"]
    assert [False, True] == found["excluded"]
    assert [
        "metadata of web: floor: 4.00 GiB is outside of what the host allows: it gets 2.00 GiB",
        "metadata of web: manage: the guest may not exclude itself",
    ] == [issue.text for issue in asked.notes]


def test_many_guests_get_the_same_limits_again() -> None:
    asked = Asked("".join(f'[guest."web-{number}-*"]\nweight = {number + 1}\n' for number in range(50)))
    guests = [row(f"web-{number % 50}-{number}") for number in range(500)]

    first = asked.columns(*guests)

    assert [number % 50 + 1.0 for number in range(500)] == first["weight"]
    assert first == asked.columns(*guests)


def test_whose_agent_is_asked_is_said_by_table_and_what_metadata_say_in_vain_once() -> None:
    said = Asked('[guest."web-*"]\nagent = true\n')
    guests = [
        row("web-1"),
        row("web-2", own='<guest agent="no"/>'),
        row("db"),
        row("db-2", own='<guest agent="yes"/>'),
    ]

    for _ in range(2):
        assert [True, False, False, False] == [said.asks(guest) for guest in guests]
    said.columns(*guests)
    assert ["metadata of db-2"] == [issue.file for issue in said.notes]
