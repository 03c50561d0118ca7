"""Adagrad and Adam: steps divided, coordinate by coordinate, by the size of past gradients."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from craig_cli.settings.training import TrainSettings
from craig_cli.training.problem import Array, Problem
from craig_cli.training.solvers.incremental import Incremental

FLOOR = 1e-8
"""Added to what a step is divided by."""


class Adagrad(Incremental):
    """Heights are roots of sums of squared gradients (Duchi, Hazan and Singer 2011).

    The regulariser is taken implicitly.
    """

    name = "adagrad"
    usual_schedule = "constant"
    betas: ClassVar[tuple[float, float]] = (0.0, 0.0)
    first_step: ClassVar[float] = 0.5

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._state = tuple(np.zeros_like(self.model) for _ in range(3))
        self._powers = np.ones((2, self.model.shape[1]))

    @classmethod
    def usual_step(cls, problem: Problem, settings: TrainSettings, scales: Array) -> float:
        """Return a step that moves no score by much.

        The first one moves every coordinate as far, whatever its unit.
        """
        return cls.first_step / max(1.0, float(np.sqrt(problem.squares()[1].max(initial=0.0))))

    def take_steps(self, visits: NDArray[np.int64], step: float) -> None:
        problem, state = self.problem, (*self._state, self._powers, self.model)
        rest = self.settings.l2, problem.constant, self.betas, FLOOR
        self.kernels.adaptive_steps(*self.rows, visits, problem.loss.code, step, *rest, *state)


class Adam(Adagrad):
    """Moving averages of gradients and of their squares (Kingma and Ba 2015).

    Each coordinate goes by its own clock.
    """

    name = "adam"
    usual_schedule = "exponential"
    betas = (0.9, 0.999)
    first_step = 0.02
