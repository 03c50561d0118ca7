"""Epochs of the incremental solvers, compiled and plain, dense and sparse, against steps on whole
vectors as the formulas are written.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from problems import KINDS, TASKS, made_problem, made_rows, uneven
from reference import PlainSteps
from test_lazy_greedy import sparse

from craig_cli.kernels import dense_epochs, sparse_epochs
from craig_cli.settings.training import TrainSettings
from craig_cli.training import make_problem
from craig_cli.training.solvers import SOLVERS, Incremental
from craig_cli.training.solvers.reduced import Saga

STEPPING = [name for name, solver in SOLVERS.items() if issubclass(solver, Incremental)]
N, STEP, L2 = 40, 0.03, 0.2


def both(problem, solver, *, step=STEP, l2=L2, radius=0.0, visits=None, how="compiled", start=None):
    """The models after the same visits, in two epochs: by the solver, and by plain steps."""
    rng = np.random.default_rng(5)
    visits = rng.integers(0, problem.n_rows, 150) if visits is None else visits
    scales = problem.weights / problem.weights.mean()
    model = (
        rng.normal(size=(problem.n_outputs, problem.n_columns + 1)) * 0.3
        if start is None
        else start
    )
    model[:, -1] *= problem.constant
    settings = TrainSettings(solver=solver, l2=l2, radius=radius)
    ours = SOLVERS[solver](problem, settings, scales, model.copy())
    if how == "plain":
        ours.kernels = SimpleNamespace(
            **{name: getattr(f, "py_func", f) for name, f in vars(ours.kernels).items()}
        )
    inputs = np.column_stack([made_rows(problem.n_rows), np.full(problem.n_rows, problem.constant)])
    twin = PlainSteps(
        solver,
        problem.loss.name,
        inputs,
        problem.targets,
        problem.weights,
        scales,
        model,
        l2,
        radius=radius,
    )
    half = len(visits) // 2
    for part, size in ((visits[:half], step), (visits[half:], step / 2)):
        if solver == "svrg":
            twin.table = np.array([twin.slopes(row) for row in range(problem.n_rows)])
        ours.run_epoch(part, size)
        for row in part:
            twin.step(row, size)
    return ours.model, twin.model


@pytest.mark.thinned
@pytest.mark.parametrize("how", ["compiled", "plain"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("solver", STEPPING)
def test_steps_of_every_solver(solver, kind, how):
    for loss, classes in (("logistic", 2), ("softmax", 3)):
        ours, twin = both(
            made_problem(loss, classes, kind, N, uneven(N)),
            solver,
            how=how,
            visits=np.arange(0, 120, 3) % N,
        )
        np.testing.assert_allclose(ours, twin, rtol=1e-6, atol=1e-7)


@pytest.mark.thinned
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("solver", STEPPING)
@pytest.mark.parametrize(("loss", "classes"), TASKS)
def test_steps_of_every_solver_and_loss(solver, kind, loss, classes):
    for intercept in (True, False):
        step = 0.002 if solver == "momentum" else STEP  # ten times as far in the long run
        ours, twin = both(
            made_problem(loss, classes, kind, N, uneven(N), intercept=intercept), solver, step=step
        )
        np.testing.assert_allclose(ours, twin, rtol=1e-5, atol=1e-6)
        if not intercept:
            np.testing.assert_array_equal(ours[:, -1], 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("classes", [2, 3])
def test_projection(kind, classes):
    problem = made_problem("squared", classes, kind, N)
    for radius in (0.05, 0.4):
        ours, twin = both(problem, "sgd", radius=radius, step=0.02)
        np.testing.assert_allclose(ours, twin, rtol=1e-5, atol=1e-6)
        assert np.linalg.norm(ours[:, :-1]) <= radius * (1 + 1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_one_step_by_hand(kind):
    problem = made_problem("squared", 0, kind, n=1)
    row, target = made_rows(1)[0], problem.targets[0]
    start = np.array([[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]])
    weighted_slope = start[0, :-1] @ row + 0.6 - target
    expected = np.append(
        0.98 * start[0, :-1] - 0.1 * weighted_slope * row, 0.6 - 0.1 * weighted_slope
    )
    model = start.copy()
    SOLVERS["sgd"](problem, TrainSettings(l2=0.2, solver="sgd"), np.ones(1), model).run_epoch(
        np.array([0]), 0.1
    )
    np.testing.assert_allclose(model[0], expected, rtol=1e-14)


def test_shrinking_to_nothing_keeps_the_sparse_factor_apart():
    problem = made_problem("logistic", 2, "sparse", N)
    for step in (1.0, 0.99, 1.01):  # keep = 0, small, and negative
        ours, twin = both(problem, "sgd", step=step, l2=1.0)
        np.testing.assert_allclose(ours, twin, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("solver", STEPPING)
def test_columns_that_wait_long(solver):
    """One row alone has the last column; the others are visited for 3,000 steps in between."""
    rows = np.zeros((4, 5))
    rows[:, 0], rows[3, 4] = (1, -1, 0.5, 1), 2
    labels = np.array([0, 1, 0, 1])
    visits = np.array([3] + [0, 1, 2] * 1000)
    results = []
    for kind in ("float64", "sparse"):
        problem = made_problem("logistic", 2, kind, 4)
        problem = (
            make_problem(rows, labels, "logistic")
            if kind == "float64"
            else replace(problem, rows=sparse(rows), targets=2.0 * labels - 1)
        )
        model = np.array([[0.5, 0.0, 0.0, 1.0, -1.0, 0.1]])
        SOLVERS[solver](
            problem, TrainSettings(solver=solver, l2=0.01), np.ones(4), model
        ).run_epoch(visits, 0.02)
        results.append(model)
    np.testing.assert_allclose(*results, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_the_mean_of_saga_stays_that_of_its_table(kind):
    problem = made_problem("softmax", 3, kind, N, uneven(N))
    solver = Saga(problem, TrainSettings(solver="saga"), np.ones(N), np.zeros((3, 6)))
    solver.run_epoch(np.random.default_rng(0).integers(0, N, 500), 0.01)
    inputs = np.column_stack([made_rows(N), np.ones(N)])
    np.testing.assert_allclose(
        solver._mean, (solver._table * problem.shares[:, None]).T @ inputs, atol=1e-12
    )


@pytest.mark.parametrize("module", [dense_epochs, sparse_epochs])
def test_both_kinds_have_the_same_kernels(module):
    assert {"gradient_steps", "momentum_steps", "reduced_steps", "adaptive_steps"} <= set(
        vars(module)
    )
