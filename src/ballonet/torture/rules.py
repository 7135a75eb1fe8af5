"""What administrators write, and what the service takes it for."""

from dataclasses import replace

import numpy as np

from ballonet.facts.columns import Columns
from ballonet.facts.limits import Limits
from ballonet.policy.settings import Settings
from ballonet.service.daemon import Rules as InForce
from ballonet.torture.course import Wish
from ballonet.torture.seen import Rules


def other_rules(rules: Rules, wish: Wish) -> Rules | None:
    """Return what an administrator writes instead; None: what cannot be read."""
    choices = (
        replace(rules, enforce=not rules.enforce),
        replace(rules, floor_share=0.1 + 0.6 * wish.share),
        replace(rules, ceiling_share=0.5 + 0.5 * wish.share),
        replace(rules, excluded="" if rules.excluded else wish.guest),
        replace(rules, budget_bytes=rules.budget_bytes * (0.7 + 0.5 * wish.share)),
        replace(rules, reserve_bytes=rules.reserve_bytes * 2 * wish.share),
        None,
    )
    return choices[int(wish.choice * len(choices))]


def in_force(rules: Rules, *, release_on_stop: bool) -> InForce:
    """Return settings as the service takes them."""

    def limits(guests: Columns) -> Limits:
        maximum = guests.maximum
        return Limits(
            floor=rules.floor_share * maximum,
            ceiling=rules.ceiling_share * maximum,
            weight=np.full(len(guests), 100.0),
            excluded=np.array([name == rules.excluded for name in guests.names], dtype=np.bool_),
        )

    law = Settings(
        budget_bytes=rules.budget_bytes,
        reserve_bytes=rules.reserve_bytes,
        interval_seconds=rules.interval_seconds,
    )
    return InForce(law, limits, rules.enforce, release_on_stop=release_on_stop)
