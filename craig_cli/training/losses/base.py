"""All that is known of a loss, in one object; its values and slopes are a kernel's, by its code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Labels

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Loss:
    """A loss of a row as a function of its m scores.

    Parameters
    ----------
    name : str
        In the catalog.
    code : int
        In `kernels.losses`, which has its values and slopes.
    curvature : float
        Largest second derivative by a score; of a joint loss the largest eigenvalue of the Hessian
        by the scores. The slopes are Lipschitz with this constant.
    second_derivatives : callable
        Gives those of each output by its score, from the slopes (n, m).
    steepest_slopes : callable
        Gives the most that the norm of each row's slopes can be (n,), as ``f(reach, targets, m)``:
        the norm of a row's scores u is at most r, its `reach` (n,), and so is each of them. The
        norm of m numbers below b is below sqrt(m) b.
    probabilities : callable, optional
        Gives that of each class (n, C), by the scores (n, m).
    fits_numbers : bool
        Whether the target may be a number, as in regression.
    is_joint : bool
        Whether it needs one output a class, two classes included; else more than two are told apart
        one against the rest.
    is_straight_somewhere : bool
        Whether it rises in a straight line in places, where its second derivative, 0, does not say
        how far a step may go.
    """

    name: str
    code: int
    curvature: float
    second_derivatives: Callable[[Array], Array]
    steepest_slopes: Callable[[Array, Array, int], Array]
    probabilities: Callable[[Array], Array] | None = None
    fits_numbers: bool = False
    is_joint: bool = False
    is_straight_somewhere: bool = False

    def n_outputs(self, n_classes: int | None) -> int:
        """Return the scores a row has; None stands for a number to predict."""
        return n_classes if n_classes and (self.is_joint or n_classes > 2) else 1

    def targets(self, labels: Labels, classes: Labels | None) -> Array:
        """Return the targets (n,) that kernels take.

        The number to predict where `classes`, ascending, is None; with one output -1 or +1; else
        the number of the class.
        """
        if classes is None:
            return np.asarray(labels, np.float64)
        numbers = np.searchsorted(classes, labels).astype(np.float64)
        return numbers if self.n_outputs(len(classes)) > 1 else 2 * numbers - 1
