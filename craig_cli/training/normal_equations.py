"""Normal equations of many rows: their matrix and their solution, on threads, the same bits for any
number of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from craig_cli.kernels.normal_equations import (
    add_clipped_sums,
    add_outer_products,
    add_sparse_outer_products,
    cholesky,
    solve_by_cholesky,
)
from craig_cli.threads import Workers, ranges
from craig_cli.training.problem import Array

CHUNK_ROWS = 1024
"""Rows added up at a time: their number does not depend on threads."""
SMALLEST_PIVOT = 1e-14
WORTH_THREADS = 1e7
"""Multiplications, below which handing work to threads takes longer than the work."""
FEW = 0.3
"""Where no more of the values than this are not zero, zeros are left out of the sums."""


def normal_matrix(parts: Array, weights: Array, workers: Workers) -> Array:
    """Return the sum of weight a a^T over the rows of `parts` (k, q), upper triangle, added up in
    chunks of a fixed size in order.

    Time k q^2 / 2 multiplications over threads; where most values are zeros, half the square of the
    others in each row.
    """
    q = parts.shape[1]
    kernel = (
        add_sparse_outer_products
        if np.count_nonzero(parts) <= FEW * parts.size
        else add_outer_products
    )
    return in_chunks(
        parts,
        (q, q),
        lambda first, last, out: kernel(parts, weights, first, last, out),
        parts.size * q,
        workers,
    )


def clipped_sums(
    parts: Array, shares: Array, multipliers: Array, workers: Workers
) -> tuple[Array, Array]:
    """Return s = 1 + multipliers . a of the rows a of `parts` (k, q), and the sum of share max(0,
    s) a. Time 2 k q over threads.
    """
    stretch = np.empty(len(parts))

    def add(first: int, last: int, out: Array) -> None:
        add_clipped_sums(parts, shares, multipliers, first, last, stretch, out)

    return stretch, in_chunks(parts, (parts.shape[1],), add, 2 * parts.size, workers)


def in_chunks(
    parts: Array,
    shape: tuple[int, ...],
    add: Callable[[int, int, Array], None],
    work: float,
    workers: Workers,
) -> Array:
    """Return what ``add(first, last, out)`` comes to over all rows of `parts`, in pieces of a fixed
    size, added up in order.
    """
    total, pieces = np.zeros(shape), ranges(len(parts), CHUNK_ROWS)

    def added(first: int, last: int) -> Array:
        out = np.zeros(shape)
        add(first, last, out)
        return out

    if work < WORTH_THREADS:
        for piece in pieces:
            total += added(*piece)
        return total
    for start in range(0, len(pieces), workers.n_threads):
        for part in workers.map(added, pieces[start : start + workers.n_threads]):
            total += part
    return total


def solution(matrix: Array, ridge: Array, right: Array) -> Array:
    """Return x of (matrix + diag(ridge)) x = right; only the upper triangle counts, which is
    overwritten. Coordinates without a pivot are 0.
    """
    matrix[np.diag_indices_from(matrix)] += ridge
    cholesky(matrix, SMALLEST_PIVOT)
    x = right.copy()
    solve_by_cholesky(matrix, x)
    return x
