"""The site is built without a warning, all its links lead somewhere, and it loads nothing from elsewhere."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from documents import DOCUMENTS, ROOT

LOADING = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """What a page names: places that a link can lead to, links, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names, self.links, self.loads = set[str](), list[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: text or "" for name, text in attrs}
        self.names |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in LOADING and LOADING[tag] in found:
            self.loads.append(found[LOADING[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as script/docs does."""
    there = tmp_path_factory.mktemp("site")
    # Not --quiet: what is not said is not counted as a warning either.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(there)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert 0 == done.returncode, done.stdout + done.stderr
    return there


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text()) for path in site.rglob("*.html")}


def test_every_document_is_a_page(site: Path) -> None:
    for path in DOCUMENTS:
        name = "index.html" if path.name == "README.md" else f"{path.stem}.html"
        assert (site / name).exists(), path


def test_links_lead_somewhere(pages: dict[Path, Page]) -> None:
    lost = list[str]()
    for path, page in pages.items():
        for link in [*page.links, *page.loads]:
            target, _, name = link.partition("#")
            if "://" in target or path.name == "404.html":
                continue
            there = (path.parent / target).resolve() if target else path
            known = there.is_file() and (not name or there not in pages or name in pages[there].names)
            if not known and not (there.is_dir() and (there / "index.html").exists()):
                lost.append(f"{path.name}: {link}")
    assert [] == lost


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    assert [] == [load for page in pages.values() for load in page.loads if "//" in load]
    styles = [path for path in site.rglob("*.css") if "url(http" in path.read_text()]
    assert [] == styles
