"""Frames of a simulated host: the product's engine and facade, on virtual time that passes a tick a frame."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from ballonet.engine.loop import run
from ballonet.service.client import asked
from ballonet.service.connection import Connection
from ballonet.service.events import Question
from ballonet.service.facade import Service
from ballonet.service.models import (
    Asked,
    Event,
    GuestHistory,
    Hold,
    Overview,
    PauseAsked,
    ReleaseAsked,
    ResumeAsked,
    SetAsked,
    Sparklines,
    Why,
)
from ballonet.service.recent import Recent
from ballonet.show.terminal.source import MOST_EVENTS, Frame, Kept
from ballonet.simulator.scenarios import Scenario
from ballonet.simulator.trial import POLICIES, Trial, made, settle
from ballonet.simulator.virtual import Paced, VirtualClock

_Result = TypeVar("_Result")


class Simulation:
    """A scenario that lives on a tick at a time. All calls are made by one thread."""

    def __init__(self, scenario: Scenario, name: str) -> None:
        self._time, self._ticked = Paced(), asyncio.Event()
        self._seen = 0  # the last event's number
        self._service, self._life = self.does(self._begin(Trial(scenario), name))

    async def _begin(self, trial: Trial, name: str) -> "tuple[Service, asyncio.Task[None]]":
        log, clock = Recent(), VirtualClock()
        host = made(trial, clock, log.tell, decide=POLICIES[trial.policy])

        async def live() -> None:
            await settle(trial, host, clock)
            await run(
                host.engine,
                host.ports,
                seconds=trial.scenario.seconds,
                after_tick=lambda _: self._ticked.set(),
            )

        service = Service([Connection(f"sim:{name}", host.world, host.engine)], log)
        return service, asyncio.create_task(live())

    def does(self, does: Coroutine[Any, Any, _Result]) -> _Result:
        """Have the service do something; time passes only if that waits."""
        return self._time.run(does)

    def tick(self) -> tuple[Overview, list[Event]] | None:
        """Let time pass until the next tick; None: the scenario is over."""
        return self.does(self._tick())

    async def _tick(self) -> tuple[Overview, list[Event]] | None:
        self._ticked.clear()
        ticked = asyncio.create_task(self._ticked.wait())
        await asyncio.wait([ticked, self._life], return_when=asyncio.FIRST_COMPLETED)
        if not ticked.done():
            ticked.cancel()
            self._life.result()
            return None
        newer = Question(after_id=self._seen, limit=MOST_EVENTS)
        found = (await self._service.events(newer, None)).events
        self._seen = found[-1].id if found else self._seen
        return self._service.overview(), found

    def why(self, uuid: str) -> Why:
        """Return why a guest has the size that it has now."""
        return self.does(self._service.why(uuid))

    def act(self, body: Asked, who: str) -> list[Hold]:
        """Have something done."""
        return self.does(self._act(body, who))

    async def _act(self, body: Asked, who: str) -> list[Hold]:
        match body:
            case PauseAsked():
                return [await self._service.pause(body, who)]
            case ResumeAsked():
                return (await self._service.resume(body, who)).holds
            case ReleaseAsked():
                return (await self._service.release(body, who)).holds
            case SetAsked():
                return [await self._service.set(body, who)]
            case _:
                raise TypeError(type(body).__name__)

    def close(self) -> None:
        """End it."""
        self._time.close()


class Simulated(Kept):
    """A simulated host; whoever watches says how fast its time passes."""

    paced = True

    def __init__(self, scenario: Scenario, name: str, *, read_only: str = "") -> None:
        super().__init__()
        self.title = f"sim:{name}"
        self.read_only = read_only
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="simulation")
        self._simulation = self._thread.submit(Simulation, scenario, name)

    async def next(self) -> Frame | None:
        """Let it live until its next tick; None when the scenario is over."""
        found = await self._ask(lambda simulation: simulation.tick())
        return None if found is None else self.keep(*found)

    async def why(self, uuid: str) -> Why:
        """Return why a guest has the size that it has now."""
        return await self._ask(lambda simulation: simulation.why(uuid))

    async def history(self, uuid: str, seconds: float, points: int) -> GuestHistory | None:  # noqa: ARG002
        """Return None: all that there is has been seen."""
        return None

    async def sparklines(self, seconds: float, points: int) -> Sparklines | None:  # noqa: ARG002
        """Return None likewise."""
        return None

    async def act(self, kind: type[Asked], **fields: object) -> Sequence[Hold]:
        """Have it done, in the name of whoever watches."""
        body, who = asked(kind, **fields), getpass.getuser()
        return await self._ask(lambda simulation: simulation.act(body, who))

    def _ask(self, does: Callable[[Simulation], _Result]) -> Awaitable[_Result]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._thread, partial(self._do, does))

    def _do(self, does: Callable[[Simulation], _Result]) -> _Result:
        return does(self._simulation.result())

    async def close(self) -> None:
        """End the simulation and its thread."""
        await self._ask(lambda simulation: simulation.close())
        self._thread.shutdown()
