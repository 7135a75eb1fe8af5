"""People who want something of the service, through the same door as the API's handlers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from ballonet.errors import BallonetError
from ballonet.service.facade import Service
from ballonet.service.models import PauseAsked, ReleaseAsked, ResumeAsked, RoomAsked, SetAsked
from ballonet.torture.checker import Checker
from ballonet.torture.clock import TroubledClock
from ballonet.torture.course import Wish
from ballonet.torture.record import Record
from ballonet.units import MIB

WHO = "anna"
_LONGEST_SECONDS = 240.0
_FOR_EVER = float("inf")


class People:
    """Ask one service; what was granted, the checker is told of."""

    def __init__(
        self,
        service: Service,
        checker: Checker,
        clock: TroubledClock,
        record: Record,
        maxima: Mapping[str, int],
    ) -> None:
        self._service = service
        self._checker = checker
        self._clock = clock
        self._record = record
        self._maxima = maxima
        self._do: dict[str, Callable[[Wish], Awaitable[None]]] = {
            "pause": self._pause,
            "pause all": self._pause,
            "resume": self._resume,
            "resume all": self._resume,
            "set": self._set,
            "release": self._release,
            "release all": self._release,
            "room": self._room,
            "drop": self._drop,
        }

    async def want(self, wish: Wish) -> None:
        """Have one wish fulfilled, or refused in words; anything else is a crash."""
        self._record.note(f"wish {wish.word} {wish.guest}")
        try:
            await self._do[wish.word](wish)
        except BallonetError as error:
            self._record.note(f"refused {wish.word}: {type(error).__name__}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the service should have said it in words
            self._checker.fail("crash", wish.guest, f"{wish.word}: {error!r}")

    def _held(self, name: str) -> list[str]:
        """Return the UUIDs of that name that are held."""
        return [uuid for uuid in self._checker.holds if uuid.partition("~")[0].endswith(f"-{name}")]

    def _seconds(self, wish: Wish) -> float:
        return 5.0 + _LONGEST_SECONDS * wish.choice

    async def _pause(self, wish: Wish) -> None:
        seconds, began = self._seconds(wish), self._clock.time()
        guest = None if wish.word == "pause all" else wish.guest
        hold = await self._service.pause(PauseAsked(guest=guest, for_seconds=seconds), WHO)
        self._checker.holds[hold.uuid or ""] = began + seconds

    async def _resume(self, wish: Wish) -> None:
        if wish.word == "resume all":
            self._checker.holds.pop("", None)
            await self._service.resume(ResumeAsked(guest=None), WHO)
            return
        for uuid in self._held(wish.guest):
            del self._checker.holds[uuid]
        await self._service.resume(ResumeAsked(guest=wish.guest), WHO)

    async def _set(self, wish: Wish) -> None:
        seconds, began = self._seconds(wish), self._clock.time()
        size = int(self._maxima[wish.guest] * (0.02 + 1.05 * wish.share))
        asked = SetAsked(guest=wish.guest, size_bytes=size, for_seconds=seconds)
        try:
            hold = await self._service.set(asked, WHO)
        except asyncio.CancelledError:
            # The service was killed meanwhile: whether this took the place of a hold before it, nobody knows.
            for uuid in self._held(wish.guest):
                self._checker.holds[uuid] = min(self._checker.holds[uuid], began + seconds)
            raise
        self._checker.holds[hold.uuid or ""] = began + seconds

    async def _release(self, wish: Wish) -> None:
        everybody = wish.word == "release all"
        asked = ReleaseAsked(guest=None if everybody else wish.guest, all=everybody)
        for hold in (await self._service.release(asked, WHO)).holds:
            self._checker.holds[hold.uuid or ""] = _FOR_EVER

    async def _room(self, wish: Wish) -> None:
        size, seconds = int((16 + 1500 * wish.share) * MIB), 20.0 + 60.0 * wish.choice
        whose = wish.guest if wish.choice < 0.5 else None
        asked = RoomAsked(size_bytes=size, timeout_seconds=20.0, hold_seconds=seconds, guest=whose)
        began = self._clock.time()
        lease = await self._service.make_room(asked, WHO)
        self._checker.leases[lease.id] = size, began + seconds, whose or ""

    async def _drop(self, wish: Wish) -> None:
        known = sorted(self._checker.leases)
        lease = known[int(wish.choice * len(known))] if known else "lease-99"
        self._checker.leases.pop(lease, None)
        self._service.drop_room(lease)
