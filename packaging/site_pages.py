"""What MkDocs shows beside the files in docs/: the README as the home page, the reports and other
pages of the root, a notebook, and the reference made from the program. Links are written for a
reader of the repository; here they are made to lead to the pages of the site.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

import make_reference
import notebook_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
BESIDE = (
    "README.md",
    "ARCHITECTURE.md",
    "BENCHMARKS.md",
    "CITATION.cff",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "EVIDENCE.md",
    "PAPER.md",
    "SCALE.md",
    "benchmarks/DATA.md",
    "examples/resnet20.py",
    "packaging/action/action.yml",
)
"""Files outside docs/ that the site has too."""
NOTEBOOK = "examples/coreset.ipynb"
HOMES = {"README.md": "index.md", NOTEBOOK: "tutorials/notebook.md"}
"""Where the site has what is not at its place in the repository."""
LINK = re.compile(r"(\]\()([^)\s#]+)")


def place_on_site(name: str) -> str:
    """Return where the site has a file of the repository."""
    return HOMES.get(name) or name.removeprefix("docs/")


def place_in_repository(place: str) -> str:
    """Return which file of the repository a file of the site is."""
    homes = {home: name for name, home in HOMES.items()}
    return homes.get(place) or (place if place in BESIDE else f"docs/{place}")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files outside docs/ and the pages that are made."""
    for name in BESIDE:
        files.append(File.generated(config, place_on_site(name), abs_src_path=str(ROOT / name)))
    made = {f"reference/{name}": make() for name, make in make_reference.PAGES.items()}
    made[HOMES[NOTEBOOK]] = notebook_page.page_of(ROOT / NOTEBOOK)
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return the text of a page, its links leading to pages of the site."""
    place = page.file.src_uri
    folder = posixpath.dirname(place_in_repository(place))

    def led(found: re.Match[str]) -> str:
        start, target = found.groups()
        if re.match(r"[a-z]+:", target):
            return found[0]
        there = place_on_site(posixpath.normpath(posixpath.join(folder, target)))
        return start + posixpath.relpath(there, posixpath.dirname(place) or ".")

    return LINK.sub(led, markdown)
