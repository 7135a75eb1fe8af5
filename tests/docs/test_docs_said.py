"""What the documents say in figures is what the program, or another document that measured it, says."""

import re

import pytest
from documents import ROOT

from ballonet.policy.settings import Settings
from ballonet.units import MIB

# The document's words for the settings that an administrator would look up.
LAW = {
    "pool_share": (0.2, "the **pool**, 20 % of the largest"),
    "pool_most_share": (0.5, "at its fastest, up to 50 %"),
    "store_share": (0.5, "the **store**, 50 % of the largest"),
    "squeeze_share": (0.6, "at most 60 % of it"),
    "reflex_rate_bytes": (16 * MIB, "at least 16 MiB/s"),
    "reflex_room_seconds": (0.8, "within 0.8 s is a burst"),
    "grant_bytes": (64 * MIB, "at least 64 MiB"),
    "promise_seconds": (10.0, "at most for ten seconds"),
    "relief_bytes": (32 * MIB, "two cushions, 32 MiB at least"),
    "relief_share": (0.15, "15 % of M more"),
    "worse_share": (0.02, "2 % of its time"),
    "swapping_free_reserves": (1.6, "less than 1.6 R unused"),
    "swapping_usable_reserves": (2.0, "less than 2 R usable"),
    "usual_reads_share": (1.3, "1.3 times its usual rate"),
    "idle_reads": (4.0, "4 requests a second more"),
    "harm_share": (0.002, "Above 0.2 %"),
    "blame_seconds": (20.0, "in the last 20 s"),
    "trial_reserves": (2.0, "at least 2 R. k becomes"),
    "trial_share": (0.25, "up to a quarter of M together"),
    "fell_share": (0.7, "If they fell by 30 %"),
    "gain_share": (0.9, "did not lower its reads by 10 %"),
    "unfed_seconds": (12.0, "spare the next one within 12 s"),
    "hold_seconds": (60.0, "for 60 s, a time that doubles"),
    "watch_seconds": (6.0, "watched for 6 s"),
    "kept_half_life_seconds": (600.0, "fades by half in ten minutes"),
    "contended_half_life_seconds": (20.0, "in 20 s where"),
    "surplus_share": (0.01, "1 % of M a tick"),
    "bite_share": (0.02, "2 % of *actual*"),
    "hard_bite_share": (0.06, "bites of 6 %"),
    "state_seconds": (10.0, "when it held for 10 s"),
    "emergency_share": (0.6, "to 60 % |"),
    "deadband_most_share": (0.03, "3 % of M where that is less"),
    "blind_seconds": (30.0, "older than 30 s"),
    "dwell_seconds": (60.0, "for 60 s after a growth"),
    "stuck_seconds": (10.0, "doubles from 10 s to an hour"),
}


@pytest.mark.parametrize("name", LAW)
def test_the_law_has_the_numbers_of_the_settings(name: str) -> None:
    value, words = LAW[name]
    assert value == getattr(Settings(budget_bytes=0.0), name)
    assert words in (ROOT / "docs/control-law.md").read_text()


def rows(name: str, beginning: str) -> dict[str, dict[str, str]]:
    """Return the cells of the table whose head begins so, by the first cell of their row and by column."""
    text = (ROOT / name).read_text()
    lines = text[text.index(beginning) :].split("\n\n", 1)[0].splitlines()
    header, _, *cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: dict(zip(header, row, strict=True)) for row in cells}


def test_what_others_do_is_what_was_measured() -> None:
    shown = rows("docs/others.md", "| scenario | ballonet |")
    measured = rows("docs/comparison.md", "| scenario | ballonet | equal |")
    assert len(shown) >= 4
    for name, row in shown.items():
        for policy, figures in row.items():
            column = {"an equal split": "equal"}.get(policy, policy)
            assert measured[name][column].replace("*", "") == figures, (name, policy)


def test_the_share_of_changes_that_tests_notice_is_what_was_measured() -> None:
    [share] = re.findall(r"^\| all \|.*\| ([\d.]+)% \|", (ROOT / "docs/mutants.md").read_text(), re.MULTILINE)
    assert f"[{float(share):.0f} %](mutants.md)" in (ROOT / "docs/safety.md").read_text()
