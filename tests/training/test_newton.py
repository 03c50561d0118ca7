"""Newton's method comes to the optimum that L-BFGS does, for every loss, from near and from far."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from problems import KINDS, TASKS, made_labels, made_problem, made_rows, uneven
from test_lazy_greedy import sparse

from craig_cli.settings.training import TrainSettings
from craig_cli.training import curvature as curvatures
from craig_cli.training import fit, make_problem, newton, normal_equations
from craig_cli.training.curvature import Curvature, Hessians


def optimum(problem, l2):
    """The fit by L-BFGS."""
    return fit(problem, TrainSettings(solver="lbfgs", l2=l2))


def uncentred(found: Hessians) -> np.ndarray:
    """The Hessians by (w, b), whole."""
    matrices = np.triu(found.matrices) + np.triu(found.matrices, 1).transpose(0, 2, 1)
    back = np.eye(matrices.shape[1])
    back[:-1, -1] = found.centre
    return back @ matrices @ back.T


@pytest.mark.parametrize(("loss", "n_classes"), TASKS)
def test_the_optimum_is_that_of_lbfgs(loss, n_classes):
    problem = made_problem(loss, n_classes, n=300, weights=uneven(300))
    start = np.zeros((problem.n_outputs, problem.n_columns + 1))
    for l2 in (1.0, 1e-3, 1e-6):
        least = optimum(problem, l2).objective
        near, far = (
            newton.minimise(problem, l2, model) for model in (start, np.full_like(start, 0.3))
        )
        assert problem.full_pass(near, l2)[0] == pytest.approx(least, rel=1e-9)
        assert problem.full_pass(far, l2)[0] == pytest.approx(least, rel=1e-9)
        start = near


@pytest.mark.parametrize("kind", KINDS)
def test_without_an_intercept(kind):
    problem = made_problem("logistic", 2, kind, n=200, intercept=False)
    model = newton.minimise(problem, 1e-3, np.zeros((1, 6)))
    assert model[0, -1] == 0
    assert problem.full_pass(model, 1e-3)[0] == pytest.approx(
        optimum(problem, 1e-3).objective, rel=1e-9
    )


@pytest.mark.parametrize(("loss", "n_classes"), TASKS)
def test_second_derivatives_are_those_of_the_slopes(loss, n_classes):
    problem = made_problem(loss, n_classes)
    rng = np.random.default_rng(0)
    model, gradient = rng.normal(size=(problem.n_outputs, 6)), np.empty((problem.n_outputs, 6))
    slopes = problem.full_pass(model, 0.0, gradient)[1]
    for c in range(problem.n_outputs):
        moved = model.copy()
        moved[c, -1] += 1e-6
        rise = (problem.full_pass(moved, 0.0, gradient)[1][:, c] - slopes[:, c]) / 1e-6
        assert np.allclose(rise, problem.loss.second_derivatives(slopes)[:, c], atol=1e-5)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_joint_hessian_is_that_of_the_gradient(n_classes):
    problem = made_problem("softmax", n_classes, n=1500, weights=uneven(1500))
    model = np.random.default_rng(0).normal(size=(problem.n_outputs, 6))
    gradient, there = np.empty_like(model), np.empty_like(model)
    slopes = problem.full_pass(model, 0.0, gradient)[1]
    curvature = Curvature(problem, 0.0)
    hessian = curvature.joined(uncentred(curvature.hessians(slopes)))
    for place in np.ndindex(model.shape):
        moved = model.copy()
        moved[place] += 1e-6
        problem.full_pass(moved, 0.0, there)
        number = np.ravel_multi_index(place, model.shape)
        known = np.triu(hessian)[:, number] + np.triu(hessian, 1)[number]
        assert np.allclose((there - gradient).ravel() / 1e-6, known, atol=1e-5)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("kind", [*KINDS, "zeros"])
@pytest.mark.parametrize("loss", ["logistic", "softmax"])
def test_hessians_are_sums_over_rows(kind, loss, intercept, monkeypatch):
    """Of every kind of rows, in blocks, one output after another or each with each."""
    if kind != "zeros":
        monkeypatch.setattr(curvatures, "MOSTLY_ZEROS", 0.0)
    problem = made_problem(
        loss, 3, "float64" if kind == "zeros" else kind, 2500, uneven(2500), intercept=intercept
    )
    if kind == "zeros":
        monkeypatch.setattr(curvatures, "MOSTLY_ZEROS", 1.0)
    model = np.random.default_rng(0).normal(size=(3, 6))
    model[:, -1] *= problem.constant
    slopes = problem.full_pass(model, 0.0)[1]
    found = uncentred(Curvature(problem, 0.0).hessians(slopes))
    chances = slopes + (problem.class_numbers()[:, None] == np.arange(3))
    rows = problem.rows.dense() if kind == "sparse" else problem.rows
    inputs = np.column_stack([rows, np.full(2500, problem.constant)])
    pairs = [(b, c) for b in range(3) for c in range(b, 3)]
    if loss == "logistic":
        known = [problem.loss.second_derivatives(slopes)[:, c] for c in range(3)]
    else:  # the products between two classes are taken off when they are joined
        known = [chances[:, b] * np.abs((b == c) - chances[:, c]) for b, c in pairs]
    for matrix, bend in zip(found, known, strict=True):
        assert np.allclose(matrix, inputs.T @ ((problem.shares * bend)[:, None] * inputs))


@pytest.mark.parametrize("kind", [*KINDS, "zeros"])
def test_the_same_bits_for_any_number_of_threads(kind, monkeypatch):
    for module in (newton, normal_equations):
        monkeypatch.setattr(module, "WORTH_THREADS", 0)
    monkeypatch.setattr(curvatures, "MOSTLY_ZEROS", 1.0 if kind == "zeros" else 0.0)
    problem = made_problem("logistic", 3, "float64" if kind == "zeros" else kind, 9000)
    models = {
        newton.minimise(replace(problem, threads=t), 1e-4, np.zeros((3, 6))).tobytes()
        for t in (1, 2, 3)
    }
    assert len(models) == 1


@pytest.mark.parametrize("kind", ["float64", "sparse"])
@pytest.mark.parametrize("units", [1e-6, 1e6])
def test_offsets_and_units_of_columns_do_no_harm(kind, units):
    rows = made_rows(400)
    labels = made_labels(rows, 2)
    plain = newton.minimise(make_problem(rows, labels), 0.0, np.zeros((1, 6)))
    moved = rows * np.array([units, 1, 1, 1, 1]) + np.array([0, 1e4, 0, 0, 0])
    problem = make_problem(moved if kind == "float64" else sparse(moved), labels)
    model = newton.minimise(problem, 0.0, np.zeros((1, 6)))
    assert model[0, :-1] * [units, 1, 1, 1, 1] == pytest.approx(plain[0, :-1], rel=1e-5)
    assert model[0, -1] + 1e4 * model[0, 1] == pytest.approx(plain[0, -1], rel=1e-4)


@pytest.mark.parametrize(("loss", "n_classes"), TASKS)
def test_the_hessian_of_some_rows(loss, n_classes):
    problem = made_problem(loss, n_classes, n=3000, weights=uneven(3000))
    some = problem.subset(np.random.default_rng(0).permutation(3000)[:400])
    start = np.zeros((problem.n_outputs, 6))
    found = newton.descend(problem, 1e-4, start, some)
    assert found.value == pytest.approx(optimum(problem, 1e-4).objective, rel=1e-10)
    assert found.value == problem.full_pass(found.model, 1e-4)[0]
    assert found.decrement <= 1e-9 * found.value or found.by_all_rows
    assert found.by_all_rows or found.passes < 2 + found.steps * (1 + 2 * 400 / 3000) * 1.2


def test_a_hessian_that_misleads_gives_way_to_that_of_all_rows():
    problem = made_problem("logistic", 2, n=1000)
    found = newton.descend(problem, 1e-4, np.zeros((1, 6)), problem.subset(np.arange(2)))
    assert found.by_all_rows
    assert found.value == pytest.approx(optimum(problem, 1e-4).objective, rel=1e-10)


def test_passes_and_decrement():
    """Of a parabola one step leaves nothing, and has promised what there was to gain."""
    problem = made_problem("squared", 0, n=500)
    start = np.zeros((1, 6))
    first, second = islice(newton.steps(problem, 1e-2, start), 2)
    best = optimum(problem, 1e-2).objective
    assert (first.passes, second.passes) == (1, 3)
    assert second.decrement == pytest.approx(first.value - best)
    assert second.value == pytest.approx(best, rel=1e-12)
