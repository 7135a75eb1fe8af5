"""Hosts drawn at random: guests of several sizes and kinds, as they stand side by side in practice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from ballonet.simulator.day import day
from ballonet.simulator.schedule import written
from ballonet.units import GIB

SECONDS = 180.0
HOUR_SECONDS = 3600.0
_AT_REST = 0.08  # share of its maximum that an idle guest's programs have


Kind = Callable[[Random, float], str]


@dataclass(frozen=True, slots=True)
class Mix:
    """How many guests there are, of which sizes and kinds in which shares, and for how long they run."""

    guests: int
    sizes: Mapping[int, int]  # GiB: share
    kinds: Mapping[str, tuple[int, Kind]]  # share, and what makes a load from the maximum in MiB
    seconds: float = SECONDS


def draw(random: Random, mix: Mix) -> tuple[dict[str, str], dict[str, int]]:
    """Return the loads and the maxima (bytes) of guests by name."""
    loads, maxima = {}, {}
    for number in range(mix.guests):
        (gib,) = random.choices(list(mix.sizes), list(mix.sizes.values()))
        (kind,) = random.choices(list(mix.kinds), [share for share, _ in mix.kinds.values()])
        name = f"{kind}-{number}"
        maxima[name] = gib * GIB
        loads[name] = mix.kinds[kind][1](random, gib * 1024.0)
    return loads, maxima


def _idle(random: Random, mib: float) -> str:
    size = round(mib * _AT_REST * random.uniform(0.5, 2.0))
    return f"at 0 anon_mib={size} hot_mib={size / 2:.0f} rate=2 touches=8 grow_mib_s=100"


def _web(random: Random, mib: float) -> str:
    """Return a load that is busy at times: its programs grow and shrink with the requests."""
    high, low = mib * random.uniform(0.3, 0.55), mib * random.uniform(0.1, 0.2)
    period, offset = random.uniform(50, 120), random.uniform(0, 60)
    lines = [f"at 0 anon_mib={low:.0f} hot_mib={low:.0f} rate=30 touches=32 grow_mib_s=100"]
    at = offset + 10
    while at < SECONDS:
        lines += [f"at {at:.1f} anon_mib={high:.0f} hot_mib={high:.0f} rate=90 grow_mib_s={high / 20:.0f}"]
        lines += [f"at {at + period / 2:.1f} anon_mib={low:.0f} hot_mib={low:.0f} rate=30"]
        at += period
    return "\n".join(lines)


def _build(random: Random, mib: float) -> str:
    """Return a build: short steps up and down, some of them steep."""
    base, at = mib * 0.1, random.uniform(2, 10)
    lines = [f"at 0 anon_mib={base:.0f} hot_mib={base:.0f} rate=20 touches=32 grow_mib_s=200"]
    while at < SECONDS:
        size = mib * random.uniform(0.1, 0.6)
        speed = random.choice((50, 150, 400))
        lines += [f"at {at:.1f} anon_mib={size:.0f} hot_mib={size:.0f} grow_mib_s={speed}"]
        at += random.uniform(5, 20)
    return "\n".join(lines)


def _database(random: Random, mib: float) -> str:
    """Return a load that reads a file again and again."""
    size, file = mib * 0.15, mib * random.uniform(0.2, 0.5)
    return (
        f"at 0 anon_mib={size:.0f} hot_mib={size:.0f} file_mib={file:.0f} rate=60 touches=16 reads=8 "
        "grow_mib_s=100"
    )


def _stream(random: Random, mib: float) -> str:
    size = mib * 0.1
    return (
        f"at 0 anon_mib={size:.0f} hot_mib={size:.0f} rate=20 touches=16 "
        f"stream_mib_s={random.choice((5, 10, 20))} grow_mib_s=100"
    )


def _memcache(random: Random, mib: float) -> str:
    size = mib * random.uniform(0.4, 0.7)
    return f"at 0 anon_mib={size:.0f} hot_mib={size:.0f} rate=90 touches=32 grow_mib_s=200"


def _leak(random: Random, mib: float) -> str:
    base = mib * 0.15
    return (
        f"at 0 anon_mib={base:.0f} hot_mib={base:.0f} rate=20 touches=16 grow_mib_s=100\n"
        f"at {random.uniform(5, 40):.1f} anon_mib={mib * 0.6:.0f} grow_mib_s={random.uniform(1, 8):.1f}"
    )


def _tide(random: Random, mib: float) -> str:
    """Return programs that swell and ebb in steps of some seconds, never twice to the same height."""
    lines, at = (
        [f"at 0 anon_mib={mib * 0.1:.0f} hot_mib={mib * 0.1:.0f} rate=40 touches=24 grow_mib_s=100"],
        5.0,
    )
    while at < SECONDS:
        size = mib * random.triangular(0.1, 0.65, 0.25)
        lines += [f"at {at:.1f} anon_mib={size:.0f} hot_mib={size * 0.7:.0f} grow_mib_s={size / 8:.0f}"]
        at += random.uniform(8, 30)
    return "\n".join(lines)


def _spikes(random: Random, mib: float) -> str:
    """Return a rest with a sudden spike now and then, over after two to ten seconds."""
    low = mib * random.uniform(0.06, 0.12)
    lines, at = [f"at 0 anon_mib={low:.0f} hot_mib={low:.0f} rate=30 touches=24 grow_mib_s=300"], 0.0
    while (at := at + random.uniform(15, 60)) < SECONDS:
        high = mib * random.uniform(0.2, 0.6)
        lines += [f"at {at:.1f} anon_mib={high:.0f} hot_mib={high:.0f}"]
        at += random.uniform(2, 10)
        lines += [f"at {at:.1f} anon_mib={low:.0f} hot_mib={low:.0f}"]
    return "\n".join(lines)


def _shifting(random: Random, mib: float) -> str:
    """Return a reader whose files in use change their size: it reads in what it did not have."""
    size = mib * 0.12
    lines, at = [f"at 0 anon_mib={size:.0f} hot_mib={size:.0f} rate=40 touches=16 reads=6"], 0.0
    while at < SECONDS:
        lines += [f"at {at:.1f} file_mib={mib * random.uniform(0.1, 0.45):.0f}"]
        at += random.uniform(40, 90)
    return "\n".join(lines)


def _hour(random: Random, mib: float) -> str:
    return written(day(random, mib, HOUR_SECONDS))


_BUSY: Mapping[str, tuple[int, Kind]] = {
    "idle": (28, _idle),
    "web": (26, _web),
    "build": (18, _build),
    "database": (10, _database),
    "memcache": (8, _memcache),
    "stream": (6, _stream),
    "leak": (4, _leak),
}

SMALL = Mix(16, {1: 30, 2: 35, 4: 25, 8: 10}, _BUSY)  # a small provider's host
LARGE = Mix(48, {2: 25, 4: 35, 8: 25, 16: 15}, _BUSY)
# Kinds of their own, which no number of the law was chosen on.
UNSEEN = Mix(
    20,
    {1: 20, 2: 30, 3: 20, 6: 20, 12: 10},
    {"idle": (25, _idle), "tide": (30, _tide), "spikes": (25, _spikes), "shifting": (20, _shifting)},
)
HOUR = Mix(24, {1: 25, 2: 25, 4: 25, 8: 25}, {"guest": (1, _hour)}, HOUR_SECONDS)
