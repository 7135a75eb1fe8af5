"""The last decision, a row a guest."""

from ballonet.service.models import HypervisorPlan, Plan, PlanRow
from ballonet.show.table import printable, table
from ballonet.show.words import moment, size

_SIZES = ("ACTUAL", "NEXT", "NEED", "CUSHION", "CACHE", "SURPLUS")


def plan_text(plan: Plan) -> str:
    """Return the decisions for the guests of each hypervisor."""
    return "\n\n".join(_hypervisor(each) for each in plan.hypervisors)


def _hypervisor(plan: HypervisorPlan) -> str:
    done = "carried out" if plan.writes else "only observed"
    title = f"{plan.uri}, {moment(plan.at)}, {done}; what each guest gets of each tier:"
    rows = [_row(row) for row in plan.guests]
    return f"{printable(title)}\n{table(('GUEST', *_SIZES, 'REASON'), rows, right=_SIZES)}"


def _row(row: PlanRow) -> tuple[str, ...]:
    got = row.got
    sizes = (
        row.actual_bytes,
        row.target_bytes,
        got.need_bytes,
        got.cushion_bytes,
        got.cache_bytes,
        got.surplus_bytes,
    )
    return (row.name, *map(size, sizes), row.sentence)
