"""`run --record`: a trace beside the run. What goes wrong with it is said, and the run goes on."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import typer

from ballonet.simulator.trace import Trace
from ballonet.simulator.trace_file import create, reason


class Recording:
    """A trace that is being written, as long as that works."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = create(path)
        self._works = True

    def take(self, tick: Trace) -> None:
        """Append a tick."""
        if self._works:
            try:
                self._writer.write(tick)
            except OSError as error:
                self._give_up(error)

    def end(self) -> None:
        """End the file, and say what is in it; leave none where nothing was seen."""
        if self._works:
            try:
                self._writer.close()
            except OSError as error:
                self._give_up(error)
        if not self._writer.rows:
            self._path.unlink(missing_ok=True)
        elif self._works:
            typer.echo(f"Recorded        {self._writer.rows} rows, {self._path}")

    def _give_up(self, error: OSError) -> None:
        self._works = False
        with suppress(OSError):
            self._writer.close()
        typer.echo(f"ballonet: {self._path}: {reason(error)}: nothing more is recorded", err=True)
        typer.echo("hint: the run goes on; to record again start it anew with another FILE", err=True)


@contextmanager
def recording(path: Path | None) -> Iterator[Recording | None]:
    """Open the file to record to, if there is one, and end it whatever ends the run; raises as `create`."""
    if path is None:
        yield None
        return
    opened = Recording(path)
    try:
        yield opened
    finally:
        opened.end()
