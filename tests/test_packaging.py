"""What is around the program: completions, man pages, the container file and the GitHub action."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numba
import pytest
from tools import made_by, needs, path_of

from craig_cli import __version__
from craig_cli.cache import cache_name
from craig_cli.cli.app import COMMANDS
from craig_cli.kernels import processor

ROOT = Path(__file__).parents[1]
PACKAGING = ROOT / "packaging"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Write the man pages."""
    return made_by("make_man").write_pages(tmp_path_factory.mktemp("man"))


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    """Put `craig` and `python`, of this interpreter, first in the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "craig").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m craig_cli "$@"\n')
    (folder / "craig").chmod(0o755)
    (folder / "python").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{os.environ.get('PYTHONPATH', '')}")
    return folder


def test_a_man_page_for_each_command(pages):
    assert [path.name for path in pages] == [
        "craig.1",
        *(f"craig-{entry.name}.1" for entry in COMMANDS),
    ]
    text = next(path for path in pages if path.name == "craig-select.1").read_text()
    wanted = (
        ".SH SYNOPSIS",
        "\\fB\\-\\-fraction F\\fR",
        ".SH METHODS",
        ".SH EXAMPLES",
        "craig select sample_data/sample.libsvm",
        ".SH EXIT STATUS",
    )
    assert [part for part in wanted if part not in text] == []


def test_man_pages_are_good_roff(pages):
    groff = path_of("groff")
    shown = subprocess.run(
        [groff, "-ww", "-man", "-Tascii", *map(str, pages)], capture_output=True, text=True
    )
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Select a coreset of the rows of DATA, a small weighted subset" in " ".join(
        re.sub("\x1b\\[[0-9;]*m|.\b", "", shown.stdout).split()
    )


@pytest.mark.parametrize(
    "shell",
    [
        "bash",
        pytest.param("zsh", marks=pytest.mark.needs("zsh")),
        pytest.param("fish", marks=pytest.mark.needs("fish")),
    ],
)
def test_completion_scripts(on_path, tmp_path, shell):
    script = subprocess.run(["craig", "completion", shell], capture_output=True, text=True)
    assert script.returncode == 0 and "_CRAIG_COMPLETE" in script.stdout
    (tmp_path / "script").write_text(script.stdout)
    if shell == "bash":
        typed = (
            f'source "{tmp_path}/script"; COMP_WORDS=(craig select --me); COMP_CWORD=2; '
            f'_craig_completion craig; echo "${{COMPREPLY[@]}}"'
        )
        done = subprocess.run(["bash", "-c", typed], capture_output=True, text=True)
        assert done.stdout.split() == [
            "--mean-epsilon",
            "--method",
            "--metric",
            "--memory-limit",
        ], done.stderr
    else:
        assert (
            subprocess.run(
                [path_of(shell), "-n", str(tmp_path / "script")], capture_output=True
            ).returncode
            == 0
        )


def test_the_container_file():
    lines = (PACKAGING / "Containerfile").read_text()
    sent = {
        line[1:]
        for line in (PACKAGING / "Containerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert all((ROOT / name).exists() for name in sent)
    assert {"craig_cli", "pyproject.toml", "README.md", "LICENSE"} <= sent
    assert "packaging/compile_wheel.py" in sent and "/source/packaging/compile_wheel.py" in lines
    assert lines.count("FROM ") == 2 and "-slim" in lines
    assert (
        lines.index("USER craig") < lines.index("craig doctor --warm") < lines.index("ENTRYPOINT")
    )


def test_files_are_added_to_a_wheel(tmp_path):
    pure = tmp_path / "craig_cli-1.0-py3-none-any.whl"
    about = "craig_cli-1.0.dist-info"
    with zipfile.ZipFile(pure, "w") as wheel:
        wheel.writestr("craig_cli/__init__.py", "")
        tags = "Root-Is-Purelib: true\nTag: py3-none-any\n\n"
        wheel.writestr(f"{about}/WHEEL", f"Wheel-Version: 1.0\n{tags}")
        wheel.writestr(f"{about}/RECORD", "")
    module = made_by("compile_wheel")
    made = module.with_files(
        pure, {"craig_cli/a.nbi": b"abc"}, "cp311-cp311-some", tmp_path / "out"
    )
    assert made == tmp_path / "out" / "craig_cli-1.0-cp311-cp311-some.whl"
    with zipfile.ZipFile(made) as wheel:
        assert wheel.read("craig_cli/a.nbi") == b"abc"
        assert wheel.read(f"{about}/WHEEL").decode().splitlines() == [
            "Wheel-Version: 1.0",
            "Root-Is-Purelib: false",
            "Tag: cp311-cp311-some",
        ]
        record = wheel.read(f"{about}/RECORD").decode().splitlines()
    assert "craig_cli/a.nbi,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3" in record
    assert record[-1] == f"{about}/RECORD,," and len(record) == 4


def test_the_action_names_what_its_kernels_are_compiled_for(on_path, tmp_path):
    yaml = needs("pyyaml")
    steps = yaml.safe_load((PACKAGING / "action" / "action.yml").read_text())["runs"]["steps"]
    install = next(step for step in steps if step.get("id") == "install")
    (on_path / "python").unlink()
    (on_path / "python").write_text(
        f'#!/bin/sh\n[ "$1" = -m ] || exec "{sys.executable}" "$@"\necho "$@" > installed\n'
    )
    (on_path / "python").chmod(0o755)
    outputs = tmp_path / "outputs"
    environment = os.environ | {"PACKAGE": "craig-cli==1", "GITHUB_OUTPUT": str(outputs)}
    subprocess.run(["bash", "-c", install["run"]], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "installed").read_text() == "-m pip install --quiet craig-cli==1\n"
    wanted = f"{cache_name()}-{numba.__version__}-{processor()}"
    assert outputs.read_text() == f"kernels={wanted}\n"
    cached = next(step for step in steps if step.get("uses", "").startswith("actions/cache@"))
    assert "steps.install.outputs.kernels" in cached["with"]["key"]
    assert steps.index(install) < steps.index(cached)


@pytest.mark.slow
def test_the_action_runs(on_path, tmp_path):
    yaml = needs("pyyaml")
    action = yaml.safe_load((PACKAGING / "action" / "action.yml").read_text())
    step = next(step for step in action["runs"]["steps"] if step.get("id") == "select")
    assert set(step["env"]) == {"DATA", "OPTIONS", "OUTPUT"}
    assert {"data", "options", "output"} <= set(action["inputs"])
    environment = os.environ | {
        "DATA": str(ROOT / "sample_data" / "sample.csv"),
        "OPTIONS": "--size 20 --method exact --weights cluster --representative medoid",
        "OUTPUT": "cs.parquet",
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    done = subprocess.run(
        ["bash", "-c", step["run"]], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "outputs").read_text() == "manifest=cs.parquet\npicks=20\n"
    assert "picks     20 of 600 rows" in (tmp_path / "summary").read_text()


def test_ci_runs_the_lowest_python_and_the_one_that_the_wheel_is_tried_on():
    yaml = needs("pyyaml")
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())["jobs"]
    lowest, highest = jobs["quick"]["strategy"]["matrix"]["python"]
    assert f'requires-python = ">={lowest}"' in (ROOT / "pyproject.toml").read_text()
    assert f"python{lowest} python{highest}" in jobs["wheel"]["steps"][-1]["run"]
    assert f"(python{lowest} python{highest})" in (PACKAGING / "test_wheel.sh").read_text()


def test_the_pages_of_the_project_agree_on_the_version():
    yaml = needs("pyyaml")
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == __version__
    assert f"\n## {__version__}\n" in (ROOT / "CHANGELOG.md").read_text()
    assert cited["references"][0]["title"] in re.sub(
        r"\s+|\*", " ", (ROOT / "README.md").read_text()
    )


def test_hooks_and_make_run_the_same_tools():
    yaml = needs("pyyaml")
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    makefile = (ROOT / "Makefile").read_text()
    for hook in hooks:
        tool = hook["entry"].removeprefix(".venv/bin/").partition(" --")[0]
        assert f"$(BIN)/{tool}" in makefile
