"""Signals to a command that runs until it is told to end."""

import asyncio
import signal
from collections.abc import Callable
from typing import Any

ENDING = (signal.SIGINT, signal.SIGTERM)


def end_in_order(task: "asyncio.Task[Any]", reload: Callable[[], object] | None = None) -> None:
    """Let SIGINT and SIGTERM cancel a task and SIGHUP reload; once it is done, let none of them do anything.

    Not `loop.add_signal_handler`: the loop takes its handlers away as it closes, and the interpreter those of
    Python as it ends, and whoever is told twice to end would then be killed although it ended in order.
    Only what is ignored stays so until the process is gone.
    """
    loop = asyncio.get_running_loop()
    answers: dict[signal.Signals, Callable[[], object]] = dict.fromkeys(ENDING, task.cancel)
    if reload is not None:
        answers[signal.SIGHUP] = reload

    def answer(number: int, _: object) -> None:
        loop.call_soon_threadsafe(answers[signal.Signals(number)])

    def ignore(_: object) -> None:
        for number in answers:
            signal.signal(number, signal.SIG_IGN)

    for number in answers:
        signal.signal(number, answer)
    task.add_done_callback(ignore)
