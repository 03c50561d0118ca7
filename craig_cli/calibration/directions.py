"""Leading directions of the inputs, in place of the columns where these make more constraints than
the picks can carry.

No BLAS: its sums may depend on the number of its threads.
"""

from __future__ import annotations

import numpy as np

from craig_cli.dataset import SparseRows
from craig_cli.kernels import normal_equations as kernels
from craig_cli.threads import Workers
from craig_cli.training import Problem
from craig_cli.training.normal_equations import normal_matrix
from craig_cli.training.problem import Array

OVERSAMPLING = 8
"""Directions looked for beyond those wanted: these become more exact."""
ITERATIONS = 4
SMALLEST_PIVOT = 1e-12


def leading_directions(
    sample: Problem, n_wanted: int, rng: np.random.Generator, workers: Workers
) -> Array:
    """Return orthonormal directions (d, r) along which the weighted rows of a sample are longest, r
    = `n_wanted` but for what they span.

    Notes
    -----
    Subspace iteration from a random start (Halko, Martinsson and Tropp 2011), the columns made
    orthonormal by Cholesky's factors. Time 4 n d r an iteration, for sparse rows 4 nnz r; memory 8
    (2 d + n) r bytes.
    """
    n_found = min(n_wanted + OVERSAMPLING, sample.n_rows, sample.n_columns)
    directions = orthonormal(
        transposed_times(sample, rng.standard_normal((sample.n_rows, n_found))), workers
    )
    for _ in range(ITERATIONS):
        directions = orthonormal(transposed_times(sample, times(sample, directions)), workers)
    lengths = np.einsum(
        "j,jr,jr->r", sample.shares, times(sample, directions), times(sample, directions)
    )
    return np.ascontiguousarray(
        directions[:, np.sort(np.argsort(-lengths, kind="stable")[:n_wanted])]
    )


def times(part: Problem, directions: Array) -> Array:
    """Return the coordinates (n, r) of the rows along directions (d, r)."""
    kernel = (
        kernels.sparse_products if isinstance(part.rows, SparseRows) else kernels.dense_products
    )
    out = np.empty((part.n_rows, directions.shape[1]))
    part.in_chunks(lambda first, last: kernel(part.arrays, directions, first, last, out))
    return out


def transposed_times(part: Problem, coordinates: Array) -> Array:
    """Return the sum over the rows of share x times the row of `coordinates` (n, r), float64 (d,
    r).
    """
    kernel = (
        kernels.sparse_transposed_products
        if isinstance(part.rows, SparseRows)
        else kernels.dense_transposed_products
    )
    out = np.zeros((part.n_columns, coordinates.shape[1]))
    kernel(part.arrays, part.shares[:, None] * coordinates, out)
    return out


def orthonormal(columns: Array, workers: Workers) -> Array:
    """Return orthonormal columns that span what `columns` (d, r) do; dependent ones are left out.

    The factor of Cholesky is taken twice: the first leaves errors of rounding that the second
    mends.
    """
    for _ in range(2):
        longest = np.sqrt(np.einsum("dr,dr->r", columns, columns))
        columns = columns[:, longest > 0] / longest[longest > 0]
        root = normal_matrix(columns, np.ones(len(columns)), workers)
        kernels.cholesky(root, SMALLEST_PIVOT)
        independent = np.isfinite(np.diag(root))
        columns = np.ascontiguousarray(columns)
        kernels.divide_by_root(columns, root)
        columns = np.ascontiguousarray(columns[:, independent])
    return columns
