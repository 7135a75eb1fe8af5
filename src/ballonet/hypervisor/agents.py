"""Asking the agents in guests: beside all else, so that one that hangs costs what it would have told."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from ballonet.engine.ports import Wanted
from ballonet.errors import BallonetError, DeadlineError
from ballonet.facts.agent import Heard
from ballonet.facts.guest import Guest, State
from ballonet.hypervisor.agent import Ask, Way, listen, probe, since

Line: TypeAlias = AbstractAsyncContextManager[Ask]
"""The way to one agent, for as long as one question takes; raises `BallonetError` where there is none."""

ASK_SECONDS: Final = 1.5  # between two questions to one guest: each tick of 2 s asks, each second one of 1 s
# For all that is asked of one guest. A guest that thrashes answers late, and that is when it matters.
DEADLINE_SECONDS: Final = 5.0
# A share of waiting is of now where it is of no more time than this.
LONGEST_SECONDS: Final = 10.0
FORGOTTEN_SECONDS: Final = 60.0  # what is older is not even shown any more
PAUSE_SECONDS: Final = 10.0  # after a failure, and twice as long after each further one, up to the next
LONGEST_PAUSE_SECONDS: Final = 300.0


@dataclass(slots=True)
class _Agent:
    """What is known of one."""

    run: int | None  # the id of this run of its guest
    way: Way | None = None
    heard: Heard | None = None
    due: float = 0.0  # monotonic seconds
    pause_seconds: float = PAUSE_SECONDS
    task: asyncio.Task[None] | None = None


class Agents:
    """Keeps what agents told last; those whose turn it is are asked meanwhile."""

    def __init__(self, line: Callable[[str], Line], *, at_once: int, new_at_once: int) -> None:
        """Take what leads to the agent of a guest by its UUID, and how many may be asked at the same time.

        Those that answered before are counted apart from the others, which may hang: they keep no known one
        waiting.
        """
        self._line = line
        self._agents: dict[str, _Agent] = {}
        self._known, self._unknown = asyncio.Semaphore(at_once), asyncio.Semaphore(new_at_once)

    def hear(self, guests: Sequence[Guest], wanted: Wanted) -> list[Guest]:
        """Return guests with what those that are wanted told last, and have them asked again; never waits."""
        before, self._agents = self._agents, {}
        for guest in guests:
            if guest.channel is None or not wanted(guest):
                continue
            agent = before.pop(guest.uuid, None)
            if agent is None or agent.run != guest.id:
                _stop(agent)
                agent = _Agent(guest.id)
            self._agents[guest.uuid] = agent
            idle = agent.task is None or agent.task.done()
            # A job may hold the guest's agent, too, as a frozen file system does.
            able = guest.state is State.RUNNING and guest.job is None
            if able and idle and time.monotonic() >= agent.due:
                agent.task = asyncio.create_task(self._ask(guest.uuid, agent))
        for agent in before.values():
            _stop(agent)
        return [self._with_heard(guest) for guest in guests]

    async def close(self) -> None:
        """Ask nobody any more."""
        tasks = [agent.task for agent in self._agents.values() if agent.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._agents.clear()

    def _with_heard(self, guest: Guest) -> Guest:
        agent = self._agents.get(guest.uuid)
        if agent is None or agent.heard is None or guest.read_at - agent.heard.at > FORGOTTEN_SECONDS:
            return guest
        return replace(guest, heard=agent.heard, pressure_ratio=agent.heard.pressure_ratio)

    async def _ask(self, uuid: str, agent: _Agent) -> None:
        async with self._known if agent.way else self._unknown:
            begun = time.monotonic()
            try:
                heard, agent.way = await hear(self._line(uuid), agent.way)
            except BallonetError:
                # It is gone, hangs, or may not tell: what it allows is looked at anew the next time.
                agent.way = None
                agent.due = time.monotonic() + agent.pause_seconds
                agent.pause_seconds = min(2.0 * agent.pause_seconds, LONGEST_PAUSE_SECONDS)
                return
        agent.heard = since(heard, agent.heard, LONGEST_SECONDS)
        agent.due, agent.pause_seconds = begun + ASK_SECONDS, PAUSE_SECONDS


async def hear(line: Line, way: Way | None = None) -> tuple[Heard, Way]:
    """Return what one agent tells, and how it was asked; raises `BallonetError`, for its deadline too."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS), line as ask:
            way = way or await probe(ask)
            return await listen(ask, way), way
    except TimeoutError as error:
        raise DeadlineError(
            f"its agent did not tell within {DEADLINE_SECONDS:g} s",
            hint="in the guest: systemctl status qemu-guest-agent",
        ) from error


def _stop(agent: _Agent | None) -> None:
    if agent is not None and agent.task is not None:
        agent.task.cancel()
