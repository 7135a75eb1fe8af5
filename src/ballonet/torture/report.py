"""What became of seeds under torture: a line of figures, and of each broken promise all that is known."""

from collections.abc import Sequence
from dataclasses import asdict

from ballonet.show.document import document
from ballonet.torture.run import Result

MOST_FAILURES = 10  # so many say enough


def torture_text(results: Sequence[Result]) -> str:
    """Return the figures, and what failed."""
    hours = sum(result.task.hours for result in results)
    troubles = sum(result.troubles for result in results)
    resizes = sum(result.done.grows + result.done.shrinks for result in results)
    failed = [result for result in results if result.failure is not None]
    figures = (
        f"{len(results)} seeds, {hours:g} hours, {sum(result.restarts for result in results)} restarts, "
        f"{troubles} troubles, {sum(result.done.looks for result in results)} ticks, {resizes} resizes: "
        f"{len(failed)} broke a promise"
    )
    return "\n\n".join([*map(failure_text, failed[:MOST_FAILURES]), figures])


def failure_text(result: Result) -> str:
    """Return what was broken when, the end of the event log, and how to see it again."""
    failure = result.failure
    if failure is None:
        return ""
    whose = f" ({failure.guest})" if failure.guest else ""
    return "\n".join(
        [
            *failure.lines,
            f"seed {result.task.seed}: {failure.promise} at {failure.at:.3f} s{whose}: {failure.text}",
            f"again: ballonet sim torture --seed {result.task.seed} --hours {result.task.hours:g}",
        ]
    )


def torture_document(results: Sequence[Result]) -> str:
    """Return all of it as JSON."""
    return document(
        runs=[
            {
                "seed": result.task.seed,
                "hours": result.task.hours,
                "log_digest": result.digest,
                "log_lines": result.lines,
                "troubles": result.troubles,
                "restarts": result.restarts,
                "done": asdict(result.done),
                "failure": None if result.failure is None else asdict(result.failure),
            }
            for result in results
        ]
    )
