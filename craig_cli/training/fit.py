"""Fitting a model to a problem, by any solver."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Progress, no_progress
from craig_cli.errors import UsageError
from craig_cli.settings.training import TrainSettings
from craig_cli.training.automatic import resolved
from craig_cli.training.compatibility import check_fit
from craig_cli.training.problem import Array, Problem, pack
from craig_cli.training.result import Fit, Watch
from craig_cli.training.schedules import Visits
from craig_cli.training.solvers import SOLVERS


def fit(
    problem: Problem,
    settings: TrainSettings,
    init: tuple[Array, Array] | None = None,
    *,
    rng: np.random.Generator | None = None,
    order: NDArray[np.int64] | None = None,
    progress: Progress = no_progress,
    watch: Watch | None = None,
) -> Fit:
    """Return a model that minimises the mean of the weighted losses plus l2/2 ||w||^2.

    Parameters
    ----------
    problem : Problem
        Its loss counts, and its intercept; those of `settings` are for whoever makes the problem.
    settings : TrainSettings
    init : (coef, intercept), optional
        Where to start; default zero.
    rng : numpy.random.Generator, optional
        What random orders are drawn from; not advanced. Default: made of ``settings.seed``.
    order : ndarray of int64, shape (n,), optional
        The rows in greedy order; default: as they stand.
    progress : Progress
    watch : Watch, optional
        Under ``settings.tune`` called for every candidate.

    Raises
    ------
    UsageError
        Loss, labels, solver and options do not fit, `init` has another shape, or the solver
        diverged.
    """
    start = checked_start(problem, init)
    check_fit(problem.loss, problem.classes, settings)
    settings, why = resolved(settings)
    solver = SOLVERS[settings.solver]
    complete = replace(
        settings,
        loss=problem.loss.name,
        epochs=settings.epochs or solver.usual_epochs(problem.n_rows),
        tolerance=solver.usual_tolerance if settings.tolerance is None else settings.tolerance,
        order=settings.order or solver.usual_order,
    )
    drawn_from = np.random.default_rng(settings.seed) if rng is None else rng

    def make_visits() -> Visits:
        assert complete.order is not None
        return Visits(problem, complete.order, copy.deepcopy(drawn_from), order)

    result = solver.minimise(problem, complete, start, make_visits, progress, watch)
    if not (np.isfinite(result.objective) and np.isfinite(result.coef).all()):
        raise UsageError(
            "The loss of the model is beyond the largest number (1.8e308). Divide the largest "
            "columns, and the target of a regression, by a constant first."
        )
    return replace(result, why=why)


def optimum(problem: Problem, l2: float, init: tuple[Array, Array] | None = None) -> Fit:
    """Return the minimiser, as far as rounding allows (`Fit.converged`).

    By Newton's method; should it stop short, L-BFGS goes on from there.
    """
    result = fit(problem, TrainSettings(solver="newton", l2=l2), init)
    if result.converged:
        return result
    more = fit(problem, TrainSettings(solver="lbfgs", l2=l2), (result.coef, result.intercept))
    is_better = more.trace[-1].gradient_norm < result.trace[-1].gradient_norm
    return more if is_better else result


def checked_start(problem: Problem, init: tuple[Array, Array] | None) -> Array:
    """Return where to start, as one array (m, d + 1)."""
    shape = (problem.n_outputs, problem.n_columns)
    if init is None:
        return np.zeros((shape[0], shape[1] + 1))
    coef, intercept = np.atleast_2d(init[0]), np.atleast_1d(init[1])
    if coef.shape != shape or intercept.shape != shape[:1]:
        raise UsageError(
            f"--init: the model has {coef.shape[0]} x {coef.shape[1]} coefficients, "
            f"not {shape[0]} x {shape[1]} as the data needs."
        )
    return pack(coef, intercept if problem.intercept else np.zeros(shape[0]))
