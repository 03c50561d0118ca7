"""What training knows of a loss besides its values: its kernel code, what it can be fitted to, and
how curved it is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels import losses as codes


class Loss(NamedTuple):
    """A loss.

    Parameters
    ----------
    code : int
        In the kernels.
    curvature : float
        Largest second derivative by a score; for softmax the largest eigenvalue of the Hessian by
        the scores.
    fits_numbers : bool
        Whether the target may be a number, as in regression.
    is_joint : bool
        Whether it needs one output a class, two classes included.
    has_probabilities : bool
        Whether scores become probabilities: through softmax if it is joint, else through the
        logistic function.
    """

    code: int
    curvature: float
    fits_numbers: bool = False
    is_joint: bool = False
    has_probabilities: bool = False


LOSS_FACTS = {
    "logistic": Loss(codes.LOGISTIC, 0.25, has_probabilities=True),
    "softmax": Loss(codes.SOFTMAX, 0.5, is_joint=True, has_probabilities=True),
    "squared": Loss(codes.SQUARED, 1.0, fits_numbers=True),
    "squared-hinge": Loss(codes.SQUARED_HINGE, 2.0),
    "smoothed-hinge": Loss(codes.SMOOTHED_HINGE, 1.0),
}


def usual_loss(n_classes: int | None) -> str:
    """Return the loss for so many classes; None stands for numbers."""
    if n_classes is None:
        return "squared"
    return "logistic" if n_classes == 2 else "softmax"


def class_probabilities(loss: str, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of each class (n, C) that scores (n, m) of a loss with probabilities
    mean; those of one against the rest add up to 1.
    """
    from scipy.special import (
        expit,
        log_expit,
        softmax,
    )  # here, since selecting without calibration starts faster without it

    if scores.shape[1] == 1:
        return np.hstack([expit(-scores), expit(scores)])
    return np.asarray(softmax(scores if LOSS_FACTS[loss].is_joint else log_expit(scores), axis=1))


def second_derivatives(loss: str, slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the second derivatives of each output's loss by its score, from the first (n, m); for
    softmax the diagonal, p (1 - p).
    """
    if loss == "squared":
        return np.ones_like(slopes)
    if loss == "squared-hinge":
        return np.where(slopes != 0, 2.0, 0.0)
    size = np.abs(slopes)
    return (
        size * (1 - size)
        if LOSS_FACTS[loss].has_probabilities
        else np.where((size > 0) & (size < 1), 1.0, 0.0)
    )
