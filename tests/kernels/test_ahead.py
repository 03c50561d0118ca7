"""Kernels compiled ahead, counted, and shipped."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numba
import pytest

from craig_cli.compiling import COMPILING
from craig_cli.kernels import ahead, watching

ROOT = Path(__file__).parents[2]


def test_the_list_is_what_a_first_selection_calls(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location("list", ROOT / "packaging" / "list_kernels.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.first_selections()
    assert {road: module.spelled_all(ahead.listed(road)) for road in found} == found, (
        "make kernels writes the list anew"
    )


def test_all_that_is_listed_is_there():
    assert len(ahead.listed(*ahead.roads())) > 50
    assert all(numba.extending.is_jitted(kernel) for kernel, _ in ahead.listed(*ahead.roads()))


def made_kernel(home):
    """Return a function that numba has not compiled yet, of a module of this name."""
    function = numba.njit(lambda x: x + 1)
    function.py_func.__module__ = home
    return function


@pytest.fixture
def told(monkeypatch):
    """Give what is announced."""
    calls = []
    monkeypatch.setattr(COMPILING, "announce", lambda *call: calls.append(call))
    monkeypatch.setattr(COMPILING, "roads", ())
    monkeypatch.setattr(COMPILING, "helpers", [])
    return calls


def test_only_our_kernels_are_booked_and_announced(told, monkeypatch):
    monkeypatch.setattr(COMPILING, "seconds", 0.0)
    made_kernel("somebody.else")(1)
    assert (COMPILING.seconds, told) == (0.0, [])
    ours = made_kernel("craig_cli.kernels.made")
    assert ours(1) == 2
    spent = COMPILING.seconds
    assert spent > 0 and [(stage, total) for stage, _, total in told] == [("compile", None)]
    assert ours(2) == 3 and COMPILING.seconds == spent


def test_what_a_run_needs_is_counted_and_a_process_helps(told, monkeypatch):
    left, helped = list(range(9)), []
    monkeypatch.setattr(ahead, "missing", lambda roads: left)
    monkeypatch.setattr(ahead, "help_out", lambda *call: helped.append(call) or ["a process"])
    monkeypatch.setattr(watching, "can_start_another", lambda: True)
    COMPILING.roads = ("csv", "dense")
    watcher = watching.Watcher()
    event = SimpleNamespace(data={"dispatcher": made_kernel("craig_cli.kernels.made")})
    for _ in range(2):
        watcher.on_start(event)
        watcher.on_start(event)
        watcher.on_end(event)
        watcher.on_end(event)
        del left[:4]
    assert told == [("compile", 0, 9), ("compile", 4, 9)]
    assert helped == [(("csv", "dense"), [(-1, -1)])] and COMPILING.helpers == ["a process"]


def test_slices_compile_all_between_them(monkeypatch):
    done = []
    kernels = [(SimpleNamespace(compile=done.append), place) for place in range(5)]
    monkeypatch.setattr(ahead, "missing", lambda roads: kernels)
    ahead.compile_missing((), -1, -1)
    assert done == [4, 3, 2, 1, 0]
    done.clear()
    for start in range(2):
        ahead.compile_missing((), start, 2)
    assert sorted(done) == [0, 1, 2, 3, 4]


def test_helpers_compile_into_the_folder_and_are_ended(tmp_path, monkeypatch):
    monkeypatch.setenv("CRAIG_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    position = next(
        place
        for place, (kernel, _) in enumerate(ahead.listed("dense"))
        if kernel.__name__ == "lay_out"
    )
    (helper,) = ahead.help_out(("dense",), [(position, 1000)])
    with helper:
        assert helper.wait(60) == 0
    assert [path.name.partition("-")[0] for path in tmp_path.rglob("*.nbc")] == ["tiles.lay_out"]
    helpers = ahead.help_out(("dense",), [(0, 1)])
    monkeypatch.setattr(COMPILING, "helpers", list(helpers))
    COMPILING.end()
    assert COMPILING.helpers == [] and helpers[0].returncode is not None


LAYING_OUT = """
import sys
from pathlib import Path
import numpy as np
import craig_cli.kernels as kernels
from craig_cli.compiling import COMPILING
from numba.core.registry import cpu_target
machine, *own = cpu_target.target_context.codegen().magic_tuple()
kernels.SHIPPED_FOLDER = Path(sys.argv[1])
kernels.BASELINE = (own[0], own[1] + sys.argv[2])
from craig_cli.kernels.tiles import lay_out
lanes = np.zeros((1, 1, 128), np.float32)
lay_out(np.ones((1, 1), np.float32), lanes)
print(lanes.sum(), COMPILING.seconds > 0, kernels.can_use_shipped())
"""


@pytest.mark.slow
def test_what_was_shipped_is_not_compiled(tmp_path):
    shipped, kept = tmp_path / "shipped", tmp_path / "kept"

    def run(features=""):
        done = subprocess.run(
            [sys.executable, "-c", LAYING_OUT, str(shipped), features],
            env=os.environ | {"CRAIG_CACHE_DIR": str(kept), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        assert done.stderr == ""
        return done.stdout.split()

    assert run() == ["1.0", "True", "False"]
    shipped.mkdir()
    for path in kept.rglob("*.nb[ci]"):
        path.rename(shipped / path.name)
    shutil.rmtree(kept)
    assert run() == ["1.0", "False", "True"]
    assert list(kept.rglob("*.nb[ci]")) == []
    assert run(",+a-feature-of-others") == ["1.0", "True", "False"]
    assert len(list(kept.rglob("*.nb[ci]"))) == 2
