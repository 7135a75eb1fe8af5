"""A guest's day: what most guests do for most of the time, which no short scenario shows."""

from math import pi, sin
from random import Random

from ballonet.simulator.schedule import Step

DAY_SECONDS = 86_400.0


def day(random: Random, maximum_mib: float, seconds: float) -> list[Step]:
    """Return the first so many seconds of it: a new level every 45 minutes or so, and bursts.

    Levels follow the sun, each guest its own way; half of what programs have is touched all the time. Four
    bursts a day of one to three minutes take up to a third of the guest at 50 to 300 MiB/s. One guest in four
    lives on a file in its page cache.
    """
    phase, swing = random.uniform(0.0, 2 * pi), random.uniform(0.05, 0.2)
    base, rate = random.uniform(0.1, 0.3), random.choice((1.0, 5.0, 20.0))
    file_mib = maximum_mib * random.uniform(0.1, 0.3) if random.random() < 0.25 else 0.0
    reads = 4.0 if file_mib else 0.0

    def step(at: float, share: float, speed: float) -> Step:
        anon = maximum_mib * share
        return Step(at, anon, anon / 2, file_mib, rate, touches=8.0, reads=reads, grow_mib_s=speed)

    def level(at: float) -> float:
        sun = 1 + sin(2 * pi * at / DAY_SECONDS + phase)
        return base + swing * sun / 2 + random.uniform(0.0, 0.03)

    steps, at = [step(0.0, level(0.0), 0.0)], random.uniform(1800.0, 3600.0)
    while at < seconds:
        steps.append(step(at, level(at), random.uniform(10.0, 50.0)))
        at += random.uniform(1800.0, 3600.0)
    at = random.expovariate(4 / DAY_SECONDS)
    while at < seconds:
        steps.append(step(at, level(at) + random.uniform(0.1, 0.33), random.uniform(50.0, 300.0)))
        steps.append(step(at + random.uniform(60.0, 180.0), level(at), 0.0))
        at += random.expovariate(4 / DAY_SECONDS)
    return sorted(steps, key=lambda one: one.at)
