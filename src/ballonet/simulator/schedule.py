"""What a guest's load does over time, as text: real guests and simulated ones run the same schedules."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ballonet.errors import UsageError

MAXIMUM_STEPS = 256


@dataclass(frozen=True, slots=True)
class Step:
    """From `at` on (seconds since the schedule began)."""

    at: float = 0.0
    anon_mib: float = 0.0  # the program's own memory
    hot_mib: float = 0.0  # its part, from the beginning, that requests touch
    file_mib: float = 0.0  # a file that is read once in order, and then at random through the page cache
    rate: float = 0.0  # requests a second: they arrive whether the last one was answered or not
    touches: float = 0.0  # pages written a request
    reads: float = 0.0  # 4 KiB blocks of the file read a request
    grow_mib_s: float = 0.0  # speed of growth; 0: as fast as it goes
    stream_mib_s: float = 0.0  # read in order and never again, through the page cache


KEYS = tuple(key for key in Step.__dataclass_fields__ if key != "at")


def steps(text: str) -> list[Step]:
    """Return the steps of a schedule, earliest first.

    Lines are `at SECONDS key=value ...`, in order; a key keeps its value until a later line changes it;
    comments begin with #. Raises `UsageError` that names the line.
    """
    found: list[Step] = []
    last = Step()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if words:
            last = _step(number, words, last)
            found.append(last)
    if not 0 < len(found) <= MAXIMUM_STEPS:
        raise UsageError(
            f"a schedule has 1 to {MAXIMUM_STEPS} lines, this one {len(found)}",
            hint='write lines such as "at 0 anon_mib=100 hot_mib=100 rate=50 touches=8"',
        )
    return found


def written(schedule: Sequence[Step]) -> str:
    """Return a schedule as text that says the same, every key on every line."""
    return "".join(
        f"at {step.at:g} {' '.join(f'{key}={getattr(step, key):g}' for key in KEYS)}\n" for step in schedule
    )


def _step(number: int, words: Sequence[str], last: Step) -> Step:
    at = _number(words[1]) if words[0] == "at" and len(words) > 1 else None
    if at is None or at < last.at:
        raise UsageError(
            f"line {number} of the schedule does not begin with a time at or after {last.at:g} s",
            hint='write "at SECONDS key=value ...", earliest first',
        )
    values = {"at": at}
    for word in words[2:]:
        key, _, text = word.partition("=")
        value = _number(text)
        if key not in KEYS or value is None:
            raise UsageError(
                f"line {number} of the schedule: {word!r} is not understood",
                hint=f"keys are {', '.join(KEYS)}; values are numbers",
            )
        values[key] = value
    return replace(last, **values)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None  # neither negative, nor infinite, nor no number at all
