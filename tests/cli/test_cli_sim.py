"""`sim`: policies tried on simulated hosts."""

import json
from pathlib import Path

import pytest
from running import Run, two_lines


def test_scenarios_are_listed(ballonet: Run) -> None:
    result = ballonet("sim", "list")
    assert (0, "") == (result.returncode, result.stderr)
    assert "trade-places" in result.stdout
    document = json.loads(ballonet("sim", "list", "-o", "json").stdout)
    assert {"ballonet", "none", "proxmox"} <= set(document["policies"])
    small = {found["name"]: found["lab"] for found in document["scenarios"]}
    assert small["trade-places"]
    assert not small["mix"]


def test_policies_stand_side_by_side(ballonet: Run) -> None:
    words = ("sim", "compare", "--scenario", "one-bursts", "--policy", "ballonet", "--policy", "equal")
    table = ballonet(*words)
    assert (0, "") == (table.returncode, table.stderr)
    title, header, *rows = table.stdout.splitlines()
    assert "one-bursts" == title
    assert {"POLICY", "LATENCY", "KILLED"} <= set(header.split())
    assert ["none", "ballonet", "equal"] == [row.split()[0] for row in rows]
    runs = {run["policy"]: run for run in json.loads(ballonet(*words, "-o", "json").stdout)["runs"]}
    assert runs["ballonet"]["held_mean_bytes"] < runs["none"]["held_mean_bytes"]
    assert 0 == runs["ballonet"]["swap_in_pages"]
    assert runs["equal"]["swap_in_pages"] > 0
    assert runs["equal"]["latency_ratio"] > 1.5 > runs["ballonet"]["latency_ratio"]


def test_one_run_tells_what_is_done_when_and_why(ballonet: Run) -> None:
    told = ballonet("sim", "run", "one-bursts")
    assert (0, "") == (told.returncode, told.stderr)
    bursts = [line for line in told.stdout.splitlines() if "a burst of" in line]
    assert bursts
    later = [
        line.split() for line in bursts if float(line.split()[0]) > 5.0
    ]  # all take a little as they begin
    assert later
    assert all(20.0 <= float(at) <= 22.0 and "web" == name for at, _, name, *_ in later)
    (run,) = json.loads(ballonet("sim", "run", "one-bursts", "--policy", "equal", "-o", "json").stdout)[
        "runs"
    ]
    assert ("equal", 0) == (run["policy"], run["seed"])
    assert 2 == ballonet("sim", "run", "one-bursts", "--policy", "equals").returncode


def test_seeds_vary_a_scenario_and_parts_can_be_left_out(ballonet: Run) -> None:
    words = (
        "sim",
        "compare",
        "--scenario",
        "idle",
        "--policy",
        "ballonet",
        "--without",
        "reflex",
        "--seeds",
        "2",
        "-o",
        "json",
    )
    runs = json.loads(ballonet(*words).stdout)["runs"]
    assert [101, 102] == sorted({run["seed"] for run in runs})
    assert {"none", "ballonet", "ballonet, no reflex"} == {run["policy"] for run in runs}


def test_the_smallest_hosts_stand_beside_that_of_who_knows_the_future(ballonet: Run) -> None:
    words = ("sim", "density", "--scenario", "step", "--policy", "ballonet", "--policy", "equal")
    table = ballonet(*words)
    assert (0, "") == (table.returncode, table.stderr)
    assert ["ballonet", "equal"] == [row.split()[0] for row in table.stdout.splitlines()[2:]]
    ours, equal = json.loads(ballonet(*words, "-o", "json").stdout)["densities"]
    assert 0.0 < ours["oracle_share"] < ours["least_share"] < equal["least_share"] <= 1.0
    assert equal["density"] < ours["density"] < 1.0
    assert ours["fails"]


def test_runs_are_drawn(ballonet: Run, tmp_path: Path) -> None:
    words = ("sim", "compare", "--scenario", "idle", "--policy", "ballonet", "--plot", str(tmp_path / "new"))
    assert 0 == ballonet(*words).returncode
    picture = (tmp_path / "new/idle.svg").read_text()
    assert picture.startswith("<?xml")
    assert ">budget</text>" in picture


@pytest.mark.parametrize(
    "command", ["sim run", "sim compare --scenario", "sim density --scenario", "lab bench"]
)
@pytest.mark.parametrize(
    ("words", "wrong", "hint"),
    [
        ("trade-place", "no scenario is called 'trade-place'", "trade-places"),
        ("idle --policy proxmux", "no policy is called 'proxmux'", "proxmox"),
        ("idle --without reflexes", "no part is called 'reflexes'", "reflex"),
        ("nothing-like-it", "no scenario is called 'nothing-like-it'", "idle"),
        ("idle --policy zzz", "no policy is called 'zzz'", "virtui"),
    ],
)
def test_names_that_are_none_are_answered_with_the_nearest(
    ballonet: Run, command: str, words: str, wrong: str, hint: str
) -> None:
    result = ballonet(*command.split(), *words.split())
    said, advice = two_lines(result)
    assert 2 == result.returncode
    assert wrong == said
    assert hint in advice.replace(",", "").replace(":", "").split()


def test_nobody_else_has_parts(ballonet: Run) -> None:
    result = ballonet("sim", "run", "idle", "--policy", "proxmox", "--without", "pool")
    assert 2 == result.returncode
    assert "proxmox has no parts" == two_lines(result)[0]


def test_what_is_too_large_for_real_guests_is_answered_with_what_fits(ballonet: Run) -> None:
    said, advice = two_lines(ballonet("lab", "bench", "mix"))
    assert "mix is too large for real guests" == said
    assert "first-squeeze" in advice
