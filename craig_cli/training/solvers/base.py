"""What the incremental solvers share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import ModuleType
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import SparseRows
from craig_cli.kernels import dense_epochs, sparse_epochs
from craig_cli.settings.training import TrainSettings
from craig_cli.training.problem import Array, Problem


class Solver(ABC):
    """Steps of one row at a time, from a model that is changed in place.

    Parameters
    ----------
    problem : Problem
    settings : TrainSettings
        With nothing left open.
    scales : ndarray, shape (n,)
        What the gradients of the rows are multiplied by.
    model : ndarray, shape (m, d + 1)

    Attributes
    ----------
    passes : float
        Gradients computed so far, over the number of rows.
    """

    usual_order: ClassVar[str] = "shuffled"
    usual_schedule: ClassVar[str] = "exponential"

    def __init__(
        self, problem: Problem, settings: TrainSettings, scales: Array, model: Array
    ) -> None:
        self.problem, self.settings, self.scales, self.model = problem, settings, scales, model
        self.passes = 0.0
        self.kernels: ModuleType = (
            sparse_epochs if isinstance(problem.rows, SparseRows) else dense_epochs
        )
        self.rows = (problem.arrays, problem.targets, scales)

    @classmethod
    def usual_step(cls, problem: Problem, settings: TrainSettings, scales: Array) -> float:
        """Return the first step size where the user gives none."""
        return 1 / steepest(problem, settings.l2, scales)

    @abstractmethod
    def run_epoch(self, visits: NDArray[np.int64], step: float) -> None:
        """Take a step of size `step` for each of the rows `visits`."""


def steepest(problem: Problem, l2: float, scales: Array) -> float:
    """Return the largest curvature of the scaled loss of a row that has a weight, with the
    regulariser: the Lipschitz constant of its gradient.
    """
    lengths = problem.squares()[0] + problem.constant
    return max(
        float((scales * lengths)[problem.weights > 0].max()) * problem.facts.curvature + l2, 1e-300
    )
