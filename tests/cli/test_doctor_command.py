"""``craig doctor`` and ``craig completion``."""

from __future__ import annotations

import json

import numpy as np
import pytest

from craig_cli import __version__
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
