"""What the weighted picks are to add up to: the means over all rows, whatever the loss and the
layout of the rows, and whatever their offsets and units are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from problems import KINDS, TASKS, as_kind, made_problem, made_rows, uneven
from scipy.optimize import nnls

from craig_cli.calibration import constraints as module
from craig_cli.calibration.constraints import (
    GradientConstraints,
    MomentConstraints,
    n_moments,
    products,
    weighted_sum,
)
from craig_cli.calibration.directions import leading_directions
from craig_cli.calibration.pilots import Pilots, make_pilots
from craig_cli.dataset import SparseRows, as_matrix
from craig_cli.training import Problem, make_problem, optimum

STRENGTHS = np.array([1.0, 1e-2])


def pilots_of(problem: Problem) -> Pilots:
    return make_pilots(problem, problem, STRENGTHS)


def pilots_at(problem: Problem, models: np.ndarray) -> Pilots:
    """Return pilots that are models as they are, at no regulariser."""
    losses, gradients, slopes = [], np.empty_like(models), []
    for model, gradient in zip(models, gradients, strict=True):
        value, own = problem.full_pass(model, 0.0, gradient)
        losses.append(value)
        slopes.append(own)
    return Pilots(np.zeros(len(models)), models, np.array(losses), gradients, tuple(slopes), False)


def sums_of(constraints) -> np.ndarray:
    """Return the parts of all rows of a problem of 60."""
    return constraints.parts(np.arange(60))


def check_identities(problem: Problem, constraints) -> None:
    """The parts of all rows by their shares are what is wanted, and `along` goes by parts."""
    parts = sums_of(constraints)
    assert parts.shape == (60, len(constraints.wanted))
    np.testing.assert_allclose(problem.shares @ parts, constraints.wanted, rtol=0, atol=1e-12)
    some = np.array([7, 3, 3, 59])
    assert constraints.parts(some).tolist() == pytest.approx(parts[some], rel=1e-12, abs=1e-13)
    multipliers = np.random.default_rng(0).normal(size=len(constraints.wanted))
    np.testing.assert_allclose(constraints.along(multipliers), parts @ multipliers, atol=1e-11)


@pytest.mark.thinned(together=2)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("loss", "n_classes"), TASKS)
def test_all_rows_meet_their_own_constraints(loss, n_classes, kind, is_weighted, intercept):
    weights = uneven(60) if is_weighted else None
    problem = made_problem(loss, n_classes, kind, weights=weights, intercept=intercept)
    pilots = pilots_of(problem)
    constraints = GradientConstraints(problem, pilots)
    assert len(constraints.wanted) == 2 * problem.n_outputs * (5 + intercept)
    check_identities(problem, constraints)
    squares = problem.shares @ np.square(sums_of(constraints))
    np.testing.assert_allclose(squares, 1, rtol=1e-10)


def test_the_parts_are_gradients_about_the_means():
    problem = made_problem("softmax", 3, weights=uneven(60))
    pilots = pilots_of(problem)
    inputs = np.column_stack([problem.rows - problem.shares @ problem.rows, np.ones(60)])
    rows = np.hstack(
        [slopes[:, [b]] * inputs for slopes in pilots.slopes for b in range(problem.n_outputs)]
    )
    expected = rows / np.sqrt(problem.shares @ np.square(rows))
    np.testing.assert_allclose(sums_of(GradientConstraints(problem, pilots)), expected, atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_columns_are_directions_that_stand_for_themselves(kind):
    problem = made_problem("logistic", 3, kind, weights=uneven(60))
    pilots = pilots_of(problem)
    columns, along = (GradientConstraints(problem, pilots, by) for by in (None, np.eye(5)))
    np.testing.assert_allclose(sums_of(columns), sums_of(along), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(columns.wanted, along.wanted, rtol=1e-9, atol=1e-12)
    check_identities(problem, along)


def test_fewer_directions():
    problem = made_problem("softmax", 3, "sparse")
    directions = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 2)))[0]
    constraints = GradientConstraints(problem, pilots_of(problem), directions)
    assert len(constraints.wanted) == 2 * 3 * 3
    check_identities(problem, constraints)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", ["logistic", "squared"])
def test_weighted_rows_are_repeated_ones(kind, loss):
    rows, weights = made_rows(60), uneven(60)
    rng = np.random.default_rng(3)
    models, labels = rng.normal(size=(2, 1, 6)), rng.integers(2, size=60)
    again = np.repeat(np.arange(60), weights.astype(int))
    weighted = make_problem(as_kind(rows, kind), labels, loss, weights)
    repeated = make_problem(as_kind(rows[again], kind), labels[again], loss)
    one, other = (GradientConstraints(p, pilots_at(p, models)) for p in (weighted, repeated))
    np.testing.assert_allclose(one.wanted, other.wanted, rtol=1e-10)
    np.testing.assert_allclose(
        sums_of(one)[again], other.parts(np.arange(len(again))), rtol=1e-10, atol=1e-12
    )
    if loss == "squared":
        one, other = MomentConstraints(weighted), MomentConstraints(repeated)
        np.testing.assert_allclose(one.wanted, other.wanted, rtol=1e-10, atol=1e-12)


def moved_by(problem: Problem, offsets: np.ndarray, factor: float, models: np.ndarray):
    """Return the problem and the models where x is factor (x + offsets)."""
    moved = models.copy()
    moved[..., :-1] /= factor
    moved[..., -1] -= models[..., :-1] @ offsets
    return replace(problem, rows=factor * (problem.rows + offsets)), moved


@pytest.mark.parametrize("factor", [1.0, 1e-3, 1e6])
@pytest.mark.parametrize("offset", [0.0, 1e3])
@pytest.mark.parametrize(("loss", "n_classes"), [("logistic", 2), ("softmax", 3), ("squared", 0)])
def test_offsets_and_units_change_nothing_but_rounding(loss, n_classes, offset, factor):
    problem = made_problem(loss, n_classes)
    models = pilots_of(problem).models
    offsets = offset * np.array([1.0, -1.0, 0.5, 0.0, 2.0])
    moved, others = moved_by(problem, offsets, factor, models)
    constraints = [
        (GradientConstraints(p, pilots_at(p, m)) for p, m in ((problem, models), (moved, others))),
        (MomentConstraints(p) for p in (problem, moved)),
    ]
    for one, other in constraints[: 1 + (loss == "squared")]:
        for here, there in ((sums_of(one), sums_of(other)), (one.wanted, other.wanted)):
            np.testing.assert_allclose(there, here, rtol=1e-9, atol=1e-9 * np.abs(here).max())


@pytest.mark.parametrize("kind", KINDS)
def test_constant_columns_ask_for_nothing(kind):
    """Even one whose mean is not the number itself, but for rounding."""
    problem = made_problem("squared", 0)
    rows = np.column_stack([problem.rows, np.zeros(60), np.full(60, np.float32(0.1))])
    more = replace(problem, rows=as_kind(rows, kind))
    model = np.concatenate([pilots_of(problem).models[0], np.zeros((1, 2))], axis=1)[None]
    model = model[..., [0, 1, 2, 3, 4, 6, 7, 5]]
    found = GradientConstraints(more, pilots_at(more, model))
    plain = GradientConstraints(problem, pilots_at(problem, model[..., [0, 1, 2, 3, 4, 7]]))
    np.testing.assert_allclose(sums_of(found), sums_of(plain), rtol=1e-8, atol=1e-10)
    found, plain = MomentConstraints(more), MomentConstraints(problem)
    np.testing.assert_allclose(sums_of(found), sums_of(plain), rtol=1e-8, atol=1e-10)


def test_where_no_row_has_a_slope_nothing_is_asked_for():
    problem = make_problem(made_rows(60), np.arange(60) % 2, "squared-hinge")
    is_far = replace(problem, rows=np.where(problem.targets > 0, 5.0, -5.0)[:, None])
    constraints = GradientConstraints(is_far, pilots_at(is_far, np.array([[[1.0, 0.0]]])))
    assert constraints.wanted.shape == (0,)
    assert constraints.parts(np.arange(3)).shape == (3, 0)
    assert constraints.along(np.empty(0)).tolist() == [0.0] * 60


@pytest.mark.parametrize("blocks", [4096, 7])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("intercept", [True, False])
def test_all_rows_meet_their_own_moments(kind, intercept, blocks, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_ROWS", blocks)
    problem = made_problem("squared", 0, kind, weights=uneven(60), intercept=intercept)
    constraints = MomentConstraints(problem)
    assert len(constraints.wanted) == n_moments(problem) == (28 if intercept else 21)
    check_identities(problem, constraints)
    check_identities(problem, GradientConstraints(problem, pilots_of(problem)))


@pytest.mark.parametrize("intercept", [True, False])
def test_rows_that_meet_the_moments_have_the_ridge_path_of_all(intercept):
    problem = made_problem("squared", 0, n=300, weights=uneven(300), intercept=intercept)
    constraints = MomentConstraints(problem)
    parts = np.column_stack([np.ones(300), constraints.parts(np.arange(300))])
    weights, missed = nnls(parts.T, np.append(1.0, constraints.wanted))
    picks = np.flatnonzero(weights)
    assert missed < 1e-12 and len(picks) <= parts.shape[1]
    part = problem.subset(picks, weights[picks])
    for l2 in 10.0 ** np.arange(-6, 1):
        best, found = optimum(problem, l2), optimum(part, l2)
        residual = problem.objective(found.coef, found.intercept, l2) - best.objective
        assert residual < 1e-12 * best.objective
        np.testing.assert_allclose(found.coef, best.coef, rtol=1e-8, atol=1e-10)


def long_rows(offset: float = 0.0) -> np.ndarray:
    """Return rows that are far longer along some directions than along others."""
    rng = np.random.default_rng(0)
    lengths = np.geomspace(10, 0.01, 20)
    return (
        rng.normal(size=(300, 20)) * lengths @ np.linalg.qr(rng.normal(size=(20, 20)))[0] + offset
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("offset", [0.0, 50.0])
def test_leading_directions_are_those_of_the_longest_extent_about_the_means(kind, offset):
    rows, weights = long_rows(offset), uneven(300)
    problem = make_problem(as_kind(rows, kind), np.arange(300) % 2, "logistic", weights)
    found = leading_directions(problem, 5, np.random.default_rng(0))
    np.testing.assert_allclose(found.T @ found, np.eye(5), atol=1e-12)
    centred = rows - problem.shares @ rows
    true = np.linalg.svd(np.sqrt(problem.shares)[:, None] * centred)[2][:5].T
    assert np.linalg.svd(true.T @ found)[1].min() > 0.99


def test_leading_directions_do_not_hang_on_offsets():
    labels = np.arange(300) % 2
    found = [
        leading_directions(
            make_problem(long_rows(offset), labels, "logistic"), 5, np.random.default_rng(0)
        )
        for offset in (0.0, 1e3)
    ]
    np.testing.assert_allclose(*found, atol=1e-9)


def test_without_an_intercept_directions_are_about_zero():
    problem = make_problem(long_rows(1e3), np.arange(300) % 2, "logistic", intercept=False)
    found = leading_directions(problem, 1, np.random.default_rng(0))
    np.testing.assert_allclose(np.abs(found), 20**-0.5, atol=1e-3)


def test_dependent_columns_leave_fewer_directions():
    rows = np.outer(np.arange(1.0, 51), [1, 2, 0, 3])
    problem = make_problem(rows, np.arange(50) % 2, "logistic")
    assert leading_directions(problem, 3, np.random.default_rng(0)).shape == (4, 1)


@pytest.mark.parametrize("shape", [(0, 3), (5, 3), (900, 40), (30, 2000)])
def test_products_of_sparse_rows_have_the_bits_of_scipy(shape):
    rng = np.random.default_rng(0)
    n, d = shape
    counts = rng.integers(0, min(d, 9), n)
    indices = [np.sort(rng.choice(d, count, replace=False)) for count in counts]
    rows = SparseRows(
        np.append(0, np.cumsum(counts)).astype(np.int64),
        np.concatenate([np.empty(0), *indices]).astype(np.int32),
        rng.normal(size=counts.sum()),
        d,
    )
    weights, columns = rng.normal(size=n), rng.normal(size=(4, d)).T
    assert weighted_sum(rows, weights).tobytes() == (weights @ as_matrix(rows)).tobytes()
    assert products(rows, columns).tobytes() == (as_matrix(rows) @ columns).tobytes()
    some = slice(n // 3, n // 2)
    assert products(rows[some], columns).tobytes() == products(rows, columns)[some].tobytes()
