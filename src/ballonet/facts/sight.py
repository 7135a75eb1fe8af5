"""What the host sees of its guests between two ticks: columns in the rows' order of the last snapshot."""

from dataclasses import dataclass

from ballonet.facts.snapshot import Bools, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """Resident memory now and a moment ago, beside what the last tick knew. Bytes; NaN is "unknown"."""

    seconds: float  # between `before` and `rss`
    rss: Floats  # resident now
    before: Floats  # resident a moment ago
    at_sample: Floats  # resident when the last statistics were sent
    held: Floats  # what each guest holds or was told that it may
    room: Floats  # what was free to it at its last statistics, and what it was given since
    ceiling: Floats
    weight: Floats
    cut: Bools  # managed, below its maximum, and not being shrunk
    spare: Floats  # unused beyond reserve and cushion at the last statistics, not yet taken; 0 where none


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the reflex does about it. Bytes by guest, 0 where nothing."""

    bursts: Bools  # whose growth will soon have used up its room
    promise: Floats  # what they need until the next tick and will get
    grant: Floats  # what they get of it at once, out of the pool
    take: Floats  # what is called in from those who had it unused
