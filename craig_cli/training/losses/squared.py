"""The squared loss, (u - t)^2 / 2: ridge regression, or a classifier with t = -1 or +1."""

from __future__ import annotations

import numpy as np

from craig_cli.kernels.losses import SQUARED
from craig_cli.training.losses.base import Loss

LOSS = Loss(
    "squared",
    SQUARED,
    curvature=1.0,
    second_derivatives=np.ones_like,
    # |s| <= r + ||t||, which is sqrt(m) for targets of -1 and +1.
    steepest_slopes=lambda reach, targets, m: reach + (np.abs(targets) if m == 1 else np.sqrt(m)),
    fits_numbers=True,
)
