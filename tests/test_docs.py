"""Every example that is shown runs: those in each command's help, and the lines of the README and
of ``docs/data.md`` that begin with ``$ craig``.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest

from craig_cli.cli import main
from craig_cli.cli.app import COMMANDS, load_command

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def page_examples(page: Path) -> list[str]:
    """Return the commands of a page in order, lines that end with a backslash joined."""
    text = page.read_text() if page.exists() else ""
    return re.findall(r"^\s*\$ (craig .*)$", text.replace("\\\n", " "), flags=re.MULTILINE)


PAGES = {entry.name: list(load_command(entry.name).examples) for entry in COMMANDS} | {
    "README": page_examples(README),
    "data": page_examples(ROOT / "docs" / "data.md"),
    "embeddings": page_examples(ROOT / "docs" / "embeddings.md"),
}


def run_here(example: str) -> int:
    """Run a line with ``craig`` in this process, as the shell would; return its exit code.

    It knows ``< FILE``, ``> FILE`` and ``|| true``.
    """
    line, _, otherwise = example.partition(" || ")
    words, streams = shlex.split(line), {}
    while words[-2] in ("<", ">"):
        *words, sign, file = words
        streams[sign] = file
    with ExitStack() as stack:
        if "<" in streams:
            stdin = stack.enter_context(Path(streams["<"]).open())
            stack.enter_context(patch.object(sys, "stdin", stdin))
        if ">" in streams:
            stack.enter_context(redirect_stdout(stack.enter_context(Path(streams[">"]).open("w"))))
        code = main(words[1:])
    return 0 if otherwise == "true" else code


@pytest.fixture
def samples(tmp_path, monkeypatch):
    """Work in a folder with the sample data, without options from the environment."""
    shutil.copytree(ROOT / "sample_data", tmp_path / "sample_data")
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("CRAIG_") and name != "CRAIG_CACHE_DIR":
            monkeypatch.delenv(name)


@pytest.mark.usefixtures("samples")
@pytest.mark.parametrize("page", PAGES)
def test_examples_run(page, capfd):
    for example in PAGES[page]:
        assert run_here(example) == 0, f"{example}\n{capfd.readouterr().err}"


@pytest.mark.slow  # a process each
@pytest.mark.usefixtures("samples")
@pytest.mark.parametrize("page", PAGES)
def test_examples_run_in_a_shell(page):
    script = "\n".join(
        ["set -euo pipefail", f'craig() {{ "{sys.executable}" -m craig_cli "$@"; }}', *PAGES[page]]
    )
    result = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert result.returncode == 0, f"{script}\n{result.stdout}\n{result.stderr}"


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_each_command_has_an_example_of_itself(entry):
    assert any(example.startswith(f"craig {entry.name} ") for example in PAGES[entry.name])


def test_the_readme_shows_every_command():
    assert {example.split()[1] for example in PAGES["README"]} == {e.name for e in COMMANDS}


@pytest.mark.usefixtures("samples")
def test_the_python_of_the_embeddings_page_runs():
    page = (ROOT / "docs" / "embeddings.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert blocks
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    assert len(names["chosen"]) == 30  # type: ignore[arg-type]
