"""The squared hinge, max(0, 1 - t u)^2."""

from __future__ import annotations

import numpy as np

from craig_cli.kernels.losses import SQUARED_HINGE
from craig_cli.training.losses.base import Loss

LOSS = Loss(
    "squared-hinge",
    SQUARED_HINGE,
    curvature=2.0,
    second_derivatives=lambda slopes: np.where(slopes != 0, 2.0, 0.0),
    # |s| = 2 max(0, 1 - t u), in all at most 2 (sqrt(m) + r).
    steepest_slopes=lambda reach, targets, m: 2 * (np.sqrt(m) + reach),
)
