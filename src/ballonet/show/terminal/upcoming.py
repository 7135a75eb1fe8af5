"""What it will do next, and why: the guests that are to change, those that change most first."""

from rich.text import Text

from ballonet.service.models import GuestRow, Overview
from ballonet.show.terminal.marks import STATES, clipped, name_text
from ballonet.show.words import size


def ahead_bytes(row: GuestRow) -> int | None:
    """Return where a guest's size goes; None: it stays."""
    if row.target_bytes is not None:
        return row.target_bytes
    return row.told_bytes if row.state in {"growing", "shrinking"} else None


def next_text(overview: Overview, chosen: GuestRow | None, columns: int, lines: int) -> Text:
    """Return the guest under the cursor with its reason, then who is to change, a line each."""
    found = [] if chosen is None else [_chosen_line(chosen, columns)]
    moves = [
        (abs(ahead - row.actual_bytes), row, ahead)
        for row in overview.guests
        if (ahead := ahead_bytes(row)) is not None and row.actual_bytes is not None
    ]
    moves.sort(key=lambda move: (-move[0], move[1].name))
    room = lines - len(found)
    found += [_move_line(row, ahead, columns) for _, row, ahead in moves[:room]]
    if not moves and room > 0:
        found.append(Text("no guest is to change", "dim"))
    elif len(moves) > room > 0:
        found[-1].truncate(columns - 14)
        found[-1].append(f"  and {len(moves) - room} more", "dim")
    return Text("\n", no_wrap=True).join(found)


def _chosen_line(row: GuestRow, columns: int) -> Text:
    name = name_text(row.name, 14)
    name.stylize("bold")
    text = Text("> ").append_text(name).append(": ")
    return text.append_text(clipped(row.sentence, columns - text.cell_len))


def _move_line(row: GuestRow, ahead: int, columns: int) -> Text:
    name = name_text(row.name, 12)
    grows = row.actual_bytes is not None and ahead > row.actual_bytes
    style = STATES["growing" if grows else "shrinking"]
    text = Text.assemble(name, "  ", (f"{size(row.actual_bytes)} → {size(ahead)}", style), "  ")
    return text.append_text(clipped(row.sentence, columns - text.cell_len))
