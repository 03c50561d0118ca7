"""Newton's method comes to the optimum that L-BFGS does, for every loss, from near and from far;
and what calibration takes from a pass.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from problems import KINDS, TASKS, made_problem, uneven

from craig_cli.calibration.constraints import losses_at, moments_at
from craig_cli.threads import Workers
from craig_cli.training import newton, optimum
from craig_cli.training.losses import second_derivatives
from craig_cli.training.normal_equations import normal_matrix, solution


@pytest.mark.parametrize(("loss", "n_classes"), TASKS)
def test_the_optimum_is_that_of_lbfgs(loss, n_classes):
    problem = made_problem(loss, n_classes, n=300, weights=uneven(300))
    start = np.zeros((problem.n_outputs, problem.n_columns + 1))
    with Workers(1) as workers:
        for l2 in (1.0, 1e-3, 1e-6):
            least = optimum(problem, l2).objective
            near, far = (
                newton.minimise(problem, l2, model, workers)
                for model in (start, np.full_like(start, 0.3))
            )
            assert problem.full_pass(near, l2)[0] == pytest.approx(least, rel=1e-9)
            assert problem.full_pass(far, l2)[0] == pytest.approx(least, rel=1e-9)
            start = near


@pytest.mark.parametrize("kind", KINDS)
def test_without_an_intercept(kind):
    problem = made_problem("logistic", 2, kind, n=200, intercept=False)
    with Workers(2) as workers:
        model = newton.minimise(problem, 1e-3, np.zeros((1, 6)), workers)
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
        assert np.allclose(rise, second_derivatives(loss, slopes)[:, c], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("loss", "n_classes"), TASKS)
def test_losses_alone_are_those_of_the_moments(loss, n_classes, kind):
    problem = made_problem(loss, n_classes, kind)
    models = np.random.default_rng(0).normal(size=(3, problem.n_outputs, 6))
    alone = losses_at(problem, models)
    assert np.allclose(alone, moments_at(problem, models).losses, rtol=1e-12)
    assert np.allclose(alone, [problem.full_pass(model, 0.0)[0] for model in models], rtol=1e-12)


def test_zeros_left_out_make_the_same_equations():
    rng = np.random.default_rng(0)
    parts, weights = (
        rng.normal(size=(2100, 9)) * (rng.random((2100, 9)) < 0.2),
        rng.random(2100) * (rng.random(2100) > 0.3),
    )
    with Workers(1) as one, Workers(3) as three:
        matrix = normal_matrix(parts, weights, one)
        assert matrix.tobytes() == normal_matrix(parts, weights, three).tobytes()
    whole = parts.T @ sp.diags_array(weights) @ parts
    assert np.allclose(matrix, whole)
    right = rng.normal(size=9)
    assert np.allclose((whole + 0.1 * np.eye(9)) @ solution(matrix, np.full(9, 0.1), right), right)
