"""Newton's method comes to the optimum that L-BFGS does, for every loss, from near and from far."""

from __future__ import annotations

import numpy as np
import pytest
from problems import KINDS, TASKS, made_problem, uneven

from craig_cli.training import newton, optimum


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
    inputs = np.column_stack([problem.rows, np.ones(problem.n_rows)])
    model = np.random.default_rng(0).normal(size=(problem.n_outputs, 6))
    gradient, there = np.empty_like(model), np.empty_like(model)
    slopes = problem.full_pass(model, 0.0, gradient)[1]
    chances = slopes + (problem.class_numbers()[:, None] == np.arange(problem.n_outputs))
    hessian = newton.Equations(problem, inputs, 0.0).joint_hessian(chances)
    for place in np.ndindex(model.shape):
        moved = model.copy()
        moved[place] += 1e-6
        problem.full_pass(moved, 0.0, there)
        number = np.ravel_multi_index(place, model.shape)
        known = np.triu(hessian)[:, number] + np.triu(hessian, 1)[number]
        assert np.allclose((there - gradient).ravel() / 1e-6, known, atol=1e-5)
