"""SAGA and SVRG: steps whose variance vanishes at the optimum.

So a constant step size converges linearly, uneven weights included.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.settings.training import TrainSettings
from craig_cli.training.problem import Array, Problem
from craig_cli.training.solvers.incremental import Incremental, steepest

USUAL_STEPS = 10**6
"""As the steps do not become smaller, on few rows more epochs are taken, which cost little."""
MOST_EPOCHS = 1000


class Svrg(Incremental):
    """Slopes of all rows, and the gradient they make, taken anew at the start of each epoch.

    Two passes an epoch (Johnson and Zhang 2013).
    """

    name = "svrg"
    usual_order = "sampled"
    usual_schedule = "constant"
    remedy = (
        "The tolerance was not reached: more --epochs, or --solver lbfgs, come closer "
        "to the optimum."
    )

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._mean = np.zeros_like(self.model)
        self._shares = np.empty(0)

    @classmethod
    def usual_epochs(cls, n_rows: int) -> int:
        return min(max(super().usual_epochs(n_rows), USUAL_STEPS // n_rows), MOST_EPOCHS)

    @classmethod
    def usual_step(cls, problem: Problem, settings: TrainSettings, scales: Array) -> float:
        return 1 / (3 * steepest(problem, settings.l2, scales))

    def refresh(self) -> None:
        """Take the slopes of all rows at the present model."""
        _, self._table = self.problem.full_pass(self.model, 0.0, self._mean)
        self.passes += 1

    def run_epoch(self, visits: NDArray[np.int64], step: float) -> None:
        self.refresh()
        super().run_epoch(visits, step)

    def take_steps(self, visits: NDArray[np.int64], step: float) -> None:
        problem, state = self.problem, (self._table, self._mean, self.model)
        rest = problem.loss.code, step, self.settings.l2, problem.constant
        self.kernels.reduced_steps(*self.rows, self._shares, visits, *rest, *state)


class Saga(Svrg):
    """Slopes of all rows at the start, and of each row anew when it is visited.

    One pass an epoch (Defazio, Bach and Lacoste-Julien 2014).
    """

    name = "saga"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._shares = self.problem.shares
        super().refresh()

    def refresh(self) -> None:
        """Keep the slopes: each step brings those of its row up to date."""
