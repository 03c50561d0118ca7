"""SAGA and SVRG: steps whose variance vanishes at the optimum, so that a constant step size
converges linearly, uneven weights included.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.settings.training import TrainSettings
from craig_cli.training.problem import Array, Problem
from craig_cli.training.solvers.base import Solver, steepest


class Svrg(Solver):
    """Slopes of all rows, and the full gradient they make, taken anew at the start of each epoch
    (Johnson and Zhang 2013): two passes an epoch.
    """

    usual_order = "sampled"
    usual_schedule = "constant"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._mean = np.zeros_like(self.model)
        self._shares = np.empty(0)

    @classmethod
    def usual_step(cls, problem: Problem, settings: TrainSettings, scales: Array) -> float:
        return 1 / (3 * steepest(problem, settings.l2, scales))

    def refresh(self) -> None:
        """Take the slopes of all rows at the present model."""
        _, self._table = self.problem.full_pass(self.model, 0.0, self._mean)
        self.passes += 1

    def run_epoch(self, visits: NDArray[np.int64], step: float) -> None:
        self.refresh()
        self.take_steps(visits, step)

    def take_steps(self, visits: NDArray[np.int64], step: float) -> None:
        """Take a step for each of the rows `visits`."""
        problem, l2 = self.problem, self.settings.l2
        state = (self._table, self._mean, self.model)
        self.kernels.reduced_steps(
            *self.rows, self._shares, visits, problem.facts.code, step, l2, problem.constant, *state
        )
        self.passes += len(visits) / problem.n_rows


class Saga(Svrg):
    """Slopes of all rows at the start, and of each row anew when it is visited (Defazio, Bach and
    Lacoste-Julien 2014).
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._shares = self.problem.shares
        self.refresh()

    def run_epoch(self, visits: NDArray[np.int64], step: float) -> None:
        self.take_steps(visits, step)
