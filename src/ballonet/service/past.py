"""From histories to the API's models: read off, nothing is reckoned again."""

from collections import defaultdict
from typing import Any

import numpy as np

from ballonet.facts.snapshot import Floats
from ballonet.service import models
from ballonet.service.answers import moment
from ballonet.service.history import History, Past, Subject
from ballonet.service.samples import Cells
from ballonet.service.span import Span


def guest_history(guest: Subject, past: Past) -> models.GuestHistory:
    """Return a guest's history."""
    return models.GuestHistory(name=guest.name, uuid=guest.uuid, **_lists(past, models.GuestHistory))


def host_history(past: Past) -> models.HostHistory:
    """Return the host's history."""
    return models.HostHistory(**_lists(past, models.HostHistory))


async def sparklines(history: History, span: Span) -> models.Sparklines:
    """Return the sizes of all guests in the same steps."""
    step, ends = history.steps(span)
    lines: dict[str, Floats] = defaultdict(lambda: np.full(len(ends), np.nan))
    async for table in history.guests(Span(ends[0] - step, ends[-1], span.points), step):
        steps, sizes = np.searchsorted(ends, table.at), table.column("actual_bytes")
        for row, uuid in enumerate(table.uuids):
            own = (table.guest == row) & np.isfinite(sizes)
            lines[uuid][steps[own]] = sizes[own]  # the last one of a step stays
    return models.Sparklines(
        since=moment(ends[0] - step),
        step_seconds=step,
        guests=[
            models.Sparkline(uuid=uuid, actual_bytes=whole(_held(line)))
            for uuid, line in lines.items()
            if uuid
        ],
    )


def _held(line: Floats) -> Floats:
    """Return sizes over time: a step in which no sample happened to end is as the one before it was."""
    before = np.concatenate([[np.nan], line[:-1]])
    return np.where(np.isnan(line), before, line)


def _lists(past: Past, model: type[models.Answer]) -> dict[str, Any]:
    """Return the fields that a model of a history has."""
    lists: dict[str, Any] = {"step_seconds": past.step_seconds, "at_seconds": past.ends.tolist()}
    for name in past.fields.names:
        if name in model.model_fields:
            column = past.column(name)
            fraction = name.endswith(("_seconds", "_ratio"))
            lists[name] = _known(column) if fraction else whole(column)
    return lists


def whole(column: Cells | Floats) -> list[int | None]:
    """Return sizes and counts; what is none is unknown."""
    return [round(value) if known else None for value, known in zip(*_values(column), strict=True)]


def _known(column: Cells) -> list[float | None]:
    return [value if known else None for value, known in zip(*_values(column), strict=True)]


def _values(column: Cells | Floats) -> tuple[list[float], list[bool]]:
    return column.astype(np.float64).tolist(), np.isfinite(column).tolist()
