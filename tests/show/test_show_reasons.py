"""Sentences are read off a plan's rows."""

from dataclasses import replace

import pytest

from ballonet.engine.summary import Summary
from ballonet.facts.happening import Happening, Kind
from ballonet.facts.plan import Bound, PlanRow
from ballonet.facts.verdict import CODES, VERDICTS
from ballonet.show.reasons import line, sentence, shares
from ballonet.show.summary import summary_text
from ballonet.units import GIB, MIB


def row(bound: Bound = Bound.NOTHING, code: str = "managed", target: float | None = None) -> PlanRow:
    return PlanRow(
        uuid="u",
        name="web-1",
        verdict=VERDICTS[CODES[code]],
        actual_bytes=512.0 * MIB,
        target_bytes=target,
        allotted_bytes=600.0 * MIB,
        wanted_bytes=(400.0 * MIB, 100.0 * MIB, 200.0 * MIB, 0.0),
        got_bytes=(400.0 * MIB, 62.0 * MIB, 0.0, 0.0),
        bound=bound,
        short_bytes=1.2 * GIB,
        stats_age_seconds=1.0,
    )


def test_one_sentence_explains_any_size() -> None:
    expected = (
        "all of its need, 62 % of its cushion, none of its cache, because the budget is short by 1.20 GiB"
    )
    assert expected == shares(row())


@pytest.mark.parametrize("bound", list(Bound))
def test_each_rule_has_its_words(bound: Bound) -> None:
    assert sentence(row(bound)).endswith("short by 1.20 GiB")


def test_a_guest_that_is_left_alone_says_why() -> None:
    assert "booting" == sentence(row(code="booting"))


def test_who_is_managed_and_not_known_yet_is_not_said_to_be_left_alone() -> None:
    nothing = (0.0, 0.0, 0.0, 0.0)
    unknown = replace(row(Bound.VERDICT), wanted_bytes=nothing, got_bytes=nothing)
    assert "what it needs is not known until its balloon is seen at rest" == sentence(unknown)


def test_a_growth_that_is_cut_short_does_not_wait() -> None:
    assert sentence(row(Bound.HOST_SHORT, target=1.0)).startswith("it grows by as much as is free")
    assert sentence(row(Bound.HOST_SHORT)).startswith("it waits for more")


@pytest.mark.parametrize("kind", list(Kind))
def test_each_happening_is_one_line(kind: Kind) -> None:
    happening = Happening(
        0.0, kind, "web-1", "u", 512.0 * MIB, 384.0 * MIB, row(), rate_bytes=1.0 * MIB, text="it failed"
    )

    said = line(happening)

    assert "\n" not in said
    assert "web-1" in said
    assert len(said) > 25


def test_an_observer_says_what_it_would_do() -> None:
    would = Happening(0.0, Kind.PLANNED, "web-1", "u", 1.0, 2.0, row(), written=False)
    seen = Happening(0.0, Kind.CAME, "web-1", "u", written=False)

    assert "would: " in line(would)
    assert "would: " not in line(seen)


def test_the_summary_names_what_a_run_came_to() -> None:
    summary = Summary(seconds=60.0, ticks=30, given_back_byte_seconds=90.0 * GIB, given_back_bytes=1.5 * GIB)
    summary.refusals["booting"] = 3
    summary.changes["planned"] = 7

    text = summary_text(summary, 60.2, enforced=False)

    for words in (
        "1 min",
        "30 ticks",
        "nothing was written",
        "1.50 GiB",
        "90 GiB·s",
        "7 by plan",
        "3  booting",
    ):
        assert words in text
