"""What calibration takes from a full pass: losses, gradients and their squares at several models at
once, over rows first ... last - 1.

``models`` is float64 (p, m, d + 1): for each model a row an output, the intercept last. The rest is
as in `passes`.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import summing_kernel
from craig_cli.kernels.passes import BLOCK_ROWS, dense_pass, sparse_pass


@summing_kernel
def dense_moments(
    rows, targets, shares, loss, constant, models, first, last, losses, sums, squares
):
    """Add up, each row by its share, the losses (p,), the gradients (p, m, d + 1), and their
    squares, of dense rows.

    What has a middle axis of length 0 is left out: squares, or these and gradients.
    """
    d = rows.shape[1]
    slopes = np.empty((BLOCK_ROWS, models.shape[1]))
    for start in range(first, last, BLOCK_ROWS):
        end = min(start + BLOCK_ROWS, last)
        block, known, count = rows[start:end], targets[start:end], shares[start:end]
        for p in range(models.shape[0]):
            losses[p] += dense_pass(
                block, known, count, loss, constant, models[p], 0, end - start, slopes, sums[p]
            )
            for c in range(squares.shape[1]):
                for row in range(end - start):
                    weighted_slope = count[row] * slopes[row, c] * slopes[row, c]
                    for k in range(d):
                        squares[p, c, k] += weighted_slope * (block[row, k] * block[row, k])
                    squares[p, c, d] += weighted_slope * constant


@summing_kernel
def sparse_moments(
    rows, targets, shares, loss, constant, models, first, last, losses, sums, squares
):
    """Add up what `dense_moments` does, of sparse rows."""
    indptr, indices, values = rows
    d = models.shape[2] - 1
    slopes = np.empty((BLOCK_ROWS, models.shape[1]))
    for start in range(first, last, BLOCK_ROWS):
        end = min(start + BLOCK_ROWS, last)
        block, known, count = (
            (indptr[start : end + 1], indices, values),
            targets[start:end],
            shares[start:end],
        )
        for p in range(models.shape[0]):
            losses[p] += sparse_pass(
                block, known, count, loss, constant, models[p], 0, end - start, slopes, sums[p]
            )
            for c in range(squares.shape[1]):
                for row in range(end - start):
                    weighted_slope = count[row] * slopes[row, c] * slopes[row, c]
                    for j in range(indptr[start + row], indptr[start + row + 1]):
                        squares[p, c, indices[j]] += weighted_slope * (values[j] * values[j])
                    squares[p, c, d] += weighted_slope * constant
