"""`sim`: policies tried on simulated hosts."""

import json

import pytest
from running import Run, two_lines


def test_scenarios_are_listed(ballonet: Run) -> None:
    result = ballonet("sim", "list")
    assert (0, "") == (result.returncode, result.stderr)
    assert "trade-places" in result.stdout
    document = json.loads(ballonet("sim", "list", "-o", "json").stdout)
    assert {"ballonet", "none", "proxmox"} <= set(document["policies"])


def test_policies_stand_side_by_side(ballonet: Run) -> None:
    words = ("sim", "compare", "one-bursts", "--policy", "ballonet", "--policy", "equal")
    table = ballonet(*words)
    assert (0, "") == (table.returncode, table.stderr)
    assert ["WITHOUT", "ballonet", "equal"] == table.stdout.splitlines()[0].split()
    outcomes = json.loads(ballonet(*words, "-o", "json").stdout)["outcomes"]
    assert ["none", "ballonet", "equal"] == list(outcomes)
    assert outcomes["ballonet"]["held_mean_bytes"] < outcomes["none"]["held_mean_bytes"]
    assert 0 == outcomes["ballonet"]["swap_in_pages"]
    assert outcomes["equal"]["swap_in_pages"] > 0


@pytest.mark.parametrize(
    ("words", "wrong", "hint"),
    [
        (("trade-place",), "no scenario is called 'trade-place'", "trade-places"),
        (("idle", "--policy", "proxmux"), "no policy is called 'proxmux'", "proxmox"),
    ],
)
def test_names_that_are_none_are_answered_with_the_nearest(
    ballonet: Run, words: tuple[str, ...], wrong: str, hint: str
) -> None:
    result = ballonet("sim", "compare", *words)
    said, advice = two_lines(result)
    assert 2 == result.returncode
    assert wrong in said
    assert hint in advice
