"""What a person at work sees: progress in terminals and notebooks, notes as warnings."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from tools import needs

from craig_cli import CraigWarning, evaluate_coreset, select_coreset
from craig_cli.api import watching
from craig_cli.compiling import COMPILING
from craig_cli.errors import CraigError, UsageError

ROWS = np.random.default_rng(0).normal(size=(200, 3))
LABELS = (ROWS[:, 0] > 0).astype(int)
WIDE = ROWS * [1, 1, 1000]


@pytest.fixture
def session(monkeypatch):
    """Be in an interactive session."""
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)


def test_a_callback_is_told_of_all_stages():
    told = []
    select_coreset(ROWS, LABELS, size=20, progress=lambda *report: told.append(report))
    stages = [stage for stage, _, _ in told]
    assert {"select", "pilots"} <= set(stages)
    assert all(total is None or 0 <= done <= total for _, done, total in told)
    coreset, told = select_coreset(ROWS, LABELS, size=20), []
    evaluate_coreset(
        coreset, ROWS, LABELS, l2=0.1, baselines="random", progress=lambda *r: told.append(r)
    )
    assert ("evaluate", 0, 1) in told


@pytest.mark.parametrize("is_told", [True, False])
def test_compiling_is_told_to_who_watches(is_told):
    told, seen = [], []

    def watch(*report):
        seen.append((COMPILING.announce, COMPILING.roads))
        told.append(report)

    with watching.watched(watch if is_told else False):
        assert COMPILING.announce is (watch if is_told else None)
    assert COMPILING.announce is None
    for rows, road in ((ROWS, "dense"), (sp.csr_array(ROWS), "sparse")):
        select_coreset(rows, size=20, progress=watch)
        assert set(seen[-1:]) == {(watch, (road,))}
        assert (COMPILING.announce, COMPILING.roads) == (None, ())


@pytest.mark.needs("tqdm")
def test_compiling_has_a_bar(capsys):
    with watching.watched(True) as progress:
        progress("compile", 3, 9)
    told = capsys.readouterr().err
    assert "compiling kernels, once on this machine" in told and "3/9" in told


def test_a_script_that_has_not_asked_sees_nothing(capsys):
    for progress in (None, False):
        select_coreset(ROWS, LABELS, size=20, progress=progress)
    assert capsys.readouterr().err == ""


@pytest.mark.needs("tqdm")
def test_bars_of_tqdm(capsys):
    select_coreset(ROWS, LABELS, size=20, progress=True)
    told = capsys.readouterr().err
    assert "selecting" in told and "fitting pilots to all rows" in told
    assert told.endswith("\r")


@pytest.mark.needs("tqdm")
@pytest.mark.parametrize(("patience", "is_shown"), [(1e9, False), (0, True)])
def test_who_is_at_work_sees_bars_of_what_takes_long(
    capsys, session, monkeypatch, patience, is_shown
):
    monkeypatch.setattr(watching, "PATIENCE", patience)
    select_coreset(ROWS, LABELS, size=20)
    assert ("selecting" in capsys.readouterr().err) == is_shown


def test_without_tqdm_the_stages_are_named(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    select_coreset(ROWS, LABELS, size=20, progress=True)
    assert capsys.readouterr().err.startswith("craig: selecting ...\n")


@pytest.mark.needs("tqdm")
def test_a_bar_is_taken_away_when_work_fails():
    closed = []

    class Bar(needs("tqdm").tqdm):
        def close(self):
            if not self.disable:  # it closes itself again when it is deleted
                closed.append(self.desc)
            super().close()

    bars = watching.Bars(Bar, 0)
    bars("read", 5, None)
    bars("wait a.csv", 0, None)
    bars("read", 9, None)
    bars("select", 1, 4)
    assert closed == ["reading"]
    bars.close()
    assert closed == ["reading", "selecting"]


def test_notes_are_warnings_of_the_line_that_called():
    for call in (
        lambda: select_coreset(WIDE, size=9),
        lambda: evaluate_coreset(
            select_coreset(WIDE, LABELS, size=20, scale="standard"),
            WIDE,
            LABELS,
            l2=0.1,
            baselines="random",
        ),
    ):
        with pytest.warns(CraigWarning) as caught:
            call()
        assert {warning.filename for warning in caught} == {__file__}


def test_many_skipped_rows_are_a_warning(tmp_path):
    lines = [f"{label},{row[0]}" for label, row in zip(LABELS, ROWS, strict=True)]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["label,a", *lines, "1,x", "0,x", "1,x"]))
    with pytest.warns(CraigWarning, match=r"rows were skipped as bad.*, or drop the columns"):
        select_coreset(path, size=9, on_error="skip")


def test_warnings_can_be_turned_off_or_into_errors():
    assert issubclass(CraigWarning, UserWarning)
    assert issubclass(UsageError, CraigError)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", CraigWarning)
        assert select_coreset(WIDE, size=9).notes
        warnings.simplefilter("error", CraigWarning)
        with pytest.raises(CraigWarning, match="Column spreads differ"):
            select_coreset(WIDE, size=9)


@pytest.mark.needs("scikit-learn")
def test_scikit_learn_warns_of_the_same_line():
    from craig_cli.sklearn import CraigSelector

    with pytest.warns(CraigWarning, match="spreads") as caught:
        CraigSelector(size=9).fit(WIDE)
    assert {warning.filename for warning in caught} == {__file__}


def test_importing_the_package_loads_nothing():
    code = (
        "import sys, craig_cli; dir(craig_cli); craig_cli.CraigWarning; "
        "print([m for m in ('numpy', 'numba', 'pyarrow', 'click') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ)
    )
    assert (found.stdout, found.stderr) == ("[]\n", "")
