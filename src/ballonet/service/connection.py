"""A hypervisor, or several as one, as the service has it: its URI, its engine, and what people ask of it."""

from collections.abc import Mapping, Sequence

from ballonet.engine.by_hand import ByHand
from ballonet.engine.engine import Engine
from ballonet.engine.ports import CountsTimeouts, Hypervisor
from ballonet.errors import NoSuchGuestError, NotReadyError
from ballonet.facts.plan import Plan
from ballonet.hypervisor.several import SeveralHypervisors


class Connection:
    """A hypervisor, or several as one, and the engine that sees to its guests."""

    def __init__(self, uri: str, hypervisor: Hypervisor, engine: Engine) -> None:
        self.uri = uri
        self.hypervisor = hypervisor
        self.engine = engine
        self.by_hand = ByHand(engine)

    def uri_of(self, uuid: str) -> str:
        """Return the URI of the hypervisor that has a guest, which may be one of several."""
        several = self.hypervisor
        return (several.uri_of(uuid) if isinstance(several, SeveralHypervisors) else "") or self.uri

    @property
    def unanswered(self) -> Sequence[str]:
        """Return the URIs of those of several hypervisors that did not answer the last look."""
        several = self.hypervisor
        return several.unanswered if isinstance(several, SeveralHypervisors) else ()

    @property
    def timeouts(self) -> Mapping[str, int]:
        """Return how many calls got no answer in time, by what they were to do."""
        found = self.hypervisor
        return found.timeouts if isinstance(found, CountsTimeouts) else {}

    @property
    def plan(self) -> Plan:
        """Return the last plan; raises `NotReadyError` before there is one."""
        if self.engine.plan is None:
            raise NotReadyError(f"no guest of {self.uri} was looked at yet", hint="try again in a moment")
        return self.engine.plan

    def row(self, reference: str) -> int | None:
        """Return the row of a guest by name or UUID in the last plan."""
        try:
            return self.by_hand.find(reference)
        except NoSuchGuestError:
            return None
