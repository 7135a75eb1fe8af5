"""What people asked of the service, for people: holds and leases."""

from collections.abc import Sequence

from ballonet.service.models import Hold, Lease, Room
from ballonet.show.table import printable, table
from ballonet.show.words import moment, size


def until(request: Hold | Lease) -> str:
    """Return when it ends."""
    return "until resumed" if request.until is None else f"until {moment(request.until)}"


def hold_sentence(hold: Hold) -> str:
    """Return who is left as it is, why and until when."""
    whom = hold.name or hold.uuid or "everybody"
    at = "" if hold.size_bytes is None else f" at {size(hold.size_bytes)}"
    why = f": {hold.why}" if hold.why else ""
    return printable(f"{whom} is held{at} {until(hold)}, by {hold.who}{why}")


def holds_table(holds: Sequence[Hold]) -> str:
    """Return one row a hold."""
    rows = [
        (
            hold.id,
            hold.name or hold.uuid or "everybody",
            size(hold.size_bytes),
            until(hold),
            hold.who,
            hold.why,
        )
        for hold in holds
    ]
    return table(("HOLD", "GUEST", "SIZE", "UNTIL", "BY", "WHY"), rows, right={"SIZE"})


def lease_sentence(lease: Lease) -> str:
    """Return what is kept free, for whom and until when, and how that is ended."""
    whom = lease.guest or "whoever starts next"
    return (
        f"{size(lease.size_bytes)} are free and kept so for {printable(whom)}, {until(lease)}; "
        f"to end it: ballonet room drop {lease.id}"
    )


def leases_table(leases: Sequence[Lease]) -> str:
    """Return one row a lease."""
    rows = [
        (lease.id, size(lease.size_bytes), until(lease), lease.guest or "whoever starts next", lease.who)
        for lease in leases
    ]
    return table(("LEASE", "SIZE", "UNTIL", "FOR", "BY"), rows, right={"SIZE"})


def room_text(room: Room) -> str:
    """Return what is kept free, and how much more could be."""
    kept = f"{leases_table(room.leases)}\n" if room.leases else ""
    return f"{kept}Kept free: {size(room.leased_bytes)}. At most {size(room.most_bytes)} more could be."
