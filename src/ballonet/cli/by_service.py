"""`set` where a service runs: it does it, or it would undo it."""

from ballonet.errors import BallonetError
from ballonet.service.client import Client, asked
from ballonet.service.models import Hold, Plan, SetAsked


def set_for(reference: str, size_bytes: int, seconds: float) -> Hold:
    """Have the service set a guest and hold it so; raises what it refuses it with."""
    body = asked(SetAsked, guest=reference, size_bytes=size_bytes, for_seconds=seconds)
    return Client().post(Hold, "/v1/set", body)


def would_undo(uuid: str) -> bool:
    """Return whether a service runs that resizes this guest; one that does not answer does not."""
    try:
        plan = Client().get(Plan, "/v1/plan")
    except BallonetError:
        return False
    return any(
        each.writes and row.uuid == uuid and row.verdict.managed
        for each in plan.hypervisors
        for row in each.guests
    )
