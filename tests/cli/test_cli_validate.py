"""`lab validate` says what is wrong before it boots anything."""

import pytest
from running import Run, two_lines


@pytest.mark.parametrize(
    ("words", "wrong", "hint"),
    [
        (("trade-place",), "no scenario is called 'trade-place'", "trade-places"),
        (("cold-memry",), "no scenario is called 'cold-memry'", "cold-memory"),
        (("idle", "--policy", "proxmux"), "no policy is called 'proxmux'", "proxmox"),
        (("idle", "--write", "nowhere/validation.md"), "there is no directory nowhere", "make it"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(
    ballonet: Run, words: tuple[str, ...], wrong: str, hint: str
) -> None:
    result = ballonet("lab", "validate", *words)
    said, advice = two_lines(result)
    assert 2 == result.returncode
    assert wrong in said
    assert hint in advice
