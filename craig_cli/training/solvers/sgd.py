"""Stochastic gradient descent, the paper's incremental gradient method (eq. 17-20)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.training.solvers.incremental import Incremental


class Sgd(Incremental):
    """w <- w - step (scale grad f(w) + l2 w), with the paper's projection onto a ball."""

    name = "sgd"
    refused = {}  # noqa: RUF012  (nothing: it is the one that projects)

    def take_steps(self, visits: NDArray[np.int64], step: float) -> None:
        settings, problem = self.settings, self.problem
        rest = settings.l2, settings.radius, problem.constant, self.model
        self.kernels.gradient_steps(*self.rows, visits, problem.loss.code, step, *rest)
