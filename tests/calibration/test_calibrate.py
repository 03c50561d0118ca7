"""Calibrated coresets: what comes out exactly, what is the same for any threads and layout of rows,
and that harm is refused.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.sparse as sp
from problems import KINDS, TASKS, made_problem

from craig_cli import select_coreset
from craig_cli.arrays import sparse_rows
from craig_cli.calibration import calibrate, calibrated_coreset, importance_scores
from craig_cli.calibration.constraints import (
    all_coordinates,
    leading_coordinates,
    moments_at,
    row_gradients,
)
from craig_cli.calibration.directions import leading_directions
from craig_cli.calibration.dual import Solution
from craig_cli.calibration.pilots import fit_path, sample_rows
from craig_cli.dataset import Dataset
from craig_cli.errors import UsageError
from craig_cli.selection import select
from craig_cli.selection.prefix import first_picks
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.training import make_problem, optimum

METHODS = ("exact", "cells", "stratified", "random", "importance")
LOSSES = {"logistic": 2, "squared-hinge": 2, "smoothed-hinge": 3, "softmax": 3, "squared": None}
"""Losses, and a number of classes to try them on; None stands for a number to predict."""


def made(
    n_classes: int | None = 2, n_rows: int = 1500, n_columns: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of unequal columns, and labels that a linear model tells imperfectly."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(n_rows, n_columns)) * np.geomspace(2, 0.3, n_columns) + 0.3
    scores = X @ rng.normal(size=(n_columns, max(2, n_classes or 2))) + rng.gumbel(
        size=(n_rows, max(2, n_classes or 2))
    )
    return X, scores[:, 0] if n_classes is None else np.argmax(scores, axis=1)


def excess(X: np.ndarray, y: np.ndarray, coreset, loss: str, l2: float) -> float:
    """Return the loss on all rows at the optimum on the coreset, beyond the least."""
    whole = make_problem(X, y, loss, regression=loss == "squared")
    best, found = optimum(whole, l2), optimum(whole.subset(coreset.index, coreset.weight), l2)
    return whole.objective(found.coef, found.intercept, l2) - best.objective


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_comes_nearer_to_the_optimum(loss):
    X, y = made(LOSSES[loss])
    options = {
        "size": 200,
        "method": "random",
        "pilot_loss": loss,
        "task": "regression" if loss == "squared" else "classification",
    }
    plain, better = (
        select_coreset(X, y, weights=weights, **options) for weights in ("cluster", "calibrated")
    )
    assert better.weights == "calibrated"
    assert better.index.tolist() == plain.index.tolist()
    assert better.base_weight.tolist() == plain.weight.tolist()
    assert excess(X, y, better, loss, 1e-3) < excess(X, y, plain, loss, 1e-3) / 4
    said = better.calibration
    assert max(said["gradient_error_after"]) < max(said["gradient_error_before"]) / 5
    assert sum(said["loss_after"]) < sum(said["loss_before"])


@pytest.mark.parametrize(
    ("method", "representative"),
    [*((method, "medoid") for method in METHODS), ("exact", "random"), ("cells", "random")],
)
def test_every_method_keeps_its_class_sums(method, representative):
    X, y = made(3)
    coreset = select_coreset(
        X, y, size=150, method=method, representative=representative, weights="calibrated"
    )
    assert coreset.weights == "calibrated"
    for summary in coreset.classes:
        assert coreset.weight[coreset.label == summary.label].sum() == pytest.approx(
            summary.n_rows, rel=1e-13
        )


@pytest.mark.parametrize("loss", ["logistic", "softmax"])
def test_the_same_bytes_for_any_number_of_threads(loss):
    X, y = made(2 if loss == "logistic" else 4, n_rows=9000)
    results = [
        select_coreset(
            X, y, size=900, method="cells", representative="random", weights="calibrated", threads=t
        )
        for t in (1, 2, 3)
    ]
    assert len({(c.index.tobytes(), c.weight.tobytes(), str(c.calibration)) for c in results}) == 1
    assert results[0].weights == "calibrated"


def test_sparse_rows_give_the_weights_of_dense_ones():
    X, y = made(3)
    X[np.abs(X) < 0.5] = 0
    dense, sparse = (
        select_coreset(rows, y, size=150, method="random", weights="calibrated")
        for rows in (X, sp.csr_array(X))
    )
    assert np.allclose(dense.weight, sparse.weight, rtol=1e-5, atol=1e-6)


def test_harm_is_refused(monkeypatch):
    X, y = made()
    dataset = Dataset(X, y)
    plain = select(dataset, SelectionSettings(Budget(size=30), method="random"))

    def all_on_two(shares, *others):
        return Solution(
            np.where(
                np.isin(np.arange(30), [np.argmax(plain.label), np.argmin(plain.label)]), 0.5, 0.0
            ),
            1,
        )

    monkeypatch.setattr("craig_cli.calibration.rounds.calibrated_weights", all_on_two)
    coreset = calibrated_coreset(dataset, plain, CalibrationSettings("calibrated"))
    assert (coreset.weights, coreset.base_weight) == ("uniform", None)
    assert coreset.weight.tolist() == plain.weight.tolist()
    assert coreset.calibration["reason"] == (
        "round 1 did not lower the loss on all rows of the models fitted on the picks"
    )
    assert coreset.calibration["loss_after"] == coreset.calibration["loss_before"]


def test_no_more_rounds_than_help():
    X, y = made()
    calibration = select_coreset(
        X, y, size=200, method="random", weights="calibrated", calibration_rounds=10
    ).calibration
    assert 1 < calibration["rounds_kept"] < 10
    assert calibration["reason"] == (
        f"round {calibration['rounds_kept']} lowered the loss on all "
        f"rows by less than 1e-07 of it: enough"
    )


def test_weights_that_are_right_already_stay():
    X, y = made(n_rows=60)
    coreset = select_coreset(
        np.repeat(X, 20, axis=0),
        np.repeat(y, 20),
        size=60,
        method="exact",
        weights="auto",
        allocation="proportional",
    )
    assert (coreset.weights, coreset.weight.tolist(), coreset.calibration["rounds_kept"]) == (
        "cluster",
        [20.0] * 60,
        0,
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_loss_on_all_rows_never_rises(seed):
    X, y = made(n_columns=30, n_rows=500)
    coreset = select_coreset(X, y, size=40, method="random", seed=seed, weights="auto")
    said = coreset.calibration
    assert all(
        after <= before * (1 + 1e-6)
        for before, after in zip(said["loss_before"], said["loss_after"], strict=True)
    )


def test_leading_directions_where_columns_are_too_many():
    X, y = made(4, n_columns=80)
    coreset = select_coreset(
        X, y, size=120, method="random", weights="calibrated", pilot_l2=(1e-1,)
    )
    assert coreset.calibration["is_reduced"]
    assert coreset.calibration["constraints"] <= 240
    assert coreset.calibration["loss_after"] <= coreset.calibration["loss_before"]


@pytest.mark.parametrize("is_sparse", [False, True])
def test_leading_directions_are_those_of_the_longest_extent(is_sparse):
    rng = np.random.default_rng(0)
    X = (
        rng.normal(size=(300, 20))
        * np.geomspace(10, 0.01, 20)
        @ np.linalg.qr(rng.normal(size=(20, 20)))[0]
    )
    rows = sparse_rows(sp.csr_array(X)) if is_sparse else X
    found = leading_directions(make_problem(rows, np.arange(300) % 2, "logistic"), 5, rng)
    assert np.allclose(found.T @ found, np.eye(5), atol=1e-12)
    true = np.linalg.svd(X)[2][:5].T
    assert np.linalg.svd(true.T @ found)[1].min() > 0.99


def test_dependent_columns_leave_fewer_directions():
    X = np.outer(np.arange(1.0, 51), [1, 2, 0, 3])
    problem = make_problem(X, np.arange(50) % 2, "logistic")
    assert leading_directions(problem, 3, np.random.default_rng(0)).shape == (4, 1)


@pytest.mark.parametrize("loss", LOSSES)
def test_moments_are_means_over_rows(loss):
    X, y = made(LOSSES[loss], n_rows=400)
    problem = make_problem(X, y, loss, regression=loss == "squared")
    models = fit_path(problem, CalibrationSettings(pilot_l2=(1e-2, 1.0)))
    moments = moments_at(problem, models, with_squares=True)
    for model, value, gradient, squares in zip(models, *moments, strict=True):
        assert problem.objective(model[:, :-1], model[:, -1], 0.0) == pytest.approx(value)
        rows = row_gradients(problem, model, X)
        assert np.allclose(rows.mean(axis=0), gradient.ravel())
        assert np.allclose((rows**2).mean(axis=0), squares.ravel())
    without = moments_at(problem, models)
    assert without.squares.size == 0
    assert without.gradients.tobytes() == moments.gradients.tobytes()


def test_all_rows_meet_their_own_constraints_by_columns_and_along_directions():
    X, y = made(3, n_rows=400)
    problem = make_problem(X, y, "logistic")
    models = fit_path(problem, CalibrationSettings(pilot_l2=(1e-2, 1.0)))
    moments = moments_at(problem, models, with_squares=True)
    columns = all_coordinates(problem, moments.squares)
    along = leading_coordinates(problem, models, np.eye(5), problem)
    for one, other in zip(
        *(c.constraints(problem, models, moments.gradients) for c in (columns, along)), strict=True
    ):
        assert np.allclose(one.parts, other.parts)
        assert np.allclose(np.square(one.parts).mean(axis=0), 1)
        assert one.error(problem.shares) == pytest.approx(0, abs=1e-13)


def test_first_pilots_see_every_class():
    groups = np.array([0] * 5000 + [1] * 3 + [2])
    index, weights = sample_rows(groups, 50, np.random.default_rng(0), np.ones(len(groups)))
    assert (len(index), sorted(set(groups[index].tolist()))) == (50, [0, 1, 2])
    assert np.bincount(groups[index], weights).tolist() == pytest.approx([5000, 3, 1])


def test_calibrating_twice_is_calibrating_once():
    X, y = made()
    dataset, settings = Dataset(X, y), CalibrationSettings("calibrated")
    once = calibrated_coreset(
        dataset, select(dataset, SelectionSettings(Budget(size=100), method="stratified")), settings
    )
    twice = calibrated_coreset(dataset, once, settings)
    assert once.weight.tobytes() == twice.weight.tobytes()
    assert calibrated_coreset(dataset, once, CalibrationSettings("cluster")).weights == "cell"


@pytest.mark.parametrize("method", METHODS)
def test_a_prefix_has_weights_of_its_own(method):
    X, y = made(3)
    settings = SelectionSettings(Budget(size=90), method=method)
    coreset = select(Dataset(X, y), settings)
    prefix = first_picks(Dataset(X, y), settings, coreset, 30)
    assert prefix.index.tolist() == coreset.index[:30].tolist()
    assert prefix.cluster_size.sum() == len(X)
    assert [prefix.weight[prefix.label == s.label].sum() for s in prefix.classes] == pytest.approx(
        [s.n_rows for s in prefix.classes]
    )
    if method in ("exact", "cells"):
        assert prefix.weight.tolist() == prefix.cluster_size.tolist()
    whole = first_picks(Dataset(X, y), settings, coreset, 90)
    assert np.allclose(whole.weight, coreset.weight, rtol=1e-14)


def test_a_prefix_draws_representatives_anew():
    X, y = made()
    settings = SelectionSettings(Budget(size=90), method="exact", representative="random")
    coreset = select(Dataset(X, y), settings)
    assert (
        first_picks(Dataset(X, y), settings, coreset, 90).index.tolist() == coreset.index.tolist()
    )
    prefix = first_picks(Dataset(X, y), settings, coreset, 30)
    assert prefix.medoid.tolist() == coreset.medoid[:30].tolist()
    assert prefix.epsilon_total > coreset.epsilon_total


@pytest.mark.parametrize(
    ("first", "message"),
    [
        (0, "--first: 0 is not between 1 and 20, the picks that there are."),
        (21, "--first: 21 is not between 1 and 20, the picks that there are."),
        (1, "--first: among the first 1 picks there is none of class '1'. Give a larger number."),
    ],
)
def test_a_prefix_that_cannot_be(first, message):
    X, y = made()
    settings = SelectionSettings(Budget(size=20), method="exact")
    coreset = select(Dataset(X, y), settings)
    coreset = dataclasses.replace(coreset, label=np.concatenate([[0], coreset.label[1:]]))
    with pytest.raises(UsageError) as caught:
        first_picks(Dataset(X, y), settings, coreset, first)
    assert str(caught.value) == message


def test_no_labels_no_pilots():
    X, _ = made()
    said = (
        "weights='calibrated': a pilot needs labels, and there are none. Leave it out, or name "
        "their column with y."
    )
    with pytest.raises(UsageError) as caught:
        select_coreset(X, size=20, weights="calibrated")
    assert str(caught.value) == said
    coreset = select_coreset(X, size=20, weights="auto")
    assert (coreset.weights, coreset.notes[-1]) == (
        "cluster",
        f"The weights are not calibrated: {said}",
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": "best"}, "weights: 'best' is not one of cluster, calibrated, auto."),
        (
            {"representative": "best"},
            "representative: 'best' is not one of medoid, random, varied.",
        ),
        ({"pilot_l2": (1e-3, 0.0)}, "pilot_l2: 0.0 is not a finite number above 0."),
        ({"pilot_l2": (1e-3, 1e-3)}, "pilot_l2: give one number, or several that differ."),
        ({"calibration_rounds": 0}, "calibration_rounds: 0 is not at least 1."),
        (
            {"representative": "random", "method": "random"},
            "representative='random': the picks of method='random' are meant to be random. Leave "
            "one of the two out.",
        ),
    ],
)
def test_options_that_are_refused(options, message):
    X, y = made()
    with pytest.raises(UsageError) as caught:
        select_coreset(X, y, size=20, **options)
    assert str(caught.value) == message


def test_importance_scores_are_lengths_of_gradients():
    X, y = made(3, n_rows=600)
    scores = importance_scores(Dataset(X, y), "classification", CalibrationSettings(pilot_rows=600))
    problem = make_problem(X, y, "softmax")
    pilot = fit_path(problem, CalibrationSettings(pilot_l2=(1e-5,)))[0]
    assert np.allclose(scores, np.linalg.norm(row_gradients(problem, pilot, X), axis=1), rtol=1e-5)


def test_progress_is_told():
    X, y = made()
    seen = []
    calibrate(
        make_problem(X, y, "logistic"),
        y,
        np.arange(100),
        np.full(100, 15.0),
        CalibrationSettings(rounds=3),
        lambda *told: seen.append(told),
    )
    assert seen == [("calibrate", done, 3) for done in range(4)]


@pytest.mark.parametrize("n_rows", (1500, 9000))
def test_rows_that_have_weights_ask_for_their_own_gradient(n_rows):
    X, y = made(2, n_rows)
    weights = np.random.default_rng(2).integers(0, 4, n_rows) * np.where(X[:, 0] > 0, 3.0, 1.0)
    whole = make_problem(X, y, "logistic", weights)
    for rows in (X, sp.csr_array(X)):
        plain, better = (
            select_coreset(rows, y, size=200, method="cells", sample_weight=weights, weights=kind)
            for kind in ("cluster", "calibrated")
        )
        assert better.weights == "calibrated" and better.weight.sum() == pytest.approx(
            weights.sum()
        )
        best = optimum(whole, 1e-3)
        near, far = (optimum(whole.subset(c.index, c.weight), 1e-3) for c in (better, plain))
        residuals = [
            whole.objective(found.coef, found.intercept, 1e-3) - best.objective
            for found in (near, far)
        ]
        assert residuals[0] < residuals[1] / 4
        assert (
            max(better.calibration["gradient_error_after"])
            < max(better.calibration["gradient_error_before"]) / 5
        )


@pytest.mark.parametrize("kind", ("dense", "sparse"))
def test_moments_of_weighted_rows_are_those_of_repeated_ones(kind):
    X, y = made(3, 400)
    weights = np.random.default_rng(3).integers(0, 4, 400)
    models = np.random.default_rng(4).normal(size=(2, 3, 6))
    as_rows = (
        (lambda rows: rows) if kind == "dense" else (lambda rows: sparse_rows(sp.csr_array(rows)))
    )
    weighted = make_problem(as_rows(X), y, "softmax", weights)
    repeated = make_problem(
        as_rows(np.repeat(X, weights, axis=0)), np.repeat(y, weights), "softmax"
    )
    one, other = (
        moments_at(problem, models, with_squares=True) for problem in (weighted, repeated)
    )
    for name in one._fields:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-10)
    alone = moments_at(weighted, models, with_gradients=False)
    np.testing.assert_allclose(alone.losses, one.losses, rtol=1e-12)


def test_pilots_are_fitted_on_rows_that_count():
    groups, weights = np.arange(200) % 2, np.where(np.arange(200) < 150, 0.0, 2.0)
    index, stands_for = sample_rows(groups, 20, np.random.default_rng(0), weights)
    assert index.min() >= 150 and stands_for.sum() == weights.sum()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("loss", "n_classes"), TASKS)
def test_losses_alone_are_those_of_the_moments(loss, n_classes, kind):
    problem = made_problem(loss, n_classes, kind)
    models = np.random.default_rng(0).normal(size=(3, problem.n_outputs, 6))
    alone = moments_at(problem, models, with_gradients=False).losses
    assert np.allclose(alone, moments_at(problem, models).losses, rtol=1e-12)
    assert np.allclose(alone, [problem.full_pass(model, 0.0)[0] for model in models], rtol=1e-12)
