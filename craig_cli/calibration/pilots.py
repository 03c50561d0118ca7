"""Pilot models, the optima of all rows at several strengths: where the gradient of the weighted
picks is made that of all rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Progress, no_progress
from craig_cli.selection.budgets import class_sizes
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.training import TrainSettings
from craig_cli.threads import Workers
from craig_cli.training import Problem, fit, newton
from craig_cli.training.problem import Array, pack

TOLERANCE, ITERATIONS = 1e-4, 50
"""Of L-BFGS, where Newton's method has too many columns: the pilots are then near to the optima,
no more.
"""
ROWS_A_COLUMN = 10
"""Of a sample whose curvature stands for that of all rows, at least."""


@dataclass(frozen=True)
class Pilots:
    """Models of all rows, at p strengths.

    Parameters
    ----------
    l2 : ndarray, shape (p,)
        Descending.
    models : ndarray, shape (p, m, d + 1)
    losses : ndarray, shape (p,)
        Regularised, on all rows.
    gradients : ndarray, shape (p, m, d + 1)
        The means over all rows of the gradients of the loss alone.
    slopes : tuple of ndarray, shape (n, m)
        Of the losses of all rows, by their scores: one a pilot.
    are_optima : bool
        Whether they are the optima of all rows, or only near to them.
    """

    l2: Array
    models: Array
    losses: Array
    gradients: Array
    slopes: tuple[Array, ...]
    are_optima: bool

    def chosen(self, places: NDArray[np.int64]) -> Pilots:
        """Return some of the pilots."""
        return Pilots(
            self.l2[places],
            self.models[places],
            self.losses[places],
            self.gradients[places],
            tuple(self.slopes[place] for place in places),
            self.are_optima,
        )


def make_pilots(
    problem: Problem, sample: Problem, strengths: Array, progress: Progress = no_progress
) -> Pilots:
    """Return the pilots of a problem at strengths in falling order.

    Notes
    -----
    Newton's method on all rows with the curvature of `sample`, some of its rows, from the sample's
    models, which are moved by what they missed at the strength before: three to seven passes a
    pilot. Where there are too many columns for that: the sample's models by L-BFGS, and one pass.
    Memory 8 p n m bytes.
    """
    suits, found = newton.suits(problem), []
    model = moved = np.zeros((problem.n_outputs, problem.n_columns + 1))
    for done, l2 in enumerate(strengths.tolist()):
        progress("pilots", done, len(strengths))
        model = fit_pilot(sample, l2, model)
        if suits:
            descent = newton.descend(problem, l2, model + moved, sample)
            at, value, gradient, slope = descent[:4]
            moved = at - model
        else:
            at, gradient = model, np.empty_like(model)
            value, slope = problem.full_pass(at, l2, gradient)
        gradient[:, :-1] -= l2 * at[:, :-1]
        found.append((at, value, gradient, slope))
    models, losses, gradients, slopes = zip(*found, strict=True)
    values = np.array(losses)
    return Pilots(strengths, np.stack(models), values, np.stack(gradients), slopes, suits)


def fit_path(problem: Problem, strengths: Array, starts: Array, n_threads: int) -> Array:
    """Return the models (p, m, d + 1) that minimise the loss at each strength, from `starts`; each
    on a thread of its own where that is by Newton's method.
    """
    n_side_by_side = min(n_threads, len(starts)) if newton.suits(problem) else 1
    own = replace(problem, threads=max(1, n_threads // n_side_by_side))
    with Workers(n_side_by_side) as workers:
        tasks = zip(strengths.tolist(), starts, strict=True)
        return np.stack(workers.map(partial(fit_pilot, own), tasks))


def fit_pilot(problem: Problem, l2: float, start: Array) -> Array:
    """Return the model (m, d + 1) that minimises the loss at one strength, from `start`.

    By Newton's method; where there are too many columns for that, by L-BFGS, and only so far as a
    pilot needs it.
    """
    if newton.suits(problem):
        return newton.minimise(problem, l2, start)
    training = TrainSettings(solver="lbfgs", tolerance=TOLERANCE, epochs=ITERATIONS, l2=l2)
    result = fit(problem, training, (start[:, :-1], start[:, -1]))
    return pack(result.coef, result.intercept)


def sample_of(
    problem: Problem, groups: NDArray[np.int64], settings: CalibrationSettings
) -> tuple[Problem, NDArray[np.int64]]:
    """Return the problem of some random rows of each class, weighted to stand for all, and their
    classes.

    At least ``settings.pilot_rows``, and `ROWS_A_COLUMN` times the columns.
    """
    rng = np.random.default_rng([settings.seed, problem.n_rows])
    size = max(settings.pilot_rows, ROWS_A_COLUMN * (problem.n_columns + 1))
    index, stands_for = sample_rows(groups, size, rng, problem.weights)
    return problem.subset(index, stands_for), groups[index]


def sample_rows(
    groups: NDArray[np.int64], size: int, rng: np.random.Generator, weights: Array
) -> tuple[NDArray[np.int64], Array]:
    """Return about `size` random rows, ascending, and what each stands for.

    At least one of each group, each standing for n_c / k_c rows of its own weight. Rows of weight 0
    are not drawn; each group has others.
    """
    if (weights == 0).any():
        counting = np.flatnonzero(weights > 0)
        index, stands_for = sample_rows(groups[counting], size, rng, weights[counting])
        return counting[index], stands_for
    counts = np.bincount(groups)
    sizes = class_sizes(min(max(size, len(counts)), len(groups)), counts)
    chosen = [
        rng.choice(np.flatnonzero(groups == group), k, replace=False)
        for group, k in enumerate(sizes.tolist())
    ]
    index = np.sort(np.concatenate(chosen))
    return index, (counts / sizes)[groups[index]] * weights[index]
