"""Blocking calls with a deadline: each in a thread of its own, left behind when it does not come back."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from ballonet.errors import DeadlineError, HypervisorError

Result = TypeVar("Result")

# Threads that hang in a call are left to it. So many at once mean that nothing works any more.
MOST_STUCK = 32
# What calls do.
CALLS = ("connecting", "closing", "listing", "reading", "resizing", "setting", "asking", "starting", "ending")


class Threads:
    """Runs blocking calls; a call that hangs costs its caller the deadline and nobody else anything."""

    def __init__(self) -> None:
        self.timeouts = Counter(dict.fromkeys(CALLS, 0))  # calls that got no answer in time
        self._stuck = 0

    async def run(self, call: Callable[[], Result], what: str, deadline_seconds: float) -> Result:
        """Return what the call returns or raise what it raises; `DeadlineError` when the time is over.

        `what` begins with what it does: one of CALLS.
        """
        if self._stuck >= MOST_STUCK:
            raise HypervisorError(
                f"{self._stuck} calls to the hypervisor were never answered",
                hint="look for hung guests, and restart the hypervisor's daemon",
            )
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()
        answer.add_done_callback(_seen)
        threading.Thread(target=_call, args=(call, answer, loop), daemon=True, name=what).start()
        try:
            async with asyncio.timeout(deadline_seconds):
                return await asyncio.shield(answer)
        except TimeoutError as error:
            self._stuck += 1
            self.timeouts[what.partition(" ")[0]] += 1
            answer.add_done_callback(self._unstick)
            raise DeadlineError(
                f"no answer to {what} within {deadline_seconds:g} s",
                hint="a guest, or the hypervisor's daemon, hangs: ballonet doctor",
            ) from error

    def _unstick(self, answer: "asyncio.Future[Result]") -> None:
        del answer
        self._stuck -= 1


def _seen(answer: "asyncio.Future[Result]") -> None:
    """Look at what a call raised: its caller may not wait for it any more, and asyncio would tell of it."""
    if not answer.cancelled():
        answer.exception()


def _call(
    call: Callable[[], Result], answer: "asyncio.Future[Result]", loop: asyncio.AbstractEventLoop
) -> None:
    """Run in the thread: hand the result over to the loop, if there still is one."""
    put: Callable[[], None]
    try:
        result = call()
    except Exception as error:  # noqa: BLE001 - handed over whole, and raised where the call was made
        put = partial(answer.set_exception, error)
    else:
        put = partial(answer.set_result, result)
    try:
        loop.call_soon_threadsafe(lambda: None if answer.done() else put())
    except RuntimeError:
        return  # the loop is closed: the program ends
