"""The reflex: a guest whose burst the host can see grows within a tenth of a second, beside the tick."""

import numpy as np

from ballonet.facts.sight import Answer, Sight
from ballonet.facts.snapshot import or_else
from ballonet.policy.room import PAGE
from ballonet.policy.settings import Settings
from ballonet.policy.waterfill import waterfill


def reflex(sight: Sight, pool_bytes: float, settings: Settings) -> Answer:
    """Return the answer to the growth in sight: it only grows guests, and takes only what was unused.

    A burst is a growth that soon eats up a guest's room. It is granted what makes the room last for a
    second of it, at least 64 MiB, from the pool; what the pool lacks is called in from unused memory. Of
    what neither has it is promised what it needs in the next 0.3 s.
    """
    nothing = np.zeros(len(sight.rss))
    rate = np.maximum(sight.rss - sight.before, 0.0) / sight.seconds
    since = np.fmax(sight.rss - sight.at_sample, 0.0)
    room = sight.room - since
    burst = sight.cut & (rate >= settings.reflex_rate_bytes) & (room < rate * settings.reflex_room_seconds)
    wish = np.where(burst, np.maximum(rate * settings.grant_seconds - room, settings.grant_bytes), 0.0)
    wish = np.where(burst, np.floor(np.clip(sight.ceiling - sight.held, 0.0, wish) / PAGE) * PAGE, 0.0)
    grant = np.floor(waterfill(nothing, wish, sight.weight, max(pool_bytes, 0.0)) / PAGE) * PAGE
    # Who grows keeps what it took since its statistics were sent, and what it may take before the next.
    keeps = since + np.where(rate >= settings.reflex_rate_bytes, rate * settings.call_seconds, 0.0)
    donors = np.where(wish > 0.0, 0.0, np.maximum(or_else(sight.spare) - or_else(keeps), 0.0))
    growth = np.where(burst, rate * settings.call_seconds, 0.0)
    lacking = float(growth.sum() - max(pool_bytes, 0.0)) if wish.sum() > grant.sum() else 0.0
    take = np.floor(waterfill(nothing, donors, sight.weight, lacking) / PAGE) * PAGE
    # What neither has would come out of others' cache: of that only what keeps the burst from swapping.
    coming = waterfill(nothing, wish, sight.weight, max(pool_bytes, 0.0) + float(take.sum()))
    urgent = np.where(burst, rate * settings.urgent_seconds - room, 0.0)
    promise = np.minimum(wish, np.floor(np.maximum(coming, urgent) / PAGE) * PAGE)
    return Answer(
        bursts=wish > 0.0,
        promise=promise,
        grant=grant,
        take=np.where(take >= settings.settle_bytes, take, 0.0),
    )
