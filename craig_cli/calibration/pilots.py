"""Pilot models: where the gradient of the weighted picks is made that of all rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.calibration_settings import CalibrationSettings
from craig_cli.selection.budgets import class_sizes
from craig_cli.train_settings import TrainSettings
from craig_cli.training import Problem, fit
from craig_cli.training.problem import Array, pack

TOLERANCE = 1e-8
ITERATIONS = 500


def sample_rows(groups: NDArray[np.int64], size: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], Array]:
    """Return about `size` random rows, ascending, at least one of each group, and what each stands for: n_c / k_c rows."""
    counts = np.bincount(groups)
    sizes = class_sizes(min(max(size, len(counts)), len(groups)), counts)
    chosen = [rng.choice(np.flatnonzero(groups == group), k, replace=False) for group, k in enumerate(sizes.tolist())]
    index = np.sort(np.concatenate(chosen))
    return index, (counts / sizes)[groups[index]]


def fit_path(problem: Problem, settings: CalibrationSettings, starts: Array | None = None) -> Array:
    """Return the models (p, m, d + 1) that minimise the loss at each strength of ``settings.pilot_l2``.

    Each starts from `starts` (p, m, d + 1), else from the model of the next larger strength.
    """
    training = TrainSettings(solver="lbfgs", tolerance=TOLERANCE, epochs=ITERATIONS)
    models: dict[float, Array] = {}
    latest = None
    for strength in sorted(settings.pilot_l2, reverse=True):
        start = latest if starts is None else starts[settings.pilot_l2.index(strength)]
        init = None if start is None else (start[:, :-1], start[:, -1])
        result = fit(problem, replace(training, l2=strength), init)
        latest = models[strength] = pack(result.coef, result.intercept)
    return np.stack([models[strength] for strength in settings.pilot_l2])
