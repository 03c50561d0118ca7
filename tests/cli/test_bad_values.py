"""Bad values of every option of every command: one line, exit code 2 or 3, and never a defect.

The options are those that click knows, so that a new one is tried without a word here.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import click
import numpy as np
import pytest
from commandline import write_csv

from craig_cli.cli import main
from craig_cli.cli.app import COMMANDS, load_command
from craig_cli.cli.parameters import FileName, InputFile
from craig_cli.errors import printable

LINES = {
    "select": ("data.csv", "--for", "local", "-o", "out"),
    "merge": ("data.partial", "-o", "out"),
    "calibrate": ("data.csv", "cs.parquet", "-o", "out"),
    "apply": ("data.csv", "cs.parquet", "-o", "out.csv"),
    "train": ("data.csv", "--epochs", "2", "-o", "out"),
    "evaluate": ("data.csv", "--coreset", "cs.parquet", "--seeds", "1"),
    "predict": ("data.csv", "model.npz", "-o", "out"),
    "describe": ("data.csv",),
    "info": ("cs.parquet",),
    "plot": ("data.csv", "cs.parquet"),
    "diff": ("cs.parquet", "cs.parquet"),
    "verify": ("data.csv", "cs.parquet"),
    "doctor": (),
    "completion": ("bash",),
}
"""What each command is given besides: it runs as it stands, but that select needs a budget."""
NETWORK = ("--model", "mlp", "--fraction", "0.5")
TOGETHER = {
    ("select", "fraction"): (),
    ("select", "size"): (),
    ("select", "epsilon"): (),
    ("select", "mean_epsilon"): (),
    ("select", "budget_cost"): ("--cost-column", "b"),
    ("select", "cost_column"): ("--budget-cost", "3"),
    ("select", "oversampling"): ("--size", "6", "--parts", "2"),
    ("select", "scheduler"): ("--size", "6", "--engine", "dask"),
    ("apply", "weight_name"): ("--weight-as", "column"),
    ("train", "first"): ("--coreset", "cs.parquet"),
    ("train", "hidden"): NETWORK,
    ("train", "activation"): NETWORK,
    ("train", "batch"): NETWORK,
    ("train", "reselect_every"): NETWORK,
    ("train", "reselect_by"): NETWORK,
    ("train", "reselect_method"): NETWORK,
    ("train", "fraction"): ("--model", "mlp"),
    ("train", "momentum"): ("--solver", "momentum"),
    ("train", "radius"): ("--solver", "sgd"),
    ("evaluate", "weights_file"): (),
}
"""What an option goes with."""
HUGE, LARGE = "1" + 30 * "0", "9" * 18
NUMBERS = ("-1", "0", "nan", "inf", "-inf", "1e400", LARGE, HUGE, "x", "", " ", "1,1")
TEXTS = ("", " ", "x", "-1", "0", "nan", "inf", "1e400", "1,,2", "x,y", "\udcff", "a\nb", "a/b")
INPUTS = ("missing", "folder", "", "empty", "notes.txt", "missing/file", "a\nb", "\udcff", "-")
"""Not there, a folder, no name, an empty file, one of another kind, and stdin, which is empty."""
OUTPUTS = ("folder", "", "missing/file", "data.csv")
ANY_TEXT = tuple(text for text in TEXTS if text not in ("", "\udcff"))
ALLOWED = {
    "config": ("empty",),
    "threads": ("0", LARGE),
    "seed": ("0", LARGE),
    "index_base": ("0",),
    "rows_key": ("", *ANY_TEXT),  # of no meaning for CSV
    "thousands": (" ",),
    "weight_name": ANY_TEXT,
    "size": (LARGE,),
    "epsilon": ("0", LARGE, HUGE),
    "mean_epsilon": ("0", LARGE, HUGE),
    "budget_cost": (LARGE, HUGE),
    "sample_rows": ("0", LARGE),
    "memory_limit": ("0",),
    "oversampling": (LARGE, HUGE),
    "l2": ("0",),
    "tolerance": ("0", LARGE, HUGE),
    "decay": ("0", LARGE, HUGE),
    "radius": ("0", LARGE, HUGE),
    "momentum": ("0",),
    "epochs": (LARGE,),
    "folds": (LARGE,),
    "batch": (LARGE,),
    "reselect_every": (LARGE,),
    "w_norm": (LARGE, HUGE),
    "residual": (LARGE, HUGE),
    "selection_seconds": ("0", LARGE, HUGE),
}
"""By parameter, what looks bad and is not."""
PASSED_OVER = ("weight_column", "cost_column")
"""Columns that predict does not need: any name will do."""
NOT_LOOKED_UP = (
    "label",
    "drop",
    "features",
    "one_hot",
    "weight_column",
    "cost_column",
    "id_column",
)
"""Columns that describe takes for its command where they are there, and passes over elsewhere."""
CASES = [
    (entry.name, parameter)
    for entry in COMMANDS
    for parameter in load_command(entry.name).params
    if not (isinstance(parameter, click.Option) and parameter.is_flag)
]


def values_for(parameter: click.Parameter) -> tuple[str, ...]:
    """Return what a parameter is tried with."""
    kind = parameter.type
    if isinstance(kind, click.Choice):
        return ("best", "", " ", "0")
    if isinstance(kind, FileName):
        is_output = not isinstance(kind, InputFile) and parameter.name != "config"
        return OUTPUTS if is_output else INPUTS
    is_number = isinstance(kind, (click.types.IntParamType, click.types.FloatParamType))
    return NUMBERS if is_number else TEXTS


def is_allowed(command: str, name: str, value: str) -> bool:
    """Return whether a value is none to refuse."""
    is_passed_over = command == "predict" and name in PASSED_OVER
    if is_passed_over or (command == "describe" and name in NOT_LOOKED_UP):
        return value != "\udcff"
    return value in ALLOWED.get(name, ())


def line_of(command: str, parameter: click.Parameter, value: str) -> list[str]:
    """Return the command line that gives a parameter a value, and all else it needs."""
    line = list(LINES[command])
    usual = ("--size", "6") if command == "select" else ()
    if isinstance(parameter, click.Argument):
        arguments = [p for p in load_command(command).params if isinstance(p, click.Argument)]
        line[arguments.index(parameter)] = value
        return [command, *line, *usual]
    if command == "evaluate" and parameter.name == "weights_file":
        line = line[:1] + line[3:]
    return [
        command,
        *line,
        *TOGETHER.get((command, str(parameter.name)), usual),
        f"{parameter.opts[-1]}={value}",
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder with all that the command lines name."""
    folder = tmp_path_factory.mktemp("made")
    write_csv(
        folder / "data.csv", [0, 1] * 20, np.random.default_rng(0).uniform(1, 2, size=(40, 3))
    )
    (folder / "folder").mkdir()
    (folder / "empty").write_text("")
    (folder / "notes.txt").write_text("notes.txt\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        select = ("select", "data.csv", "--size", "6", "--for", "local", "--quiet", "-o")
        assert main([*select, "cs.parquet"]) == 0
        assert main([*select, "data.partial", "--partial"]) == 0
        assert main(["train", "data.csv", "--epochs", "2", "--quiet", "-o", "model.npz"]) == 0
    return folder


@pytest.fixture
def folder(made, own_folder, monkeypatch):
    """Return a folder of the test's own with the same, and no more on stdin."""
    shutil.copytree(made, own_folder, dirs_exist_ok=True)
    with Path("/dev/null").open() as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        yield own_folder


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("command", "parameter"), CASES, ids=lambda case: getattr(case, "name", case)
)
def test_bad_values(craig, folder, command, parameter):
    kept = {path.name for path in folder.iterdir()}
    name = str(parameter.name)
    for value in values_for(parameter):
        line = line_of(command, parameter, value)
        result = craig(*line)
        if result.code == 0:
            assert is_allowed(command, name, value), f"{line} is let through"
        else:
            assert result.code in (2, 3), (line, result)
            first, *others = result.err.rstrip("\n").split("\n")
            assert first.startswith("craig: error: "), (line, result)
            assert others in ([], [f"Try 'craig {command} --help'."]), (line, result)
            said = (
                parameter.opts[-1],
                name.upper(),
                "<stdin>" if value == "-" else printable(value) or "''",
            )
            assert any(word in first for word in said), (line, result)
        for path in folder.iterdir():
            if path.name not in kept:
                path.unlink()


def test_each_command_line_runs(craig, folder):
    for command, line in LINES.items():
        more = ("--size", "6") if command == "select" else ()
        assert craig(command, *line, *more).code == 0, command
        (folder / "out").unlink(missing_ok=True)
