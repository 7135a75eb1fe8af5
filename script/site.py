"""Takes the documents that stand beside README.md into the site; mkdocs calls it by what mkdocs.yml says.

README.md is the site's first page. In the source a link goes from the root to `docs/page.md`, or back to
`../SECURITY.md`; in the site all pages lie in one directory.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
BESIDE = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "SPECIFICATION.md",
]
FIRST = {"README.md": "index.md"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents beside README.md."""
    for name in BESIDE:
        files.append(File.generated(config, FIRST.get(name, name), abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return a page's text with its links as the site has them."""
    del page, config, files
    inside = re.sub(r"\]\((?:docs/|\.\./)", "](", markdown)
    return inside.replace("](README.md", "](index.md")
