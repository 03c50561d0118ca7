"""Stochastic gradient descent, as the paper's incremental gradient method (eq. 17-20), with its
projection.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.training.solvers.base import Solver


class Sgd(Solver):
    """w <- w - step (scale grad f(w) + l2 w)."""

    def run_epoch(self, visits: NDArray[np.int64], step: float) -> None:
        settings, problem = self.settings, self.problem
        self.kernels.gradient_steps(
            *self.rows,
            visits,
            problem.facts.code,
            step,
            settings.l2,
            settings.radius,
            problem.constant,
            self.model,
        )
        self.passes += len(visits) / problem.n_rows
