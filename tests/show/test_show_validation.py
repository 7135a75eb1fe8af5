"""How runs on both sides are shown."""

import json
from collections.abc import Sequence

import numpy as np

from ballonet.lab.validation import Run, Validated, case
from ballonet.show.validation import validation, validation_document, validation_markdown
from ballonet.simulator.agreement import Agreement
from ballonet.units import MIB


def measure(
    name: str, unit: str, values: tuple[float, float], apart: float, *, ratio: float = np.nan, within: bool
) -> Agreement:
    real, simulated = values
    return Agreement(
        "web", name, unit, real, simulated, apart, ratio, little=real == simulated, within=within
    )


FOUND: Sequence[Agreement] = (
    measure("usable", "bytes", (100.0 * MIB, 140.0 * MIB), 0.08, within=False),
    measure("swapped in", "pages", (1200.0, 1900.0), 0.2, ratio=1.583, within=True),
    measure("swapped out", "pages", (0.0, 0.0), 0.0, ratio=1.0, within=True),
    measure("latency", "seconds", (2.34, 0.0059), np.nan, ratio=0.0025, within=False),
)
RUNS = [Validated(Run("one-bursts", case("one-bursts"), "equal", 30), FOUND)]


def test_all_that_happened_is_shown_and_the_furthest_off_named() -> None:
    title, _, header, *rows, _, counted, _, off = validation(RUNS).splitlines()
    assert "one-bursts, 30 s, policy equal: 2 of 4 within bounds" == title
    assert ["Guest", "Measure", "Real", "Simulated", "Ratio", "Apart"] == header.split()
    assert "web    usable      100 MiB    140 MiB       –   8.0%  off" == rows[0]
    assert ["web", "swapped", "in", "1,200", "1,900", "1.6", "20.0%"] == rows[1].split()
    assert ["web", "latency", "2.34", "s", "5.9", "ms", "0.0025", "–", "off"] == rows[2].split()
    assert 3 == len(rows)
    assert "2 of 4 measures are within bounds." == counted
    assert off.startswith(
        "Furthest off: latency of web (one-bursts, equal): 0.0025 times as much; usable of web"
    )


def test_what_one_side_does_not_know_is_said_in_words() -> None:
    unknown = measure("usable", "bytes", (100.0 * MIB, np.nan), np.nan, within=False)
    text = validation([Validated(RUNS[0].run, [unknown])])
    assert text.endswith("Furthest off: usable of web (one-bursts, equal): known on one side only.")


def test_all_within_bounds_leaves_nothing_furthest_off() -> None:
    assert validation([Validated(RUNS[0].run, FOUND[1:3])]).endswith("2 of 2 measures are within bounds.")


def test_unknown_is_null_for_programs_and_nothing_is_left_out() -> None:
    (run,) = json.loads(validation_document(RUNS))["runs"]
    assert ("one-bursts", "equal", 30, 2) == (run["scenario"], run["policy"], run["seconds"], run["within"])
    assert ["usable", "swapped in", "swapped out", "latency"] == [one["measure"] for one in run["measures"]]
    assert None is run["measures"][0]["ratio"]
    assert None is run["measures"][3]["apart"]


def test_the_document_has_a_table_a_run() -> None:
    text = validation_markdown(RUNS)
    assert text.startswith("# How near simulated guests come to real ones\n")
    assert "\n## one-bursts, 30 s, policy equal: 2 of 4 within bounds\n" in text
    assert "\n| web | usable | 100 MiB | 140 MiB | – | 8.0% | off |\n" in text
