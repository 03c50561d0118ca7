"""Every example that is shown runs: those in each command's help, and the README's lines that begin
with ``$ craig``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tools import slow

from craig_cli.cli.app import COMMANDS, load_command

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def readme_examples() -> list[str]:
    """Return the commands of the README in order, lines that end with a backslash joined."""
    text = README.read_text() if README.exists() else ""
    return re.findall(r"^\s*\$ (craig .*)$", text.replace("\\\n", " "), flags=re.MULTILINE)


PAGES = {entry.name: list(load_command(entry.name).examples) for entry in COMMANDS} | {
    "README": readme_examples()
}  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", ["README", *slow(*(page for page in PAGES if page != "README"))])
def test_examples_run(page, tmp_path):
    shutil.copytree(ROOT / "sample_data", tmp_path / "sample_data")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("CRAIG_")
    }
    script = "\n".join(
        ["set -euo pipefail", f'craig() {{ "{sys.executable}" -m craig_cli "$@"; }}', *PAGES[page]]
    )
    result = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode == 0, f"{script}\n{result.stdout}\n{result.stderr}"


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_each_command_has_an_example_of_itself(entry):
    assert any(example.startswith(f"craig {entry.name} ") for example in PAGES[entry.name])
