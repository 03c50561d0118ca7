"""Step sizes by epoch, and the rows that an epoch visits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.training.problem import Problem

USUAL_DECAY = {"exponential": 0.85, "k-inverse": 0.5, "power": 0.5, "constant": 0.0}


def step_at(schedule: str, first: float, decay: float, epoch: int) -> float:
    """Return the step size of an epoch, counted from 0."""
    if schedule == "exponential":
        return float(first * decay**epoch)
    if schedule == "k-inverse":
        return first / (1 + decay * epoch)
    if schedule == "power":
        return float(first / (epoch + 1) ** decay)
    return first


EVEN_SHARE = 0.2
"""Of the rows of a sampled epoch, those drawn evenly: no row waits long for its turn, however small
its weight, as SAGA's table needs.
"""


class Visits:
    """The rows of each epoch, and what their gradients are multiplied by.

    Parameters
    ----------
    problem : Problem
    order : str
        A name of the catalog.
    rng : numpy.random.Generator
    sequence : ndarray of int64, shape (n,), optional
        The greedy order; default: as the rows stand.

    Attributes
    ----------
    scales : ndarray of float64, shape (n,)
        The weight over the mean weight, divided by how often the row is drawn: at most 1.25 for
        sampled rows.
    """

    def __init__(
        self,
        problem: Problem,
        order: str,
        rng: np.random.Generator,
        sequence: NDArray[np.int64] | None = None,
    ) -> None:
        self._order, self._rng, self._n = order, rng, problem.n_rows
        self._sequence = np.arange(self._n) if sequence is None else np.asarray(sequence, np.int64)
        self.scales = problem.weights / problem.weights.mean()
        if order == "sampled":
            counts = self.scales > 0
            often = EVEN_SHARE * counts / counts.mean() + (1 - EVEN_SHARE) * self.scales
            self.scales = np.divide(self.scales, often, out=np.zeros(self._n), where=counts)
            self._ends = np.cumsum(often)

    def next(self) -> NDArray[np.int64]:
        """Return the rows of the next epoch, in the order of the steps."""
        if self._order == "greedy":
            return self._sequence
        if self._order == "shuffled":
            return self._rng.permutation(self._n)
        drawn = np.searchsorted(
            self._ends, self._rng.random(self._n) * self._ends[-1], side="right"
        )
        visited: NDArray[np.int64] = np.minimum(drawn, self._n - 1)
        return visited
