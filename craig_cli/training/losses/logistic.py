"""The logistic loss, log(1 + exp(-t u))."""

from __future__ import annotations

import numpy as np

from craig_cli.kernels.losses import LOGISTIC
from craig_cli.training.losses.base import Array, Loss


def steepest_slopes(reach: Array, targets: Array, n_outputs: int) -> Array:
    """Return the bound by |s| = sigmoid(-t u) <= sigmoid(r)."""
    from scipy.special import expit  # here, since selecting starts faster without it

    return np.asarray(np.sqrt(n_outputs) * expit(reach))


def probabilities(scores: Array) -> Array:
    """Return those of the logistic function; one against the rest they are made to add up to 1.

    By their logarithms, so that they do so where every score is very low.
    """
    from scipy.special import expit, log_expit, softmax

    if scores.shape[1] == 1:
        return np.hstack([expit(-scores), expit(scores)])
    return np.asarray(softmax(log_expit(scores), axis=1))


LOSS = Loss(
    "logistic",
    LOGISTIC,
    curvature=0.25,
    # p (1 - p), as a slope is p or p - 1.
    second_derivatives=lambda slopes: np.abs(slopes) * (1 - np.abs(slopes)),
    steepest_slopes=steepest_slopes,
    probabilities=probabilities,
)
