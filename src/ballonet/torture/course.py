"""What a seed comes to: a host and its guests, what they do, all that goes wrong, and what people want."""

from dataclasses import dataclass
from random import Random

from ballonet.simulator.incidents import Happens, Incident
from ballonet.simulator.kernel import pages
from ballonet.simulator.kinds import Kind
from ballonet.simulator.schedule import Step
from ballonet.simulator.spec import Spec
from ballonet.torture.process import POINTS
from ballonet.torture.trouble import OF_GUESTS, OF_HOST, RESIZES, STATISTICS, Trouble, What
from ballonet.units import GIB, MIB

HOUR_SECONDS = 3600.0
STORMS_AN_HOUR = 1.5
STORM_SECONDS = 40.0
TROUBLES_A_STORM = 17
CALM_SECONDS = 900.0  # at the end nothing happens: who settles, settles now
STORMY_INTERVALS = (2.0, 2.0, 2.0, 5.0)
CALM_INTERVALS = (45.0, 60.0)
LAST_INTERVALS = (30.0, 45.0, 60.0)
_HAPPENS = (
    Happens.REBOOT,
    Happens.OFF,
    Happens.HANG,
    Happens.PAUSE,
    Happens.JOB,
    Happens.GAP,
    Happens.LAG,
    Happens.UNLOADED,
    Happens.OUT_OF_PUFF,
)
WISHES = (
    "pause",
    "pause all",
    "resume",
    "resume all",
    "set",
    "release",
    "release all",
    "room",
    "drop",
    "rules",
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of the service; numbers 0..1 choose the details."""

    at: float
    word: str  # of WISHES
    guest: str = ""
    share: float = 0.0
    choice: float = 0.0


@dataclass(frozen=True, slots=True)
class Storm:
    """A stretch in which the service looks often, and much goes wrong."""

    at: float
    seconds: float
    interval_seconds: float
    then_seconds: float  # the interval afterwards


@dataclass(frozen=True, slots=True)
class Course:
    """One run."""

    seed: int
    seconds: float
    specs: tuple[Spec, ...]
    host_bytes: int
    budget_bytes: int
    reserve_bytes: int
    floor_share: float  # of each guest's maximum; it may be less than its hard floor
    storms: tuple[Storm, ...]
    last_interval: float  # of the calm at the end
    troubles: tuple[Trouble, ...]
    wishes: tuple[Wish, ...]

    @property
    def calm_from(self) -> float:
        """Return from when on nothing happens."""
        return self.seconds - CALM_SECONDS


def draw(seed: int, hours: float) -> Course:
    """Return the course of a seed."""
    random = Random(seed)  # noqa: S311 - the same course each time
    seconds = hours * HOUR_SECONDS
    storms = _storms(random, seconds)
    names = [f"g{number}" for number in range(random.choice((2, 2, 3, 3, 4, 6)))]
    troubles = [one for storm in storms for one in _troubles(random, storm, names)]
    specs = tuple(_spec(random, name, storms, troubles) for name in names)
    whole = sum(spec.maximum_bytes for spec in specs)
    host = int(whole * random.uniform(0.6, 1.2)) + GIB
    return Course(
        seed,
        seconds,
        specs,
        host_bytes=host,
        budget_bytes=int(whole * random.uniform(0.45, 1.0)),
        reserve_bytes=random.choice((256, 512, 1024)) * MIB,
        floor_share=0.05 if seed % 8 == 7 else 0.25,
        storms=tuple(storms),
        last_interval=random.choice(LAST_INTERVALS),
        troubles=tuple(sorted(troubles, key=lambda one: one.at)),
        wishes=tuple(sorted(_wishes(random, storms, names), key=lambda one: one.at)),
    )


def _storms(random: Random, seconds: float) -> list[Storm]:
    """Return stretches of trouble, the first within the first minutes."""
    count = max(1, round(seconds / HOUR_SECONDS * STORMS_AN_HOUR))
    room = (seconds - CALM_SECONDS) / count
    return [
        Storm(
            at=number * room + random.uniform(0.0, max(room - STORM_SECONDS - 60.0, 0.0)),
            seconds=STORM_SECONDS,
            interval_seconds=random.choice(STORMY_INTERVALS),
            then_seconds=random.choice(CALM_INTERVALS),
        )
        for number in range(count)
    ]


def _troubles(random: Random, storm: Storm, names: list[str]) -> list[Trouble]:
    """Return what goes wrong in a storm, and a little of it just before or after."""
    found = []
    for _ in range(TROUBLES_A_STORM):
        kinds = random.choices((STATISTICS, RESIZES, OF_GUESTS, OF_HOST), (4, 5, 2, 4))[0]
        what = random.choice(kinds)
        at = storm.at + random.uniform(0.0, storm.seconds)
        seconds = min(random.choice((3.0, 10.0, 30.0, 90.0)), 20.0 if what is What.STUCK else 90.0)
        guest = "" if kinds is OF_HOST else random.choice(names)
        found.append(Trouble(at, what, guest, seconds, random.random()))
    return found


def _spec(random: Random, name: str, storms: list[Storm], troubles: list[Trouble]) -> Spec:
    """Return a guest, with its load and what happens to it."""
    mib = random.choice((512, 1024, 1024, 2048, 4096))
    (kind,) = random.choices((Kind.LINUX, Kind.WINDOWS, Kind.BSD, Kind.SILENT), (88, 6, 3, 3))
    incidents = []
    for storm in storms:
        if random.random() < 0.5:
            incident = _incident(random, storm, mib * MIB)
            incidents.append(incident)
            if incident.kind is Happens.OFF and random.random() < 0.5:
                troubles.append(Trouble(incident.at, What.RENEWED, name))
    return Spec(
        name,
        mib * MIB,
        _load(random, mib, storms),
        vcpus=random.choice((1, 2, 4)),
        autodeflate=random.random() < 0.2,
        free_page_reporting=random.random() < 0.6,
        recent=random.random() < 0.5,
        period_seconds=random.choice((1, 1, 2, 5, 0)),
        kind=kind,
        incidents=incidents,
    )


def _incident(random: Random, storm: Storm, maximum_bytes: int) -> Incident:
    kind = random.choice(_HAPPENS)
    return Incident(
        at=storm.at + random.uniform(0.0, storm.seconds * 0.8),
        kind=kind,
        seconds=random.choice((3.0, 10.0, 25.0, 60.0)),
        size_bytes=pages(maximum_bytes * random.uniform(0.3, 1.0)),
        late_seconds=random.choice((5.0, 12.0, 20.0)) if kind is Happens.LAG else 0.0,
    )


def _load(random: Random, mib: float, storms: list[Storm]) -> list[Step]:
    """Return a load that moves in the storms, and rests between them."""
    file_mib = mib * random.uniform(0.1, 0.4) if random.random() < 0.3 else 0.0
    reads = 4.0 if file_mib else 0.0

    def step(at: float, share: float, speed: float, rate: float) -> Step:
        anon = mib * share
        return Step(at, anon, anon / 2, file_mib, rate, touches=8.0, reads=reads, grow_mib_s=speed)

    def rest(at: float) -> Step:
        return step(at, random.uniform(0.08, 0.3), 0.0, 0.5)

    found = [rest(0.0)]
    for storm in storms:
        times = sorted(random.uniform(0.0, storm.seconds) for _ in range(random.randint(0, 2)))
        found += [
            step(storm.at + at, random.triangular(0.08, 0.9, 0.3), random.choice((40.0, 150.0, 500.0)), 100.0)
            for at in times
        ]
        found.append(rest(storm.at + storm.seconds))
    return found


def _wishes(random: Random, storms: list[Storm], names: list[str]) -> list[Wish]:
    """Return what people want, in the storms and soon after them."""
    found = []
    for storm in storms:
        for _ in range(random.randint(2, 5)):
            at = storm.at + random.uniform(0.0, storm.seconds * 1.5)
            (word,) = random.choices(WISHES, (4, 2, 4, 3, 5, 3, 1, 3, 2, 3))
            found.append(Wish(at, word, random.choice(names), random.random(), random.random()))
            if random.random() < 0.3:  # the same again at once: two people, or one who is in a hurry
                found.append(Wish(at + 0.05, word, random.choice(names), random.random(), random.random()))
    return found


def kill_point(trouble: Trouble) -> str:
    """Return where a kill hits; empty: wherever the service is."""
    places = ("", *POINTS)
    return places[int(trouble.amount * len(places))]
