"""What the service answers, for people: unknown values, untrusted names, and what became of changes."""

from datetime import UTC, datetime

import pytest

from ballonet.service.models import Change, Event, Hold, Inputs, Learned, Lease, Tiers, Verdict, Why
from ballonet.show.events import event_line
from ballonet.show.requests import hold_sentence, holds_table, lease_sentence
from ballonet.show.why import why_text
from ballonet.units import GIB, MIB

AT = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)
NOTHING = Tiers(need_bytes=None, cushion_bytes=None, cache_bytes=None, surplus_bytes=None)
ODD = "we\x1b[2Jb\n"  # a name that would clear the screen
SHOWN = "we\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}"


def unknown() -> Why:
    """Return what is answered of a guest of which nothing is known but its name."""
    numbers = dict.fromkeys(Inputs.model_fields) | {"weight": 100.0}
    learned = dict.fromkeys(Learned.model_fields) | {"balloon_counts_as_used": False, "distress": False}
    return Why(
        name=ODD,
        uuid="uuid",
        hypervisor="sim:one",
        at=AT,
        verdict=Verdict(code="silent", managed=False, reason="its balloon driver is silent", remedy=None),
        sentence="its balloon driver is silent",
        bound="verdict",
        told_bytes=None,
        target_bytes=None,
        allotted_bytes=None,
        inputs=Inputs.model_validate(numbers),
        wanted=NOTHING,
        got=NOTHING,
        learned=Learned.model_validate(learned),
        changes=[],
        hold=None,
    )


def test_what_is_unknown_is_never_zero() -> None:
    text = why_text(unknown())
    assert f"{SHOWN} has – of its –.\nIt is left alone: its balloon driver is silent.\n" in text
    assert "It never told its statistics; what is known:\nusable        –\n" in text
    assert "need          –     –\n" in text
    assert "reads         –" in text
    assert text.endswith("Nothing was changed of it lately.")
    assert "0 B" not in text


@pytest.mark.parametrize(
    ("written", "then", "result"),
    [
        (True, 512 * MIB, "reached"),
        (True, 513 * MIB, "reached"),
        (True, 600 * MIB, "came to 600 MiB"),
        (True, None, "–"),
        (False, GIB, "only observed"),
    ],
)
def test_each_change_says_what_became_of_it(*, written: bool, then: int | None, result: str) -> None:
    change = Change(
        at=AT,
        kind="planned",
        from_bytes=GIB,
        to_bytes=512 * MIB,
        then_bytes=then,
        sentence="1.00 GiB → 512 MiB  it gives a part now and is watched",
        written=written,
    )
    text = why_text(unknown().model_copy(update={"changes": [change]}))
    assert text.splitlines()[-1].endswith(
        f"  1.00 GiB → 512 MiB  it gives a part now and is watched  {result}"
    )


def test_what_is_particular_about_a_guest_is_said() -> None:
    why = unknown()
    learned = why.learned.model_copy(
        update={
            "distress": True,
            "margin_bytes": 64 * MIB,
            "balloon_counts_as_used": True,
            "probed_again_at": AT,
        }
    )
    inputs = why.inputs.model_copy(
        update={"actual_bytes": GIB, "maximum_bytes": 2 * GIB, "pressure_ratio": 0.012}
    )
    text = why_text(why.model_copy(update={"learned": learned, "inputs": inputs, "told_bytes": 2 * GIB}))
    for words in (
        "has 1.00 GiB of its 2.00 GiB, and was told to have 2.00 GiB.",
        "margin        64.0 MiB usable were too little once",
        "accounting    its kernel counts the balloon as used memory",
        "distress      it lacks memory now: nothing is taken",
        "after a bite  that hurt: nothing more is tried until ",
        "pressure      1.2 %",
    ):
        assert words in text


def test_what_a_guests_agent_told_is_said_with_its_age() -> None:
    inputs = unknown().inputs
    told = {"agent_age_seconds": 3.2, "pressure_ratio": 0.012, "swapped_bytes": 70 * MIB}
    known = why_text(unknown().model_copy(update={"inputs": inputs.model_copy(update=told)}))
    silent = why_text(unknown())

    assert "told 3 s ago: 1.2 % of the time something waited for memory, 70.0 MiB in swap, – left" in known
    assert "agent" not in silent


def test_names_do_nothing_to_a_terminal() -> None:
    event = Event(
        id=1,
        at=AT,
        kind="planned",
        name=ODD,
        uuid="uuid",
        from_bytes=None,
        to_bytes=None,
        sentence="a\rb",
        written=False,
        reasons=None,
    )
    hold = Hold(id="h", name=ODD, uuid="u", begun_at=AT, until=None, who=ODD, why=ODD, size_bytes=None)
    lease = Lease(id="l", size_bytes=GIB, begun_at=AT, until=AT, who="anna", guest=ODD)
    assert event_line(event).endswith(f"  {SHOWN:<12} would: a\N{REPLACEMENT CHARACTER}b")
    assert f"{SHOWN} is held until resumed, by {SHOWN}: {SHOWN}" == hold_sentence(hold)
    for text in (event_line(event), holds_table([hold]), lease_sentence(lease), why_text(unknown())):
        assert "\x1b" not in text
