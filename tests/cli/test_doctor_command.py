"""``craig doctor`` and ``craig completion``."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from craig_cli import __version__
from craig_cli.kernels.ahead import roads
from craig_cli.settings import usable_threads
from craig_cli.workflows import doctor


def test_all_is_well(craig):
    result = craig("doctor")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0].startswith(f"craig     {__version__}, Python 3.")
    assert f"numpy {np.__version__}" in lines[1]
    assert lines[-1].strip() == "All is well."
    facts = json.loads(craig("doctor", "--json").out)
    assert (facts["threads"], facts["problems"], facts["packages"]["numpy"]) == (
        usable_threads(),
        [],
        np.__version__,
    )
    assert facts["cached_kernels"] > 0 and facts["cache"].split("/")[-1].startswith(
        f"{__version__}-"
    )


def test_warming_compiles_what_is_missing(craig, monkeypatch):
    left, ended = [list("abc"), list("bc"), list("c"), []], []
    processes = [SimpleNamespace(poll=polls, kill=lambda: None, communicate=lambda: None)
                 for polls in (iter((None, 0, 0)).__next__, iter((None, 0)).__next__)]  # fmt: skip
    started = []
    monkeypatch.setattr(doctor, "missing", lambda roads: left.pop(0))
    monkeypatch.setattr(
        doctor, "help_out", lambda roads, slices: started.append(slices) or processes
    )
    monkeypatch.setattr(doctor, "compile_missing", ended.append)
    monkeypatch.setattr(doctor, "usable_threads", lambda: 2)
    monkeypatch.setattr(doctor, "SECONDS_BETWEEN", 0)
    told = []
    assert doctor.warm(lambda *call: told.append(call)) >= 0
    assert started == [[(0, 2), (1, 2)]]
    assert told == [("compile", 1, 3), ("compile", 2, 3)]
    assert ended == [roads()]
    monkeypatch.setattr(doctor, "missing", lambda roads: [])
    assert re.search(
        r"^cache .* kernels; all compiled, in 0\.\d s$", craig("doctor", "--warm").out, re.MULTILINE
    )


def test_what_came_with_the_installation_is_told(craig, monkeypatch, tmp_path):
    (tmp_path / "a.nbi").touch()
    monkeypatch.setattr(doctor, "SHIPPED_FOLDER", tmp_path)
    assert "came with" not in craig("doctor").out
    monkeypatch.setattr(doctor, "can_use_shipped", lambda: True)
    assert re.search(r" kernels?; 1 more came with this installation\n", craig("doctor").out)
    assert json.loads(craig("doctor", "--json").out)["shipped_kernels"] == 1


def test_what_is_wrong_is_told(craig, monkeypatch):
    monkeypatch.setattr(doctor, "CACHE_FOLDER", None)
    monkeypatch.setattr(doctor, "NEEDED", (*doctor.NEEDED, "no-such-package"))
    result = craig("doctor")
    assert result.code == 5
    assert "no-such-package MISSING" in result.out
    problems = [
        line.removeprefix("PROBLEM").strip()
        for line in result.out.splitlines()
        if line.startswith("PROBLEM")
    ]
    assert problems == ["no-such-package is not installed.", doctor.NO_CACHE]
    assert result.out.endswith("2 problems found.\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(craig, shell):
    result = craig("completion", shell)
    assert (result.code, result.err) == (
        0,
        "",
    ) and f"_CRAIG_COMPLETE={shell}_complete" in result.out


def test_an_unknown_shell(craig):
    assert craig("completion", "csh").code == 2
