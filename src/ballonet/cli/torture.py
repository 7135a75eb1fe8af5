"""`sim torture`: the whole service on simulated hosts where everything goes wrong."""

from typing import Annotated

import typer

from ballonet.errors import BallonetError
from ballonet.show.progress import Steps
from ballonet.simulator.pool import everywhere


def torture(
    ctx: typer.Context,
    seeds: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many hosts.")] = 100,
    first: Annotated[int, typer.Option("--from", metavar="SEED", min=0, help="The first of them.")] = 0,
    seed: Annotated[int | None, typer.Option(min=0, help="Only this one: what failed is seen again.")] = None,
    hours: Annotated[float, typer.Option(min=0.5, max=100.0, help="Of each one's time.")] = 2.0,
) -> None:
    """Run the whole service on simulated hosts where everything goes wrong, and hold it to its promises.

    Statistics lie, balloons do not follow, libvirt hangs, clocks jump, the disk fills, the service is killed:
    each seed is another course of that. Exits with 1 if a promise was broken.
    """
    # The whole service: other commands of `sim` do without.
    from ballonet.torture.report import torture_document, torture_text  # noqa: PLC0415
    from ballonet.torture.run import Task, lived  # noqa: PLC0415

    tasks = [Task(number, hours) for number in ([seed] if seed is not None else range(first, first + seeds))]
    with Steps(len(tasks), "seeds") as steps:
        results = everywhere(lived, tasks, lambda task: steps.done(str(task.seed)))
    ctx.obj.show(lambda: torture_text(results), lambda: torture_document(results))
    failed = [result.task.seed for result in results if result.failure is not None]
    if failed:
        raise BallonetError(
            f"{len(failed)} of {len(results)} seeds broke a promise",
            hint=f"see it again: ballonet sim torture --seed {failed[0]} --hours {hours:g}",
        )
