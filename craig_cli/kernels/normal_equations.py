"""Normal equations: sums of outer products of rows, and their solution. Fixed orders of summation,
so that BLAS and its threads play no part.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import kernel, summing_kernel

ROWS_AT_A_TIME = 4
PIVOTS = 8


@kernel
def add_outer_products(a, weights, first, last, out):
    """Add the sum over rows first ... last - 1 of weight a a^T to the upper triangle of `out` (q,
    q); `a` is (k, q). Time k q^2 / 2.
    """
    q = a.shape[1]
    whole = first + (last - first) // ROWS_AT_A_TIME * ROWS_AT_A_TIME
    for row in range(first, whole, ROWS_AT_A_TIME):
        w0, w1, w2, w3 = weights[row], weights[row + 1], weights[row + 2], weights[row + 3]
        if w0 == 0.0 and w1 == 0.0 and w2 == 0.0 and w3 == 0.0:
            continue
        for i in range(q):
            c0, c1, c2, c3 = (
                w0 * a[row, i],
                w1 * a[row + 1, i],
                w2 * a[row + 2, i],
                w3 * a[row + 3, i],
            )
            for j in range(i, q):
                out[i, j] += (
                    c0 * a[row, j] + c1 * a[row + 1, j] + c2 * a[row + 2, j] + c3 * a[row + 3, j]
                )
    for row in range(whole, last):
        for i in range(q):
            c0 = weights[row] * a[row, i]
            for j in range(i, q):
                out[i, j] += c0 * a[row, j]


@kernel
def add_sparse_outer_products(a, weights, first, last, out):
    """Add what `add_outer_products` does, of rows that are zeros for the most part: these are left
    out.
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


@summing_kernel
def cholesky(matrix, smallest):
    """Change the upper triangle of a positive definite matrix to R with R^T R = matrix, in place;
    pivots below `smallest` count as infinite.

    Time q^3 / 6 multiplications, eight pivots to a sweep over the rest.
    """
    q = matrix.shape[0]
    for first in range(0, q, PIVOTS):
        last = min(first + PIVOTS, q)
        for i in range(first, last):
            pivot = matrix[i, i]
            root = np.sqrt(pivot) if pivot > smallest else np.inf
            matrix[i, i] = root
            for j in range(i + 1, q):
                matrix[i, j] /= root
            for r in range(i + 1, last):
                factor = matrix[i, r]
                for j in range(r, q):
                    matrix[r, j] -= factor * matrix[i, j]
        for r in range(last, q):  # there are eight rows before these, then
            c0, c1, c2, c3 = (
                matrix[first, r],
                matrix[first + 1, r],
                matrix[first + 2, r],
                matrix[first + 3, r],
            )
            c4, c5, c6, c7 = (
                matrix[first + 4, r],
                matrix[first + 5, r],
                matrix[first + 6, r],
                matrix[first + 7, r],
            )
            for j in range(r, q):
                upper = (
                    c0 * matrix[first, j]
                    + c1 * matrix[first + 1, j]
                    + c2 * matrix[first + 2, j]
                    + c3 * matrix[first + 3, j]
                )
                lower = (
                    c4 * matrix[first + 4, j]
                    + c5 * matrix[first + 5, j]
                    + c6 * matrix[first + 6, j]
                    + c7 * matrix[first + 7, j]
                )
                matrix[r, j] -= upper + lower


@summing_kernel
def solve_by_cholesky(root, right):
    """Change `right` (q,) to the solution of R^T R x = right, in place."""
    q = root.shape[0]
    for i in range(q):
        right[i] /= root[i, i]
        for j in range(i + 1, q):
            right[j] -= root[i, j] * right[i]
    for i in range(q - 1, -1, -1):
        for j in range(i + 1, q):
            right[i] -= root[i, j] * right[j]
        right[i] /= root[i, i]


@summing_kernel
def add_clipped_sums(parts, shares, multipliers, first, last, stretch, sums):
    """Write s = 1 + multipliers . a of rows a of `parts` (k, q) to `stretch` (k,), and add share
    max(0, s) a to `sums` (q,). Time 2 k q.
    """
    q = parts.shape[1]
    for row in range(first, last):
        here = 1.0
        for i in range(q):
            here += multipliers[i] * parts[row, i]
        stretch[row] = here
        if here > 0.0:
            weight = shares[row] * here
            for i in range(q):
                sums[i] += weight * parts[row, i]


@kernel
def dense_products(rows, b, first, last, out):
    """Write rows first ... last - 1 times `b` (d, r) to `out` (n, r)."""
    for row in range(first, last):
        out[row] = 0.0
        for k in range(rows.shape[1]):
            factor = rows[row, k]
            if factor != 0.0:
                for j in range(b.shape[1]):
                    out[row, j] += factor * b[k, j]


@kernel
def sparse_products(rows, b, first, last, out):
    """Write what `dense_products` does, of sparse rows."""
    indptr, indices, values = rows
    for row in range(first, last):
        out[row] = 0.0
        for entry in range(indptr[row], indptr[row + 1]):
            for j in range(b.shape[1]):
                out[row, j] += values[entry] * b[indices[entry], j]


@kernel
def dense_transposed_products(rows, b, out):
    """Add the sum over rows x of x times the row of `b` (n, r) to `out` (d, r)."""
    for row in range(rows.shape[0]):
        for k in range(rows.shape[1]):
            factor = rows[row, k]
            if factor != 0.0:
                for j in range(b.shape[1]):
                    out[k, j] += factor * b[row, j]


@kernel
def sparse_transposed_products(rows, b, out):
    """Add what `dense_transposed_products` does, of sparse rows."""
    indptr, indices, values = rows
    for row in range(b.shape[0]):
        for entry in range(indptr[row], indptr[row + 1]):
            for j in range(b.shape[1]):
                out[indices[entry], j] += values[entry] * b[row, j]


@kernel
def divide_by_root(rows, root):
    """Change each row a (n, q) to R^-T a, in place, with the R of `cholesky`: so that the columns
    become orthonormal if R^T R = rows^T rows.
    """
    q = root.shape[0]
    for row in range(rows.shape[0]):
        for i in range(q):
            rows[row, i] /= root[i, i]
            for j in range(i + 1, q):
                rows[row, j] -= root[i, j] * rows[row, i]
