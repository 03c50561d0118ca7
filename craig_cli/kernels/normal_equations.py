"""Sums of outer products of rows that are zeros for the most part: BLAS knows dense ones only."""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import kernel


@kernel
def add_sparse_outer_products(a, weights, first, last, out):
    """Add the sum over rows first ... last - 1 of weight a a^T to the upper triangle of `out`.

    `a` is (k, q), `out` (q, q). Time: half the square of the values that are not zero in each row.
    """
    q = a.shape[1]
    columns = np.empty(q, np.int64)
    for row in range(first, last):
        if weights[row] == 0.0:
            continue
        n = 0
        for i in range(q):
            if a[row, i] != 0.0:
                columns[n] = i
                n += 1
        for s in range(n):
            i = columns[s]
            c = weights[row] * a[row, i]
            for t in range(s, n):
                j = columns[t]
                out[i, j] += c * a[row, j]


@kernel
def add_csr_outer_products(rows, weights, first, last, out):
    """Add the sum over sparse rows first ... last - 1 of weight (x, 1) (x, 1)^T to the upper
    triangle of `out` (d + 1, d + 1); ``weights[0]`` is that of row `first`.

    Time: half the square of the entries of each row.
    """
    indptr, indices, values = rows
    d = out.shape[0] - 1
    for row in range(first, last):
        weight = weights[row - first]
        if weight == 0.0:
            continue
        end = indptr[row + 1]
        for s in range(indptr[row], end):
            i = indices[s]
            c = weight * values[s]
            for t in range(s, end):
                out[i, indices[t]] += c * values[t]
            out[i, d] += c
        out[d, d] += weight


@kernel
def spread_out(rows, first, last, out):
    """Write sparse rows first ... last - 1 into `out` (last - first, d), which holds zeros."""
    indptr, indices, values = rows
    for row in range(first, last):
        for j in range(indptr[row], indptr[row + 1]):
            out[row - first, indices[j]] = values[j]
