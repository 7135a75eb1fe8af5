"""What happens to guests and to their service in a soak, by chance: each fault begins, and ends by itself."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from random import Random
from threading import Timer

from life import Life
from subjects import Machine
from watcher import Watcher

from ballonet.errors import BallonetError
from ballonet.lab import reaper
from ballonet.lab.lab import turn_driver
from ballonet.units import MIB

# What guests want together leaves room within the budget: what would not fit is another trial.
SHARED_ANON_MIB = 40
RESET_SECONDS = 60.0  # until a guest that was reset takes schedules again, on a busy machine


class Faults:
    """Interferes with guests and service; `done` counts with what."""

    def __init__(self, machine: Machine, life: Life, watcher: Watcher, random: Random) -> None:
        self.done: Counter[str] = Counter()
        self.failed: list[str] = []  # words to a guest that it did not take
        self._machine, self._life, self._watcher, self._random = machine, life, watcher, random
        self._names = sorted(machine.lab.uuids)
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._busy: dict[str, float] = {}  # guests that something is done to, until when
        self._frozen: set[str] = set()
        self._unloaded: set[str] = set()
        # A guest's port takes one client at a time; who waits for a slow guest must not hold up all else.
        self._words = ThreadPoolExecutor(max_workers=1)
        self._said: list[Future[None]] = []

    # --- the course of things -----------------------------------------------------------------------

    def strike(self) -> str:
        """Do something, and return what; it ends by itself later."""
        kinds: list[tuple[int, Callable[[], str]]] = [
            (3, self._reset),
            (3, self._freeze),
            (2, self._unload),
            (3, self._foreign),
            (2, self._kill_service),
            (1, self._kill_libvirtd),
            (2, self._pause),
            (2, self._set),
            (1, self._release),
            (2, self._room),
        ]
        (_, kind) = self._random.choices(kinds, [weight for weight, _ in kinds])[0]
        what = kind()
        self.done[what.split()[0]] += 1
        return what

    def load(self) -> None:
        """Give every guest that can take it something else to do."""
        for name in self._names:
            anon = self._random.randint(5, 2 * SHARED_ANON_MIB)
            files = self._random.choice([0, 0, 40, 120])
            speed = self._random.choice([20, 60, 200])
            self._say(
                name,
                f"at 0 anon_mib={anon} hot_mib={anon} rate=20 touches=8 grow_mib_s={speed}"
                f" file_mib={files} reads={4 if files else 0}",
            )

    def rest(self) -> None:
        """End all that is under way, and let guests want little."""
        while self._later:
            self._later.sort(key=lambda each: each[0])
            self._later.pop(0)[1]()
        if not self._life.runs:
            self._life.start()
        for name in self._names:
            self._life.ask("resume", name)
            self._say(name, "at 0 anon_mib=10 hot_mib=10 rate=10 touches=4")
        self._life.ask("resume")

    def end_what_is_due(self) -> None:
        """End faults whose time is over, and see whether guests took what they were told."""
        now = time.monotonic()
        due = [each for each in self._later if each[0] <= now]
        self._later = [each for each in self._later if each[0] > now]
        for _, ends in due:
            ends()
        for said in [each for each in self._said if each.done()]:
            self._said.remove(said)
            error = said.exception()
            if isinstance(error, BallonetError):
                self.failed.append(str(error))
            elif error is not None:
                raise error

    def is_left_alone(self, name: str, seconds: float) -> bool:
        """Return whether nothing was done to a guest for so long."""
        return time.monotonic() - self._busy.get(name, 0.0) > seconds

    def close(self) -> None:
        """Wait for no more words."""
        self._words.shutdown(wait=True, cancel_futures=True)

    def _after(self, low: float, high: float, ends: Callable[[], None]) -> float:
        seconds = self._random.uniform(low, high)
        self._later.append((time.monotonic() + seconds, ends))
        return seconds

    def _say(self, name: str, schedule: str) -> None:
        if name not in self._frozen and self.is_left_alone(name, 0.0):
            self._said.append(self._words.submit(self._machine.load, name, schedule))

    def _one(self, seconds: float) -> str:
        """Return a guest that will be busy for so long."""
        able = [name for name in self._names if name not in self._frozen | self._unloaded]
        name = self._random.choice(able or self._names)
        self._busy[name] = time.monotonic() + seconds
        return name

    # --- guests -------------------------------------------------------------------------------------

    def _reset(self) -> str:
        name = self._one(RESET_SECONDS)
        self._machine.daemon.virsh("reset", name)
        self._unloaded.discard(name)
        return f"reset of {name}"

    def _freeze(self) -> str:
        name = self._one(10.0)
        (process,) = reaper.processes({self._machine.lab.uuids[name]})
        os.kill(process, signal.SIGSTOP)
        self._frozen.add(name)

        def thaw() -> None:
            os.kill(process, signal.SIGCONT)
            self._frozen.discard(name)

        # Not in the course of things: whoever looks at guests waits for this one meanwhile.
        seconds = self._random.uniform(1.0, 8.0)
        timer = Timer(seconds, thaw)
        timer.start()
        self._later.append((time.monotonic() + seconds, timer.join))
        return f"freeze of {name} for {seconds:.0f} s"

    def _unload(self) -> str:
        name = self._one(60.0)
        self._unloaded.add(name)
        self._said.append(self._words.submit(self._turn, name, on=False))

        def again() -> None:
            if name in self._unloaded:  # a reset loads it, too
                self._said.append(self._words.submit(self._turn, name, on=True))
                self._unloaded.discard(name)

        return f"unload of {name}'s driver for {self._after(5.0, 45.0, again):.0f} s"

    def _turn(self, name: str, *, on: bool) -> None:
        asyncio.run(turn_driver(self._machine.lab.directory, name, on=on))

    def _foreign(self) -> str:
        name = self._one(70.0)
        size = self._size(name)
        self._watcher.given(name, size)
        self._machine.daemon.virsh("setmem", name, f"{size}b", "--live")
        return f"setmem of {name} to {size // MIB} MiB"

    def _size(self, name: str) -> int:
        floor, maximum = self._watcher.floor_bytes, self._watcher.maxima[name]
        return self._random.randrange(floor, maximum, MIB)

    # --- the service --------------------------------------------------------------------------------

    def _kill_service(self) -> str:
        if not self._life.runs:
            return "nothing"
        self._life.kill()
        return f"kill of the service for {self._after(0.0, 8.0, self._life.start):.0f} s"

    def _kill_libvirtd(self) -> str:
        self._machine.daemon.kill()
        time.sleep(self._random.uniform(0.0, 3.0))
        self._machine.daemon.start()
        return "libvirtd killed and started"

    # --- people -------------------------------------------------------------------------------------

    def _pause(self) -> str:
        name = self._random.choice([*self._names, ""])
        self._life.ask("pause", *([name] if name else []), "--for", f"{self._random.randint(3, 20)}s")
        return f"pause of {name or 'everybody'}"

    def _set(self) -> str:
        name = self._one(30.0)
        size = self._size(name)
        self._life.ask("set", name, f"{size}B", "--for", f"{self._random.randint(3, 20)}s")
        return f"set of {name} to {size // MIB} MiB"

    def _release(self) -> str:
        name = self._one(30.0)
        self._life.ask("release", name)
        self._after(5.0, 20.0, lambda: self._life.ask("resume", name))
        return f"release of {name}"

    def _room(self) -> str:
        size = self._random.randint(8, 64)
        self._life.ask("make-room", f"{size}MiB", "--timeout", "20s", "--hold", "15s")
        return f"make-room of {size} MiB"
