"""A lab's guests as their hypervisor shows them, with what only their own kernels know."""

from collections.abc import Sequence
from dataclasses import replace

from ballonet.engine.ports import Hypervisor
from ballonet.facts.guest import Guest
from ballonet.lab.lab import Lab
from ballonet.lab.report import pressure_ratio
from ballonet.simulator.overheard import Overheard


def informed(hypervisor: Hypervisor, lab: Lab) -> Hypervisor:
    """Return a hypervisor that tells the pressure in a lab's guests, as an agent in them would."""

    def with_pressure(guests: Sequence[Guest]) -> list[Guest]:
        return [
            replace(guest, pressure_ratio=pressure_ratio(lab.reports(guest.name)))
            if lab.uuids.get(guest.name) == guest.uuid
            else guest
            for guest in guests
        ]

    return Overheard(hypervisor, with_pressure)
