"""The hinge with a parabola for its corner: 0, then (1 - t u)^2 / 2, from t u = 0 on 1/2 - t u."""

from __future__ import annotations

import numpy as np

from craig_cli.kernels.losses import SMOOTHED_HINGE
from craig_cli.training.losses.base import Loss

LOSS = Loss(
    "smoothed-hinge",
    SMOOTHED_HINGE,
    curvature=1.0,
    second_derivatives=lambda slopes: np.where((slopes != 0) & (np.abs(slopes) < 1), 1.0, 0.0),
    steepest_slopes=lambda reach, targets, m: np.full(len(reach), np.sqrt(m)),  # |s| <= 1
    is_straight_somewhere=True,
)
