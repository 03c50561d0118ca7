"""A bound on the gradient error of a coreset, for every model of norm at most R.

No constant is left open. Notation: row i has the input z_i = (x_i, 1), or (x_i, 0) without an
intercept; a model W (m, d + 1) has the intercept as its last column, and R bounds the Frobenius
norm of all of W, intercept included. The gradient of row i's loss is g_i = s_i z_i', with the
slopes s_i of the loss by the m scores W z_i. Row i belongs to pick j, d = ||x_i - x_j|| =
||z_i - z_j||. Then

    g_i - g_j = s_i (z_i - z_j)' + (s_i - s_j) z_j' = s_j (z_i - z_j)' + (s_i - s_j) z_i'

so that ||g_i - g_j|| <= min(S_i d + D ||z_j||, S_j d + D ||z_i||), where

- S_i bounds ||s_i|| on the ball; `Loss.steepest_slopes` has it for each loss, as a score is R ||z||
  at most, and so is the norm of all scores;
- D bounds ||s_i - s_j||: the slopes are Lipschitz in the scores, with the constant c that is the
  largest curvature of the loss, and in the target where that is a number: D = c (R d + |t_i -
  t_j|), c = 1 for the squared loss. Rows of one class have equal targets.

Everything here holds for the m outputs of one against the rest too: a slope of its own for each
output leaves the Lipschitz constant as it is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Rows, SparseRows
from craig_cli.kernels import sparse
from craig_cli.training.problem import Array, Problem

CHUNK_ROWS = 16_384


class Bound(NamedTuple):
    """The most that the gradient of all rows and the weighted one differ for ||W|| <= `w_norm`.

    In sum over the rows, and a row.
    """

    w_norm: float
    total: float
    mean: float


def gradient_bound(
    problem: Problem,
    index: NDArray[np.int64],
    weights: Array,
    picks: NDArray[np.int64],
    w_norm: float,
) -> Bound:
    """Return the bound for a coreset.

    Parameters
    ----------
    problem : Problem
        All rows, with their weights.
    index : ndarray of int64, shape (k,)
        The picks, each once.
    weights : ndarray, shape (k,)
        Scaled to add up to the weights of all rows first, as training does.
    picks : ndarray of int64, shape (n,)
        The position in `index` of the pick that each row belongs to, of its class. Any will do: the
        bound is smallest for the nearest, and for clusters as large as the weights. Where weights
        differ from clusters, each unit of the difference costs the longest gradient of the pick.
    w_norm : float

    Notes
    -----
    Time n d.
    """
    lengths = np.sqrt(problem.squares()[0] + problem.constant**2)
    slopes = problem.loss.steepest_slopes(w_norm * lengths, problem.targets, problem.n_outputs)
    mine = index[picks]
    distances = raw_distances(problem.rows, mine)
    change = problem.loss.curvature * (
        w_norm * distances + np.abs(problem.targets - problem.targets[mine])
    )
    either = (
        slopes * distances + change * lengths[mine],
        slopes[mine] * distances + change * lengths,
    )
    own, whole = problem.weights, float(problem.weights.sum())
    excess = np.abs(weights * (whole / weights.sum()) - np.bincount(picks, own, len(index)))
    # Weights may be those of clusters but for rounding.
    excess[excess < 1e-9 * whole / len(index)] = 0
    total = float((own * np.minimum(*either)).sum() + excess @ (slopes * lengths)[index])
    return Bound(w_norm, total, total / whole)


def raw_distances(rows: Rows, others: NDArray[np.int64]) -> Array:
    """Return the distance of each row, as it was read, to row ``others[i]``, by differences."""
    n = rows.shape[0]
    out = np.empty(n)
    if isinstance(rows, SparseRows):
        sparse.pair_distances((rows.indptr, rows.indices, rows.values), np.arange(n), others, out)
        return out
    for first in range(0, n, CHUNK_ROWS):
        here = slice(first, first + CHUNK_ROWS)
        out[here] = np.linalg.norm(rows[here].astype(np.float64) - rows[others[here]], axis=1)
    return out
