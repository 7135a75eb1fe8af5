"""Seek the first seed that shows each planted bug: `python tests/torture/seek.py [BUG ...]`."""

import sys
from itertools import count

import pytest
from planted import BUGS

from ballonet.torture.run import Task, lived

MOST_SEEDS = 2000


def main(names: list[str]) -> None:
    for name in names or BUGS:
        for seed in count() if len(names) == 1 else range(MOST_SEEDS):
            with pytest.MonkeyPatch.context() as patch:
                BUGS[name](patch)
                failure = lived(Task(seed)).failure
            if failure is not None:
                print(f'"{name}": ({seed}, "{failure.promise}"),  # {failure.text}', flush=True)  # noqa: T201
                break
        else:
            print(f"{name}: not found in {MOST_SEEDS} seeds", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
