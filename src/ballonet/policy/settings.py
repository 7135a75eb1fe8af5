"""The numbers of the control law, each with its unit and the origin of its default."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """What the law is told. Sizes are bytes, times seconds, shares 0..1."""

    budget_bytes: float
    """What all guests of the host may hold together, those that are not managed included."""

    reserve_bytes: float = 1024 * MIB
    """Host memory that is never handed out: the host's own growth lives here."""

    interval_seconds: float = 2.0
    """Time between two ticks. Builds grow by 1.1 GiB in 2 s at the 99th percentile."""

    reflex: bool = True
    """Whether bursts are answered beside the tick; without it cushions must last a whole tick."""

    give_surplus: bool = True
    """Whether memory that nobody needs is handed to guests as room for cache, or kept free on the host."""

    boot_grace_seconds: float = 120.0
    """A guest is left alone for this long after its start: its needs are not yet what they will be."""

    fresh_periods: float = 3.0
    fresh_seconds: float = 15.0
    """Statistics older than max(3 periods, 15 s) allow growing only: a guest that thrashes reports late."""

    blind_seconds: float = 30.0
    """Statistics older than this say nothing: the guest is held."""

    pool_share: float = 0.2
    """The pool for bursts, as a share of the largest managed guest: one burst of four guests of 512 MiB
    took a fifth of a guest before the next tick could help."""

    cushion_floor_share: float = 0.02
    cushion_ceiling_share: float = 0.30
    """Every cushion lies between these shares of the guest's maximum."""

    store_share: float = 0.5
    """What is kept in the pool besides, as a share of the largest managed guest, before anybody gets surplus:
    memory that nobody needs serves a burst at once out of the pool, and a second late out of a guest."""

    reflex_reach_seconds: float = 0.3
    """With the reflex a cushion need only last from the growth to its answer: it sees growth within
    0.2 s and the balloon moves in 20 to 50 ms."""

    reaction_seconds: float = 0.5
    """What a change takes to arrive, beside the tick and the age of the statistics."""

    growth_half_life_seconds: float = 1500.0
    """How fast the memory of the fastest growth fades; 140 s instead cost seven times the lost work."""

    debt_half_life_seconds: float = 600.0
    """How fast the swap debt fades: what was swapped out for so long was cold."""

    deadband_share: float = 0.01
    deadband_bytes: float = 32 * MIB
    """A guest shrinks only by more than max(1 % of actual, 32 MiB), and grows by more than half of that."""

    bite_share: float = 0.02
    """A probing bite: what is taken though nobody needs it, as a share of actual."""

    squeeze_share: float = 0.6
    """What is taken at once of the memory unused beyond the reserve. A first squeeze in one step made
    guests swap, claim need, and keep it: two or three bites did not."""

    cache_share: float = 0.5
    """What is taken at once of the reclaimable cache for somebody's need."""

    dwell_seconds: float = 60.0
    """No probing bite for this long after a growth: 40 direction changes an hour became 8."""

    settle_bytes: float = 2 * MIB
    """`actual` has arrived when it is this near to the target: the driver moves 1 MiB at a time."""

    stuck_seconds: float = 10.0
    stuck_rate_bytes: float = 1 * MIB
    """A guest that came nearer by less than 1 MiB/s for 10 s does not follow; a balloon that works moves
    500 MiB/s, and a page now and then is no progress."""

    stuck_longest_seconds: float = 3600.0
    """The pause after a failure doubles up to this."""

    foreign_seconds: float = 60.0
    """For so long a guest is left alone that somebody else resized, or that rescued itself."""

    distress_share: float = 0.15
    """A guest that swaps while it is cut and short of free memory is given this share of its maximum."""

    short_free_reserves: float = 1.6
    """Free memory below this many reserves is "short": swap-ins above it are healing, not harm."""

    grant_bytes: float = 64 * MIB
    """The least that the reflex grants."""

    reflex_rate_bytes: float = 16 * MIB
    """Growth slower than this a second is the tick's business: it is within what QEMU's own memory moves by
    in a quarter of a second (2 to 4 MiB), and the reserve outlasts it for three seconds."""

    promise_seconds: float = 10.0
    """How long a burst's promise outlives statistics that do not come: a guest that thrashes reports late."""

    call_seconds: float = 2.0
    """For how long of a burst's growth unused memory is called in when the pool runs out: who was asked
    cannot be asked again before newer statistics, one to two seconds later."""

    grant_seconds: float = 1.0
    """How long a grant makes a guest's room last: until its next statistics have reached a tick."""

    reflex_room_seconds: float = 0.8
    """A guest whose room lasts longer than this needs no answer yet: a balloon of 260 MiB took 0.8 s to
    deflate on a guest whose only processor was busy growing."""
