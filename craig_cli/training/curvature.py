"""The Hessian of F and Newton's equations, from blocks of rows as they lie: no copy of all rows is
made, however many there are.

Where there is an intercept, columns are centred: in terms of x - c and the intercept b + w.c, a
large offset of a column does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement

import numpy as np

from craig_cli.dataset import SparseRows
from craig_cli.kernels.normal_equations import (
    add_csr_outer_products,
    add_sparse_outer_products,
    spread_out,
)
from craig_cli.threads import Workers, one_blas_thread
from craig_cli.training.normal_equations import (
    BLOCK_ROWS,
    MOSTLY_ZEROS,
    scaled_solution,
    sum_of_blocks,
)
from craig_cli.training.problem import MOST_CHUNKS, Array, Problem

DAMPING = 1e-10
"""Added to the curvature by the intercepts, which nothing else bounds where a loss is flat, or the
same for all classes.
"""


@dataclass(frozen=True)
class Hessians:
    """The Hessians of the mean loss by (w, b + w.c), one a pair of outputs in the order of
    `pairs`, or one an output, (r, d + 1, d + 1), of which the upper triangles count; and c (d,).
    """

    matrices: Array
    centre: Array


@dataclass(frozen=True)
class Curvature:
    """Newton's equations by the second derivatives of the losses of a problem's rows."""

    problem: Problem
    l2: float

    def direction(self, slopes: Array, least: float, gradient: Array) -> tuple[Array, float]:
        """Return the inverse of the Hessian of F times the gradient (m, d + 1), and the passes
        that it took: 1.

        Parameters
        ----------
        slopes : ndarray, shape (n, m)
            Of the losses, at the model.
        least : float
            No second derivative counts as less than this, unless the loss joins its outputs.
        gradient : ndarray, shape (m, d + 1)

        Notes
        -----
        For n rows and r pairs of outputs that count, r n (d + 1)^2 / 2 multiplications over
        threads. Memory 8 r (d + 1)^2 bytes, and as much again for each thread.
        """
        found, (m, columns) = self.hessians(slopes, least), gradient.shape
        ridge = np.append(np.full(columns - 1, self.l2), DAMPING)
        right = gradient.copy()
        right[:, :-1] -= gradient[:, -1:] * found.centre
        if self.problem.loss.is_joint:
            whole = self.joined(found.matrices)
            step = scaled_solution(whole, np.tile(ridge, m), right.ravel()).reshape(m, columns)
        else:
            pairs = zip(found.matrices, right, strict=True)
            step = np.stack([scaled_solution(matrix, ridge, side) for matrix, side in pairs])
        step[:, -1] -= step[:, :-1] @ found.centre
        return step, 1.0

    @one_blas_thread()
    def hessians(self, slopes: Array, least: float = 0.0) -> Hessians:
        """Return what `Hessians` describes, where the rows have these slopes (n, m)."""
        problem, columns = self.problem, self.problem.n_columns + 1
        r = len(self.pairs) if problem.loss.is_joint else problem.n_outputs
        shape, block = (r, columns, columns), self.dense_block
        rows, block_rows = problem.n_rows, BLOCK_ROWS
        if self.is_sparse:
            block, block_rows = self.sparse_block, max(BLOCK_ROWS, -(-rows // MOST_CHUNKS))
        work = rows * r * columns * columns
        with Workers(problem.threads) as workers:
            total = sum_of_blocks(
                lambda first, last: block(first, last, self.second(first, last, slopes, least)),
                rows,
                shape,
                work,
                workers,
                block_rows,
            )
        return self.centred(total) if self.is_sparse else Hessians(total, self.means)

    @cached_property
    def is_sparse(self) -> bool:
        """Whether zeros are left out of the products."""
        rows = self.problem.rows
        if not isinstance(rows, (np.ndarray, SparseRows)):  # on disk
            return False
        entries = rows.values if isinstance(rows, SparseRows) else rows
        n_rows, n_columns = rows.shape
        return bool(np.count_nonzero(entries) <= MOSTLY_ZEROS * n_rows * n_columns)

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """The pairs of outputs, b <= c."""
        return list(combinations_with_replacement(range(self.problem.n_outputs), 2))

    @cached_property
    def shares(self) -> Array:
        """Those of the problem."""
        return self.problem.shares

    @cached_property
    def means(self) -> Array:
        """The weighted means of the columns (d,); 0 if there is no intercept."""
        n_rows, d = self.problem.n_rows, self.problem.n_columns
        if not self.problem.intercept:
            return np.zeros(d)
        with Workers(self.problem.threads) as workers:
            return sum_of_blocks(
                lambda first, last: self.shares[first:last] @ self.dense_rows(first, last),
                n_rows,
                (d,),
                n_rows * d,
                workers,
            )

    def second(self, first: int, last: int, slopes: Array, least: float) -> Array:
        """Return the second derivatives of some rows by their shares (rows, r), at least 0.

        Of softmax where the classes have chances p: p_b (1 - p_b) within a class, and p_b p_c
        between two, which is taken off.
        """
        problem, own = self.problem, slopes[first:last]
        if not problem.loss.is_joint:
            bends = np.maximum(problem.loss.second_derivatives(own), least)
        else:
            chances = chances_of(problem, slopes, first, last)
            bends = np.stack(
                [
                    chances[:, b] * ((1 - chances[:, b]) if b == c else chances[:, c])
                    for b, c in self.pairs
                ],
                axis=1,
            )
        return np.asarray(np.maximum(bends, 0.0) * self.shares[first:last, None])

    def dense_rows(self, first: int, last: int) -> Array:
        """Return some rows, with their zeros."""
        if not self.problem.is_sparse:
            return np.asarray(self.problem.arrays[first:last])
        out = np.zeros((last - first, self.problem.n_columns))
        spread_out(self.problem.arrays, first, last, out)
        return out

    def dense_block(self, first: int, last: int, bends: Array) -> Array:
        """Return the sums of products of some centred rows, one each column of `bends`."""
        d, constant = self.problem.n_columns, self.problem.constant
        inputs = np.full((last - first, d + 1), constant)
        np.subtract(self.dense_rows(first, last), self.means, out=inputs[:, :d])
        out = np.empty((bends.shape[1], d + 1, d + 1))
        for number, bend in enumerate(np.sqrt(bends.T)):
            scaled = bend[:, None] * inputs
            np.matmul(scaled.T, scaled, out=out[number])  # one array twice: syrk, half of gemm
        return out

    def sparse_block(self, first: int, last: int, bends: Array) -> Array:
        """Return the sums of products of some rows as they are, zeros left out."""
        rows, d = self.problem.rows, self.problem.n_columns
        out = np.zeros((bends.shape[1], d + 1, d + 1))
        for number, bend in enumerate(np.ascontiguousarray(bends.T)):
            if isinstance(rows, SparseRows):
                add_csr_outer_products(rows.arrays, bend, first, last, out[number])
            else:
                add_sparse_outer_products(rows[first:last], bend, 0, last - first, out[number])
                out[number, :d, d] = bend @ rows[first:last]
                out[number, d, d] = bend.sum()
        return out

    def centred(self, total: Array) -> Hessians:
        """Return the Hessians of centred rows, made of those of rows as they are, in place.

        The centre is the mean by the second derivatives, of all outputs together.
        """
        d = self.problem.n_columns
        if not self.problem.intercept:
            total[:, :, d] = 0
            return Hessians(total, np.zeros(d))
        own = [number for number, (b, c) in enumerate(self.pairs) if b == c]
        places = own if self.problem.loss.is_joint else range(len(total))
        mass = sum(total[place, d, d] for place in places)
        centre = sum((total[place, :d, d] for place in places), np.zeros(d)) / (mass or 1.0)
        for matrix in total:
            shifted = matrix[:d, d] - 0.5 * matrix[d, d] * centre
            matrix[:d, :d] -= np.outer(shifted, centre) + np.outer(centre, shifted)
            matrix[:d, d] -= matrix[d, d] * centre
        return Hessians(total, centre)

    def joined(self, matrices: Array) -> Array:
        """Return the Hessian of a joint loss (m (d + 1), m (d + 1)), its upper triangle."""
        m, columns = self.problem.n_outputs, matrices.shape[1]
        whole = np.zeros((m, columns, m, columns))
        for (b, c), matrix in zip(self.pairs, matrices, strict=True):
            upper = np.triu(matrix)
            whole[b, :, c] = upper if b == c else -(upper + np.triu(matrix, 1).T)
        return whole.reshape(m * columns, -1)


def chances_of(problem: Problem, slopes: Array, first: int, last: int) -> Array:
    """Return what softmax gives each class of rows first ... last - 1, by the slopes (n, m)."""
    chances = slopes[first:last].copy()
    chances[np.arange(last - first), problem.targets[first:last].astype(np.int64)] += 1
    return chances
