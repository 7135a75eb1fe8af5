"""Several hypervisors of one host as one, so that all their guests share one budget."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from ballonet.engine.ports import (
    CountsTimeouts,
    Event,
    EventKind,
    HasTroubles,
    Hypervisor,
    HypervisorFacts,
    KnowsProcesses,
    ListensToAgents,
    Wanted,
)
from ballonet.errors import BallonetError, HypervisorError, NoSuchGuestError, RefusedError, UsageError
from ballonet.facts.agent import Heard
from ballonet.facts.guest import Guest, State

UNANSWERED = "no answer"  # the job of guests whose hypervisor did not answer: they still hold what they did
# How much later than the first the others may answer: a bulk read takes some 10 ms, and 0.6 s where a job
# holds a guest. Whoever hangs, or is being connected to, is asked on, and heard at a later look.
PATIENCE_SECONDS = 1.0


class SeveralHypervisors:
    """Reads and resizes guests wherever they are; one hypervisor that fails costs its own guests only.

    Of guests with the same UUID only one is ever shown and resized, so that no change can go to the wrong
    one: it is one that runs, the same as before if that can be, else that of the hypervisor named first.
    """

    def __init__(self, hypervisors: Mapping[str, Hypervisor]) -> None:
        """Take hypervisors by URI."""
        if not hypervisors:
            raise UsageError("no hypervisor is named", hint="name one: qemu:///system")
        self.unanswered: tuple[str, ...] = ()  # the URIs of those that did not answer the last look
        self._hypervisors = dict(hypervisors)
        self._asked: dict[tuple[str, bool], asyncio.Task[list[Guest]]] = {}  # by URI, and if inactive, too
        self._seen: dict[str, list[Guest]] = {uri: [] for uri in hypervisors}  # as last read, of each
        self._owner: dict[str, str] = {}  # the URI by UUID
        self._twins: dict[tuple[str, str], tuple[str, str]] = {}  # name and text, by URI and UUID
        self._listeners: list[asyncio.Queue[Event | None]] = []

    @property
    def twins(self) -> Sequence[str]:
        """Return what is to be told of each guest that is left out for its UUID."""
        return [f"{name} is {text}" for name, text in self._twins.values()]

    @property
    def timeouts(self) -> Mapping[str, int]:
        """Return how many calls got no answer in time, of all, by what they were to do."""
        known = [each.timeouts for each in self._hypervisors.values() if isinstance(each, CountsTimeouts)]
        return {doing: sum(each.get(doing, 0) for each in known) for each in known for doing in each}

    @property
    def processes(self) -> Mapping[str, int]:
        """Return the processes of guests by UUID, of those hypervisors that know them."""
        known = {
            uri: each.processes for uri, each in self._hypervisors.items() if isinstance(each, KnowsProcesses)
        }
        return {
            uuid: process
            for uri, processes in known.items()
            for uuid, process in processes.items()
            if self._owner.get(uuid) == uri
        }

    @property
    def troubles(self) -> Sequence[BallonetError]:
        """Return why single guests cannot be asked, of all."""
        known = [each for each in self._hypervisors.values() if isinstance(each, HasTroubles)]
        return [trouble for each in known for trouble in each.troubles]

    def uri_of(self, uuid: str) -> str:
        """Return the URI of the hypervisor where a guest was seen last; "" where it was not."""
        return self._owner.get(uuid, "")

    async def guests(self, *, inactive: bool = False) -> list[Guest]:
        """Return the guests of all by name, those of one that fails or is late as they were, and busy.

        Raises a failure if all fail.
        """
        found = await self._answers(inactive=inactive)
        failures = [each for each in found.values() if isinstance(each, BaseException)]
        for failure in failures:
            if not isinstance(failure, BallonetError):
                raise failure
        if len(failures) == len(self._hypervisors):  # first what may pass by itself, if anything may
            raise next((each for each in failures if isinstance(each, HypervisorError)), failures[0])
        for uri, before in self._seen.items():
            answer = found.get(uri)
            if isinstance(answer, list):
                self._seen[uri] = [replace(guest, hypervisor=uri) for guest in answer]
            else:
                self._seen[uri] = [replace(guest, job=UNANSWERED) for guest in before]
        self.unanswered = tuple(uri for uri in self._seen if not isinstance(found.get(uri), list))
        self._settle()
        shown = (
            guest for uri, all_ in self._seen.items() for guest in all_ if self._owner[guest.uuid] == uri
        )
        return sorted(shown, key=lambda guest: guest.name)

    async def _answers(self, *, inactive: bool) -> dict[str, list[Guest] | BaseException]:
        """Ask all; return what each says, or why it does not, soon after the first said something."""
        asked = self._asked
        late = set(asked.values())  # since an earlier look: nobody is patient twice
        for uri, hypervisor in self._hypervisors.items():
            if (uri, inactive) not in asked:
                asked[uri, inactive] = asyncio.create_task(hypervisor.guests(inactive=inactive))
        tasks = {uri: asked[uri, inactive] for uri in self._hypervisors}
        waiting = set(tasks.values())
        while waiting and not any(task.done() and not task.exception() for task in tasks.values()):
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if waiting - late:
            await asyncio.wait(waiting - late, timeout=PATIENCE_SECONDS)
        done = {uri: task for uri, task in tasks.items() if task.done()}
        for uri in done:
            del asked[uri, inactive]
        return {uri: task.exception() or task.result() for uri, task in done.items()}

    def _settle(self) -> None:
        """Find out which guest of each UUID is meant, and tell once of each that is left out."""
        before, self._owner = self._owner, {}
        meant: dict[str, tuple[bool, bool]] = {}
        rows = [(uri, guest) for uri, guests in self._seen.items() for guest in guests]
        for uri, guest in rows:
            rank = (guest.state is not State.SHUT_OFF, before.get(guest.uuid) == uri)
            if guest.uuid not in meant or rank > meant[guest.uuid]:
                meant[guest.uuid], self._owner[guest.uuid] = rank, uri
        twins = {
            (uri, guest.uuid): (guest.name, f"left alone at {uri}: {owner} has a guest of the same UUID")
            for uri, guest in rows
            if (owner := self._owner[guest.uuid]) != uri
        }
        for uri, uuid in twins.keys() - self._twins.keys():
            name, text = twins[uri, uuid]
            self._tell(Event(EventKind.TWIN, uuid, name, text=text))
        self._twins = twins

    async def guest(self, reference: str) -> Guest:
        """Return one guest by name, UUID or id, wherever it is.

        Raises UsageError where several are meant, and the failure of a hypervisor that does not answer
        where that might have another guest of this name.
        """
        owner = self._owner.get(reference)
        if owner is not None:
            with suppress(NoSuchGuestError):
                return replace(await self._hypervisors[owner].guest(reference), hypervisor=owner)
        answers = await asyncio.gather(
            *(hypervisor.guest(reference) for hypervisor in self._hypervisors.values()),
            return_exceptions=True,
        )
        found, errors = dict[str, Guest](), list[BaseException]()
        for uri, answer in zip(self._hypervisors, answers, strict=True):
            if isinstance(answer, BaseException):
                errors.append(answer)
            else:
                found[uri] = replace(answer, hypervisor=uri)
        failures = [error for error in errors if not isinstance(error, NoSuchGuestError)]
        if len(found) > 1:
            raise _ambiguous(reference, found)
        if not found or (failures and reference not in {guest.uuid for guest in found.values()}):
            raise (failures or errors)[0]
        [(uri, guest)] = found.items()
        self._owner[guest.uuid] = uri
        return guest

    async def resize(
        self,
        uuid: str,
        size_bytes: int,
        *,
        live: bool = True,
        config: bool = False,
        from_bytes: int | None = None,
    ) -> None:
        """Ask the guest to get to this size, where it is."""
        hypervisor = await self._at(uuid)
        await hypervisor.resize(uuid, size_bytes, live=live, config=config, from_bytes=from_bytes)

    async def set_maximum(self, uuid: str, size_bytes: int) -> None:
        """Store the boot-time maximum, where the guest is."""
        await (await self._at(uuid)).set_maximum(uuid, size_bytes)

    async def set_period(self, uuid: str, seconds: int, *, live: bool = True, config: bool = False) -> None:
        """Set how often the guest is asked for its statistics, where it is."""
        await (await self._at(uuid)).set_period(uuid, seconds, live=live, config=config)

    async def refresh(self, uuid: str) -> None:
        """Ask the guest for its statistics now, where it is."""
        await (await self._at(uuid)).refresh(uuid)

    def listen(self, to: Wanted) -> None:
        """From now on ask the agents of these guests, wherever they are."""
        for hypervisor in self._hypervisors.values():
            if isinstance(hypervisor, ListensToAgents):
                hypervisor.listen(to)

    async def hear(self, uuid: str) -> Heard:
        """Return what the agent in a guest tells now, where it is."""
        hypervisor = await self._at(uuid)
        if not isinstance(hypervisor, ListensToAgents):
            raise RefusedError(
                "no agent can be asked there", hint="ask one of a guest of libvirt's or QEMU's"
            )
        return await hypervisor.hear(uuid)

    def events(self) -> AsyncIterator[Event]:
        """Yield what happens anywhere from now on, until all are closed."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._listeners.append(queue)
        return self._merged([hypervisor.events() for hypervisor in self._hypervisors.values()], queue)

    async def facts(self) -> HypervisorFacts:
        """Return what all of them are together: local if all are, as their processes must be readable."""
        facts = [await hypervisor.facts() for hypervisor in self._hypervisors.values()]
        return HypervisorFacts(
            " ".join(self._hypervisors),
            read_only=any(each.read_only for each in facts),
            local=all(each.local for each in facts),
        )

    async def close(self) -> None:
        """End all connections, whatever one of them says."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)
        ended = await asyncio.gather(
            *(hypervisor.close() for hypervisor in self._hypervisors.values()), return_exceptions=True
        )
        for each in ended:
            if isinstance(each, BaseException):
                raise each

    async def _at(self, uuid: str) -> Hypervisor:
        """Return where a guest was seen last, or is; raises `NoSuchGuestError`."""
        if uuid not in self._owner:
            await self.guest(uuid)
        return self._hypervisors[self._owner[uuid]]

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            listener.put_nowait(event)

    async def _merged(
        self, sources: Sequence[AsyncIterator[Event]], queue: "asyncio.Queue[Event | None]"
    ) -> AsyncIterator[Event]:
        """Yield the events of all sources and our own as they come, until each of them has ended."""

        async def forward(source: AsyncIterator[Event]) -> None:
            async for event in source:
                queue.put_nowait(event)
            queue.put_nowait(None)

        forwarding = [asyncio.create_task(forward(source)) for source in sources]
        try:
            for _ in forwarding:
                while (event := await queue.get()) is not None:
                    yield event
        finally:
            self._listeners.remove(queue)
            for task in forwarding:
                task.cancel()
            await asyncio.gather(*forwarding, return_exceptions=True)


def _ambiguous(reference: str, found: Mapping[str, Guest]) -> UsageError:
    """Return the refusal to choose among guests of several hypervisors."""
    if len({guest.uuid for guest in found.values()}) == 1:
        hint = "name one hypervisor by -c; and give one of the two a UUID of its own"
    else:
        hint = f"name one by its UUID: {', '.join(guest.uuid for guest in found.values())}; or one -c"
    return UsageError(f"{len(found)} guests are meant by {reference!r}: at {', '.join(found)}", hint=hint)
