"""What people asked for ends with its time, or when it is used up; that is told."""

from ballonet.engine.ports import Event
from ballonet.engine.requests import Requests
from ballonet.engine.tell import Teller
from ballonet.errors import JournalError
from ballonet.facts.happening import Kind
from ballonet.facts.request import Hold


def end_requests(requests: Requests, teller: Teller) -> None:
    """End holds and leases that are over."""
    try:
        ended = requests.expire()
    except JournalError:  # the next tick tries again
        return
    for request in ended:
        if isinstance(request, Hold):
            teller.say(Kind.HELD, request.name, request.uuid, text="its hold is over")
        else:
            teller.say(Kind.LEASED, "", text=f"{request.id} is over: nobody used it")


def use_lease(requests: Requests, teller: Teller, event: Event) -> None:
    """End the lease that a guest used up by its start."""
    try:
        lease = requests.started(event.name)
    except JournalError:  # it ends with its time
        return
    if lease is not None:
        teller.say(Kind.LEASED, event.name, event.uuid, text=f"{lease.id} is used up by its start")
