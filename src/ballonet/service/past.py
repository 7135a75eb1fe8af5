"""From histories to the API's models: read off, nothing is reckoned again."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ballonet.service import models
from ballonet.service.answers import moment
from ballonet.service.history import Past, Subject
from ballonet.service.samples import Cells


def guest_history(guest: Subject, past: Past) -> models.GuestHistory:
    """Return a guest's history."""
    return models.GuestHistory(name=guest.name, uuid=guest.uuid, **_lists(past, models.GuestHistory))


def host_history(past: Past) -> models.HostHistory:
    """Return the host's history."""
    return models.HostHistory(**_lists(past, models.HostHistory))


def sparklines(guests: Sequence[tuple[Subject, Past]], since: float) -> models.Sparklines:
    """Return the sizes of guests, whose steps are the same; those of whom nothing is known are left out."""
    lines = [(guest, whole(past.column("actual_bytes"))) for guest, past in guests]
    return models.Sparklines(
        since=moment(since),
        step_seconds=guests[0][1].step_seconds if guests else 0.0,
        guests=[
            models.Sparkline(uuid=guest.uuid, actual_bytes=line)
            for guest, line in lines
            if any(size is not None for size in line)
        ],
    )


def _lists(past: Past, model: type[models.Answer]) -> dict[str, Any]:
    """Return the fields that a model of a history has."""
    lists: dict[str, Any] = {"step_seconds": past.step_seconds, "at_seconds": past.ends.tolist()}
    for name in past.fields.names:
        if name in model.model_fields:
            column = past.column(name)
            fraction = name.endswith(("_seconds", "_ratio"))
            lists[name] = _known(column) if fraction else whole(column)
    return lists


def whole(column: Cells) -> list[int | None]:
    """Return sizes and counts; what is none is unknown."""
    return [round(value) if known else None for value, known in zip(*_values(column), strict=True)]


def _known(column: Cells) -> list[float | None]:
    return [value if known else None for value, known in zip(*_values(column), strict=True)]


def _values(column: Cells) -> tuple[list[float], list[bool]]:
    return column.astype(np.float64).tolist(), np.isfinite(column).tolist()
