"""Step sizes by epoch, and the rows that an epoch visits."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.settings import check_name
from craig_cli.settings.catalog import ORDERS, names
from craig_cli.training.problem import Problem

EVEN_SHARE = 0.2
"""Of the rows of a sampled epoch, those drawn evenly: no row waits long for its turn, however small
its weight, as SAGA's table needs.
"""


class Schedule(NamedTuple):
    """A rule for step sizes.

    Parameters
    ----------
    step : callable
        Gives the step size by the first one, the decay, and the epoch, counted from 0.
    usual_decay : float
    decays : tuple of float
        What ``--tune`` tries.
    """

    step: Callable[[float, float, int], float]
    usual_decay: float
    decays: tuple[float, ...]


SCHEDULES = {
    "exponential": Schedule(lambda a, b, k: float(a * b**k), 0.85, (0.5, 0.7, 0.85, 0.95)),
    "k-inverse": Schedule(lambda a, b, k: a / (1 + b * k), 0.5, (0.1, 0.5, 2.0)),
    "power": Schedule(lambda a, b, k: float(a / (k + 1) ** b), 0.5, (0.25, 0.5, 1.0)),
    "constant": Schedule(lambda a, b, k: a, 0.0, (0.0,)),
}


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
        check_name("--order", order, names(ORDERS))
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
