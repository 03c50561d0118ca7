"""Pilot models: where the gradient of the weighted picks is made that of all rows."""

from __future__ import annotations

from dataclasses import replace

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

    Each starts from `starts` (p, m, d + 1), else from the model of the next larger strength. By
    Newton's method; where there are too many columns for that, by L-BFGS, and only so far as a
    pilot needs it.
    """
    if starts is not None and newton.suits(problem):
        return fit_side_by_side(problem, settings, starts)
    models: dict[float, Array] = {}
    latest = np.zeros((problem.n_outputs, problem.n_columns + 1))
    with Workers(settings.n_threads) as workers:
        for strength in sorted(settings.pilot_l2, reverse=True):
            start = latest if starts is None else starts[settings.pilot_l2.index(strength)]
            if newton.suits(problem):
                latest = newton.minimise(problem, strength, start, workers)
            else:
                training = TrainSettings(
                    solver="lbfgs", tolerance=TOLERANCE, epochs=ITERATIONS, l2=strength
                )
                result = fit(problem, training, (start[:, :-1], start[:, -1]))
                latest = pack(result.coef, result.intercept)
            models[strength] = latest
    return np.stack([models[strength] for strength in settings.pilot_l2])


def fit_side_by_side(problem: Problem, settings: CalibrationSettings, starts: Array) -> Array:
    """Return what `fit_path` does from given starts, the strengths on threads of their own."""
    own = replace(problem, threads=max(1, settings.n_threads // len(starts)))

    def minimise(l2: float, start: Array) -> Array:
        with Workers(own.threads) as workers:
            return newton.minimise(own, l2, start, workers)

    with Workers(min(settings.n_threads, len(starts))) as workers:
        return np.stack(workers.map(minimise, zip(settings.pilot_l2, starts, strict=True)))
