"""Alerts and the dashboard: right by promtool, about metrics that there are, each with what to do."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
RULES = ROOT / "packaging/prometheus/ballonet.rules.yaml"
DASHBOARD = ROOT / "packaging/grafana/ballonet.json"
SERVED = (ROOT / "tests/show/metrics.txt").read_text()  # what a test holds `/metrics` to
ALERTS = dict(re.findall(r"- alert: (\w+)\n((?:(?!- alert:)[\s\S])*)", RULES.read_text()))
OTHERS = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}


def promtool(*words: str) -> str:
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def served(name: str) -> bool:
    """Return whether a series may be called so; of a histogram any of its three kinds."""
    return (
        name in OTHERS
        or re.search(rf"^# TYPE {re.sub('_(bucket|sum|count)$', '', name)} ", SERVED, re.MULTILINE)
        is not None
    )


def names(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:ballonet|process)_\w+", expression))


def test_promtool_takes_the_rules() -> None:
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", str(RULES))


def test_each_alert_comes_when_it_should_and_else_does_not() -> None:
    promtool("test", "rules", str(Path(__file__).with_name("ballonet_rules_test.yaml")))


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_says_what_is_wrong_and_what_to_do_and_is_tried(alert: str) -> None:
    rule = ALERTS[alert]
    assert all(f"{key}:" in rule for key in ("severity", "summary", "description"))
    assert f"runbook_url: docs/metrics.md#{alert.lower()}" in rule
    assert f"\n### {alert}\n" in (ROOT / "docs/metrics.md").read_text()
    assert alert in Path(__file__).with_name("ballonet_rules_test.yaml").read_text()


@pytest.mark.parametrize("alert", ALERTS)
def test_alerts_are_about_metrics_that_there_are(alert: str) -> None:
    expression = re.search(r"expr: ([\s\S]*?)\n\s+(?:for|labels):", ALERTS[alert])
    assert expression
    assert names(expression[1]) or "up{" in expression[1]
    assert [] == [name for name in names(expression[1]) if not served(name)]


# --- the dashboard ---------------------------------------------------------------------------------------


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def expressions() -> Iterator[str]:
    for panel in panels():
        yield from (target["expr"] for target in panel.get("targets", []))


def test_the_dashboard_answers_the_four_questions_in_order() -> None:
    rows = [panel["title"] for panel in panels() if panel["type"] == "row"]
    assert [
        "Is the host safe?",
        "Who has memory?",
        "What did it just do, and why?",
        "What will it do next?",
    ] == rows[:4]


def test_the_dashboard_shows_metrics_that_there_are() -> None:
    wanted = {name for expression in expressions() for name in names(expression)}
    assert len(wanted) > 30
    assert set() == {name for name in wanted if not served(name)}


def test_prometheus_understands_every_expression(tmp_path: Path) -> None:
    rules = {
        "groups": [
            {
                "name": "dashboard",
                "rules": [
                    {"record": f"panel:{number}", "expr": each.replace("$__rate_interval", "1m")}
                    for number, each in enumerate(expressions())
                ],
            }
        ]
    }
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(rules))  # YAML, too
    promtool("check", "rules", str(file))


def test_panels_lie_side_by_side() -> None:
    taken: set[tuple[int, int]] = set()
    numbers: set[int] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
        assert panel["id"] not in numbers
        numbers.add(panel["id"])
