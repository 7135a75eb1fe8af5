"""Pages of reference as the code says them: what a page is made of, and where it is kept."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOTE = "<!-- Written by script/reference. -->"


def kept(name: str) -> Path:
    """Return where a page is kept: in docs, or where script/reference has it written."""
    return Path(os.environ.get("BALLONET_REFERENCE", ROOT / "docs")) / name


def held(name: str, text: str) -> str:
    """Return what stands in a page; under script/reference, after it is written there."""
    if "BALLONET_REFERENCE" in os.environ:
        kept(name).write_text(text)
    return kept(name).read_text()


def page(*parts: str) -> str:
    """Return parts with a blank line between."""
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table of Markdown; empty without rows."""
    if not rows:
        return ""
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(map(cell, line)) + " |" for line in lines)


def cell(text: str) -> str:
    """Return text that stays within its cell."""
    return re.sub(r"\s+", " ", text).replace("|", r"\|").strip()
