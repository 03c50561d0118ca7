"""The constraints of calibration: what the weighted picks must add up to, from one pass over all rows, and the part of each pick in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.blocks import SparseRows
from craig_cli.calibration.directions import times
from craig_cli.kernels import moments as kernels
from craig_cli.training import Problem
from craig_cli.training.problem import Array


@dataclass(frozen=True)
class Moments:
    """Means over all rows at p models.

    Parameters
    ----------
    losses : ndarray, shape (p,)
        Without the regulariser.
    gradients : ndarray, shape (p, m, d + 1)
    scales : ndarray, shape (p, m, d + 1)
        Root mean squares of the rows' gradients by each coordinate.
    """

    losses: Array
    gradients: Array
    scales: Array

    def chosen(self, places: NDArray[np.int64]) -> Moments:
        """Return those of some of the models."""
        return Moments(self.losses[places], self.gradients[places], self.scales[places])


def moments_at(problem: Problem, models: Array) -> Moments:
    """Return the means over all rows, by their weights, at models (p, m, d + 1). One pass for all of them; memory 256 p m (d + 1) bytes."""
    kernel = kernels.sparse_moments if isinstance(problem.rows, SparseRows) else kernels.dense_moments
    weights, total = counted_weights(problem)

    def work(first: int, last: int) -> tuple[Array, Array, Array]:
        losses, sums, squares = np.zeros(len(models)), np.zeros(models.shape), np.zeros(models.shape)
        kernel(problem.arrays, problem.targets, problem.facts.code, problem.constant, models, first, last, losses, sums, squares, weights)
        return losses, sums, squares

    losses, sums, squares = (np.sum(parts, axis=0) / total for parts in zip(*problem.in_chunks(work), strict=True))
    return Moments(losses, sums, np.sqrt(squares))


def counted_weights(problem: Problem) -> tuple[Array | None, float]:
    """Return the weights of the rows and their sum; where all are equal None, and the number of rows."""
    weights = problem.weights
    return (None, problem.n_rows) if (weights == weights[0]).all() else (weights, float(weights.sum()))


def losses_at(problem: Problem, models: Array) -> Array:
    """Return the mean losses (p,) over all rows, by their weights, at models (p, m, d + 1). One pass, half the work of `moments_at`."""
    kernel = kernels.sparse_losses if isinstance(problem.rows, SparseRows) else kernels.dense_losses
    weights, total = counted_weights(problem)

    def work(first: int, last: int) -> Array:
        losses = np.zeros(len(models))
        kernel(problem.arrays, problem.targets, problem.facts.code, problem.constant, models, first, last, losses, weights)
        return losses

    return np.asarray(np.sum(problem.in_chunks(work), axis=0) / total)


def regularised(losses: Array, models: Array, l2: Array) -> Array:
    """Return the losses (p,) of models (p, m, d + 1) with the regulariser of each, l2/2 ||w||^2."""
    return np.asarray(losses + 0.5 * l2 * np.square(models[:, :, :-1]).sum(axis=(1, 2)))


class Constraints(NamedTuple):
    """Sums that weights adding up to 1 are to give.

    `parts` (k, q) is what a unit of weight of each pick adds to each sum, `wanted` (q,) the mean over all rows. Each is divided by its root
    mean square over all rows, so that a column that hardly any row has asks for nothing that the picks cannot give.
    """

    parts: Array
    wanted: Array

    def error(self, shares: Array) -> float:
        """Return the root of the mean squared error of the sums."""
        missing = np.einsum("j,ji->i", shares, self.parts) - self.wanted
        return float(np.sqrt(np.einsum("i,i->", missing, missing) / max(1, len(missing))))


def gradient_constraints(part: Problem, model: Array, moments: Moments, place: int) -> Constraints:
    """Return the constraints of one pilot `model` (m, d + 1), the `place`-th of the moments: all coordinates of its gradient."""
    parts, wanted = row_gradients(part, model, dense(part)), moments.gradients[place].ravel()
    scales = moments.scales[place].ravel()
    used = scales > 0
    return Constraints(parts[:, used] / scales[used], wanted[used] / scales[used])


def reduced_constraints(part: Problem, model: Array, gradient: Array, directions: Array, sample: Problem) -> Constraints:
    """Return the constraints of one pilot along directions (d, r) of the inputs, and the intercept, for each output.

    Parameters
    ----------
    part : Problem
        The picks.
    model, gradient : ndarray, shape (m, d + 1)
        The pilot, and the mean gradient over all rows there.
    directions : ndarray, shape (d, r)
    sample : Problem
        What the root mean squares are taken from.
    """
    along = row_gradients(sample, model, times(sample, directions))
    scales = np.sqrt(np.einsum("j,ji,ji->i", sample.shares, along, along))
    wanted = np.column_stack([np.einsum("md,dr->mr", gradient[:, :-1], directions), gradient[:, -1]]).ravel()
    parts = row_gradients(part, model, times(part, directions))
    used = scales > 0
    return Constraints(parts[:, used] / scales[used], wanted[used] / scales[used])


def row_gradients(part: Problem, model: Array, inputs: Array) -> Array:
    """Return the gradient of each row's loss at a model (m, d + 1), with other inputs (k, r) in place of its columns: (k, m (r + 1))."""
    _, slopes = part.full_pass(model, 0.0, np.empty_like(model))
    whole = np.column_stack([inputs, np.full(len(inputs), part.constant)])
    return np.asarray((slopes[:, :, None] * whole[:, None, :]).reshape(len(whole), -1))


def dense(part: Problem) -> Array:
    """Return the rows as a dense array of float64."""
    rows = part.rows
    if not isinstance(rows, SparseRows):
        return np.asarray(rows, np.float64)
    out = np.zeros((rows.n_rows, rows.n_columns))
    out[np.repeat(np.arange(rows.n_rows), np.diff(rows.indptr)), rows.indices] = rows.values
    return out
