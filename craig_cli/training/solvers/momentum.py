"""Stochastic gradient descent with heavy-ball momentum."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.settings.training import TrainSettings
from craig_cli.training.problem import Array, Problem
from craig_cli.training.solvers.incremental import Incremental, steepest


class Momentum(Incremental):
    """u <- momentum u + scale grad f(w) + l2 w, w <- w - step u."""

    name = "momentum"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._velocity = np.zeros_like(self.model)

    @classmethod
    def usual_step(cls, problem: Problem, settings: TrainSettings, scales: Array) -> float:
        return (1 - settings.momentum) / steepest(problem, settings.l2, scales)

    def take_steps(self, visits: NDArray[np.int64], step: float) -> None:
        settings, problem = self.settings, self.problem
        rest = settings.l2, settings.momentum, problem.constant, self._velocity, self.model
        self.kernels.momentum_steps(*self.rows, visits, problem.loss.code, step, *rest)
