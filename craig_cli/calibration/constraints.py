"""The constraints of calibration: what the weighted picks must add up to, from one pass over all
rows, and the part of each pick in it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.calibration.directions import times
from craig_cli.dataset import SparseRows, as_dense
from craig_cli.kernels import moments as kernels
from craig_cli.training import Problem
from craig_cli.training.problem import Array

MOST_FLOAT32 = 1e18
"""Squares of larger numbers do not fit float32."""


class Moments(NamedTuple):
    """Means over all rows at p models.

    Parameters
    ----------
    losses : ndarray, shape (p,)
        Without the regulariser.
    gradients : ndarray, shape (p, m, d + 1)
    squares : ndarray, shape (p, m, d + 1), or (p, 0, d + 1)
        Of the rows' gradients by each coordinate; left out where they are not asked for.
    """

    losses: Array
    gradients: Array
    squares: Array

    def chosen(self, places: NDArray[np.int64]) -> Moments:
        """Return those of some of the models."""
        return Moments(*(means[places] for means in self))


def moments_at(
    problem: Problem, models: Array, *, with_gradients: bool = True, with_squares: bool = False
) -> Moments:
    """Return the means over all rows, by their weights, at models (p, m, d + 1).

    One pass for all of them, of two thirds of the time without gradients; memory 256 p m (d + 1)
    bytes. What is left out has a middle axis of length 0.
    """
    kernel = kernels.sparse_moments if problem.is_sparse else kernels.dense_moments
    if with_squares and problem.rows.dtype == np.float32:
        problem = with_room_for_squares(problem)
    p, m, columns = models.shape
    shares = problem.shares

    def work(first: int, last: int) -> Moments:
        means = Moments(
            np.zeros(p),
            np.zeros((p, m if with_gradients else 0, columns)),
            np.zeros((p, m if with_squares else 0, columns)),
        )
        kernel(
            problem.arrays,
            problem.targets,
            shares,
            problem.loss.code,
            problem.constant,
            models,
            first,
            last,
            *means,
        )
        return means

    return Moments(*(np.sum(parts, axis=0) for parts in zip(*problem.in_chunks(work), strict=True)))


def with_room_for_squares(problem: Problem) -> Problem:
    """Return a problem of float32 rows with float64 ones where squares would not fit float32."""
    rows = problem.rows
    if isinstance(rows, SparseRows) or max(rows.max(), -rows.min()) < MOST_FLOAT32:
        return problem
    return replace(problem, rows=rows.astype(np.float64))


def regularised(losses: Array, models: Array, l2: Array) -> Array:
    """Return the losses (p,) of models (p, m, d + 1) with the regulariser of each, l2/2 ||w||^2."""
    return np.asarray(losses + 0.5 * l2 * np.square(models[:, :, :-1]).sum(axis=(1, 2)))


class Constraints(NamedTuple):
    """Sums that weights adding up to 1 are to give.

    `parts` (k, q) is what a unit of weight of each pick adds to each sum, `wanted` (q,) the mean
    over all rows. Each is divided by its root mean square over all rows, so that a column that
    hardly any row has asks for nothing that the picks cannot give.
    """

    parts: Array
    wanted: Array

    def error(self, shares: Array) -> float:
        """Return the root of the mean squared error of the sums."""
        missing = np.einsum("j,ji->i", shares, self.parts) - self.wanted
        return float(np.sqrt(np.einsum("i,i->", missing, missing) / max(1, len(missing))))


class Coordinates(NamedTuple):
    """What of the rows' gradients is to come out: their coordinates by the columns, or along
    leading directions, and those by the intercept.

    Parameters
    ----------
    inputs : ndarray, shape (k, r)
        Of the picks.
    scales : ndarray, shape (p, m (r + 1))
        Root mean squares over all rows, at each of the first pilots; later ones, which are near to
        these, keep them.
    directions : ndarray, shape (d, r), or None
        None for the columns.
    """

    inputs: Array
    scales: Array
    directions: Array | None

    def constraints(self, part: Problem, models: Array, gradients: Array) -> list[Constraints]:
        """Return those of pilots (p, m, d + 1) for the picks, `part`.

        `gradients` (p, m, d + 1) are the means over all rows there.
        """
        return [self._at(part, *one) for one in zip(models, gradients, self.scales, strict=True)]

    def _at(self, part: Problem, model: Array, gradient: Array, scales: Array) -> Constraints:
        if self.directions is not None:
            gradient = np.column_stack(
                [np.einsum("md,dr->mr", gradient[:, :-1], self.directions), gradient[:, -1]]
            )
        used = (scales > 0) & np.isfinite(scales)
        return Constraints(
            row_gradients(part, model, self.inputs)[:, used] / scales[used],
            gradient.ravel()[used] / scales[used],
        )


def all_coordinates(part: Problem, squares: Array) -> Coordinates:
    """Return all columns, by the mean squares (p, m, d + 1) at the first pilots."""
    return Coordinates(as_dense(part.rows), np.sqrt(squares).reshape(len(squares), -1), None)


def leading_coordinates(
    part: Problem, models: Array, directions: Array, sample: Problem
) -> Coordinates:
    """Return those along directions (d, r), with the mean squares of a sample at `models`."""
    along = times(sample, directions)
    squares = [
        np.einsum("j,ji->i", sample.shares, np.square(row_gradients(sample, model, along)))
        for model in models
    ]
    return Coordinates(times(part, directions), np.sqrt(squares), directions)


def row_gradients(part: Problem, model: Array, inputs: Array) -> Array:
    """Return the gradient of each row's loss at a model (m, d + 1): (k, m (r + 1)).

    By `inputs` (k, r) in place of the columns.
    """
    _, slopes = part.full_pass(model, 0.0, np.empty_like(model))
    whole = np.column_stack([inputs, np.full(len(inputs), part.constant)])
    return np.asarray((slopes[:, :, None] * whole[:, None, :]).reshape(len(whole), -1))
