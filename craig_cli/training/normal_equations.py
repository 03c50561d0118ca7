"""Normal equations of many rows: their matrix and their solution, by BLAS and LAPACK.

Blocks of rows are cut by their number alone and added up in order, and BLAS keeps to one thread in
each of ours: the same bits for any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import starmap

import numpy as np

from craig_cli.kernels.normal_equations import add_sparse_outer_products
from craig_cli.lapack import cholesky, pivoted_cholesky, solve_by_factor
from craig_cli.threads import Workers, one_blas_thread, ranges
from craig_cli.training.problem import Array

BLOCK_ROWS = 1024
SMALLEST_PIVOT = 1e-14
"""Rows are scaled to a root mean square of about one, and so are the pivots: what is left of one
below this is rounding.
"""
WORTH_THREADS = 1e7
"""Multiplications, below which handing work to threads takes longer than the work."""
MOSTLY_ZEROS = 0.2
"""Where no more of the values than this are not zero, leaving out zeros is faster than BLAS: three
times as fast at a tenth, as in one-hot columns.
"""


@one_blas_thread()
def normal_matrix(parts: Array, weights: Array, workers: Workers) -> Array:
    """Return the sum of weight a a^T over the rows a of `parts` (k, q): (q, q).

    `weights` (k,) are at least 0. Time k q^2 / 2 multiplications over threads; where most values
    are zeros, half the square of the others in each row.
    """
    q = parts.shape[1]
    is_sparse = np.count_nonzero(parts) <= MOSTLY_ZEROS * parts.size

    def outer_products(first: int, last: int) -> Array:
        if is_sparse:
            out = np.zeros((q, q))
            add_sparse_outer_products(parts, weights, first, last, out)
            return out
        scaled = np.sqrt(weights[first:last, None]) * parts[first:last]
        return np.asarray(scaled.T @ scaled)  # one array twice: numpy calls syrk, half of gemm

    total = sum_of_blocks(outer_products, len(parts), (q, q), parts.size * q, workers)
    return total + np.triu(total, 1).T if is_sparse else total


def sum_of_blocks(
    block: Callable[[int, int], Array],
    n_rows: int,
    shape: tuple[int, ...],
    work: float,
    workers: Workers,
    block_rows: int = BLOCK_ROWS,
) -> Array:
    """Return the sum of ``block(first, last)``, each of a shape, over blocks of rows, in order.

    `work` is the multiplications that it takes. No more blocks are held than there are threads.
    """
    total, blocks = np.zeros(shape), ranges(n_rows, block_rows)
    run = starmap if work < WORTH_THREADS else workers.map
    for start in range(0, len(blocks), workers.n_threads):
        for part in run(block, blocks[start : start + workers.n_threads]):
            total += part
    return total


@one_blas_thread()
def solution(matrix: Array, ridge: Array, right: Array) -> Array:
    """Return x of (matrix + diag(ridge)) x = right, by Cholesky's factor.

    Only the upper triangle of `matrix` counts, whose diagonal is overwritten. Where a pivot is not
    above `SMALLEST_PIVOT` the largest ones are taken first, and coordinates without one are 0: they
    hang on the others.
    """
    matrix[np.diag_indices_from(matrix)] += ridge
    lower = matrix.T  # of a C array: in the order of LAPACK without a copy
    factor = cholesky(lower)
    if factor is not None and (np.square(np.diag(factor)) > SMALLEST_PIVOT).all():
        return solve_by_factor(factor, right)
    pivoted, order, rank = pivoted_cholesky(lower, SMALLEST_PIVOT)
    x, first = np.zeros_like(right), order[:rank]
    if rank:
        x[first] = solve_by_factor(pivoted[:rank, :rank], right[first])
    return x


def scaled_solution(matrix: Array, ridge: Array, right: Array) -> Array:
    """Return what `solution` does, by equations scaled by the root of their diagonal.

    So columns of very different units lose no digits, and none of them counts as nothing. `matrix`
    is overwritten.
    """
    diagonal = np.diagonal(matrix) + ridge
    roots = np.sqrt(np.where(diagonal > 0, diagonal, np.inf))
    matrix /= roots
    matrix /= roots[:, None]
    scaled: Array = solution(matrix, ridge / roots**2, right / roots) / roots
    return scaled
