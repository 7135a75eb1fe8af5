"""From settings to what an engine asks for: the limits of guests in bytes, one row a guest.

What the files allow is the frame; a guest's metadata may only tighten it: raise its floor, lower its ceiling
and its weight, exclude it, and keep its agent from being asked, the floor and the exclusion only as far as
`metadata_floor` lets them. What goes
beyond that is left out with an issue that says so.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np

from ballonet.config.guest import ForGuest, for_guest
from ballonet.config.load import Loaded
from ballonet.config.metadata import read_metadata
from ballonet.config.model import GuestSettings
from ballonet.config.values import Amount, Share
from ballonet.errors import Issue, SettingsError
from ballonet.facts.columns import Columns
from ballonet.facts.guest import Guest
from ballonet.facts.limits import Limits
from ballonet.policy.floors import hard_floor_bytes
from ballonet.units import MIB, format_size

LEAST_SHARE_BYTES: Final = 256 * MIB
"""No floor that is given as a share is under this: a Linux guest with less has little but its kernel."""

_LOOSENS: Final = "ask whoever runs the host to allow it: metadata may only tighten its settings"
_OPTS_OUT: Final = (
    "metadata_floor is what it may: ballonet config show --origin GUEST says where that is from"
)


@dataclass(frozen=True, slots=True)
class GuestLimits:
    """One guest's limits; hard floor <= floor <= ceiling <= maximum, all in bytes."""

    floor_bytes: int
    ceiling_bytes: int
    weight: int
    managed: bool
    metadata_floor_bytes: int  # metadata may raise the floor so far; below the maximum, they exclude nobody
    agent: bool = False  # its agent may be asked


def limits_of(guest: ForGuest, maximum_bytes: int) -> GuestLimits:
    """Return what the files allow a guest of this maximum; of a floor above the ceiling, the ceiling."""
    ceiling = ceiling_bytes(guest.ceiling.value, maximum_bytes)
    floor = min(floor_bytes(guest.floor.value, maximum_bytes), ceiling)
    highest = floor_bytes(guest.metadata_floor.value, maximum_bytes)
    return GuestLimits(
        floor, ceiling, guest.weight.value, guest.manage.value, highest, agent=guest.agent.value
    )


def floor_bytes(floor: Amount, maximum_bytes: int) -> int:
    """Return the bytes of a floor for a guest of this maximum."""
    size = max(int(floor * maximum_bytes), LEAST_SHARE_BYTES) if isinstance(floor, Share) else int(floor)
    return min(maximum_bytes, max(size, hard_floor_bytes(maximum_bytes)))


def ceiling_bytes(ceiling: Amount, maximum_bytes: int) -> int:
    """Return the bytes of a ceiling for a guest of this maximum."""
    size = int(ceiling * maximum_bytes) if isinstance(ceiling, Share) else int(ceiling)
    return min(maximum_bytes, max(size, hard_floor_bytes(maximum_bytes)))


def tightened(
    limits: GuestLimits, metadata: GuestSettings, maximum_bytes: int
) -> tuple[GuestLimits, list[Issue]]:
    """Return limits with what metadata tighten of them, and an issue for each key that would loosen them."""
    said, issues = metadata.model_fields_set, list[Issue]()
    if "ceiling" in said:
        wish = ceiling_bytes(metadata.ceiling, maximum_bytes)
        limits = replace(limits, ceiling_bytes=min(max(wish, limits.floor_bytes), limits.ceiling_bytes))
        issues += _left_out("ceiling", wish, limits.ceiling_bytes)
    if "floor" in said:
        wish = floor_bytes(metadata.floor, maximum_bytes)
        highest = min(limits.ceiling_bytes, limits.metadata_floor_bytes)
        limits = replace(limits, floor_bytes=max(min(wish, highest), limits.floor_bytes))
        hint = _OPTS_OUT if limits.metadata_floor_bytes < min(wish, limits.ceiling_bytes) else _LOOSENS
        issues += _left_out("floor", wish, limits.floor_bytes, hint)
    if "weight" in said:
        if metadata.weight > limits.weight:
            issues.append(Issue(f"{metadata.weight} is above {limits.weight}", _LOOSENS, key="weight"))
        limits = replace(limits, weight=min(metadata.weight, limits.weight))
    if "manage" in said:
        if metadata.manage and not limits.managed:
            issues.append(Issue("the guest is excluded", _LOOSENS, key="manage"))
        may_exclude = limits.metadata_floor_bytes >= maximum_bytes
        if limits.managed and not metadata.manage and not may_exclude:
            issues.append(Issue("the guest may not exclude itself", _OPTS_OUT, key="manage"))
        limits = replace(limits, managed=limits.managed and (metadata.manage or not may_exclude))
    if "agent" in said:
        if metadata.agent and not limits.agent:
            issues.append(Issue("its agent is not asked", _LOOSENS, key="agent"))
        limits = replace(limits, agent=limits.agent and metadata.agent)
    return limits, issues


def _left_out(key: str, wish_bytes: int, gets_bytes: int, hint: str = _LOOSENS) -> list[Issue]:
    if wish_bytes == gets_bytes:
        return []
    message = (
        f"{format_size(wish_bytes)} is outside of what the host allows: it gets {format_size(gets_bytes)}"
    )
    return [Issue(message, hint, key=key)]


class FileLimits:
    """The limits of guests by the settings files and their own metadata: what an engine asks at each tick.

    `note` is called once with each thing that a guest's metadata say in vain.
    """

    def __init__(self, loaded: Loaded, note: Callable[[Issue], None]) -> None:
        self._loaded = loaded
        self._note = note
        self._known: dict[_Asked, GuestLimits] = {}

    def __call__(self, guests: Columns) -> Limits:
        """Return these guests' limits, in their order; 0 bytes where a maximum is unknown."""
        # The table of the decision has no limits where the maximum is unknown.
        maximum = np.nan_to_num(guests.maximum).astype(np.int64).tolist()
        asked = list(zip(guests.uuids, guests.names, maximum, guests.metadata, strict=True))
        # Ticks ask about the same guests again and again; who is gone is forgotten.
        self._known = {each: self._known.get(each) or self._limits(*each) for each in asked}
        rows = [self._known[each] for each in asked]
        return Limits(
            floor=np.array([row.floor_bytes for row in rows], dtype=np.float64),
            ceiling=np.array([row.ceiling_bytes for row in rows], dtype=np.float64),
            weight=np.array([row.weight for row in rows], dtype=np.float64),
            excluded=np.array([not row.managed for row in rows], dtype=np.bool_),
        )

    def asks(self, guest: Guest) -> bool:
        """Return whether a guest's agent may be asked."""
        each = guest.uuid, guest.name, guest.maximum_bytes or 0, guest.metadata
        if each not in self._known:
            self._known[each] = self._limits(*each)
        return self._known[each].agent

    def _limits(self, uuid: str, name: str, maximum_bytes: int, metadata: str) -> GuestLimits:
        limits = limits_of(for_guest(self._loaded, name, uuid), maximum_bytes)
        if not metadata:
            return limits
        try:
            limits, issues = tightened(limits, read_metadata(metadata), maximum_bytes)
        except SettingsError as error:
            issues = list(error.issues)
        for issue in issues:
            self._note(replace(issue, file=f"metadata of {name}"))
        return limits


_Asked: TypeAlias = tuple[str, str, int, str]  # UUID, name, maximum, metadata
