"""The documents: all of them, their blocks, and what these have readers type."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
_BLOCK = re.compile(r"^```(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"(?:^|\s+)# (.*)$")
# Whatever may be another number in the next run: sizes, rates, durations, counts.
_FIGURE = re.compile(r"\d[\d.,]*(?: ?(?:[KMGT]i?B|ms|min|[smhd%]\b))?(?:/s|·s|·h)?|–")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a document."""

    path: Path
    line: int
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A line to be typed, continued lines joined; the comment behind it says whether it fails."""

    text: str
    comment: str

    @property
    def fails(self) -> bool:
        return self.comment.startswith("fails")


def blocks(path: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a document, from its beginning."""
    text = (ROOT / path).read_text()
    for match in _BLOCK.finditer(text):
        yield Block(path, text.count("\n", 0, match.start()) + 1, match[1], match[2])


def typed(block: Block) -> Iterator[Typed]:
    """Yield the lines of a block that are commands."""
    for line in block.text.replace("\\\n", "").splitlines():
        comment = _COMMENT.search(line)
        text = line[: comment.start()].strip() if comment else line.strip()
        if text:
            yield Typed(text, comment[1] if comment else "")


def without_figures(text: str) -> list[list[str]]:
    """Return the words of each line, with `#` where a figure stands."""
    return [_FIGURE.sub("#", line).split() for line in text.strip().splitlines()]
