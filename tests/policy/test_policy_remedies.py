"""What helps a guest whose driver is silent, by the system that its definition notes."""

import pytest

from ballonet.policy.remedies import may_be_linux, remedy

WINDOWS, LINUX = "http://microsoft.com/win/11", "http://debian.org/debian/12"


@pytest.mark.parametrize(
    ("code", "system", "part"),
    [
        ("silent", WINDOWS, "install the virtio drivers' balloon driver"),
        ("silent", "http://www.microsoft.com/win/11", "install the virtio drivers' balloon driver"),
        ("silent", LINUX, "modprobe virtio_balloon"),
        ("silent", "http://openbsd.org/openbsd/7", "ballonet set {name} SIZE"),
        ("silent", "http://apple.com/macosx/10.7", "it has no driver"),
        ("no-usable", WINDOWS, "the balloon driver's service"),
        ("no-usable", LINUX, "kernel 4.6"),
    ],
)
def test_what_helps_is_of_its_system(code: str, system: str, part: str) -> None:
    assert part in remedy(code, system)


@pytest.mark.parametrize(
    ("code", "system"), [("silent", ""), ("silent", "no address"), ("silent", "http://["), ("stale", LINUX)]
)
def test_what_is_not_known_is_not_guessed(code: str, system: str) -> None:
    assert not remedy(code, system)


def test_only_linux_and_what_is_not_known_may_have_what_only_linux_has() -> None:
    systems = (LINUX, "", "http://[", WINDOWS, "http://www.microsoft.com/win/11", "http://freebsd.org/14")

    assert [True, True, True, False, False, False] == [may_be_linux(system) for system in systems]
