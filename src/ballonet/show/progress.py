"""The way from one size to another, as a bar on standard error."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from ballonet.show.words import size


class _Shown:
    """What is shown while it is entered."""

    _bars: Bars

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()


class Progress(_Shown):
    """A bar that follows `actual`; nothing where standard error is no terminal or nobody wants it."""

    def __init__(self, name: str, start_bytes: int | None, goal_bytes: int, *, shown: bool) -> None:
        console = Console(stderr=True)
        self._start, self._goal = start_bytes, goal_bytes
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[actual]} \N{RIGHTWARDS ARROW} " + size(goal_bytes), markup=False),
            TimeElapsedColumn(),
            console=console,
            disable=not (shown and console.is_terminal),
            transient=True,
        )
        self._task = self._bars.add_task(
            name, total=abs(goal_bytes - (start_bytes or 0)) or 1, actual=size(start_bytes)
        )

    def advance(self, actual_bytes: int) -> None:
        """Show that the guest is at this size now."""
        way = abs(actual_bytes - (self._start or 0))
        self._bars.update(self._task, completed=way, actual=size(actual_bytes))


class Steps(_Shown):
    """A bar of so many steps, with the name of the last one done; nothing where nobody would see it."""

    def __init__(self, total: int, unit: str) -> None:
        console = Console(stderr=True)
        self._bars = Bars(
            BarColumn(),
            TextColumn(f"{{task.completed}} of {total} {unit}  {{task.description}}", markup=False),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bars.add_task("", total=total)

    def done(self, name: str) -> None:
        """Show that this one is done."""
        self._bars.update(self._task, advance=1, description=name)
