"""Runs side by side on all processors."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

Task = TypeVar("Task")
Found = TypeVar("Found")


def everywhere(
    call: Callable[[Task], Found], tasks: Sequence[Task], done: Callable[[Task], None] = lambda _: None
) -> list[Found]:
    """Return what a function of a module returns for each task, in their order, whichever ran first.

    `done` is called as tasks are finished. Raises what the function raises.
    """
    found: dict[int, Found] = {}
    # Not forked: the libraries below numpy have threads.
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(call, task): index for index, task in enumerate(tasks)}
        for future in as_completed(running):
            found[running[future]] = future.result()
            done(tasks[running[future]])
    return [found[index] for index in range(len(tasks))]
