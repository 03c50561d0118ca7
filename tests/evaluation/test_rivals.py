"""Rows as others draw them: scores against slow twins, draws that are unbiased, the same bytes for
any number of threads.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from reference import leverages, lewis_weights
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression

from craig_cli.dataset import SparseRows
from craig_cli.evaluation import rivals
from craig_cli.evaluation.rivals import (
    RIVALS,
    case_control_scores,
    drawn_by_scores,
    quadratic_forms,
    root_leverages,
    unfit,
)
from craig_cli.training import make_problem


def sparse(rows):
    rows = csr_array(rows)
    return SparseRows(
        rows.indptr.astype(np.int64), rows.indices.astype(np.int32), rows.data, rows.shape[1]
    )


def made(n=300, d=4, kind="dense", weighted=False, intercept=True, loss="logistic", threads=1):
    """Return rows of very different lengths, and their problem."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(n, d)) * rng.gamma(0.5, size=(n, 1)) + 3.0
    if kind == "sparse":
        rows = rows * (rng.random((n, d)) < 0.4)
    if kind == "dependent":  # a column twice, one of zeros, and two that add up to the intercept
        first = rng.random(n) < 0.3
        rows = np.column_stack([rows, rows[:, 0], np.zeros(n), first, ~first])
    labels = (rows[:, 0] + rng.normal(size=n) > 3).astype(np.int64)
    weights = rng.integers(0, 4, n).astype(float) if weighted else None
    problem = make_problem(
        sparse(rows) if kind == "sparse" else rows,
        labels,
        loss,
        weights,
        intercept=intercept,
        threads=threads,
    )
    inputs = np.column_stack([rows, np.ones(n)]) if intercept else rows
    return problem, inputs * problem.weights[:, None]


KINDS = pytest.mark.parametrize(
    ("kind", "weighted", "intercept"),
    [
        ("dense", False, True),
        ("dense", True, False),
        ("dependent", True, True),
        ("sparse", False, True),
        ("sparse", True, True),
    ],
)


@KINDS
def test_leverage_is_that_of_an_orthonormal_basis(kind, weighted, intercept):
    problem, inputs = made(kind=kind, weighted=weighted, intercept=intercept)
    expected = np.sqrt(leverages(inputs)) + problem.weights / problem.weights.sum()
    np.testing.assert_allclose(root_leverages(problem), expected, rtol=1e-8, atol=1e-9)


@KINDS
def test_lewis_weights_are_the_fixed_point(kind, weighted, intercept, monkeypatch):
    problem, inputs = made(kind=kind, weighted=weighted, intercept=intercept)
    counting = np.abs(inputs).max(axis=1) > 0
    expected = np.zeros(len(inputs))
    expected[counting] = lewis_weights(inputs[counting])
    found = rivals.lewis_weights(problem)
    np.testing.assert_allclose(found, expected, rtol=2 * rivals.LEWIS_CHANGE)
    monkeypatch.setattr(rivals, "LEWIS_CHANGE", 0.0)
    monkeypatch.setattr(rivals, "MOST_ITERATIONS", 60)
    np.testing.assert_allclose(rivals.lewis_weights(problem), expected, rtol=1e-7)
    rank = np.linalg.matrix_rank(inputs)
    assert rivals.lewis_weights(problem).sum() == pytest.approx(rank)


def test_large_offsets_do_no_harm():
    problem, inputs = made()
    shifted = replace(problem, rows=problem.rows + 1e6)
    found, expected = (quadratic_forms(p, np.ones(300)) for p in (shifted, problem))
    np.testing.assert_allclose(found, expected, rtol=1e-7)
    np.testing.assert_allclose(expected, leverages(inputs), rtol=1e-9)


def test_no_columns_that_count():
    problem = make_problem(np.zeros((5, 2)), np.array([0, 1, 0, 1, 1]), "logistic", intercept=False)
    assert rivals.lewis_weights(problem).tolist() == [0] * 5
    assert root_leverages(problem) == pytest.approx(np.full(5, 0.2))
    rows, weights = drawn_by_scores(np.zeros(5), np.ones(5), 5, np.random.default_rng(0))
    assert sorted(rows.tolist()) == list(range(5)) and weights == pytest.approx(np.ones(5))


def test_local_case_control_is_the_distance_of_a_pilot(monkeypatch):
    problem, _ = made(weighted=True)
    monkeypatch.setattr(rivals, "PILOT_ROWS", 10**6)  # the pilot of all rows: scikit-learn's
    other = LogisticRegression(C=1 / (problem.weights.sum() * rivals.PILOT_L2), tol=1e-10)
    labels = problem.class_numbers()
    # Rows of weight 0 are not drawn: each class stands for what counts of it.
    other.fit(problem.rows, labels, problem.weights)
    chances = other.predict_proba(problem.rows)[:, 1]
    expected = problem.weights * np.abs(labels - chances)
    np.testing.assert_allclose(case_control_scores(problem, 0), expected, rtol=1e-3, atol=1e-6)


def test_the_pilot_of_local_case_control_has_as_many_rows_of_each_class(monkeypatch):
    rng = np.random.default_rng(1)
    problem = make_problem(rng.normal(size=(3000, 2)), np.arange(3000) % 50 == 0, "logistic")
    seen = []
    monkeypatch.setattr(rivals, "PILOT_ROWS", 80)
    monkeypatch.setattr(rivals, "fitted", lambda part, l2: seen.append(part) or np.zeros((1, 3)))
    scores = case_control_scores(problem, 3)
    assert scores == pytest.approx(np.full(3000, 0.5))
    part = seen[0]
    assert np.bincount(part.class_numbers()).tolist() == [40, 40]
    assert np.bincount(part.class_numbers(), part.weights) == pytest.approx([2940, 60])


@pytest.mark.parametrize("name", RIVALS)
def test_sums_over_the_drawn_rows_are_unbiased(name):
    problem, _ = made(n=120, weighted=True)
    scores, values = RIVALS[name].scores(problem, 0), problem.rows[:, 1]
    sums, sizes = [], []
    for seed in range(3000):
        rows, weights = drawn_by_scores(scores, problem.weights, 40, np.random.default_rng(seed))
        assert len(set(rows.tolist())) == 40
        sums.append((weights @ values[rows], weights.sum()))
        sizes.append(weights @ (problem.weights[rows] > 0))
    expected = problem.weights @ values, problem.weights.sum()
    error = np.std(sums, axis=0) / np.sqrt(3000)
    assert (np.abs(np.mean(sums, axis=0) - expected) < 4 * error).all()
    assert min(sizes) > 0


def test_rows_are_drawn_in_proportion_to_their_scores():
    scores = np.concatenate([np.full(30, 1.0), np.full(10, 4.0), [1000.0]])
    counts = np.zeros(41)
    for seed in range(2000):
        rows, weights = drawn_by_scores(scores, np.ones(41), 8, np.random.default_rng(seed))
        counts[rows] += 1
        np.testing.assert_allclose(weights[rows == 40], 1.0)
    expected = np.append(7 * scores[:-1] / scores[:-1].sum(), 1.0)
    assert np.abs(counts / 2000 - expected).max() < 0.05


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("name", RIVALS)
def test_scores_do_not_depend_on_threads(name, kind, monkeypatch):
    monkeypatch.setattr(rivals, "WORTH_THREADS", 0)
    scores = {
        RIVALS[name].scores(made(n=5000, kind=kind, threads=threads)[0], 2).tobytes()
        for threads in (1, 2, 3)
    }
    assert len(scores) == 1


def test_more_than_two_classes():
    rng = np.random.default_rng(2)
    for loss in ("logistic", "softmax"):
        problem = make_problem(rng.normal(size=(400, 3)), np.arange(400) % 3, loss)
        for name, rival in RIVALS.items():
            assert unfit(name, problem) is None
            scores = rival.scores(problem, 0)
            assert scores.shape == (400,) and (scores > 0).all()


@pytest.mark.parametrize(
    ("name", "loss", "columns", "reason"),
    [
        ("lewis", "squared", 3, "it is for losses of classes, not for squared"),
        ("local-case-control", "squared-hinge", 3, "it needs a loss with probabilities"),
        ("leverage", "squared-hinge", 3, None),
        ("lewis", "logistic", 2001, "2,001 columns are more than the 2,000 it can do with"),
        ("lewis", "logistic", 2000, None),
        ("newton", "logistic", 2001, "its equations would be too large"),
        ("newton", "squared", 3, None),
    ],
)
def test_what_does_not_apply(name, loss, columns, reason):
    problem = make_problem(np.zeros((4, columns)), np.array([0, 1, 0, 1]), loss)
    assert unfit(name, problem) == reason
