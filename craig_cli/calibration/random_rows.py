"""What models fitted on random rows miss on average: what a coreset is judged by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.calibration.pilots import Pilots
from craig_cli.dataset import as_dense
from craig_cli.threads import one_blas_thread
from craig_cli.training import Problem
from craig_cli.training.curvature import DAMPING, Curvature
from craig_cli.training.normal_equations import solution
from craig_cli.training.problem import Array


@one_blas_thread()
def random_residuals(
    sample: Problem, groups: NDArray[np.int64], pilots: Pilots, n_picks: int, n_rows: int
) -> Array:
    """Return f - f* (p,) that the models fitted on as many random rows of each class have.

    On average, and to first order in 1/k: (1/k - 1/n) tr(H^-1 V) / 2, H the Hessian of F at the
    optimum and V the covariance within classes of the rows' gradients there (the sandwich of White
    1982, for rows drawn without replacement), each class by its share of the rows. Rows are as
    likely whatever they weigh, and then weighted: V has the squares of their weights. For few rows
    it says too little.

    Parameters
    ----------
    sample : Problem
        Rows that stand for all, by which H and V are taken.
    groups : ndarray of int64, shape (s,)
        Their classes.
    pilots : Pilots
    n_picks, n_rows : int

    Notes
    -----
    Time 2 s c^2 + c^3 a pilot, c = m (d + 1) where the loss joins outputs, else d + 1 an output.
    """
    traces = [
        trace_at(sample, groups, l2, model)
        for l2, model in zip(pilots.l2.tolist(), pilots.models, strict=True)
    ]
    return np.maximum(0.0, (1 / n_picks - 1 / n_rows) * np.array(traces) / 2)


def trace_at(sample: Problem, groups: NDArray[np.int64], l2: float, model: Array) -> float:
    """Return tr(H^-1 V) at a model."""
    _, slopes = sample.full_pass(model, l2)
    curvature = Curvature(sample, l2)
    found = curvature.hessians(slopes)
    inputs = np.full((sample.n_rows, sample.n_columns + 1), sample.constant)
    np.subtract(as_dense(sample.rows), found.centre, out=inputs[:, :-1])
    ridge, total = np.append(np.full(sample.n_columns, l2), DAMPING), 0.0
    if sample.loss.is_joint:
        m = sample.n_outputs
        rows = (slopes[:, :, None] * inputs[:, None, :]).reshape(len(inputs), -1)
        pieces = [(curvature.joined(found.matrices), np.tile(ridge, m), rows)]
    else:
        pairs = zip(found.matrices, slopes.T, strict=True)
        pieces = [(matrix, ridge, slope[:, None] * inputs) for matrix, slope in pairs]
    for matrix, own, rows in pieces:
        scatter = within_groups(rows, sample.shares, groups)
        diagonal = np.diagonal(matrix) + own
        roots = np.sqrt(np.where(diagonal > 0, diagonal, np.inf))
        scaled = [array / roots / roots[:, None] for array in (matrix, scatter)]
        total += float(np.trace(solution(scaled[0], own / roots**2, scaled[1])))
    return total


def within_groups(rows: Array, shares: Array, groups: NDArray[np.int64]) -> Array:
    """Return k times the covariance (c, c) that the weighted mean of k of the rows (s, c) has,
    drawn alike within each group.
    """
    centred = rows.copy()
    for group in np.unique(groups):
        own = groups == group
        centred[own] -= shares[own] @ rows[own] / shares[own].sum()
    return np.asarray(centred.T @ ((len(shares) * shares**2)[:, None] * centred))
