"""Links of the documents lead somewhere, pictures are made by the program, and every page is reached."""

import re
from collections import Counter
from pathlib import Path

import pytest
from documents import DOCUMENTS, ROOT, blocks
from drawn import SCENARIOS, draw

_LINK = re.compile(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
# By what each picture is made; script/pictures runs them all.
MAKERS = {
    "page.png": "tests/service/test_service_page_pictures.py",
    "page-dark.png": "tests/service/test_service_page_pictures.py",
    "page-guest.png": "tests/service/test_service_page_pictures.py",
    "page-phone.png": "tests/service/test_service_page_pictures.py",
    "top.svg": "tests/show/picture.py",
    "demo.png": "ballonet demo --plot",
    **{f"{name}.png": "tests/docs/drawn.py" for name in SCENARIOS},
}
LONG = 100  # characters: shorter lines may stand in two tables
DRAWN_BY_HAND = {"favicon.svg"}  # an icon shows nothing that the program does


def links(path: Path) -> list[str]:
    """Return where a document's links go, those in code left out."""
    text = (ROOT / path).read_text()
    for block in blocks(path):
        text = text.replace(block.text, "")
    text = re.sub(r"`[^`\n]*`", "", text)
    return [found or picture for found, picture in _LINK.findall(text)]


def anchors(path: Path) -> list[str]:
    """Return what a link can name in a document: its headings, as they are spelled in addresses."""
    text = (ROOT / path).read_text()
    for block in blocks(path):
        text = text.replace(block.text, "")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return [re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip()) for heading in headings]


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_links_lead_somewhere(path: Path) -> None:
    for link in links(path):
        if link.startswith("https://"):
            continue
        target, _, anchor = link.partition("#")
        there = (ROOT / path).parent / target if target else ROOT / path
        assert there.exists(), link
        if anchor:
            assert anchor in anchors(there.resolve().relative_to(ROOT)), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_nothing_is_said_twice(path: Path) -> None:
    sentences = [line for line in (ROOT / path).read_text().splitlines() if len(line) > LONG]
    twice = [line for line, times in Counter(anchors(path) + sentences).items() if times > 1]
    assert [] == twice


def test_every_page_is_reached_from_the_first() -> None:
    reached, waiting = set[Path](), [Path("README.md")]
    while waiting:
        path = waiting.pop()
        if path not in reached and path.suffix == ".md":
            reached.add(path)
            targets = [link.partition("#")[0] for link in links(path) if not link.startswith("https://")]
            waiting += [
                ((ROOT / path).parent / target).resolve().relative_to(ROOT) for target in targets if target
            ]
    assert set() == set(DOCUMENTS) - reached


def test_every_picture_has_its_maker_and_its_page() -> None:
    there = {path.name for path in (ROOT / "docs/pictures").iterdir()} - DRAWN_BY_HAND
    assert set(MAKERS) == there
    shown = {Path(link).name for path in DOCUMENTS for link in links(path)}
    assert there <= shown
    script = (ROOT / "script/pictures").read_text()
    assert [] == [maker for maker in set(MAKERS.values()) if maker not in script]


def test_pictures_of_simulated_hosts_are_drawn(tmp_path: Path) -> None:
    draw(tmp_path)
    assert {f"{name}.png" for name in SCENARIOS} == {path.name for path in tmp_path.iterdir()}
