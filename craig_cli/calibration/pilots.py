"""Pilot models: where the gradient of the weighted picks is made that of all rows."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from craig_cli.selection.budgets import class_sizes
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.training import TrainSettings
from craig_cli.threads import Workers
from craig_cli.training import Problem, fit, newton
from craig_cli.training.problem import Array, pack

TOLERANCE, ITERATIONS = 1e-4, 50
"""Of L-BFGS: a pilot need not be an optimum, only near those of the strengths to come."""


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


def fit_path(problem: Problem, settings: CalibrationSettings, starts: Array | None = None) -> Array:
    """Return the models (p, m, d + 1) that minimise the loss at each of ``settings.pilot_l2``.

    Each starts from `starts` (p, m, d + 1), on a thread of its own where that is by Newton's
    method, else from the model of the next larger strength.
    """
    if starts is None:
        models, latest = {}, np.zeros((problem.n_outputs, problem.n_columns + 1))
        for l2 in sorted(settings.pilot_l2, reverse=True):
            models[l2] = latest = fit_pilot(problem, l2, latest)
        return np.stack([models[l2] for l2 in settings.pilot_l2])
    n_side_by_side = min(settings.n_threads, len(starts)) if newton.suits(problem) else 1
    own = replace(problem, threads=max(1, settings.n_threads // n_side_by_side))
    with Workers(n_side_by_side) as workers:
        tasks = zip(settings.pilot_l2, starts, strict=True)
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
