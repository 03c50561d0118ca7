"""The command line run in this process, in a folder of its own with a small data set."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commandline import Result, without_compiling, write_csv

from craig_cli.cli import main


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, without options from the environment."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("CRAIG_") and name != "CRAIG_CACHE_DIR":
            monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def craig(capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run `craig` with arguments."""

    def run(*arguments: str) -> Result:
        code = main(arguments)
        captured = capfd.readouterr()
        return Result(code, without_compiling(captured.out), without_compiling(captured.err))

    return run


@pytest.fixture
def data(own_folder: Path) -> Path:
    """Write ``data.csv``: 12 rows in two classes, on a line, so that a hand can check the picks."""
    path = own_folder / "data.csv"
    write_csv(
        path, [0] * 8 + [1] * 4, np.array([0, 1, 2, 3, 10, 11, 12, 13, 0, 1, 2, 9], float)[:, None]
    )
    return path


@pytest.fixture
def no_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let matplotlib look as if it were not installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "matplotlib" else find(name, *rest),
    )
