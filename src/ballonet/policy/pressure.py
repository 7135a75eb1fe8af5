"""How short of memory the host is: states with separate levels to enter and to leave, and a dwell."""

from ballonet.facts.host import HostState
from ballonet.facts.memory import HostPast
from ballonet.facts.snapshot import Snapshot
from ballonet.policy.room import host_free, sizes
from ballonet.policy.settings import Settings

# Free share of what can be handed out: a state is entered below the first level and left above the second.
# The emergency is the host's own: a budget that is exceeded, as at the first squeeze, is none.
LEVELS = {
    HostState.COMFORT: (0.12, 0.16),
    HostState.TIGHT: (0.06, 0.09),
    HostState.HARD: (0.025, 0.04),
    HostState.EMERGENCY: (0.01, 0.025),
}


def read_host(past: HostPast, snapshot: Snapshot, settings: Settings) -> HostPast:
    """Return the host's state after this look: worse at once, better after it held for the dwell."""
    written = snapshot.host.swapped_out_bytes_total if snapshot.host else None
    swaps = written is not None and past.swapped_out is not None and written > past.swapped_out
    state = _state(past.state, _share(snapshot, settings), swaps=swaps)
    since = snapshot.taken_at - past.entered_at
    if state < past.state and since < settings.state_seconds:
        state = past.state
    entered = snapshot.taken_at if state is not past.state else past.entered_at
    return HostPast(state, entered, written, swaps)


def _share(snapshot: Snapshot, settings: Settings) -> tuple[float, float]:
    """Return the free shares: of the budget, and of the host (1 where it is not known)."""
    spent = float(sizes(snapshot).sum()) + settings.leased_bytes
    budget = (settings.budget_bytes - spent) / max(settings.budget_bytes, 1.0)
    if snapshot.host is None:
        return budget, 1.0
    return budget, host_free(snapshot, settings) / snapshot.host.total_bytes


def _state(now: HostState, shares: tuple[float, float], *, swaps: bool) -> HostState:
    """Return the state that these shares call for."""
    budget, host = shares
    found = HostState.PLENTY
    for state, (enter, leave) in LEVELS.items():
        share = host if state is HostState.EMERGENCY else min(budget, host)
        if share < (leave if now >= state else enter) or (state is HostState.EMERGENCY and swaps):
            found = state
    return found
