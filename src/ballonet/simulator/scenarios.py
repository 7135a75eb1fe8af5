"""What can be tried: guests, their loads over time, and a budget too small for all their maxima."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from random import Random

from ballonet.errors import UsageError
from ballonet.simulator.mixes import HOUR, LARGE, SMALL, UNSEEN, draw
from ballonet.simulator.schedule import Step, steps, written
from ballonet.units import MIB

# Requests touch 32 pages each, those of guests that live on a file 16, and eight blocks of it.
_REST = "anon_mib=40 hot_mib=40 rate=50 touches=32"
_BURST = "anon_mib=330 hot_mib=330 grow_mib_s=300"
_FILES = "anon_mib=20 hot_mib=20 rate=50 touches=16 reads=8"
_CALM = "anon_mib=40 hot_mib=40"
_LARGE = "at 0 anon_mib=300 hot_mib=300 rate=50 touches=32"

TUNING_SEEDS = range(1, 21)  # what the law's numbers were chosen on
REPORT_SEEDS = range(101, 121)  # what is reported: no number was chosen on these


@dataclass(frozen=True, slots=True)
class Scenario:
    """Guests with a schedule each. Sizes are bytes."""

    title: str
    loads: Mapping[str, str]
    budget_bytes: float
    seconds: float = 60.0
    maximum_bytes: int = 512 * MIB
    maxima: Mapping[str, int] = field(default_factory=dict)  # of guests that are not of that size
    floor_bytes: int | None = 128 * MIB  # None: the usual one of each
    in_lab: bool = True  # small enough for real guests
    agents: bool = False  # guests have one that may be listened to
    seen: bool = True  # the host sees files read: not so those on a network, or on a disk passed through
    settled: bool = True  # False: guests have their maxima and are at work when the policy begins

    def maximum(self, name: str) -> int:
        """Return a guest's maximum."""
        return self.maxima.get(name, self.maximum_bytes)

    def whole_bytes(self) -> float:
        """Return the sum of the maxima."""
        return float(sum(self.maximum(name) for name in self.loads))


def _four(**loads: str) -> dict[str, str]:
    """Return the loads of four guests; who is not named rests."""
    return {name: loads.get(name, f"at 0 {_REST}") for name in ("web", "shop", "batch", "files")}


def _sawtooth(low: int, high: int, period: float, until: float, offset: float) -> str:
    """Return a load that climbs and falls again and again."""
    lines, at = [f"at 0 {_REST}"], offset
    while at < until:
        lines += [f"at {at:g} anon_mib={high} hot_mib={high} grow_mib_s={(high - low) / period * 1.5:g}"]
        lines += [f"at {at + period * 0.75:g} anon_mib={low} hot_mib={low}"]
        at += period
    return "\n".join(lines)


def _diurnal(high: int, phase: float, seconds: float) -> str:
    """Return a load that rises and falls by the hour; a day lasts as long as the scenario."""
    hours = 24
    lines = []
    for hour in range(hours):
        share = max(0.0, 1.0 - abs((hour + phase) % hours - 12.0) / 8.0)
        size, rate = round(40 + (high - 40) * share), round(10 + 90 * share)
        at = hour * seconds / hours
        lines += [f"at {at:g} anon_mib={size} hot_mib={size} rate={rate} touches=32 grow_mib_s=20"]
    return "\n".join(lines)


_TRADE = "anon_mib=330 hot_mib=330 grow_mib_s=250"

SCENARIOS: Mapping[str, Scenario] = {
    "trade-places": Scenario(
        "two burst one after the other, one ramps up while they rest, one lives on its page cache",
        _four(
            web=f"at 0 {_REST}\nat 10 {_BURST}\nat 20 {_CALM}",
            shop=f"at 0 {_REST}\nat 38 {_BURST}\nat 48 {_CALM}",
            batch=f"""
                at 0 {_REST}
                at 23 anon_mib=240 hot_mib=240 grow_mib_s=25
                at 34 {_CALM}
                at 50 anon_mib=240 hot_mib=240 grow_mib_s=50
                """,
            files=f"at 0 file_mib=100 {_FILES}",
        ),
        budget_bytes=1200.0 * MIB,
    ),
    "same-instant": Scenario(
        "two trade 330 MiB at the same instant, with little to spare",
        _four(
            web=f"at 0 {_REST}\nat 10 {_TRADE}\nat 25 {_CALM}\nat 40 {_TRADE}",
            shop=f"at 0 {_REST}\nat 25 {_TRADE}\nat 40 {_CALM}",
        ),
        budget_bytes=1100.0 * MIB,
    ),
    "one-bursts": Scenario(
        "one bursts beside three that rest",
        _four(web=f"at 0 {_REST}\nat 20 {_BURST}\nat 40 {_CALM}"),
        budget_bytes=1000.0 * MIB,
    ),
    "all-burst": Scenario(
        "all four burst at the same instant, to what just fits",
        dict.fromkeys(
            ("web", "shop", "batch", "files"),
            f"at 0 {_REST}\nat 20 anon_mib=170 hot_mib=170 grow_mib_s=100\nat 40 {_CALM}",
        ),
        budget_bytes=1300.0 * MIB,
    ),
    "step": Scenario(
        "one takes 200 MiB more as fast as it can, and keeps it",
        _four(web=f"at 0 {_REST}\nat 20 anon_mib=240 hot_mib=240"),
        budget_bytes=1000.0 * MIB,
    ),
    "ramp": Scenario(
        "two ramp up slowly, one after the other",
        _four(
            web=f"at 0 {_REST}\nat 10 anon_mib=300 hot_mib=300 grow_mib_s=15\nat 40 {_CALM}",
            shop=f"at 0 {_REST}\nat 35 anon_mib=300 hot_mib=300 grow_mib_s=15",
            files=f"at 0 file_mib=100 {_FILES}",
        ),
        budget_bytes=1100.0 * MIB,
    ),
    "sawtooth": Scenario(
        "two climb and fall every 20 s, half a period apart",
        _four(web=_sawtooth(40, 240, 20.0, 60.0, 5.0), shop=_sawtooth(40, 240, 20.0, 60.0, 15.0)),
        budget_bytes=1100.0 * MIB,
        seconds=70.0,
    ),
    "leak": Scenario(
        "one leaks cold memory until it has all that it may",
        _four(
            web=f"at 0 {_REST}\nat 5 anon_mib=400 grow_mib_s=8",
            files=f"at 0 file_mib=100 {_FILES}",
        ),
        budget_bytes=1100.0 * MIB,
    ),
    "cold-cache": Scenario(
        "three read 200 MiB each, then two of them stop",
        {
            "web": f"at 0 file_mib=200 {_FILES}",
            "shop": f"at 0 file_mib=200 {_FILES}\nat 20 reads=0",
            "files": f"at 0 file_mib=200 {_FILES}\nat 20 reads=0",
        },
        budget_bytes=850.0 * MIB,
        seconds=120.0,
    ),
    "far-files": Scenario(
        "three read files that the host cannot see read; two of them stop, and then one reads more",
        {
            "web": f"at 0 file_mib=100 {_FILES}\nat 40 file_mib=300",
            "shop": f"at 0 file_mib=200 {_FILES}\nat 20 reads=0",
            "files": f"at 0 file_mib=200 {_FILES}\nat 20 reads=0",
        },
        budget_bytes=850.0 * MIB,
        seconds=280.0,
        agents=True,
        seen=False,
    ),
    "streaming": Scenario(
        "one reads a stream through its page cache, beside one that lives on its own",
        _four(web=f"at 0 {_REST}\nat 5 stream_mib_s=10", files=f"at 0 file_mib=100 {_FILES}"),
        budget_bytes=1000.0 * MIB,
        seconds=90.0,
    ),
    "swap-happy": Scenario(
        "two hold memory that they never touch",
        _four(
            web="at 0 anon_mib=240 hot_mib=40 rate=50 touches=32 grow_mib_s=50",
            shop="at 0 anon_mib=240 hot_mib=40 rate=50 touches=32 grow_mib_s=50",
        ),
        budget_bytes=1150.0 * MIB,
    ),
    "first-squeeze": Scenario(
        "the policy meets two with 300 MiB and two at rest, all at their maxima",
        _four(web=_LARGE, shop=_LARGE),
        budget_bytes=1300.0 * MIB,
        settled=False,
    ),
    "hold-beside-need": Scenario(
        "one is held as its cache was squeezed, and another one needs 200 MiB more",
        {
            "files": f"at 0 file_mib=200 {_FILES} rate=100",
            "batch": f"at 0 {_REST}\nat 30 anon_mib=240 hot_mib=240 grow_mib_s=100",
        },
        budget_bytes=600.0 * MIB,
        settled=False,
    ),
    "burst-beside-cache": Scenario(
        "one bursts for 30 s to what leaves little of the other one's cache, which is read all the time",
        {
            "files": f"at 0 file_mib=200 {_FILES}",
            "batch": f"at 0 {_REST}\nat 20 anon_mib=330 hot_mib=330 grow_mib_s=100\nat 50 {_CALM}",
        },
        budget_bytes=650.0 * MIB,
        seconds=90.0,
    ),
    "steady": Scenario(
        "one reads a file, one rests, one holds 350 MiB that it never touches, and nothing changes",
        {
            "files": f"at 0 file_mib=200 {_FILES}",
            "web": f"at 0 {_REST}",
            "batch": "at 0 anon_mib=400 hot_mib=50",
        },
        budget_bytes=1200.0 * MIB,
        seconds=90.0,
    ),
    "boot-storm": Scenario(
        "four take what programs need that start, one every five seconds",
        {
            name: f"""
                at 0 anon_mib=10 hot_mib=10 rate=5 touches=8
                at {at} anon_mib=180 hot_mib=180 file_mib=60 rate=50 touches=32 reads=4 grow_mib_s=100
                at {at + 8} anon_mib=120 hot_mib=90
                """
            for name, at in (("web", 5), ("shop", 10), ("batch", 15), ("files", 20))
        },
        budget_bytes=1300.0 * MIB,
    ),
    "diurnal": Scenario(
        "three are busy at different hours of a day of two minutes",
        _four(web=_diurnal(260, 0, 120.0), shop=_diurnal(260, 8, 120.0), batch=_diurnal(260, 16, 120.0)),
        budget_bytes=1150.0 * MIB,
        seconds=120.0,
    ),
    "idle": Scenario(
        "nobody does anything",
        dict.fromkeys(("web", "shop", "batch", "files"), "at 0 anon_mib=20 hot_mib=20 rate=5 touches=8"),
        budget_bytes=1000.0 * MIB,
    ),
    "mix": Scenario("sixteen guests of all kinds and sizes, drawn anew for each seed", {}, 0.0, in_lab=False),
    "host": Scenario("48 guests of 2 to 16 GiB and all kinds, drawn likewise", {}, 0.0, in_lab=False),
    "unseen": Scenario(
        "20 guests of 1 to 12 GiB whose loads the law was never tried on before it was reported",
        {},
        0.0,
        in_lab=False,
    ),
    "hour": Scenario(
        "24 guests for an hour of a day: slow changes, and a burst now and then", {}, 0.0, in_lab=False
    ),
}
_DRAWN = {"mix": SMALL, "host": LARGE, "unseen": UNSEEN, "hour": HOUR}
_DRAWN_SHARE = 0.6  # of the sum of their maxima: their budget


def scenario(name: str, seed: int = 0) -> Scenario:
    """Return a scenario by name, varied by a seed (0: not); raises `UsageError` with the nearest names."""
    if name not in SCENARIOS:
        near = get_close_matches(name, SCENARIOS, n=3) or list(SCENARIOS)
        raise UsageError(
            f"no scenario is called {name!r}", hint=f"there is {', '.join(near)}: ballonet sim list"
        )
    found = SCENARIOS[name]
    random = Random(seed)  # noqa: S311 - drawn again from its seed, not to be a secret
    if name in _DRAWN:
        mix = _DRAWN[name]
        loads, maxima = draw(random, mix)
        budget = _DRAWN_SHARE * sum(maxima.values())
        return replace(
            found, loads=loads, maxima=maxima, budget_bytes=budget, seconds=mix.seconds, floor_bytes=None
        )
    return _varied(found, random) if seed else found


def _varied(found: Scenario, random: Random) -> Scenario:
    """Return the scenario with each guest's times, sizes and rates moved a little: it must still fit."""
    return replace(
        found, loads={name: written(_moved(steps(text), random)) for name, text in found.loads.items()}
    )


def _moved(schedule: list[Step], random: Random) -> list[Step]:
    """Return a schedule whose steps come up to 3 s later, with 80 to 100 % of the sizes, and other rates."""
    later, size = random.uniform(0.0, 3.0), random.uniform(0.8, 1.0)
    rate, speed = random.uniform(0.7, 1.3), random.uniform(0.6, 1.1)
    return [
        replace(
            step,
            at=step.at + (later if step.at > 0.0 else 0.0),
            anon_mib=step.anon_mib * size,
            hot_mib=step.hot_mib * size,
            file_mib=step.file_mib * size,
            rate=step.rate * rate,
            grow_mib_s=step.grow_mib_s * speed,
            stream_mib_s=step.stream_mib_s * speed,
        )
        for step in schedule
    ]
