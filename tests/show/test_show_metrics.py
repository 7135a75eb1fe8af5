"""The text of metrics: names and values on a host that is always the same, and names that guests choose."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from hosted import Hosted
from prometheus_client.parser import text_string_to_metric_families

import ballonet
from ballonet.show.guest_metrics import Guests, compat_text, escaped

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_name("metrics.txt")
ODD = [
    "<script>alert(1)</script>",
    'quote" backslash\\ end\\',
    "new\nline\r\ttab",
    "\x1b[2Jescape\x07",
    "\udc80surrogate",
    "ünï © 日本",
]


def text(service: Hosted) -> str:
    return service.ask("GET", "/metrics")[1].decode()


def of_us(found: str) -> str:
    """Return the text without what this process and this version have."""
    lines = [line for line in found.splitlines(keepends=True) if "process_" not in line]
    return "".join(lines).replace(f'version="{ballonet.__version__}"', 'version="0"')


def test_the_text_is_what_it_was(service: Hosted) -> None:
    """Else, if it should be another: write it to tests/show/metrics.txt."""
    assert of_us(text(service)) == GOLDEN.read_text()


def test_promtool_finds_nothing_wrong(service: Hosted) -> None:
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text(service), capture_output=True, text=True, check=False
    )
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


def test_no_series_is_there_twice_and_no_guest_has_more_than_25(service: Hosted) -> None:
    series = Counter(
        (sample.name, tuple(sorted(sample.labels.items())))
        for family in text_string_to_metric_families(text(service))
        for sample in family.samples
    )
    assert {1} == set(series.values())
    of_web = [name for name, labels in series if ("domain", "web") in labels]
    assert 15 < len(of_web) <= 25


def test_what_is_unknown_is_left_out(service: Hosted) -> None:
    found = text(service)
    assert not re.search(r" [+-]?(nan|inf)$", found, re.IGNORECASE | re.MULTILINE)
    assert "ballonet_guest_pressure_ratio{" not in found
    assert "\nballonet_store_writable " not in found


def test_before_the_first_tick_there_is_the_service_alone(service: Hosted) -> None:
    service.engine.plan = None
    found = text(service)
    assert 'ballonet_mode{mode="enforce"} 1.0' in found
    assert "ballonet_guest_balloon_actual_bytes{" not in found
    assert "\nballonet_last_tick_timestamp_seconds " not in found


def test_guests_names_break_nothing(service: Hosted) -> None:
    assert service.engine.plan is not None
    snapshot = service.engine.plan.snapshot
    object.__setattr__(snapshot, "names", tuple(ODD[:4]))
    found = text(service)
    families = list(text_string_to_metric_families(found))
    names = {
        sample.labels["domain"] for each in families for sample in each.samples if "domain" in sample.labels
    }
    assert {
        "<script>alert(1)</script>",
        'quote" backslash\\ end\\',
        "new\ufffdline\ufffd\ufffdtab",
        "\ufffd[2Jescape\ufffd",
    } == names
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=found.encode(), check=False, capture_output=True
    )
    assert (0, b"") == (done.returncode, done.stdout + done.stderr)


@pytest.mark.parametrize("name", ODD)
def test_a_label_is_one_line_of_utf8_that_moves_no_cursor(name: str) -> None:
    assert escaped(name).isprintable()
    assert escaped(name).encode()
    [family] = text_string_to_metric_families(f'a{{b="{escaped(name)}"}} 1\n')
    assert family.samples[0].labels["b"] == "".join(c if c.isprintable() else "\ufffd" for c in name)


def test_of_two_guests_with_one_name_the_first_has_other_exporters_names(service: Hosted) -> None:
    assert service.engine.plan is not None
    object.__setattr__(service.engine.plan.snapshot, "names", ("twin", "twin", "web", "web"))
    found = compat_text([Guests(service.engine.plan, service.engine, {})])
    [line] = re.findall(
        r"^libvirt_domain_memory_stats_actual_balloon_bytes{domain=\"twin\"}.*", found, re.MULTILINE
    )
    assert float(line.split()[-1]) == service.engine.plan.snapshot.actual[0]


# --- what is said of them --------------------------------------------------------------------------------


def test_the_page_about_metrics_has_all_of_them_and_no_other(service: Hosted) -> None:
    page = (ROOT / "docs/metrics.md").read_text()
    service.service.compat_metrics = True
    families = re.findall(r"^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)", text(service), re.MULTILINE)
    rows = [
        f"| `{name}` | {kind} |"
        for name, _, kind in families
        if not name.startswith(("process_", "libvirt_"))
    ]
    missing = [row for row in rows if row not in page]
    assert [] == missing
    known = {name for name, _, _ in families}
    told = set(re.findall(r"^\| `((?:ballonet|libvirt)_\w+)` \|", page, re.MULTILINE))
    assert set() == told - known
    for name, help_, _ in families:
        if name.startswith("ballonet_"):
            assert help_.removesuffix(".") in page, name
