"""`sim replay`: what would have happened to recorded guests under a policy."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from ballonet.config.values import budget_bytes, read_budget
from ballonet.facts.host import HostMemory
from ballonet.show.replay import replay_document, replay_text
from ballonet.simulator.replay import demands, limits_in, recorded, replayed
from ballonet.simulator.trace import Trace
from ballonet.simulator.trace_file import read
from ballonet.simulator.trial import OURS, check_policies

BESIDE = ("none", "equal", "proxmox")


def replay(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `run --record FILE` wrote.")],
    policies: Annotated[
        list[str] | None,
        typer.Option(
            "--policy",
            metavar="POLICY",
            help="One to try; may be repeated.",
            show_default=", ".join((OURS, *BESIDE)),
        ),
    ] = None,
    budget: Annotated[
        str, typer.Option(metavar="SIZE", help="What all guests together may hold: 12GiB, 90%.")
    ] = "90%",
) -> None:
    """Say what would have happened to recorded guests under a policy.

    Each guest's demand is estimated from the trace, and simulated guests that want the same are run under
    the policy. Demand that was never met is not in a trace; cache that was read again is not told from
    cache that was not; and nothing is known between two samples.
    """
    chosen = policies or [OURS, *BESIDE]
    check_policies(chosen)
    trace = read(file)
    if trace.warning:
        ctx.obj.remark(f"warning: {trace.warning}")
    limit = budget_bytes(read_budget(budget), _host(trace))
    wanted = demands(trace)
    seconds = float(trace.time[-1] - trace.time[0])
    came = {"recorded": recorded(trace, wanted, limit)}
    came |= {name: replayed(wanted, seconds, name, limit, limits_in(trace)) for name in chosen}
    ctx.obj.show(lambda: replay_text(came, limit), lambda: replay_document(came, limit))


def _host(trace: Trace) -> HostMemory | None:
    """Return the recorded host's memory, as far as a budget needs it; None: it was not recorded."""
    total = trace.numbers.get("host_total_bytes", np.full(1, np.nan))[-1]
    return None if np.isnan(total) else HostMemory(int(total), 0, 0, 0, None, None, None, 0)
