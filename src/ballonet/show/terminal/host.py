"""Is the host safe: who has its memory as one bar, how short of it it is, and how old that is."""

from rich.text import Text

from ballonet.errors import BallonetError
from ballonet.service.models import HostMemory, Overview, Status
from ballonet.show.requests import hold_sentence
from ballonet.show.table import UNKNOWN, printable
from ballonet.show.terminal.marks import host_bar, parts
from ballonet.show.words import age, share, size

# Three ticks of two seconds and five more, as for `/-/ready`.
LATE_SECONDS = 11.0
_MODES = {
    "enforce": ("enforce", ""),
    "observe": ("observe: nothing is written", "bold yellow"),
    "recorded": ("recorded", ""),
}


def tick_age(overview: Overview, lag_seconds: float) -> float | None:
    """Return how long ago the guests were last looked at, so long after the answer; None: they never were."""
    ticks = [each.last_tick.age_seconds for each in overview.status.hypervisors if each.last_tick is not None]
    return max(ticks) + lag_seconds if ticks else None


def title_line(name: str, overview: Overview | None, lag_seconds: float | None, columns: int) -> Text:
    """Return what is looked at, in which mode it is, and how old all of this is; `None`: of the past."""
    left = Text(no_wrap=True).append("ballonet ", "bold").append(printable(name))
    if overview is None:
        return left
    word, style = _MODES.get(overview.status.mode, (printable(overview.status.mode), ""))
    right = Text(no_wrap=True)
    if overview.status.paused is not None:
        right.append("PAUSED  ", "bold yellow")
    right.append(word, style)
    old = None if lag_seconds is None else tick_age(overview, lag_seconds)
    if old is not None:
        late = old > LATE_SECONDS
        right.append("  ").append(
            f"tick {age(old)} ago{', LATE' if late else ''}", "bold red" if late else "dim"
        )
    left.truncate(max(9, columns - right.cell_len - 2), overflow="ellipsis")
    return left.append(" " * max(1, columns - left.cell_len - right.cell_len)).append_text(right)


def host_lines(overview: Overview | None, columns: int) -> Text:
    """Return three lines: the bar, what its marks mean, and how safe the host is."""
    if overview is None:
        return Text().append("waiting: no guest was looked at yet\n\n", "dim")
    host, safety = overview.status.host, _safety(overview.status, columns)
    if host is None:
        unknown = "its guests run elsewhere, or it cannot be read\n"
        return Text().append(f"the host's memory is unknown: {unknown}\n", "dim").append_text(safety)
    total = f"{size(host.total_bytes):>8} "
    bar = Text(total).append_text(host_bar(host, max(10, columns - len(total))))
    return Text("\n").join([bar, _legend(host, columns), safety])


def _legend(host: HostMemory, columns: int) -> Text:
    """Return what each mark of the bar means; what there is none of is left out."""
    shown = [each for each in parts(host) if each.size_bytes != 0 or each.name == "free"]
    words = [f"{each.name} {size(each.size_bytes)}" for each in shown]
    wide = sum(len(word) + 4 for word in words) <= columns
    text = Text()
    for part, word in zip(shown, words, strict=True):
        text.append(part.mark, part.style).append(f" {word}  " if wide else f"{word} ")
    return text


def _safety(status: Status, columns: int) -> Text:
    """Return how short of memory the host is, its pressure and its swap."""
    figures = []
    if status.host is not None:
        figures.append(f"pressure {share(status.host.pressure_some_ratio)}")
        used = status.host.swap_total_bytes - status.host.swap_free_bytes
        figures += [f"{size(used)} swapped"] if used > 0 else []
    said = "; ".join(each.sentence for each in status.hypervisors if each.sentence is not None)
    if len(", ".join([said, *figures])) > columns:
        said = said.partition(": ")[0]  # the state without what is done about it
    calm = all(each.state in {"plenty", "comfort", None} for each in status.hypervisors)
    text = Text().append(printable(said), "" if calm else "bold yellow")
    return text.append(", " if said else "").append(", ".join(figures))


def who_line(overview: Overview | None, shown: int, words: str, order: str) -> Text:
    """Return how much the guests hold together, of what budget; and which of them are shown, and how."""
    if overview is None:
        return Text("waiting", "dim")
    status = overview.status
    held = sum(row.actual_bytes for row in overview.guests if row.actual_bytes is not None)
    budgets = [each.budget_bytes for each in status.hypervisors]
    count = len(overview.guests)
    text = Text(no_wrap=True).append(f"{count} guest{'s' * (count != 1)} hold{'s' * (count == 1)} ", "bold")
    text.append(size(held) if overview.guests else UNKNOWN)
    text.append(f" of a budget of {size(sum(budgets))}" if budgets else "")
    short = sum(each.short_bytes or 0 for each in status.hypervisors)
    if short:
        text.append(f", {size(short)} too little", "bold yellow")
    if words:
        text.append(f"; {shown} match “{printable(words)}”", "bold cyan")
    return text.append(f"; by {order}", "dim")


def notices(status: Status | None) -> list[str]:
    """Return what must not be overlooked, a line each."""
    if status is None:
        return []
    lines = []
    if status.paused is not None:
        lines.append(f"Nothing is written: {hold_sentence(status.paused)}")
    lines += [
        f"{', '.join(each.unanswered)} does not answer: its guests stay as they are"
        for each in status.hypervisors
        if each.unanswered
    ]
    if not status.settings.succeeded:
        lines.append(f"Settings cannot be read, those before are in force: {status.settings.error}")
    return [printable(line) for line in lines]


def trouble_text(error: BallonetError, lag_seconds: float, *, waits: bool) -> str:
    """Return what is wrong, what to do, and how old what is seen is."""
    seen = "" if waits else f"; this is {age(lag_seconds)} old"
    hint = f"\nhint: {printable(error.hint)}" if error.hint else ""
    return f"{printable(error.message)}: trying again{seen}{hint}"
