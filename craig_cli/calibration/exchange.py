"""Medoids exchanged for other rows of their clusters, where weights alone cannot give the gradient
of all rows: as few as will do.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.calibration.constraints import Constraints
from craig_cli.calibration.dual import Solution, Task, calibrated_weights
from craig_cli.dataset import Progress, no_progress
from craig_cli.lapack import cholesky, solve_lower
from craig_cli.selection.representatives import Standing
from craig_cli.threads import Workers, one_blas_thread
from craig_cli.training.normal_equations import normal_matrix
from craig_cli.training.problem import Array

FIRST_RIDGE = 30.0
"""So large that hardly a weight comes to its bounds."""
TINY = 1e-12
EASY = 0.02
"""A strain that is no reason to exchange anything."""
WORTH = 0.01
"""Of the strain, that an exchange must take off by the second-order estimate, or that a round must.
"""
MOST_ROUNDS = 16
ROUND_STEPS = 30
"""Newton steps of the dual in a round: the next one goes on from there."""
BATCH_SHARE, LEAST_BATCH, MOST_BATCH = 0.1, 16, 512
"""Of the picks, how many may be exchanged in a round, and of how many the estimate is made."""


class Equation(NamedTuple):
    """The calibration problem of picks but for the parts of each: what `Task` has, and which class
    each pick is of, ``members`` (k, c), the first columns of the parts; the ridges over `last`, the
    one that is wanted.
    """

    shares: Array
    wanted: Array
    ridge: Array
    lower: Array
    upper: Array
    members: Array
    last: float

    def task(self, parts: Array, ridge: float) -> Task:
        """Return the problem whose picks have `parts` (k, q), with a ridge."""
        ridges = self.ridge * ridge
        return Task(self.shares, parts, self.wanted, ridges, self.lower, self.upper)

    @property
    def falling(self) -> list[float]:
        """Ridges that fall by decades to the one wanted: each solution is near to the next."""
        decades = max(0, round(math.log10(FIRST_RIDGE / self.last)))
        return [self.last * 10.0**power for power in range(decades, -1, -1)]


class Exchange:
    """Column generation on the calibration problem: a row enters where the multipliers say that the
    sums ask for it, in place of the row that stands for its cluster.

    Parameters
    ----------
    constraints : Constraints
    equation : Equation
    standing : Standing
    workers : Workers
    """

    def __init__(
        self,
        constraints: Constraints,
        equation: Equation,
        standing: Standing,
        workers: Workers,
    ) -> None:
        self._constraints, self._equation, self._standing = constraints, equation, standing
        self._workers = workers
        self._order = np.argsort(standing.cluster, kind="stable")
        self.rows = standing.rows.copy()
        self._parts = self._parts_of(self.rows)

    def run(self, progress: Progress = no_progress) -> NDArray[np.int64]:
        """Return the rows (k,) after as many rounds as are worth it.

        By ridges that fall to the one wanted: at a large one few weights come to their bounds, and
        the estimate of what an exchange takes off is good.
        """
        found = None
        falling = self._equation.falling
        for done, ridge in enumerate(falling):
            progress("exchange", done, len(falling))
            found = self._solve(ridge, found)
            for _ in range(MOST_ROUNDS):
                before = found.strain
                if before <= EASY:
                    break
                found = self._better(ridge, found)
                if found.strain > (1 - WORTH) * before:
                    break
        return self.rows

    def _better(self, ridge: float, found: Solution) -> Solution:
        """Exchange the best batch, or the first half of it as long as that is none; return the
        solution after it.
        """
        changed = self.batch(ridge, found)
        while len(changed):
            clusters = self._standing.cluster[changed]
            rows, parts = self.rows[clusters], self._parts[clusters]
            self.rows[clusters], self._parts[clusters] = changed, self._parts_of(changed)
            there = self._solve(ridge, self._without(found, clusters, parts))
            if there.strain < found.strain:
                return there
            self.rows[clusters], self._parts[clusters] = rows, parts
            changed = changed[: len(changed) // 2]
        return found

    def batch(self, ridge: float, found: Solution) -> NDArray[np.int64]:
        """Return rows to enter, at most one a cluster: those that take most off the strain.

        Of the rows of each cluster the one is looked at that the multipliers value most, and of
        these the best by what they promise.
        """
        standing, k = self._standing, len(self.rows)
        c = self._equation.members.shape[1]
        value = self._constraints.along(found.multipliers[c:])
        gain = found.weights[standing.cluster] * (value - value[self.rows][standing.cluster])
        gain[~np.isfinite(gain)] = 0.0
        if standing.is_allowed is not None:
            gain[~standing.is_allowed] = 0.0
        gain[standing.is_fixed[standing.cluster]] = 0.0
        best = self._best_of_clusters(gain)
        size = min(MOST_BATCH, max(LEAST_BATCH, int(BATCH_SHARE * k)))
        best = best[np.argsort(-gain[best], kind="stable")[:size]]
        best = best[gain[best] > 0]
        return best[self._worth(ridge, found, best)] if len(best) else best

    def _best_of_clusters(self, gain: Array) -> NDArray[np.int64]:
        """Return the row of the largest gain of each cluster (k,), the first of equal ones."""
        of_row = self._standing.cluster[self._order]
        starts, sorted_gain = np.searchsorted(of_row, np.arange(len(self.rows))), gain[self._order]
        largest = np.maximum.reduceat(sorted_gain, starts)
        places = np.flatnonzero(sorted_gain == largest[of_row])
        return self._order[places[np.searchsorted(of_row[places], np.arange(len(self.rows)))]]

    @one_blas_thread()
    def _worth(
        self, ridge: float, found: Solution, entering: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return which of some rows are worth their entry, the best first.

        A change delta of the sums takes off nu.delta - delta' (M + R)^-1 delta / 2 as long as no
        weight comes to a bound, M the normal matrix of the weights within theirs and R the ridges.
        The row enters with the weight that is best by that; M loses the row that leaves: where this
        is all there was for a sum, it is not to go.
        """
        e, parts, clusters = self._equation, self._parts, self._standing.cluster[entering]
        shares, weights = e.shares[clusters], found.weights[clusters]
        within = (found.weights > e.lower * e.shares) & (found.weights < e.upper * e.shares)
        matrix = found.matrix.copy()
        matrix[np.diag_indices_from(matrix)] += ridge * e.ridge + TINY
        enter, leave = self._parts_of(entering), parts[clusters]
        values = [rows @ found.multipliers for rows in (enter, leave)]
        enter, leave = (whitened(matrix, rows) for rows in (enter, leave))
        crossed = np.einsum("bq,bq->b", enter, leave)
        entered = (1 + values[0] + weights * crossed) / (
            1 / shares + np.einsum("bq,bq->b", enter, enter)
        )
        entered = np.clip(entered, e.lower[clusters] * shares, e.upper[clusters] * shares)
        moves = entered[:, None] * enter - weights[:, None] * leave
        lost = np.where(within[clusters], shares, 0.0)
        left = np.maximum(1 - lost * np.einsum("bq,bq->b", leave, leave), TINY)
        penalty = lost * np.einsum("bq,bq->b", leave, moves) ** 2 / left
        for ratio, sign in ((entered / shares, 1.0), (weights / shares, -1.0)):
            penalty += sign * shares * np.square(ratio - 1)
        gains = entered * values[0] - weights * values[1] - penalty / 2
        return pursued(moves, gains, WORTH * found.strain / 4)

    def _parts_of(self, rows: NDArray[np.int64]) -> Array:
        clusters = self._standing.cluster[rows]
        return np.hstack([self._equation.members[clusters], self._constraints.parts(rows)])

    def _without(self, found: Solution, clusters: NDArray[np.int64], parts: Array) -> Solution:
        """Return a solution that does not count the rows which have left some clusters, with the
        `parts` (b, q) that they had.
        """
        counted, gone = found.counted.copy(), found.counted[clusters]
        counted[clusters] = False
        own = normal_matrix(parts[gone], self._equation.shares[clusters][gone], self._workers)
        return found._replace(counted=counted, matrix=found.matrix - own)

    def _solve(self, ridge: float, start: Solution | None) -> Solution:
        task = self._equation.task(self._parts, ridge)
        return calibrated_weights(task, self._workers, start, ROUND_STEPS)


def whitened(matrix: Array, rows: Array) -> Array:
    """Return rows (b, q) times the inverse of the transposed Cholesky factor of a matrix."""
    factor = cholesky(matrix)
    if factor is None:
        raise np.linalg.LinAlgError("The matrix is not positive definite.")
    return solve_lower(factor, rows.T).T


def pursued(moves: Array, gains: Array, least: float) -> NDArray[np.int64]:
    """Return which moves (b, q) to make: the best by gain - length^2 / 2, then the best of what is
    left of the gains, while that is at least `least`.
    """
    products = moves @ moves.T
    halves, left = np.diagonal(products) / 2, gains.copy()
    taken: list[int] = []
    while len(taken) < len(gains):
        worth = left - halves
        worth[taken] = -np.inf
        best = int(np.argmax(worth))
        if not worth[best] > least:
            break
        taken.append(best)
        left = left - products[best]
    return np.array(taken, np.int64)
