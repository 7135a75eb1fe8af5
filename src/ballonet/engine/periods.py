"""Guests that nobody asks for statistics: they are switched on, once a guest and start, and that is told."""

import numpy as np

from ballonet.engine.ports import Hypervisor
from ballonet.engine.tell import Teller
from ballonet.errors import BallonetError
from ballonet.facts.columns import Columns
from ballonet.facts.happening import Kind
from ballonet.facts.snapshot import Bools, anybody


class Periods:
    """Remembers whose statistics were switched on, so as not to fight somebody who switches them off."""

    def __init__(self, hypervisor: Hypervisor, teller: Teller) -> None:
        self._hypervisor = hypervisor
        self._teller = teller
        self._asked: set[tuple[str, float]] = set()  # UUID and id: one start of a guest

    async def switch_on(self, columns: Columns, leave: Bools, interval_seconds: float) -> None:
        """Switch statistics on where nobody did, twice as often as ticks come; `leave` some guests alone."""
        seconds = max(1, int(interval_seconds / 2))
        unasked = columns.period == 0
        if not anybody(unasked):
            return
        unasked &= columns.device & columns.running & ~columns.busy & ~leave
        for row in np.flatnonzero(unasked).tolist():
            name, asked = columns.names[row], (columns.uuids[row], float(columns.number[row]))
            if asked not in self._asked:
                self._asked.add(asked)
                self._teller.say(Kind.PERIOD, name, columns.uuids[row], text=str(seconds))
                if self._teller.writes:
                    await self._set(name, columns.uuids[row], seconds)

    async def _set(self, name: str, uuid: str, seconds: int) -> None:
        try:
            await self._hypervisor.set_period(uuid, seconds, live=True)
        except BallonetError as error:
            self._teller.say(Kind.FAILED, name, uuid, text=str(error))
