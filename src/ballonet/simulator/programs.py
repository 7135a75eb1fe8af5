"""The programs in simulated guests: they follow schedules, and answer requests that arrive regardless.

A guest's requests are answered by one program, one after the other; what its memory lacks makes each take
longer, and what is not answered waits. A flow, not single requests: latencies are means of a step.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ballonet.facts.evolve import evolve
from ballonet.facts.snapshot import Bools, Floats, anybody, clip
from ballonet.simulator.guests import (
    READ_AHEAD,
    READ_SECONDS,
    SWAP_SECONDS,
    TOUCH_RATE,
    Load,
    Make,
    Seconds,
    State,
)
from ballonet.units import MIB

ANSWER_SECONDS = 0.5e-3  # a request that finds all in memory
# While a program grows into memory that must be swapped out first, the disk's queue is full of these writes:
# so long each other miss waits. Real guests' requests took 0.8 to 1.2 s then, of some ten misses each.
QUEUE_SECONDS = 0.1
STALLED_BYTES = MIB


@dataclass(frozen=True, slots=True)
class Programs:
    """How far the guests' programs are with what their schedules want: columns."""

    anon: Floats  # bytes wanted so far: growth has a speed
    file: Floats  # bytes of the file read in order so far
    waiting: Floats  # requests
    waited: Floats  # seconds, since it booted, in which one waited for memory: PSI's "some"
    busy: Floats  # seconds of processors, since it booted


@dataclass(frozen=True, slots=True)
class Answers:
    """What became of requests in some time."""

    answered: Floats
    seconds: Floats  # from arrival to answer, mean; NaN where none was answered
    longest: Floats  # the longest mean of a step in it; 0 where none was answered


def work(
    programs: Programs, make: Make, state: State, want: Mapping[str, Floats], seconds: Seconds
) -> tuple[Programs, State, Load, Floats, Floats]:
    """Return what programs do in a step: what they want (`WANTS`), read in, and answer.

    The last are how many requests are answered, and the seconds that each takes; 0 where none is.
    """
    anon = _toward(programs.anon, want["anon"], want["grow"] * seconds)
    fresh = clip(want["file"] - programs.file, 0.0, make.requests * READ_AHEAD * seconds)
    file = np.minimum(programs.file, want["file"]) + fresh
    hot = np.minimum(want["hot"], anon)
    service, stalled = _service(make, state, want, file, anon)
    arrived = want["rate"] * seconds
    answered = np.minimum(programs.waiting + arrived, seconds / service)
    waiting = programs.waiting + arrived - answered
    # Who arrives in the middle of a step has waited half of what stands before and after it.
    delay = service * (1.0 + (programs.waiting + waiting) / 2) * (answered > 0)
    speed = answered / seconds
    load = Load(
        hot_anon=hot,
        cold_anon=anon - hot,
        hot_file=file,
        anon_rate=speed * want["touches"],
        file_rate=speed * want["reads"],
        stream=want["stream"],
        workers=np.inf,  # that they wait for their misses is in `service`
    )
    if anybody(fresh > 0.0):
        state = evolve(state, file=state.file + fresh, disk_reads=state.disk_reads + fresh / READ_AHEAD)
    # Who grows into memory that must be reclaimed first waits all the time, others for what they miss.
    misses = np.minimum(answered * (service - ANSWER_SECONDS), seconds)
    worked = answered * ANSWER_SECONDS + np.maximum(anon - programs.anon, 0.0) / TOUCH_RATE
    return (
        Programs(
            anon=anon,
            file=file,
            waiting=waiting,
            waited=programs.waited + (np.where(stalled, seconds, misses) if anybody(stalled) else misses),
            busy=programs.busy + worked,
        ),
        state,
        load,
        answered,
        delay,
    )


def _toward(present: Floats, wanted: Floats, most: Floats) -> Floats:
    """Return what is wanted after a step: less at once, more at the speed given (0: at once)."""
    if not anybody(wanted > present):
        return wanted
    grown = np.where(most > 0, np.minimum(wanted, present + most), wanted)
    return np.where(wanted < present, wanted, grown)


def _service(
    make: Make, state: State, want: Mapping[str, Floats], file: Floats, anon: Floats
) -> tuple[Floats, Bools]:
    """Return the seconds that a request takes, and whose programs cannot grow as nothing is free.

    What a request misses comes from a disk of so many requests.
    """
    held, missing = state.hot + state.hot_swapped, file - state.file
    # For a page that comes in from swap another one goes, but those go many at a time.
    lacking = anon - held - state.cold - state.cold_swapped
    stalled = lacking > STALLED_BYTES
    if not anybody(stalled | (missing > 0.0) | (state.hot_swapped != 0.0)):
        return np.full(held.shape, ANSWER_SECONDS), stalled
    gone = np.divide(state.hot_swapped, held, out=np.zeros(held.shape), where=held > 0)
    unread = np.divide(np.maximum(missing, 0.0), file, out=np.zeros(file.shape), where=file > 0)
    queue = 1.0 / make.requests
    if anybody(stalled):
        stalled &= state.free(make) < STALLED_BYTES + make.high
        queue = np.where(stalled, QUEUE_SECONDS, queue)
    swap = np.maximum(SWAP_SECONDS, queue)
    read = np.maximum(READ_SECONDS, queue)
    return ANSWER_SECONDS + want["touches"] * gone * swap + want["reads"] * unread * read, stalled
