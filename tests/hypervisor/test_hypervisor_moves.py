"""Sizes of guests that were resized, seen through libvirt's own copy of them, which is behind."""

from dataclasses import replace

import pytest

from ballonet.facts.guest import Guest, State
from ballonet.hypervisor.libvirt.moves import Moves
from ballonet.hypervisor.libvirt.rows import BUSY
from ballonet.units import KIB, MIB

WEB = Guest(name="web", uuid="uuid-web", id=7, state=State.RUNNING, read_at=0.0, actual_bytes=1024 * MIB)


class Host:
    """A guest that QEMU knows the size of, and libvirt's copy, by the seconds of a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.moves = Moves()
        self.now = 100.0
        self.live = self.copy = 1024 * MIB
        self.calls = 0
        self._before = WEB
        monkeypatch.setattr("time.monotonic", lambda: self.now)

    def memoryStats(self) -> dict[str, int]:  # noqa: N802 - libvirt's
        self.calls += 1
        return {"actual": self.live // KIB}

    def look(self, *, busy: bool = False) -> int | None:
        """Return the size that a look shows, in MiB."""
        row = replace(WEB, actual_bytes=self.copy, job=BUSY if busy else None)
        self._before = self.moves.follow(row, self._before, self)
        return (self._before.actual_bytes or 0) // MIB


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(monkeypatch)


def test_who_was_not_resized_costs_no_call(host: Host) -> None:
    host.copy = 900 * MIB
    assert (900, 0) == (host.look(), host.calls)


def test_a_size_never_steps_back_however_long_the_way_is(host: Host) -> None:
    host.moves.begin(WEB.uuid, 24 * MIB)
    seen = []
    for _ in range(20):
        host.now += 1.0
        host.copy, host.live = host.live, max(host.live - 100 * MIB, 24 * MIB)
        seen.append(host.look())
    assert [*range(924, 0, -100), *[24] * 10] == seen
    assert host.calls < len(seen)


def test_a_guest_that_rests_somewhere_is_asked_no_more(host: Host) -> None:
    host.moves.begin(WEB.uuid, 24 * MIB)
    host.live = host.copy = 500 * MIB
    for _ in range(20):
        host.now += 1.0
        assert 500 == host.look()
    assert 6 == host.calls


def test_on_the_way_back_the_copy_of_before_is_not_believed(host: Host) -> None:
    host.moves.begin(WEB.uuid, 900 * MIB)
    host.now, host.live = host.now + 0.2, 900 * MIB
    assert 900 == host.look()
    host.moves.begin(WEB.uuid, 1024 * MIB)
    host.now += 0.1
    assert 900 == host.look()
    host.now, host.live = host.now + 1.5, 1024 * MIB
    assert 1024 == host.look()


def test_who_is_busy_keeps_the_size_that_was_seen(host: Host) -> None:
    host.moves.begin(WEB.uuid, 900 * MIB)
    host.live = 900 * MIB
    assert 900 == host.look()
    assert 900 == host.look(busy=True)
    host.now += 10.0
    host.copy = 900 * MIB
    assert (900, 1) == (host.look(busy=True), host.calls)


def test_only_those_that_are_there_are_remembered(host: Host) -> None:
    host.moves.begin(WEB.uuid, 900 * MIB)
    host.moves.keep({"uuid-api"})
    assert (1024, 0) == (host.look(), host.calls)
