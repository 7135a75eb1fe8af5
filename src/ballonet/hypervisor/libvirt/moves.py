"""Guests that were resized a moment ago: their sizes are asked for one by one until they rest.

libvirt's own copy of a size, which its bulk call tells, is behind QEMU. A burst that waits for what others
give back cannot wait for that; and a size that steps back to what it was looks like somebody else's doing.
"""

import time
from collections.abc import Container
from dataclasses import dataclass, replace
from typing import Any

from ballonet.facts.guest import Guest
from ballonet.hypervisor.libvirt import rows

COPY_SECONDS = 1.5  # the copy is not so far behind: QEMU tells of a balloon once a second; measured, 1.1 s
REST_SECONDS = 5.0  # after so long without a movement a guest rests, wherever it is


@dataclass(slots=True)
class _Move:
    """What became of a resize."""

    size_bytes: int  # asked for
    seen_at: float  # monotonic seconds at which it was asked for, or the guest was last seen to move

    def is_over(self, copy_bytes: int | None) -> bool:
        """Return whether libvirt's copy says all there is to say."""
        rest = time.monotonic() - self.seen_at
        return rest > REST_SECONDS or (rest > COPY_SECONDS and copy_bytes == self.size_bytes)


class Moves:
    """The last resize of each guest."""

    def __init__(self) -> None:
        self._moves: dict[str, _Move] = {}

    def begin(self, uuid: str, size_bytes: int) -> None:
        """Look for the size of this guest from now on."""
        self._moves[uuid] = _Move(size_bytes, time.monotonic())

    def keep(self, uuids: Container[str]) -> None:
        """Forget those of all other guests."""
        self._moves = {uuid: move for uuid, move in self._moves.items() if uuid in uuids}

    def follow(self, guest: Guest, before: Guest | None, domain: Any) -> Guest:
        """Return a row of the bulk call with the size that the guest has now (in a thread).

        Of who is busy nothing but the copy is told: it has the size of the row `before`.
        """
        move = self._moves.get(guest.uuid)
        if move is None or move.is_over(guest.actual_bytes):
            return guest
        if guest.job is None:
            guest = rows.with_live_size(guest, domain)
        elif before:
            guest = replace(guest, actual_bytes=before.actual_bytes)
        if before and guest.actual_bytes != before.actual_bytes:
            move.seen_at = time.monotonic()
        return guest
