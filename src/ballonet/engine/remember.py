"""The memory of guests across ticks in which they come, go and change places."""

import numpy as np

from ballonet.facts.memory import Memory


class Remembered:
    """Keeps what is known of each guest by its UUID, and lays it out in the order of a snapshot."""

    def __init__(self) -> None:
        self.uuids: tuple[str, ...] = ()
        self.memory = Memory.blank(0)

    def align(self, uuids: tuple[str, ...]) -> Memory:
        """Return the memory in this order: guests not seen before are blank, those gone are forgotten."""
        if uuids == self.uuids:
            return self.memory
        known = {uuid: row for row, uuid in enumerate(self.uuids)}
        unknown = len(self.uuids)  # one blank row, behind the known ones
        extended = _join(self.memory, Memory.blank(1))
        self.memory = extended.take(np.array([known.get(uuid, unknown) for uuid in uuids], dtype=np.intp))
        self.uuids = uuids
        return self.memory


def _join(first: Memory, second: Memory) -> Memory:
    """Return the rows of both."""
    columns = {
        name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in Memory.columns()
    }
    return Memory(host=first.host, **columns)
