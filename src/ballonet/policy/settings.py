"""The numbers of the control law, each with its unit and the origin of its default."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """What the law is told. Sizes are bytes, times seconds, shares 0..1."""

    budget_bytes: float
    """What all guests of the host may hold together, those that are not managed included."""

    leased_bytes: float = 0.0
    """What of that, and of the host's memory, is kept free for guests about to start."""

    reserve_bytes: float = 1024 * MIB
    """Host memory that is never handed out: the host's own growth lives here."""

    interval_seconds: float = 2.0
    """Time between two ticks. Builds grow by 1.1 GiB in 2 s at the 99th percentile."""

    reflex: bool = True
    """Whether bursts are answered beside the tick; without it cushions must last a whole tick."""

    asks: bool = True
    """Whether guests are asked for statistics beside their period while a burst waits."""

    give_surplus: bool = True
    """Whether memory that nobody needs is handed to guests as room for cache, or kept free on the host."""

    surplus_share: float = 0.01
    """What a guest is given of surplus at once, as a share of its maximum: only while the host has plenty."""

    allow_swap: bool = False
    """Whether guests may be shrunk below their need, into their own swap, when the needs of all exceed the
    budget. Only the administrator can tell whose slowness that is worth."""

    boot_grace_seconds: float = 120.0
    """A guest is left alone for this long after its start: its needs are not yet what they will be."""

    fresh_periods: float = 3.0
    fresh_seconds: float = 15.0
    """Statistics older than max(3 periods, 15 s) allow growing only: a guest that thrashes reports late."""

    blind_seconds: float = 30.0
    """Statistics older than this say nothing: the guest is held."""

    pool_share: float = 0.2
    """The least pool for bursts, as a share of the largest managed guest: one burst of four guests of
    512 MiB took a fifth of a guest before the next tick could help."""

    pool_seconds: float = 1.0
    """For how long of their fastest growth bursts are fed from the pool: then others were called in."""

    pool_deviations: float = 1.0
    pool_most_share: float = 0.5
    """The pool covers the root of the sum of the squares of the bursts seen, up to this share of the
    largest guest."""

    cushion_floor_share: float = 0.02
    cushion_ceiling_share: float = 0.30
    """Every cushion lies between these shares of the guest's maximum."""

    store_share: float = 0.5
    """What is kept in the pool besides, as a share of the largest managed guest, before anybody gets surplus:
    memory that nobody needs serves a burst at once out of the pool, and a second late out of a guest."""

    reflex_reach_seconds: float = 0.3
    """With the reflex a cushion need only last from the growth to its answer: it sees growth within
    0.2 s and the balloon moves in 20 to 50 ms."""

    process_bytes: float = 256 * MIB
    """What a guest's process has resident beside the guest's memory, at most. Where a guest with free page
    reporting has more than that resident, and does not use it, its driver does not report (Windows')."""

    reaction_seconds: float = 0.5
    """What a change takes to arrive, beside the tick and the age of the statistics."""

    growth_half_life_seconds: float = 1500.0
    """How fast the memory of the fastest growth fades; 140 s instead cost seven times the lost work."""

    debt_half_life_seconds: float = 600.0
    """How fast the swap debt fades: what was swapped out for so long was cold."""

    deadband_share: float = 0.01
    deadband_bytes: float = 32 * MIB
    deadband_most_share: float = 0.03
    """A guest shrinks only by more than max(1 % of actual, 32 MiB), and grows by more than half of that; the
    32 MiB are at most 3 % of the maximum: of a guest of 512 MiB they were a third of its cache."""

    bite_share: float = 0.02
    hard_bite_share: float = 0.06
    """A probing bite: what is taken though nobody needs it, as a share of actual; the second where the
    host is hard up."""

    watch_seconds: float = 6.0
    """For so long a guest is watched after a bite, and at least for three periods."""

    tight_leave_share: float = 0.09
    """Up to this free share of the budget memory is probed for: there the host is tight no more."""

    state_seconds: float = 10.0
    """The host's state gets better after it held so long at least; worse it gets at once."""

    emergency_share: float = 0.6
    """What is left of cushions in an emergency of the host."""

    squeeze_share: float = 0.6
    """What is taken at once of the memory unused beyond the reserve. A first squeeze in one step made
    guests swap, claim need, and keep it: two or three bites did not."""

    cache_share: float = 0.5
    """What is taken at once of the reclaimable cache for somebody's need."""

    inflate_rate_bytes: float = 128 * MIB
    """What is taken of one guest in a second while nobody waits for it. An inflation at full speed, 1 GiB/s,
    costs a guest 20 to 40 % of a processor and half of its memory bandwidth."""

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
    """For so long a guest is left alone that somebody else resized."""

    swap_in_seconds: float = 250e-6
    read_seconds: float = 150e-6
    """What a page from swap, and a read from disk, cost a program; the latter is learned from the disk."""

    read_half_life_seconds: float = 2.0
    latency_half_life_seconds: float = 30.0
    """Over how long reads and processors, and the time of one read, are averaged."""

    usual_reads_share: float = 1.3
    idle_reads: float = 4.0
    """Reads beyond 1.3 times the usual rate and 4 a second count as reads of dropped cache."""

    usual_fall_seconds: float = 7.0
    usual_rise_seconds: float = 40.0
    """How fast the usual rate follows: a first reading of a file is soon forgotten."""

    harm_share: float = 0.002
    worse_share: float = 0.02
    """A guest that loses this share of its time lacks memory; with the second it is very short of it."""

    pressure_share: float = 0.001
    """So does one whose programs wait for memory for this share of time (PSI)."""

    heard_seconds: float = 6.0
    """What an agent told is of the size that its guest has now for so long: it is asked at each tick, a guest
    that thrashes answers up to two of them later, and as long is a guest watched after a bite."""

    kept_half_life_seconds: float = 600.0
    contended_half_life_seconds: float = 20.0
    """How fast it is forgotten that cache was in use; the second where others read for want of theirs."""

    filling_reserves: float = 2.0
    """A guest that reads, and has less unused than so many reserves, will soon drop what it reads: at
    125 MiB/s, a usual cloud disk's fastest, a guest of 8 GiB does so within three seconds."""

    trial_reserves: float = 2.0
    trial_share: float = 0.25
    """What is given back first to see whether reads fall, in reserves, and up to which share of the maximum
    it doubles. Half of that share cost those that the memory came from more than twice as much, for no reader
    more served; a first step of two thirds of a reserve left streams undecided beside readers for minutes."""

    unfed_seconds: float = 12.0
    """For so long others may take to give the next step of a trial: two bites, each of them watched."""

    fell_share: float = 0.7
    """Reads that fell to this share were for want of memory; else they were streaming."""

    gain_share: float = 0.9
    """Reads that did not even fall to this share gained nothing: a stream's own rate varies by as much."""

    blame_seconds: float = 20.0
    """A guest that begins to read more so soon after a bite does so because of it."""

    hold_seconds: float = 60.0
    hold_longest_seconds: float = 3600.0
    hold_half_life_seconds: float = 1200.0
    """After a bite that hurt nothing is probed for so long; the time doubles, and falls again in peace."""

    relief_bytes: float = 32 * MIB
    relief_share: float = 0.15
    """A guest in distress is given at least the first, and the second, of its maximum, if it suffers much."""

    swapping_free_reserves: float = 1.6
    swapping_usable_reserves: float = 2.0
    """A guest that swaps with more unused, or more usable, than so many reserves does not lack memory: it
    heals, or its kernel prefers to keep cache."""

    grant_bytes: float = 64 * MIB
    """The least that the reflex grants."""

    reflex_rate_bytes: float = 16 * MIB
    """Growth slower than this a second is the tick's business: it is within what QEMU's own memory moves by
    in a quarter of a second (2 to 4 MiB), and the reserve outlasts it for three seconds."""

    burst_seconds: float = 0.5
    """A burst that was not seen again for so long is over: nobody gives more for it. Three real guests read
    their files in; for what was promised to two of them the third gave 59 MiB of cache that it read, a second
    after they had grown, and read in vain at five times its latency from then on."""

    burst_rest_bytes: float = 32 * MIB
    """What is left to a burst that is over beside what it has taken: without it programs that start while
    they read took 1.12 times as long; with all that it was given, of three real guests that read their files
    in, two kept some 100 MiB that they did not use, and the third gave cache for it."""

    promise_seconds: float = 10.0
    """How long a burst's promise outlives statistics that do not come: a guest that thrashes reports late."""

    call_seconds: float = 2.0
    """For how long of a burst's growth unused memory is called in when the pool runs out: who was asked
    cannot be asked again before newer statistics, one to two seconds later."""

    grant_seconds: float = 1.0
    """How long a grant makes a guest's room last: until its next statistics have reached a tick."""

    urgent_seconds: float = 0.3
    """For how long of its growth a burst is promised memory that nobody has unused, so that others drop
    cache: the next tick comes in 0.1 s. A second's worth cost a reader beside it 25 s at eight times its
    latency, for 64 MiB that the burst never used."""

    reflex_room_seconds: float = 0.8
    """A guest whose room lasts longer than this needs no answer yet: a balloon of 260 MiB took 0.8 s to
    deflate on a guest whose only processor was busy growing."""
