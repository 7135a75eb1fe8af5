"""What can be tried: guests, their loads over time, and a budget too small for all their maxima."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from ballonet.errors import UsageError
from ballonet.units import MIB

_REST = "anon_mib=40 hot_mib=40 rate=50 touches=32"
_BURST = "anon_mib=330 hot_mib=330 grow_mib_s=300"
_CACHE = "at 0 anon_mib=20 hot_mib=20 file_mib=100 rate=50 touches=16 reads=8"


@dataclass(frozen=True, slots=True)
class Scenario:
    """Guests of one size with a schedule each. Sizes are bytes."""

    title: str
    loads: Mapping[str, str]
    budget_bytes: float
    seconds: float = 60.0
    maximum_bytes: int = 512 * MIB
    floor_bytes: int = 128 * MIB


SCENARIOS: Mapping[str, Scenario] = {
    # Requests touch 32 pages each, those of "files" 16 and eight blocks of its file.
    "trade-places": Scenario(
        "two burst one after the other, one ramps up while they rest, one lives on its page cache",
        {
            "web": f"at 0 {_REST}\nat 10 {_BURST}\nat 20 anon_mib=40 hot_mib=40",
            "shop": f"at 0 {_REST}\nat 38 {_BURST}\nat 48 anon_mib=40 hot_mib=40",
            "batch": f"""
                at 0 {_REST}
                at 23 anon_mib=240 hot_mib=240 grow_mib_s=25
                at 34 anon_mib=40 hot_mib=40
                at 50 anon_mib=240 hot_mib=240 grow_mib_s=50
                """,
            "files": _CACHE,
        },
        budget_bytes=1200.0 * MIB,
    ),
    "one-bursts": Scenario(
        "one bursts beside three that rest",
        {
            "web": f"at 0 {_REST}\nat 20 {_BURST}\nat 40 anon_mib=40 hot_mib=40",
            **dict.fromkeys(("shop", "batch", "files"), f"at 0 {_REST}"),
        },
        budget_bytes=1000.0 * MIB,
    ),
    "all-burst": Scenario(
        "all four burst at the same instant, to what just fits",
        dict.fromkeys(
            ("web", "shop", "batch", "files"),
            f"""
                at 0 {_REST}
                at 20 anon_mib=170 hot_mib=170 grow_mib_s=100
                at 40 anon_mib=40 hot_mib=40
                """,
        ),
        budget_bytes=1300.0 * MIB,
    ),
    "ramp": Scenario(
        "two ramp up slowly, one after the other",
        {
            "web": f"""
                at 0 {_REST}
                at 10 anon_mib=300 hot_mib=300 grow_mib_s=15
                at 40 anon_mib=40 hot_mib=40
                """,
            "shop": f"at 0 {_REST}\nat 35 anon_mib=300 hot_mib=300 grow_mib_s=15",
            "batch": f"at 0 {_REST}",
            "files": _CACHE,
        },
        budget_bytes=1100.0 * MIB,
    ),
    "leak": Scenario(
        "one leaks cold memory until it has all that it may",
        {
            "web": f"at 0 {_REST}\nat 5 anon_mib=400 grow_mib_s=8",
            "shop": f"at 0 {_REST}",
            "batch": f"at 0 {_REST}",
            "files": _CACHE,
        },
        budget_bytes=1100.0 * MIB,
    ),
    "idle": Scenario(
        "nobody does anything",
        dict.fromkeys(("web", "shop", "batch", "files"), "at 0 anon_mib=20 hot_mib=20 rate=5 touches=8"),
        budget_bytes=1000.0 * MIB,
    ),
}


def scenario(name: str) -> Scenario:
    """Return a scenario by name; raises `UsageError` with the nearest names."""
    if name not in SCENARIOS:
        near = get_close_matches(name, SCENARIOS, n=3) or list(SCENARIOS)
        raise UsageError(
            f"no scenario is called {name!r}", hint=f"there is {', '.join(near)}: ballonet sim list"
        )
    return SCENARIOS[name]
