"""A picture of what was: sizes above, what swapped or how short the host was below, changes as marks."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ballonet.service.models import Event, GuestHistory, HostHistory
from ballonet.show.picture import picture
from ballonet.show.table import printable
from ballonet.units import GIB, MIB

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DAY_SECONDS: Final = 86400  # axes count days since 1970
_INCHES: Final = (10.0, 5.0)
_BLUE, _ORANGE, _GREEN, _RED, _GREY = "#4c72b0", "#dd8452", "#55a868", "#c44e52", "0.45"
_GUEST: Final[dict[str, dict[str, Any]]] = {
    "maximum_bytes": {"color": _GREY, "ls": (0, (5, 3)), "lw": 1.0},
    "told_bytes": {"color": _ORANGE, "lw": 1.0, "drawstyle": "steps-post"},
    "actual_bytes": {"color": _BLUE, "lw": 1.6, "drawstyle": "steps-post"},
    "need_bytes": {"color": _RED, "lw": 1.2},
    "usable_bytes": {"color": _GREEN, "lw": 1.0},
    "rss_bytes": {"color": _GREY, "lw": 1.0},
}
_HOST: Final[dict[str, dict[str, Any]]] = {
    "total_bytes": {"color": _GREY, "ls": (0, (5, 3)), "lw": 1.0},
    "budget_bytes": {"color": "black", "ls": (0, (5, 3)), "lw": 1.0},
    "maximum_bytes": {"color": _ORANGE, "lw": 1.0},
    "held_bytes": {"color": _BLUE, "lw": 1.6, "drawstyle": "steps-post"},
    "rss_bytes": {"color": _GREY, "lw": 1.0},
    "available_bytes": {"color": _GREEN, "lw": 1.0},
}
_MARKS: Final = {"burst": _RED, "asked": _GREEN, "rebooted": "black"}  # other changes are grey


def plot_history(path: Path, found: GuestHistory | HostHistory, events: Sequence[Event] = ()) -> None:
    """Write an SVG or PNG, by the path's suffix; raises `UsageError` where matplotlib is missing."""
    guest = isinstance(found, GuestHistory)
    title = printable(found.name).replace("$", r"\$") if isinstance(found, GuestHistory) else "the host"
    with picture(path, title, _INCHES) as figure:
        sizes, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        at = [seconds / _DAY_SECONDS for seconds in found.at_seconds]
        sizes.xaxis_date(tz=datetime.now().astimezone().tzinfo)
        _sizes(sizes, at, found, _GUEST if guest else _HOST)
        if isinstance(found, GuestHistory):
            _flows(below, at, found)
        else:
            below.plot(at, _numbers(found.pressure_some_ratio, 0.01), color=_RED, lw=1.2)
            below.set_ylabel("pressure, %")
        for event in events:
            sizes.axvline(
                event.at.timestamp() / _DAY_SECONDS, color=_MARKS.get(event.kind, "0.8"), lw=0.7, zorder=0
            )
        below.set_ylim(bottom=0)
        if len(at) > 1:
            sizes.set_xlim(at[0], at[-1])
        figure.legend(loc="outside lower center", ncols=8, frameon=False)


def _sizes(
    axes: "Axes", at: list[float], found: GuestHistory | HostHistory, lines: dict[str, dict[str, Any]]
) -> None:
    """Draw every size that is known."""
    columns = {name: getattr(found, name) for name in lines}
    most = max((value for column in columns.values() for value in column if value is not None), default=0)
    unit, name_of_unit = (GIB, "GiB") if most > 4 * GIB else (MIB, "MiB")
    for name, column in columns.items():
        label = name.removesuffix("_bytes")
        axes.plot(at, _numbers(column, unit), label=label, **lines[name])
    axes.set_ylabel(f"memory, {name_of_unit}")
    axes.set_ylim(bottom=0)


def _flows(axes: "Axes", at: list[float], found: GuestHistory) -> None:
    for name, colour in (("swap_in_bytes", _RED), ("swap_out_bytes", _ORANGE)):
        label = name.removesuffix("_bytes").replace("_", " ")
        rates = _numbers(getattr(found, name), MIB * found.step_seconds)
        axes.plot(at, rates, color=colour, lw=1.2, label=label)
    axes.set_ylabel("swap, MiB/s")


def _numbers(values: Sequence[float | None], unit: float) -> list[float]:
    return [float("nan") if value is None else value / unit for value in values]
