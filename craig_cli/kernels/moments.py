"""What calibration takes from a full pass: losses, gradients and their squares at several models at once, over rows first ... last - 1.

``models`` is float64 (p, m, d + 1): for each model a row an output, the intercept last. The rest is as in `passes`. Rows count by their
``weights`` (n,), or each once.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import summing_kernel
from craig_cli.kernels.lists import weight_of
from craig_cli.kernels.losses import loss_and_slopes, row_loss
from craig_cli.kernels.passes import dense_score, sparse_score


@summing_kernel
def dense_moments(rows, targets, loss, constant, models, first, last, losses, sums, squares, weights=None):
    """Add up the losses (p,), the gradients by each coordinate (p, m, d + 1), and the squares of these, of dense rows."""
    m, d = models.shape[1], rows.shape[1]
    slopes = np.empty(m)
    for row in range(first, last):
        weight = weight_of(weights, row)
        for p in range(models.shape[0]):
            for c in range(m):
                slopes[c] = dense_score(rows, row, models[p], c, constant)
            losses[p] += weight * loss_and_slopes(loss, slopes, targets[row])
            for c in range(m):
                for k in range(d):
                    pull = slopes[c] * rows[row, k]
                    sums[p, c, k] += weight * pull
                    squares[p, c, k] += weight * (pull * pull)
                sums[p, c, d] += weight * (slopes[c] * constant)
                squares[p, c, d] += weight * (slopes[c] * slopes[c] * constant)


@summing_kernel
def sparse_moments(rows, targets, loss, constant, models, first, last, losses, sums, squares, weights=None):
    """Add up what `dense_moments` does, of sparse rows."""
    indptr, indices, values = rows
    m, d = models.shape[1], models.shape[2] - 1
    slopes = np.empty(m)
    for row in range(first, last):
        weight = weight_of(weights, row)
        for p in range(models.shape[0]):
            for c in range(m):
                slopes[c] = sparse_score(rows, row, models[p], c, constant)
            losses[p] += weight * loss_and_slopes(loss, slopes, targets[row])
            for c in range(m):
                for j in range(indptr[row], indptr[row + 1]):
                    pull = slopes[c] * values[j]
                    sums[p, c, indices[j]] += weight * pull
                    squares[p, c, indices[j]] += weight * (pull * pull)
                sums[p, c, d] += weight * (slopes[c] * constant)
                squares[p, c, d] += weight * (slopes[c] * slopes[c] * constant)


@summing_kernel
def dense_losses(rows, targets, loss, constant, models, first, last, losses, weights=None):
    """Add up the losses (p,) of dense rows."""
    scores = np.empty(models.shape[1])
    for row in range(first, last):
        weight = weight_of(weights, row)
        for p in range(models.shape[0]):
            for c in range(models.shape[1]):
                scores[c] = dense_score(rows, row, models[p], c, constant)
            losses[p] += weight * row_loss(loss, scores, targets[row])


@summing_kernel
def sparse_losses(rows, targets, loss, constant, models, first, last, losses, weights=None):
    """Add up the losses (p,) of sparse rows."""
    scores = np.empty(models.shape[1])
    for row in range(first, last):
        weight = weight_of(weights, row)
        for p in range(models.shape[0]):
            for c in range(models.shape[1]):
                scores[c] = sparse_score(rows, row, models[p], c, constant)
            losses[p] += weight * row_loss(loss, scores, targets[row])
