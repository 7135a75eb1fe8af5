"""Calls that hang cost their caller the deadline, and nobody else anything."""

import asyncio
import gc
import threading

import pytest

from ballonet.errors import DeadlineError, HypervisorError
from ballonet.hypervisor.threads import CALLS, MOST_STUCK, Threads


async def test_results_and_errors_come_back_as_they_are() -> None:
    threads = Threads()
    assert 42 == await threads.run(lambda: 42, "counting", 5.0)
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0, "dividing", 5.0)


async def test_others_go_on_while_one_hangs_and_the_hung_are_bounded() -> None:
    threads, release = Threads(), threading.Event()
    for _ in range(MOST_STUCK):
        with pytest.raises(DeadlineError, match="no answer to hanging") as late:
            await threads.run(release.wait, "hanging", 0.001)
    assert late.value.hint
    with pytest.raises(HypervisorError, match=f"{MOST_STUCK} calls"):
        await threads.run(lambda: 42, "counting", 5.0)
    release.set()
    async with asyncio.timeout(60):
        while True:
            try:
                assert 42 == await threads.run(lambda: 42, "counting", 5.0)
            except HypervisorError:
                await asyncio.sleep(0)  # the threads are on their way back
            else:
                break


async def test_calls_without_an_answer_are_counted_by_what_they_were_to_do() -> None:
    threads, release = Threads(), threading.Event()
    for what in ("reading all guests", "reading web", "resizing web"):
        with pytest.raises(DeadlineError):
            await threads.run(release.wait, what, 0.001)
    release.set()
    assert {"reading": 2, "resizing": 1} == {
        doing: count for doing, count in threads.timeouts.items() if count
    }
    assert set(CALLS) == set(threads.timeouts)


@pytest.mark.parametrize("waits", ["until its deadline", "until it is cancelled"])
async def test_a_call_that_fails_when_nobody_waits_for_it_any_more_disturbs_nobody(waits: str) -> None:
    threads, release, told = Threads(), threading.Event(), list[str]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))

    def fail_late() -> None:
        release.wait()
        raise OSError

    deadline_seconds = 0.001 if waits == "until its deadline" else 60.0
    call = asyncio.create_task(threads.run(fail_late, "failing", deadline_seconds))
    await asyncio.sleep(0)
    if deadline_seconds > 1:
        call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    thread = next(thread for thread in threading.enumerate() if thread.name == "failing")
    release.set()
    thread.join()
    await asyncio.sleep(0.01)
    del call
    gc.collect()  # what nobody looked at is told of when it goes

    assert [] == told
    assert 42 == await threads.run(lambda: 42, "counting", 5.0)
