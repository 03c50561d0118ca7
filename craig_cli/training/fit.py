"""Fitting a model to a problem, by any solver."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Progress, no_progress
from craig_cli.errors import UsageError
from craig_cli.settings.training import TrainSettings
from craig_cli.training.descent import descend, filled_in, make_visits
from craig_cli.training.problem import Array, Problem, pack
from craig_cli.training.result import Fit, Watch
from craig_cli.training.solvers import SOLVERS, lbfgs
from craig_cli.training.tuning import tuned

LBFGS_ITERATIONS = 2000
FEWEST_EPOCHS, MOST_EPOCHS = 30, 1000
USUAL_STEPS = 10**6
"""Of SAGA and SVRG, whose steps do not become smaller: on few rows they take more epochs, which
cost little.
"""
TOLERANCES = {"lbfgs": 1e-9}
USUAL_TOLERANCE = 1e-6
"""Of the norm of the gradient, relative to that at zero."""


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
        The solver diverged, or `init` has another shape.
    """
    start = checked_start(problem, init)
    settings = replace(
        settings,
        epochs=settings.epochs or usual_epochs(settings.solver, problem.n_rows),
        tolerance=TOLERANCES.get(settings.solver, USUAL_TOLERANCE)
        if settings.tolerance is None
        else settings.tolerance,
    )
    if settings.solver == "lbfgs":
        return lbfgs.minimise(problem, replace(settings, loss=problem.loss), start, progress, watch)
    drawn_from = np.random.default_rng(settings.seed) if rng is None else rng
    chosen = settings.order or SOLVERS[settings.solver].usual_order
    complete = filled_in(
        problem,
        replace(settings, order=chosen),
        make_visits(problem, chosen, drawn_from, order).scales,
    )

    def run(candidate: TrainSettings) -> Fit:
        return descend(
            problem,
            candidate,
            start,
            make_visits(problem, chosen, drawn_from, order),
            progress,
            watch,
        )

    result = (
        tuned(complete, settings.decay is not None, run, progress)
        if settings.tune
        else run(complete)
    )
    if not np.isfinite(result.objective):
        raise UsageError(
            f"--step: {result.settings.step:.6g} is too large, --solver "
            f"{settings.solver} diverged. Try a smaller one, or --tune."
        )
    return result


def optimum(problem: Problem, l2: float, init: tuple[Array, Array] | None = None) -> Fit:
    """Return the minimiser by L-BFGS, the norm of the gradient at most 1e-9 of that at zero, as far
    as rounding allows (`Fit.converged`).
    """
    return fit(problem, TrainSettings(solver="lbfgs", l2=l2), init)


def usual_epochs(solver: str, n_rows: int) -> int:
    """Return the most epochs where the user names no number."""
    if solver == "lbfgs":
        return LBFGS_ITERATIONS
    return (
        min(max(FEWEST_EPOCHS, USUAL_STEPS // n_rows), MOST_EPOCHS)
        if solver in ("saga", "svrg")
        else FEWEST_EPOCHS
    )


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
