"""The site of `make docs`: it is built without a warning, and every link of every page leads
somewhere. The reference, which is made from the program, is whole.
"""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import pytest
from tools import made_by

from craig_cli.cli.app import COMMANDS, load_command
from craig_cli.settings.catalog import ALL_FORMATS, LOSSES, METHODS, SOLVERS

ROOT = Path(__file__).parents[1]


class Links(HTMLParser):
    """What a page links to, and the anchors that it has."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            if name in ("href", "src") and value and tag != "link":
                self.targets.append(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site and return its folder."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.slow
@pytest.mark.needs("mkdocs-material", "mkdocstrings")
def test_every_link_of_the_site_leads_somewhere(site):
    pages = {path: Links(path) for path in site.rglob("*.html") if path.name != "404.html"}
    assert {"index.html", "EVIDENCE/index.html", "reference/commands/index.html"} <= {
        str(path.relative_to(site)) for path in pages
    }
    dead = []
    for page, links in pages.items():
        for target in links.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            there = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            there = there / "index.html" if there.is_dir() else there
            anchor = unquote(parts.fragment)
            if not there.exists() or (anchor and anchor not in pages[there].anchors):
                dead.append((str(page.relative_to(site)), target))
    assert dead == []


@pytest.mark.slow
@pytest.mark.needs("mkdocs-material", "mkdocstrings")
def test_the_site_has_the_notebook(site):
    page = (site / "tutorials" / "notebook" / "index.html").read_text()
    assert '<img alt="what the cell draws"' in page and "accuracy_score" in page
    assert "<th>log_loss</th>" in page


@pytest.mark.slow
@pytest.mark.needs("mkdocs-material", "mkdocstrings")
def test_the_site_has_the_docstrings(site):
    page = site / "reference" / "api" / "index.html"
    anchors = Links(page).anchors
    assert {
        "craig_cli.select_coreset",
        "craig_cli.Coreset",
        "craig_cli.sklearn.CoresetSearchCV",
        "craig_cli.sklearn.CraigSelector",
        "craig_cli.torch.CoresetSampler.loss",
    } <= anchors
    text = " ".join(html.unescape(re.sub("<[^>]*>", "", page.read_text())).split())
    assert "cell_size (int, default: 512 )" in text and "SelectionSettings" not in text


@pytest.fixture(scope="module")
def reference():
    """Return the pages of the reference, as text."""
    return {name: make() for name, make in made_by("make_reference").PAGES.items()}


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_the_reference_has_every_option(reference, entry):
    text = reference["commands.md"]
    start = text.index(f"## craig {entry.name}\n")
    section = text[start : text.index("\n## ", start + 1)]
    command = load_command(entry.name)
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert len(options) > 2
    assert [one.opts[-1] for one in options if one.opts[-1] not in section] == []


def test_the_reference_has_every_name(reference):
    text = reference["names.md"]
    for table in (ALL_FORMATS, LOSSES, METHODS, SOLVERS):
        for entry in table:
            assert f"| `{entry.name}` | " in text
    lines = [line for line in text.splitlines() if line.startswith("| `libsvm`")]
    assert len(lines) == 1 and "read, written, may be compressed" in lines[0]
