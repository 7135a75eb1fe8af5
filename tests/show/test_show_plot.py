"""Pictures of runs."""

import sys
from pathlib import Path

import pytest

from ballonet.errors import UsageError
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
    assert "ballonet[plot]" in (failure.value.hint or "")
    assert not (tmp_path / "idle.svg").exists()
