"""The constraints of calibration: what the weighted picks must add up to, the mean over all rows,
and the part of each pick in it. Columns are centred, so an offset of a column changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from craig_cli.calibration.pilots import Pilots
from craig_cli.dataset import Rows, SparseRows, as_dense, as_matrix
from craig_cli.kernels.sparse_products import add_products, add_weighted_rows
from craig_cli.threads import one_blas_thread, ranges
from craig_cli.training import Problem
from craig_cli.training.problem import Array

BLOCK_ROWS = 4096
"""Rows that are widened at a time."""
LEAST_SPREAD = 1e-14
"""Of a mean square about the centre, over that about 0: less is rounding, and the column constant.
"""


class Constraints(Protocol):
    """Sums that weights adding up to 1 are to give, each over its root mean square over all rows:
    what hardly any row has asks for nothing that the picks cannot give.
    """

    @property
    def wanted(self) -> Array:
        """The means over all rows (q,)."""

    def parts(self, index: NDArray[np.int64]) -> Array:
        """Return what a unit of weight of each of some rows adds to each sum (k, q)."""

    def along(self, multipliers: Array) -> Array:
        """Return what a unit of weight of each row (n,) adds to the sums by multipliers (q,)."""


def weighted_sum(rows: SparseRows, weights: Array) -> Array:
    """Return the sum of weight times row (d,)."""
    total = np.zeros(rows.n_columns)
    add_weighted_rows(rows.arrays, weights, total)
    return total


def products(rows: Rows, columns: Array) -> Array:
    """Return the products of rows with the columns of a matrix (d, m): (n, m)."""
    if not isinstance(rows, SparseRows):
        return np.asarray(rows @ columns)
    total = np.zeros((rows.n_rows, columns.shape[1]))
    add_products(rows.arrays, np.ascontiguousarray(columns), total)
    return total


def column_means(problem: Problem) -> Array:
    """Return the weighted means of the columns (d,); 0 where there is no intercept to take up an
    offset.
    """
    if not problem.intercept:
        return np.zeros(problem.n_columns)
    if isinstance(problem.rows, SparseRows):
        return weighted_sum(problem.rows, problem.shares)
    total = np.zeros(problem.n_columns)
    for first, last in ranges(problem.n_rows, BLOCK_ROWS):
        total += problem.shares[first:last] @ problem.rows[first:last]
    return total


def mean_squares(problem: Problem, slopes: Sequence[Array], centre: Array) -> Array:
    """Return the means of slope^2 (x - c)^2 (w, d), for w slopes (n,) of all rows."""
    rows, shares = problem.rows, problem.shares
    if isinstance(rows, SparseRows):
        squared, found = replace(rows, values=np.square(rows.values)), []
        for slope in slopes:
            weights = shares * np.square(slope)
            about = weighted_sum(squared, weights) - 2 * centre * weighted_sum(rows, weights)
            found.append(about + weights.sum() * centre**2)
        return np.asarray(np.maximum(0.0, np.stack(found)))
    total = np.zeros((len(slopes), len(centre)))
    for first, last in ranges(problem.n_rows, BLOCK_ROWS):
        own = np.square(np.stack([slope[first:last] for slope in slopes]))
        total += (own * shares[first:last]) @ np.square(rows[first:last] - centre)
    return total


class GradientConstraints:
    """The gradient of all rows at pilots, by columns or along leading directions.

    Parameters
    ----------
    problem : Problem
        All rows.
    pilots : Pilots
    directions : ndarray, shape (d, r), optional
        In place of the columns.

    Notes
    -----
    Time n d a pilot and output. It keeps the pilots' slopes, 8 n p m bytes.
    """

    @one_blas_thread()
    def __init__(self, problem: Problem, pilots: Pilots, directions: Array | None = None) -> None:
        self._problem, self._directions = problem, directions
        self._slopes = [slope for slopes in pilots.slopes for slope in slopes.T]
        self._centre = column_means(problem)
        gradients = pilots.gradients.reshape(len(self._slopes), -1)
        inner = gradients[:, :-1] - gradients[:, -1:] * self._centre
        mass = np.array([problem.shares @ np.square(slope) for slope in self._slopes])
        if directions is None:
            squares = mean_squares(problem, self._slopes, self._centre)
            about_zero = squares + mass[:, None] * self._centre**2
            squares[squares <= LEAST_SPREAD * about_zero] = 0.0
        else:
            squares = self._mean_squares_along()
            inner = inner @ directions
        scales = np.sqrt(np.column_stack([squares, mass * problem.constant]))
        self._used = (scales > 0) & np.isfinite(scales)
        self._inverse = np.where(self._used, 1 / np.where(self._used, scales, 1.0), 0.0)
        sums = np.column_stack([inner, gradients[:, -1]])
        self._wanted: Array = (sums * self._inverse)[self._used]

    @property
    def wanted(self) -> Array:
        """The means over all rows (q,)."""
        return self._wanted

    @one_blas_thread()
    def parts(self, index: NDArray[np.int64]) -> Array:
        """Return what a unit of weight of each of some rows adds to each sum (k, q)."""
        inputs = np.column_stack([self._inputs(index), np.ones(len(index))])
        out = np.empty((len(index), np.count_nonzero(self._used)))
        first = 0
        for slopes, used, inverse in zip(self._slopes, self._used, self._inverse, strict=True):
            own = inputs[:, used] * inverse[used]
            out[:, first : first + own.shape[1]] = slopes[index, None] * own
            first += own.shape[1]
        return out

    @one_blas_thread()
    def along(self, multipliers: Array) -> Array:
        """Return what a unit of weight of each row (n,) adds to the sums by multipliers (q,)."""
        spread = np.zeros(self._used.shape)
        spread[self._used] = multipliers
        spread *= self._inverse
        coef = spread[:, :-1] if self._directions is None else spread[:, :-1] @ self._directions.T
        offsets = spread[:, -1] - coef @ self._centre
        total = np.empty(self._problem.n_rows)
        for first, last in ranges(len(total), BLOCK_ROWS):
            scores = products(self._problem.rows[first:last], coef.T) + offsets
            slopes = np.stack([slope[first:last] for slope in self._slopes])
            total[first:last] = np.einsum("jw,wj->j", scores, slopes)
        return total

    def _mean_squares_along(self) -> Array:
        total, shares = 0.0, self._problem.shares
        for first, last in ranges(self._problem.n_rows, BLOCK_ROWS):
            own = np.square(np.stack([slope[first:last] for slope in self._slopes]))
            squares = np.square(self._inputs(np.arange(first, last)))
            total = total + (own * shares[first:last]) @ squares
        return np.asarray(total)

    def _inputs(self, index: NDArray[np.int64]) -> Array:
        rows = self._problem.rows.take(index, axis=0)
        if self._directions is None:
            return np.asarray(as_dense(rows) - self._centre)
        return np.asarray(as_matrix(rows) @ self._directions - self._centre @ self._directions)


class MomentConstraints:
    """All second moments of the columns, the constant and the target: they fix every solution of
    ridge regression (Maalouf, Jubran and Feldman 2019).

    Columns and target are centred and divided by their spread.
    """

    @one_blas_thread()
    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._centre = column_means(problem)
        shares, targets = problem.shares, problem.targets
        self._middle = float(shares @ targets) if problem.intercept else 0.0
        squares = mean_squares(problem, [np.ones(problem.n_rows)], self._centre)[0]
        squares[squares <= LEAST_SPREAD * (squares + self._centre**2)] = 0.0
        spread = np.sqrt(np.append(squares, shares @ np.square(targets - self._middle)))
        self._used = spread > 0
        self._spread = np.where(self._used, spread, 1.0)
        width = int(np.count_nonzero(self._used)) + problem.intercept
        self._pairs = np.triu_indices(width)
        total = np.zeros((width, width))
        for first, last in ranges(problem.n_rows, BLOCK_ROWS):
            rows = self._rows(np.arange(first, last))
            total += rows.T @ (shares[first:last, None] * rows)
        self._wanted: Array = total[self._pairs]

    @property
    def wanted(self) -> Array:
        """The means over all rows (q,)."""
        return self._wanted

    def parts(self, index: NDArray[np.int64]) -> Array:
        """Return what a unit of weight of each of some rows adds to each sum (k, q)."""
        rows = self._rows(index)
        parts = rows[:, self._pairs[0]]
        parts *= rows[:, self._pairs[1]]
        return np.asarray(parts)

    @one_blas_thread()
    def along(self, multipliers: Array) -> Array:
        """Return what a unit of weight of each row (n,) adds to the sums by multipliers (q,)."""
        width = int(self._pairs[0][-1]) + 1
        form = np.zeros((width, width))
        form[self._pairs] = multipliers
        total = np.empty(self._problem.n_rows)
        for first, last in ranges(len(total), BLOCK_ROWS):
            rows = self._rows(np.arange(first, last))
            total[first:last] = np.einsum("jc,jc->j", rows @ form, rows)
        return total

    def _rows(self, index: NDArray[np.int64]) -> Array:
        """Return (x, y, 1) of some rows, without constant columns."""
        x = as_dense(self._problem.rows.take(index, axis=0)) - self._centre
        y = self._problem.targets[index] - self._middle
        rows = np.column_stack([x, y])[:, self._used] / self._spread[self._used]
        return np.column_stack([rows, np.ones(len(index))]) if self._problem.intercept else rows


def n_moments(problem: Problem) -> int:
    """Return how many second moments there are of the columns, the target and the constant."""
    width = problem.n_columns + 1 + problem.intercept
    return width * (width + 1) // 2
