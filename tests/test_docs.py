"""Every example that is shown runs, and says what is shown: those in each command's help, the
``$`` lines of README and docs, and the Python of README and the tutorials. Links lead somewhere.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest
from tools import needs, path_of, slow

from craig_cli.cli import main
from craig_cli.cli.app import COMMANDS, load_command

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
LINKING = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("benchmarks/*.md")), *PAGES[1:]]
MOST_LINES = {"README.md": 200, "EVIDENCE.md": 250, "PAPER.md": 250, "BENCHMARKS.md": 250}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$(?:\n+^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
SHELL = f'set -euo pipefail\ncraig() {{ "{sys.executable}" -m craig_cli "$@"; }}\n'


@dataclass(frozen=True)
class Step:
    """A line of shell or a block of Python, and the output that is shown; empty where none is."""

    language: str
    text: str
    shown: str = ""


def steps_of(page: Path) -> list[Step]:
    """Return the steps of a page, in order."""
    found = []
    for language, text, output in BLOCK.findall(page.read_text()):
        if language == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                line, _, shown = part.replace("\\\n", " ").partition("\n")
                found.append(Step("shell", line, shown))
        elif language == "python":
            found.append(Step(language, text, output))
    return found


def has_python(page: Path) -> bool:
    """Return whether the Python of a page is to run."""
    return page.name == "README.md" or page.parent.name == "tutorials"


def name_of(page: Path) -> str:
    """Return the name of a page."""
    return page.relative_to(ROOT).as_posix()


STEPS = {
    entry.name: [Step("shell", line) for line in load_command(entry.name).examples]
    for entry in COMMANDS
}
STEPS |= {
    name_of(page): steps
    for page in PAGES
    if (steps := [step for step in steps_of(page) if step.language == "shell" or has_python(page)])
}
QUICK = ("README.md", "select")
"""What users read first: its examples are in the quick tier."""


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


def run_step(step: Step, names: dict[str, object]) -> int:
    """Run a step and return its exit code; Python works on `names`."""
    if step.language == "python":
        exec(step.text, names)
        return 0
    if step.text.startswith("craig ") and "|" not in step.text.removesuffix(" || true"):
        return run_here(step.text)
    return subprocess.run(["bash", "-c", SHELL + step.text], stdin=subprocess.DEVNULL).returncode


def is_as_shown(shown: str, said: str) -> bool:
    """Return whether an output is as it is shown, but for what ``...`` stands for.

    Of numbers such as 2.1e-06 the first digit counts: the others may be of the processor.
    """
    shown, said = (re.sub(r"(\d)\.\d+e-", r"\1e-", text) for text in (shown, said))
    return doctest.OutputChecker().check_output(shown, said, doctest.ELLIPSIS)


@pytest.mark.parametrize(
    ("shown", "is_so"),
    [
        ("a 2.1e-06\n", True),
        ("a 2.3e-06\n", True),
        ("...\n", True),
        ("a 3.1e-06\n", False),
        ("a 2.1e-07\n", False),
        ("b 2.1e-06\n", False),
    ],
)
def test_what_counts_as_shown(shown, is_so):
    assert is_as_shown(shown, "a 2.1e-06\n") == is_so


@pytest.fixture
def samples(tmp_path, monkeypatch):
    """Work in a folder with the sample data, without options from the environment."""
    shutil.copytree(ROOT / "sample_data", tmp_path / "sample_data")
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("CRAIG_") and name != "CRAIG_CACHE_DIR":
            monkeypatch.delenv(name)


@pytest.mark.usefixtures("samples")
@pytest.mark.parametrize("page", [*QUICK, *slow(*sorted({*STEPS} - {*QUICK}))])
def test_examples_run_and_say_what_is_shown(page, capfd):
    if any("sklearn" in step.text for step in STEPS[page] if step.language == "python"):
        path_of("scikit-learn")
    names: dict[str, object] = {}
    for step in STEPS[page]:
        code = run_step(step, names)
        output = capfd.readouterr()
        assert code == 0, f"{step.text}\n{output.err}"
        said = output.out + output.err
        if step.shown and not is_as_shown(step.shown, said):
            pytest.fail(f"{step.text}\nshown:\n{step.shown}\nsaid:\n{said}")


@pytest.mark.slow  # a process each
@pytest.mark.usefixtures("samples")
@pytest.mark.parametrize(
    "page", [page for page, steps in STEPS.items() if {s.language for s in steps} == {"shell"}]
)
def test_examples_run_in_a_shell(page):
    script = SHELL + "\n".join(step.text for step in STEPS[page])
    result = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert result.returncode == 0, f"{script}\n{result.stdout}\n{result.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_is_shown_can_be_found_by_these_tests(page):
    outside = BLOCK.sub("", page.read_text())
    assert re.findall(r"^\s*\$ .*$", outside, re.MULTILINE) == []
    for step in steps_of(page):
        if step.language == "python":
            compile(step.text, name_of(page), "exec")


@pytest.mark.usefixtures("samples")
def test_the_job_that_the_page_on_ci_shows_runs():
    yaml = needs("pyyaml")
    page = DOCS / "tutorials" / "ci.md"
    (job,) = (text for language, text, _ in BLOCK.findall(page.read_text()) if language == "yaml")
    steps = yaml.safe_load(job)["jobs"]["coreset"]["steps"]
    lines = [step["run"].strip() for step in steps if step.get("run", "").startswith("craig ")]
    assert [line.split()[1] for line in lines] == ["verify", "evaluate"]
    for line in (steps_of(page)[0].text, *lines):
        assert run_here(line) == 0, line
    assert Path("evaluation.html").exists()


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_each_command_has_an_example_of_itself_in_its_help_and_on_a_page(entry):
    start = f"craig {entry.name} "
    assert any(step.text.startswith(start) for step in STEPS[entry.name])
    pages = [step.text + " " for page in PAGES for step in steps_of(page)]
    assert any(start in text for text in pages)


@pytest.mark.parametrize("page", MOST_LINES)
def test_pages_are_short(page):
    assert len((ROOT / page).read_text().splitlines()) <= MOST_LINES[page]


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as a repository host makes them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", LINKING, ids=name_of)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), target
        assert not anchor or anchor in anchors_of(there), target


def cells_of(page: Path) -> list[list[str]]:
    """Return the cells of each line of the tables of a page."""
    lines = [line for line in page.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def test_the_table_of_results_is_that_of_the_evidence():
    measured = cells_of(ROOT / "EVIDENCE.md")
    results = [
        cells for cells in cells_of(ROOT / "README.md") if len(cells) == 7 and cells[3] == "0"
    ]
    assert len(results) == 5
    for name, _, picks, _, random, coreset, seconds in results:
        own = [cells for cells in measured if cells[0] == name]
        assert any(cells[1] == picks and f"{random} / {coreset}" in cells for cells in own), name
        assert any(seconds == f"{cells[2]} + {cells[3]}".removesuffix(" + -") for cells in own), (
            name
        )
