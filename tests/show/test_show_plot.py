"""Pictures of runs."""

import re
import sys
from pathlib import Path

import pytest

from ballonet.errors import UsageError
from ballonet.extras import remedy
from ballonet.show.plot import plot
from ballonet.simulator.scenarios import scenario
from ballonet.simulator.trial import Trial, outcome


def test_a_picture_has_a_panel_for_each_policy_and_names_guests_and_budget(tmp_path: Path) -> None:
    found = scenario("idle")
    plot(tmp_path / "idle.svg", found, {name: outcome(Trial(found, name)) for name in ("ballonet", "equal")})

    text = (tmp_path / "idle.svg").read_text()
    for words in ("ballonet", "equal", "budget", *found.loads):
        assert f">{words}</text>" in text


def test_without_its_library_there_is_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    found = scenario("idle")
    with pytest.raises(UsageError, match="matplotlib") as failure:
        plot(tmp_path / "idle.svg", found, {"none": outcome(Trial(found, "none"))})
    assert remedy("plot") in failure.value.hint
    assert not (tmp_path / "idle.svg").exists()


def test_many_policies_stand_below_each_other_and_figures_are_told(tmp_path: Path) -> None:
    found = scenario("idle")
    run = outcome(Trial(found, "none"))
    heights = {}
    for count in (3, 4):
        path = tmp_path / f"{count}.svg"
        plot(path, found, {f"policy-{number}": run for number in range(count)})
        text = path.read_text()
        width, heights[count] = (
            float(size) for size in re.findall(r'(?:width|height)="([\d.]+)pt"', text)[:2]
        )
        assert 3 * 330 == pytest.approx(width, rel=0.01)
        assert count == text.count(">2.00 GiB held, requests 0.5 ms</text>")
        assert f">{found.title}</text>" in text
    assert heights[4] > 1.5 * heights[3]
