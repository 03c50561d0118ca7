"""Products of sparse rows, given as (indptr, indices, values), with vectors and matrices.

One entry after another, in the order of the rows: the sums, and their bits, are those of
`scipy.sparse`, whose import takes longer than a small selection.
"""

from __future__ import annotations

from craig_cli.kernels import kernel


@kernel
def add_weighted_rows(rows, weights, total):
    """Add weight times row to `total` (d,), row by row."""
    indptr, indices, values = rows
    for row in range(weights.shape[0]):
        for j in range(indptr[row], indptr[row + 1]):
            total[indices[j]] += values[j] * weights[row]


@kernel
def add_products(rows, columns, total):
    """Add the products of rows with the columns of a matrix (d, m) to `total` (n, m)."""
    indptr, indices, values = rows
    for row in range(total.shape[0]):
        for j in range(indptr[row], indptr[row + 1]):
            for c in range(columns.shape[1]):
                total[row, c] += values[j] * columns[indices[j], c]
