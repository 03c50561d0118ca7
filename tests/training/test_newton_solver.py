"""The solver newton: with a matrix and by conjugate gradients, one optimum; and what it counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from problems import KINDS, TASKS, made_labels, made_problem, made_rows, uneven

from craig_cli.settings.training import TrainSettings
from craig_cli.training import fit, make_problem, newton
from craig_cli.training.conjugate import ConjugateGradients
from craig_cli.training.curvature import Curvature
from craig_cli.training.solvers import newton as solver

NEWTON = TrainSettings(solver="newton", l2=1e-3)


@pytest.fixture
def without_a_matrix(monkeypatch):
    monkeypatch.setattr(solver, "MOST_COLUMNS", 0)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("loss", "n_classes"), TASKS)
def test_both_ways_solve_the_same_equations(loss, n_classes, kind, intercept):
    problem = made_problem(loss, n_classes, kind, 500, uneven(500), intercept=intercept)
    rng = np.random.default_rng(1)
    gradient = rng.normal(size=(problem.n_outputs, 6))
    gradient[:, -1] *= problem.constant
    if problem.loss.is_joint:
        gradient -= gradient.mean(axis=0)  # as of a softmax
    slopes = problem.full_pass(0.1 * gradient, 0.0)[1]
    exact, passes = Curvature(problem, 1e-2).direction(slopes, 1e-3, gradient)
    assert passes == 1
    near = ConjugateGradients(problem, 1e-2, longest=1e16)
    found, passes = near.direction(slopes, 1e-3, gradient)
    if problem.loss.is_joint:  # the same added to all intercepts changes nothing
        found, exact = (step - [0, 0, 0, 0, 0, 1] * step.mean(axis=0) for step in (found, exact))
    assert np.allclose(found, exact, rtol=1e-5, atol=1e-6 * np.abs(exact).max())
    assert 2 < passes < 60


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("loss", "n_classes"), TASKS)
def test_the_optimum_by_conjugate_gradients(loss, n_classes, kind, without_a_matrix):
    problem = made_problem(loss, n_classes, kind, 400, uneven(400))
    result = fit(problem, replace(NEWTON, tolerance=1e-7))
    best = fit(problem, TrainSettings(solver="lbfgs", l2=1e-3))
    assert result.converged
    assert result.objective == pytest.approx(best.objective, rel=1e-10)


def test_columns_far_from_nought_by_conjugate_gradients(without_a_matrix):
    rows = made_rows(500)
    labels = made_labels(rows, 2)
    plain = fit(make_problem(rows, labels), NEWTON)
    moved = fit(make_problem(rows + 1e3, labels), replace(NEWTON, tolerance=1e-7))
    assert moved.coef == pytest.approx(plain.coef, rel=1e-5)
    assert moved.passes <= 2 * plain.passes


def test_the_same_bytes_for_any_number_of_threads(without_a_matrix):
    problem = made_problem("softmax", 3, "float32", 9000)
    results = [fit(replace(problem, threads=t), NEWTON) for t in (1, 2, 3)]
    assert len({result.coef.tobytes() for result in results}) == 1


def test_epochs_are_steps_and_all_passes_are_counted():
    problem = made_problem("logistic", 2)
    result = fit(problem, replace(NEWTON, epochs=3, tolerance=0.0))
    assert [(point.epoch, point.passes) for point in result.trace] == [
        (0, 1), (1, 3), (2, 5), (3, 7)
    ]  # fmt: skip
    assert not result.converged
    path = list(newton.steps(problem, 1e-3, np.zeros((1, 6))))
    assert path[3].model.tobytes() == np.hstack([result.coef, result.intercept[:, None]]).tobytes()


def test_an_optimum_to_start_from_takes_one_pass():
    problem = made_problem("logistic", 2, n=300)
    first = fit(problem, NEWTON)
    again = fit(problem, NEWTON, (first.coef, first.intercept))
    assert again.passes == 1 and again.converged


def test_it_ends_where_rounding_allows_no_more():
    problem = made_problem("logistic", 2, n=300)
    result = fit(problem, replace(NEWTON, tolerance=0.0))
    assert not result.converged
    assert result.trace[-1].gradient_norm < 1e-14
    assert len(result.trace) < 20
