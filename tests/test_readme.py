"""What the documents show is what the program has: commands, options, exit codes, settings."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ballonet.errors import BallonetError
from ballonet.policy.settings import Settings
from ballonet.units import MIB

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def ballonet(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ballonet", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_it_names_every_command() -> None:
    listed = re.findall(r"^  (\w[\w-]*)  ", ballonet("--help").stdout, flags=re.MULTILINE)
    assert listed
    table = re.findall(r"^\| `ballonet ([a-z-]+)", README, flags=re.MULTILINE)
    assert sorted(listed) == sorted(table)


def test_every_option_that_it_shows_exists() -> None:
    shown = re.findall(r"ballonet ([a-z-]+)(?: \w+)?((?: --[a-z-]+(?: [\w.]+)?)+)", README)
    assert len(shown) >= 4
    for command, options in shown:
        words = [command, "up"] if command == "lab" else [command]
        text = ballonet(*words, "--help").stdout
        for option in re.findall(r"--[a-z-]+", options):
            assert option in text, f"{command} {option}"


def test_what_needs_no_guest_prints_what_it_shows() -> None:
    for command in ("names usable",):
        printed = ballonet(*command.split()).stdout.strip()
        assert f"$ ballonet {command}\n{printed}\n" in README


def test_exit_codes_are_those_of_the_errors() -> None:
    shown = {int(code) for code in re.findall(r"^\| (\d) \|", README, flags=re.MULTILINE)}
    assert {0} | {kind.exit_code for kind in _all_from(BallonetError)} == shown


def _all_from(kind: type[BallonetError]) -> list[type[BallonetError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in _all_from(child))]


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/control-law.md",
        "docs/installation.md",
        "docs/measurements.md",
        "docs/qemu.md",
        "docs/settings.md",
    ],
)
def test_links_lead_somewhere(path: str) -> None:
    document = ROOT / path
    targets = re.findall(r"\]\(([^)#:]+)\)", document.read_text())
    assert [] == [target for target in targets if not (document.parent / target).exists()]


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
