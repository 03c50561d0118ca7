"""The loss of softmax, -log p(class), of all scores of a row together: s = p - e_y."""

from __future__ import annotations

import numpy as np

from craig_cli.kernels.losses import SOFTMAX
from craig_cli.training.losses.base import Array, Loss


def steepest_slopes(reach: Array, targets: Array, n_outputs: int) -> Array:
    """Return the bound by ||s|| <= sqrt(2) (1 - p_y), as the other p add up to 1 - p_y.

    p_y is smallest where the other m - 1 scores exceed u_y by sqrt(2) r, the most that two
    coordinates of a vector of length r can differ: 1 - p_y <= sigmoid(sqrt(2) r + log(m - 1)).
    """
    from scipy.special import expit  # here, since selecting starts faster without it

    return np.asarray(np.sqrt(2) * expit(np.sqrt(2) * reach + np.log(n_outputs - 1)))


def probabilities(scores: Array) -> Array:
    """Return the softmax of the scores."""
    from scipy.special import softmax

    return np.asarray(softmax(scores, axis=1))


LOSS = Loss(
    "softmax",
    SOFTMAX,
    curvature=0.5,
    # p (1 - p), the diagonal of the Hessian, as a slope is p or p - 1.
    second_derivatives=lambda slopes: np.abs(slopes) * (1 - np.abs(slopes)),
    steepest_slopes=steepest_slopes,
    probabilities=probabilities,
    is_joint=True,
)
