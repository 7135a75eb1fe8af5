"""The life of a service: the engine's loop, what is remembered over restarts, and the API beside it."""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ballonet.engine.by_hand import Asker
from ballonet.engine.counts import CountedJournal, Counts
from ballonet.engine.engine import Engine, World
from ballonet.engine.limits import LimitsOf
from ballonet.engine.loop import run
from ballonet.engine.ports import ListensToAgents, Wanted, nobody
from ballonet.engine.requests import Requests
from ballonet.errors import BallonetError, HypervisorError, UnreachableError
from ballonet.extras import remedy
from ballonet.facts.address import Address
from ballonet.facts.happening import Happening
from ballonet.facts.plan import Plan
from ballonet.facts.request import ALL, Hold, Lease
from ballonet.policy.settings import Settings
from ballonet.service.claim import Claim
from ballonet.service.connection import Connection
from ballonet.service.facade import Service
from ballonet.service.history import History
from ballonet.service.history_file import HistoryFile
from ballonet.service.keeping import Keeper
from ballonet.service.models import Token
from ballonet.service.notify import Notifier
from ballonet.service.recent import Recent
from ballonet.service.store import Store
from ballonet.service.token import kept_token
from ballonet.units import format_size

if TYPE_CHECKING:
    from ballonet.service.server import Server
    from ballonet.service.web import WebServer


@dataclass(frozen=True, slots=True)
class Rules:
    """What settings come to: what may be read anew while the service runs."""

    law: Settings
    limits: LimitsOf
    enforce: bool
    asks: Wanted = nobody  # whose agents are asked
    release_on_stop: bool = False
    compat_metrics: bool = False


@dataclass(frozen=True, slots=True)
class Ears:
    """Who hears what the service has to say."""

    happening: Callable[[Happening], None]
    word: Callable[[str], None]  # of the service itself
    tick: Callable[[Plan, Engine], None] = lambda _, __: None
    failure: Callable[[HypervisorError], None] = lambda _: None


class Daemon:
    """One service of one hypervisor: made with the store open, it ends with `run`."""

    def __init__(
        self,
        uri: str,
        world: World,
        read: Callable[[], Rules],
        ears: Ears,
        *,
        store: Store | None = None,
        notifier: Notifier | None = None,
        claim: Claim | None = None,
        history: HistoryFile | None = None,
    ) -> None:
        """Read the settings; RefusedError where somebody else resizes these guests and we are to."""
        self.log = Recent() if store is None else store
        self.counts = Counts()
        self._read = read
        self._claim = claim or Claim(())
        self._rules = rules = self._allowed_rules()
        self._ears = ears
        self._world = world
        self._notifier = notifier or Notifier({})
        kept: list[Hold | Lease] = [] if store is None else [*store.holds(), *store.leases()]
        requests = Requests(world.clock, store, kept, given=0 if store is None else store.given())
        self.engine = Engine(
            world,
            rules.law,
            self._tell,
            enforce=rules.enforce,
            limits=rules.limits,
            requests=requests,
            journal=CountedJournal(self.counts, store),
        )
        self.connection = Connection(uri, world.hypervisor, self.engine)
        self.history = History(history, ears.word)
        self.service = Service([self.connection], self.log, self.history, self.counts)
        self.service.compat_metrics = rules.compat_metrics
        self._listen()
        self._keeper = None if store is None else Keeper(store, [self.engine], ears.word)
        if self._keeper is not None:
            self._keeper.recall()
            self.counts.store_writable = True

    async def run(self, servers: "Sequence[Server | WebServer]", *, seconds: float | None = None) -> None:
        """Run until the time is over or it is cancelled; then end in order."""
        try:
            await run(
                self.engine,
                self._world,
                seconds=seconds,
                after_tick=self._ticked,
                on_failure=self._failed,
            )
        finally:
            await self._end(servers)

    def reload(self) -> None:
        """Read the settings again: whole, or not at all, and then those before stay in force."""
        self._notifier.reloading()
        try:
            rules = self._allowed_rules()
        except BallonetError as error:
            self.service.reloaded(error.message)
            self._ears.word(f"settings stay as they were: {error.message}")
        else:
            self._rules = rules
            self.engine.change(rules.law, rules.limits, enforce=rules.enforce)
            self._listen()
            if not rules.enforce:
                self._claim.drop()
            self.service.compat_metrics = rules.compat_metrics
            self.service.reloaded()
            self._ears.word("settings were read again")
        self._notifier.ready(self._status())

    def _allowed_rules(self) -> Rules:
        """Read the settings, and take what enforcing needs; raises `BallonetError` for both."""
        rules = self._read()
        if rules.enforce:
            self._claim.take()
        return rules

    def _listen(self) -> None:
        """Have the agents asked that the settings say."""
        if isinstance(self._world.hypervisor, ListensToAgents):
            self._world.hypervisor.listen(self._rules.asks)

    def _tell(self, happening: Happening) -> None:
        self.counts.heard(happening)
        self._ears.happening(happening)
        self.log.tell(happening)
        self.history.hear(happening)
        if self._keeper is not None:
            self._keeper.hear(happening)

    def _ticked(self, plan: Plan) -> None:
        if self.engine.summary.ticks == 1:
            self._notifier.ready(self._status())
        self._notifier.ticked(self._status())
        self.counts.ticked(plan, self.engine.tick_seconds, self.engine.settings.interval_seconds)
        self._keep()
        self.history.take(plan, self.engine)
        self.service.ticked()
        self._ears.tick(plan, self.engine)

    def _failed(self, error: HypervisorError) -> None:
        """Tell of a tick that could not read its guests, and have it in the events while it lasts."""
        self.counts.failed()
        if isinstance(error, UnreachableError):  # nothing hangs: it waits for as long as that takes
            self._notifier.ticked(f"waiting: {error.message}")
        self._ears.failure(error)
        self._keep()

    def _keep(self) -> None:
        """Write down what happened."""
        if self._keeper is not None:
            self._keeper.ticked()
            self.counts.store_writable = not self._keeper.fails

    async def _end(self, servers: "Sequence[Server | WebServer]") -> None:
        """Stop answering, give memory back where the settings say so, and write down what was learned."""
        self._notifier.stopping("ending")
        self.service.close()
        try:
            await asyncio.gather(*(server.stop() for server in servers))
            if self._rules.release_on_stop and self.engine.writes and self.engine.plan is not None:
                await self.connection.by_hand.give_back(ALL, Asker("on_stop"))
        finally:  # whoever is told twice to end waits for no guest, and still keeps what it learned
            self._claim.drop()
            self.history.end()
            if self._keeper is not None:
                self._keeper.end()

    def _status(self) -> str:
        """Return one line for `systemctl status`."""
        plan = self.engine.plan
        mode = "enforce" if self.engine.enforces else "observe"
        if plan is None:
            return f"{mode}, no guest was looked at yet"
        paused = ", paused" if self.engine.requests.paused else ""
        free = format_size(max(0.0, plan.free))
        guests = "1 guest" if len(plan.snapshot) == 1 else f"{len(plan.snapshot)} guests"
        return f"{guests}, {free} free, {mode}{paused}"


async def listen(service: Service, path: Path, *, group: str | None = None) -> "Server":
    """Return a server that answers on this socket; raises `BallonetError` where that cannot be."""
    with _installed():  # 6 MB of memory that a run without a socket does without
        from ballonet.service.api import make_app  # noqa: PLC0415
        from ballonet.service.server import Server  # noqa: PLC0415
    server = Server(make_app(service), path, group=group)
    await server.start()
    return server


async def open_web(
    service: Service, address: Address, token_directory: Path | None, *, group: str | None = None
) -> "WebServer":
    """Return a server that answers this host on TCP; raises `BallonetError` where that cannot be.

    The token that changes need is kept in a directory, for a group to read.
    """
    with _installed():
        from ballonet.service.api import make_app  # noqa: PLC0415
        from ballonet.service.server import group_id  # noqa: PLC0415
        from ballonet.service.web import WebServer  # noqa: PLC0415
    token = kept_token(token_directory, os.getegid() if group is None else group_id(group))
    server = WebServer(make_app(service), address, token)
    await server.start()
    service.opened(Token(address=str(server.address), token=token))
    return server


@contextmanager
def _installed() -> Iterator[None]:
    """Raise `BallonetError` where what answering needs is not there to be imported."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise BallonetError(
            f"answering needs {error.name}, which is not installed", hint=remedy("service")
        ) from error
