"""``craig train --search``: what is tried, chosen, trained and refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from craig_cli import select_coreset
from craig_cli.files.model import read_model
from craig_cli.settings.search import SearchSettings
from craig_cli.settings.training import TrainSettings
from craig_cli.training import fit, make_problem
from craig_cli.workflows.search import folds_of

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(400, 6))
LABELS = (ROWS @ [2, -1, 1, 0, 0, 0] + RNG.normal(size=400) > 0).astype(int)
L2 = (1e-3, 1.0, 100.0)


@pytest.fixture
def data(own_folder):
    lines = ["label,a,b,c,d,e,f"]
    lines += [
        f"{y},{','.join(map(repr, row))}" for y, row in zip(LABELS, ROWS.tolist(), strict=True)
    ]
    Path("d.csv").write_text("\n".join(lines) + "\n")


def run(craig, *options):
    """Return what a search reports as JSON."""
    done = craig("train", "d.csv", "--search", *options, "--json", "--force", "-o", "m.npz")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_each_candidate_is_fitted_on_a_coreset_of_the_other_folds(craig, data):
    said = run(craig, "--l2", "1e-3,1,100", "--folds", "4", "--search-fraction", "0.2")
    problem = make_problem(ROWS, LABELS)
    folds = folds_of(problem, SearchSettings(folds=4))
    found = {strength: [] for strength in L2}
    for number in range(4):
        train, test = np.flatnonzero(folds != number), np.flatnonzero(folds == number)
        coreset = select_coreset(ROWS[train], LABELS[train], fraction=0.2)
        part = problem.subset(train[coreset.index], coreset.weight)
        for strength in L2:
            model = fit(part, TrainSettings(l2=strength))
            found[strength].append(problem.subset(test).objective(model.coef, model.intercept, 0))
    best = sorted(L2, key=lambda strength: np.mean(found[strength]))
    candidates = said["search"]["candidates"]
    assert [candidate["l2"] for candidate in candidates] == best
    for candidate in candidates:
        assert candidate["fold_loss"] == pytest.approx(np.mean(found[candidate["l2"]]), rel=1e-6)
    assert [model["l2"] for model in said["models"]] == best[:1]
    assert (said["search"]["folds"], said["search"]["fraction"]) == (4, 0.2)


def test_the_best_is_trained_on_all_rows_or_on_the_coreset(craig, data):
    said = run(craig, "--l2", "1e-3,1,100")
    best = f"{said['search']['candidates'][0]['l2']:g}"
    found = read_model("m.npz")
    assert craig("train", "d.csv", "--l2", best, "--force", "-o", "plain.npz").code == 0
    np.testing.assert_array_equal(found.coef, read_model("plain.npz").coef)
    assert craig("select", "d.csv", "--size", "40", "-o", "cs.parquet").code == 0
    run(craig, "--l2", "1e-3,1,100", "--coreset", "cs.parquet")
    options = ("--coreset", "cs.parquet", "--l2", best, "--force", "-o", "plain.npz")
    assert craig("train", "d.csv", *options).code == 0
    np.testing.assert_array_equal(read_model("m.npz").coef, read_model("plain.npz").coef)


def test_several_losses_are_compared_by_their_errors(craig, data):
    said = run(craig, "--loss", "logistic,squared-hinge", "--l2", "1e-3,100")
    candidates = said["search"]["candidates"]
    errors = [candidate["fold_error"] for candidate in candidates]
    assert len(candidates) == 4 and errors == sorted(errors)
    assert said["loss"] == candidates[0]["loss"]


def test_the_summary_has_the_best_and_verbose_all(craig, data):
    options = ("train", "d.csv", "--search", "--l2", "1e-3,1,100", "--force", "-o", "m.npz")
    brief, whole = craig(*options).err, craig(*options, "-v").err
    assert "search   3 candidates, each fitted on coresets of 0.1 of the rows" in brief
    assert brief.count("standard deviation") == 2 and whole.count("standard deviation") == 3
    assert "\ntrained  on all rows\n" in brief and "\ntrained  on all rows\n" in whole


def test_fewer_rows_than_columns_are_told(craig, data):
    told = "fitted on about 5 rows, no more than there are columns"
    options = ("--l2", "1e-3,1", "--folds", "4", "--search-fraction")
    assert told in run(craig, *options, "0.0167")["notes"][0]
    assert run(craig, *options, "0.1")["notes"] == []


def test_regression(craig, own_folder):
    lines = ["label,a,b"]
    lines += [f"{a + 0.1 * b:.6f},{a:.6f},{b:.6f}" for a, b in ROWS[:, :2]]
    Path("d.csv").write_text("\n".join(lines) + "\n")
    said = run(craig, "--task", "regression", "--l2", "1e-6,100")
    assert said["models"][0]["l2"] == 1e-6 and said["search"]["candidates"][0]["fold_error"] < 0.1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--search",), "--search: there is nothing to choose from. Give several --l2"),
        (("--search", "--l2", "1,2", "--folds", "1"), "--folds"),
        (("--search", "--l2", "1,2", "--folds", "401"), "--folds: there are 400 rows only"),
        (("--search", "--l2", "1,2", "--search-fraction", "0"), "--search-fraction"),
        (("--search", "--l2", "1,2", "--fraction", "0.2"), "--search has --search-fraction."),
        (("--loss", "logistic,squared"), "--loss: several losses are for --search"),
        (("--loss", "logistic,log"), "'log' is not one of"),
        (
            ("--model", "mlp", "--search", "--l2", "1"),
            "--search: it is an option of --model linear",
        ),
    ],
)
def test_what_is_refused(craig, data, options, said):
    done = craig("train", "d.csv", *options, "-o", "m.npz")
    assert done.code == 2 and said in done.err


def test_a_class_of_one_row(craig, own_folder):
    rows = "".join(f"{int(row == 0)},{row}\n" for row in range(20))
    Path("d.csv").write_text("label,a\n" + rows)
    done = craig("train", "d.csv", "--search", "--l2", "1,2", "-o", "m.npz")
    assert done.code == 2 and "a class has one row only" in done.err


def test_folds_hold_as_many_rows_of_each_class():
    problem = make_problem(ROWS, np.repeat([0, 1], [25, 375]))
    folds = folds_of(problem, SearchSettings(folds=5))
    assert np.bincount(folds).tolist() == [80] * 5
    assert np.bincount(folds[:25]).tolist() == [5] * 5
