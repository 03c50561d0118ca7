"""Full passes over rows first ... last - 1: scores, and the weighted loss with its gradient.

``model`` is float64 (m, d + 1): a row an output, the intercept last. ``constant`` is the input that
the intercept multiplies: 1, or 0 if there is none. Sparse rows are given as (indptr, indices,
values).
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import inlined, summing_kernel
from craig_cli.kernels.losses import to_weighted_slopes

BLOCK_ROWS = 64
"""Rows that go through the stages of a pass together: as many as stay in the cache."""
ROWS_AT_A_TIME = 4


@inlined
def dense_score(rows, row, model, c, constant):
    """Return the score that output `c` gives a dense row."""
    total = 0.0
    for k in range(rows.shape[1]):
        total += model[c, k] * rows[row, k]
    return total + constant * model[c, rows.shape[1]]


@inlined
def sparse_score(rows, row, model, c, constant):
    """Return the score that output `c` gives a sparse row."""
    indptr, indices, values = rows
    total = 0.0
    for j in range(indptr[row], indptr[row + 1]):
        total += model[c, indices[j]] * values[j]
    return total + constant * model[c, model.shape[1] - 1]


@summing_kernel
def dense_scores(rows, constant, model, first, last, scores):
    """Write the scores of dense rows into `scores` (n, m)."""
    for row in range(first, last):
        for c in range(model.shape[0]):
            scores[row, c] = dense_score(rows, row, model, c, constant)


@summing_kernel
def sparse_scores(rows, constant, model, first, last, scores):
    """Write the scores of sparse rows into `scores` (n, m)."""
    for row in range(first, last):
        for c in range(model.shape[0]):
            scores[row, c] = sparse_score(rows, row, model, c, constant)


@inlined
def add_dense_rows(rows, first, last, weighted_slopes, total):
    """Add the sum over dense rows first ... last - 1 of weighted slope times row to `total` (d,).

    ``weighted_slopes[0]`` is that of row `first`. Four rows at a time: a sum is loaded and stored
    once for four products.
    """
    whole = (last - first) // ROWS_AT_A_TIME * ROWS_AT_A_TIME
    for i in range(0, whole, ROWS_AT_A_TIME):
        row = first + i
        for k in range(rows.shape[1]):
            total[k] += (
                weighted_slopes[i] * rows[row, k]
                + weighted_slopes[i + 1] * rows[row + 1, k]
                + weighted_slopes[i + 2] * rows[row + 2, k]
                + weighted_slopes[i + 3] * rows[row + 3, k]
            )
    for i in range(whole, last - first):
        for k in range(rows.shape[1]):
            total[k] += weighted_slopes[i] * rows[first + i, k]


@summing_kernel
def dense_pass(rows, targets, shares, loss, constant, model, first, last, slopes, gradient):
    """Return the sum of share times loss over dense rows.

    Scores, slopes and gradient of a block of rows are made one after another, while the rows are in
    the cache. The derivatives by the scores are written to `slopes` (n, m), and the gradient of the
    sum is added to `gradient` (m, d + 1), or not if it has no rows.
    """
    m, d = model.shape[0], rows.shape[1]
    weighted_slopes = np.empty(BLOCK_ROWS)
    total = 0.0
    for start in range(first, last, BLOCK_ROWS):
        end = min(start + BLOCK_ROWS, last)
        for row in range(start, end):
            for c in range(m):
                slopes[row, c] = dense_score(rows, row, model, c, constant)
        total += to_weighted_slopes(loss, slopes, targets, shares, start, end)
        for c in range(gradient.shape[0]):
            weighted_slope = 0.0
            for row in range(start, end):
                weighted_slopes[row - start] = shares[row] * slopes[row, c]
            for i in range(end - start):
                weighted_slope += weighted_slopes[i]
            add_dense_rows(rows, start, end, weighted_slopes, gradient[c])
            gradient[c, d] += weighted_slope * constant
    return total


@summing_kernel
def sparse_pass(rows, targets, shares, loss, constant, model, first, last, slopes, gradient):
    """Return the sum of share times loss over sparse rows, and the rest as `dense_pass` does."""
    indptr, indices, values = rows
    m, d = model.shape[0], model.shape[1] - 1
    total = 0.0
    for start in range(first, last, BLOCK_ROWS):
        end = min(start + BLOCK_ROWS, last)
        for row in range(start, end):
            for c in range(m):
                slopes[row, c] = sparse_score(rows, row, model, c, constant)
        total += to_weighted_slopes(loss, slopes, targets, shares, start, end)
        for row in range(start, end):
            for c in range(gradient.shape[0]):
                weighted_slope = shares[row] * slopes[row, c]
                for j in range(indptr[row], indptr[row + 1]):
                    gradient[c, indices[j]] += weighted_slope * values[j]
                gradient[c, d] += weighted_slope * constant
    return total


@summing_kernel
def dense_squares(rows, shares, first, last, lengths, columns):
    """Write the rows' squared lengths; add the sums of share times square to `columns` (d,)."""
    for row in range(first, last):
        total = 0.0
        for k in range(rows.shape[1]):
            total += np.float64(rows[row, k]) * rows[row, k]
        for k in range(rows.shape[1]):
            columns[k] += shares[row] * (np.float64(rows[row, k]) * rows[row, k])
        lengths[row] = total


@summing_kernel
def sparse_squares(rows, shares, first, last, lengths, columns):
    """Write the rows' squared lengths, and add to `columns`, as `dense_squares` does."""
    indptr, indices, values = rows
    for row in range(first, last):
        total = 0.0
        for j in range(indptr[row], indptr[row + 1]):
            total += values[j] * values[j]
        for j in range(indptr[row], indptr[row + 1]):
            columns[indices[j]] += shares[row] * (values[j] * values[j])
        lengths[row] = total
