"""The bound on the gradient error really bounds, for every loss, at any model in the ball; and it
is not vacuous.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tools import slow

from craig_cli.dataset import Dataset, SparseRows, as_dense
from craig_cli.evaluation import gradient_bound
from craig_cli.evaluation.bounds import raw_distances
from craig_cli.readers import read_dataset
from craig_cli.selection import assign, select
from craig_cli.settings import Budget, InputSettings, SelectionSettings
from craig_cli.training import make_problem
from craig_cli.training.losses import LOSSES
from craig_cli.training.problem import pack

SAMPLE = str(Path(__file__).parents[2] / "sample_data" / "sample.libsvm")
MODELS = 300


def as_sparse(rows):
    entries = np.nonzero(rows)
    indptr = np.concatenate([[0], np.cumsum(np.count_nonzero(rows, axis=1))]).astype(np.int64)
    return SparseRows(indptr, entries[1].astype(np.int32), rows[entries], rows.shape[1])


def made(kind):
    """Return a data set, and whether its label is a number to predict."""
    if kind == "sample":
        return read_dataset(InputSettings((SAMPLE,))), False
    rng = np.random.default_rng(3)
    rows = np.round(rng.normal(size=(200, 4)) * [1, 3, 0.2, 1], 2) + np.array([0, 5, 0, 0])
    if kind == "numbers":
        return Dataset(rows, rows @ [1.0, -2, 3, 0.5] + rng.normal(size=200)), True
    labels = (
        np.argmax(rows[:, :3] * [3, 0.3, 8], axis=1)
        if kind == "three"
        else (rows[:, 0] > 0).astype(np.int64)
    )
    return Dataset(as_sparse(rows) if kind == "sparse" else rows, labels), False


def models_in_ball(problem, radius, rng):
    """Give models on the ball, within it, and along single rows, where slopes are steepest;
    intercept last.
    """
    shape = (problem.n_outputs, problem.n_columns + 1)
    for number in range(MODELS):
        model = rng.normal(size=shape) * rng.exponential(size=shape) ** 2
        if not problem.intercept:
            model[:, -1] = 0
        yield model * (radius * (1.0 if number % 2 else rng.random()) / np.linalg.norm(model))


def per_row_gradients(problem, model, dense):
    """Return the gradient of each row's loss (n, m, d + 1)."""
    _, slopes = problem.full_pass(model, 0.0, np.zeros_like(model))
    inputs = np.column_stack([dense, np.full(problem.n_rows, problem.constant)])
    return slopes[:, :, None] * inputs[:, None, :]


def dense_of(rows):
    return as_dense(rows)


CASES = [
    (kind, loss)
    for kind in ("sample", "sparse", "three", "numbers")
    for loss in LOSSES
    if kind != "numbers" or LOSSES[loss].fits_numbers
]


@pytest.mark.thinned
@pytest.mark.parametrize("method", ["exact", "stratified", "random"])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("kind", "loss"), CASES)
def test_no_model_in_the_ball_breaks_the_bound(kind, loss, intercept, method):
    dataset, regression = made(kind)
    settings = SelectionSettings(
        Budget(fraction=0.1),
        method=method,
        task="regression" if regression else "classification",
        threads=1,
    )
    coreset = select(dataset, settings)
    problem = make_problem(
        dataset.rows, dataset.labels, loss, intercept=intercept, regression=regression, threads=1
    )
    part = problem.subset(coreset.index, coreset.weight)
    picks = assign(dataset, settings, coreset.index)
    rng = np.random.default_rng(0)
    for radius in (0.1, 2.0, 50.0):
        bound = gradient_bound(problem, coreset.index, coreset.weight, picks, radius)
        assert bound.total == pytest.approx(bound.mean * problem.n_rows)
        gradients = np.zeros((2, problem.n_outputs, problem.n_columns + 1))
        for model in models_in_ball(problem, radius, rng):
            problem.full_pass(model, 0.0, gradients[0])
            part.full_pass(model, 0.0, gradients[1])
            assert np.linalg.norm(gradients[0] - gradients[1]) <= bound.mean * (1 + 1e-9)


@pytest.mark.parametrize(("kind", "loss"), CASES)
def test_each_pair_and_each_slope_is_bounded(kind, loss):
    dataset, regression = made(kind)
    problem = make_problem(dataset.rows, dataset.labels, loss, regression=regression, threads=1)
    dense, rng = dense_of(dataset.rows), np.random.default_rng(1)
    lengths = np.sqrt((dense**2).sum(axis=1) + 1)
    groups = np.zeros(problem.n_rows) if regression else problem.targets
    others = np.array([rng.choice(np.flatnonzero(groups == group)) for group in groups])
    for radius in (0.3, 4.0):
        slopes = problem.loss.steepest_slopes(radius * lengths, problem.targets, problem.n_outputs)
        change = problem.loss.curvature * (
            radius * raw_distances(problem.rows, others)
            + np.abs(problem.targets - problem.targets[others])
        )
        pairs = slopes * raw_distances(problem.rows, others) + change * lengths[others]
        for row in range(
            0, problem.n_rows, 7
        ):  # models along a row make its scores as large as they can be
            towards = np.append(dense[row], 1.0) * rng.choice(
                [-1.0, 1.0], size=(problem.n_outputs, 1)
            )
            model = towards * (radius / np.linalg.norm(towards))
            gradients = per_row_gradients(problem, model, dense)
            assert (
                np.linalg.norm(gradients, axis=(1, 2)) <= slopes * lengths * (1 + 1e-9) + 1e-12
            ).all()
            assert (
                np.linalg.norm(gradients - gradients[others], axis=(1, 2))
                <= pairs * (1 + 1e-9) + 1e-12
            ).all()


def test_the_bound_is_zero_for_all_rows_and_near_what_is_seen_in_a_nice_case():
    rows = (
        np.repeat(np.linspace(0, 1, 20), 10)[:, None]
        + np.tile(np.linspace(0, 0.01, 10), 20)[:, None]
    )
    labels = (np.arange(200) % 20 == 0).astype(np.int64)
    problem = make_problem(rows, labels, "logistic", threads=1)
    everything = np.arange(200)
    assert gradient_bound(problem, everything, np.ones(200), everything, 1.0).total == 0
    lowest = np.array(
        [0, 1]
    )  # each class stood for by its lowest row: all differences have the same sign
    bound = gradient_bound(
        problem, lowest, np.bincount(1 - labels).astype(float)[[0, 1]], 1 - labels, 0.1
    )
    part = problem.subset(lowest, np.bincount(1 - labels).astype(float))
    model = pack(np.full((1, 1), 0.05), np.array([0.05]))
    gradients = np.zeros((2, 1, 2))
    problem.full_pass(model, 0.0, gradients[0])
    part.full_pass(model, 0.0, gradients[1])
    measured = float(np.linalg.norm(gradients[0] - gradients[1]))
    assert measured <= bound.mean <= 2 * measured


def test_weights_that_are_no_clusters_cost_their_longest_gradient():
    problem = make_problem(
        np.array([[0.0], [0], [3], [3]]), np.array([0, 0, 1, 1]), "smoothed-hinge", threads=1
    )
    bound = gradient_bound(
        problem, np.array([0, 2]), np.array([3.0, 1.0]), np.array([0, 0, 1, 1]), 5.0
    )
    assert bound.total == pytest.approx(
        1 * 1 + 1 * np.sqrt(10)
    )  # rows equal their picks; one unit too many of (0, 1), one too few of (3, 1)


def test_weights_count_by_their_shares():
    problem = make_problem(
        np.array([[0.0], [1], [3], [5]]), np.array([0, 0, 1, 1]), "logistic", threads=1
    )
    picks, index = np.array([0, 0, 1, 1]), np.array([0, 2])
    once = gradient_bound(problem, index, np.array([2.0, 2.0]), picks, 1.0)
    assert gradient_bound(problem, index, np.array([1.0, 1.0]), picks, 1.0) == once


@pytest.mark.parametrize("method", ["exact", *slow("random")])
def test_rows_that_have_weights(method):
    dataset, _ = made("three")
    dataset = replace(dataset, weights=np.random.default_rng(5).integers(0, 5, 200).astype(float))
    settings = SelectionSettings(Budget(fraction=0.2), method=method, threads=1)
    coreset = select(dataset, settings)
    problem = make_problem(dataset.rows, dataset.labels, "softmax", dataset.weights, threads=1)
    part = problem.subset(coreset.index, coreset.weight)
    rng = np.random.default_rng(6)
    bound = gradient_bound(
        problem, coreset.index, coreset.weight, assign(dataset, settings, coreset.index), 2.0
    )
    gradients = np.zeros((2, problem.n_outputs, problem.n_columns + 1))
    for model in models_in_ball(problem, 2.0, rng):
        problem.full_pass(model, 0.0, gradients[0])
        part.full_pass(model, 0.0, gradients[1])
        assert np.linalg.norm(gradients[0] - gradients[1]) <= bound.mean * (1 + 1e-9)
