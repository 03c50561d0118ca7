"""Newton's steps from the model of random rows: against the formula, never uphill, counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from craig_cli.evaluation import Subset, compare, make_reference
from craig_cli.evaluation.subsampled_newton import NAMES, newton_path, newton_results
from craig_cli.settings.training import TrainSettings
from craig_cli.training import make_problem, optimum

L2 = 1e-2


@pytest.fixture
def whole():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2000, 4))
    return make_problem(rows, (rows[:, 0] + rng.normal(size=2000) > 0.5), "logistic", threads=1)


def drawn(whole, size, seed=0):
    rows = np.random.default_rng(seed).choice(whole.n_rows, size, replace=False)
    return Subset(rows, np.full(size, whole.n_rows / size), seed, 0.5)


def test_a_step_is_that_of_the_formula(whole):
    own = drawn(whole, 200)
    sample = whole.subset(own.rows, own.weights)
    start, *steps = newton_path(whole, sample, L2, 3)
    least = optimum(sample, L2)
    np.testing.assert_allclose(start.model[0, :-1], least.coef[0], rtol=1e-5)
    model = start.model[0]
    for step in steps:
        inputs = np.column_stack([whole.rows, np.ones(2000)])
        ridge = np.diag([L2] * 4 + [0.0])
        chances = expit(inputs @ model)
        gradient = inputs.T @ (chances - (whole.targets > 0)) / 2000 + ridge @ model
        few = inputs[own.rows]
        hessian = few.T @ ((chances * (1 - chances))[own.rows, None] * few) / 200 + ridge
        model = model - np.linalg.solve(hessian, gradient)
        np.testing.assert_allclose(step.model[0], model, rtol=1e-4, atol=1e-7)


def test_passes_are_counted(whole):
    own = drawn(whole, 200)
    path = newton_path(whole, whole.subset(own.rows, own.weights), L2, 3)
    # The first gradient; then a length tried each step, and slopes and Hessian of a tenth.
    assert [step.passes for step in path] == pytest.approx([0, 2.2, 3.4, 4.6])
    assert path[0].sample_passes > 3


def test_the_objective_never_rises_and_steps_end_where_nothing_is_left(whole):
    for seed in range(5):
        own = drawn(whole, 12, seed)  # far too few for a good Hessian
        path = newton_path(whole, whole.subset(own.rows, own.weights), 1e-6, 30)
        values = [whole.full_pass(step.model, 1e-6)[0] for step in path]
        assert len(path) == 31 and (np.diff(values) <= 1e-15).all()
        assert values[-1] == pytest.approx(optimum(whole, 1e-6).objective, rel=1e-9)


@pytest.mark.parametrize("loss", ["softmax", "squared-hinge", "smoothed-hinge", "squared"])
def test_other_losses(loss):
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(900, 3))
    labels = np.argmax(rows + 0.8 * rng.normal(size=rows.shape), axis=1)
    labels = labels if loss == "softmax" else np.minimum(labels, 1)
    whole = make_problem(rows, labels, loss)
    reference = make_reference(whole, TrainSettings(l2=L2, loss=loss))
    residuals = [r.residual for r in newton_results(reference, [drawn(whole, 90)])]
    own = drawn(whole, 90)
    fitted = optimum(whole.subset(own.rows, own.weights), L2)
    assert residuals[2] < 0.05 * reference.residual(fitted.coef, fitted.intercept)


def test_results(whole):
    reference = make_reference(whole, TrainSettings(l2=L2), test_error=whole.errors)
    own = [drawn(whole, 100, 0), drawn(whole, 100, 1)]
    results = newton_results(reference, own)
    assert [r.name for r in results] == list(NAMES)
    for number, result in enumerate(results, 1):
        assert [r.seed for r in result.runs] == [0, 1]
        assert [len(r.curve) for r in result.runs] == [number + 1] * 2
        assert all(r.rows == 100 and r.residual == r.curve[-1].residual for r in result.runs)
        assert result.gradient_error is None and result.selection_seconds == 0.5
        assert result.passes == np.mean([r.curve[-1].passes for r in result.runs])
        assert 0 < result.test_error < 0.5
    compared = compare(reference, {"coreset": own[:1], "random": own}, others=results)
    assert [r.name for r in compared.results] == ["all rows", "coreset", "random", *NAMES]
    assert compared.standing("newton-3") == "loses" and not compared.has("lewis")
    # The fit on the random rows is where the curve starts, and costs a share of its passes.
    first = results[0].runs[0].curve[0]
    assert first.residual == pytest.approx(compared.result("random").runs[0].residual, rel=1e-3)
    assert 0 < first.passes < 2


def test_the_path_does_not_depend_on_threads(whole):
    own, models = drawn(whole, 200), set()
    for threads in (1, 2, 3):
        problem = replace(whole, threads=threads)
        path = newton_path(problem, problem.subset(own.rows, own.weights), L2, 3)
        models.add(path[-1].model.tobytes())
    assert len(models) == 1
