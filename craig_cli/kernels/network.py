"""A network of one hidden layer: d inputs, h units (sigmoid or relu), a softmax of m classes.
Mini-batch steps, and passes over all rows.

Arguments common to the kernels: ``rows`` float (n, d), ``classes`` int64 (n,) the number of each
row's class (-1: none), ``is_relu`` 0 for sigmoid, ``first`` (d, h), ``first_bias`` (h,), ``second``
(h, m), ``second_bias`` (m,) the weights, of the type of the rows.

The rows of a batch are copied side by side, filled up with zeros to whole groups of four, so that
the loops over the units, which are as wide as vector units like them, take four products for each
number they load.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import inlined, summing_kernel

GROUP = 4
"""Rows of a batch, and columns of a row, that are taken at a time."""
PASS_ROWS = 16
"""Rows that a pass takes at a time."""


@inlined
def to_hidden(batch, n_rows, first, first_bias, is_relu, hidden):
    """Write the outputs of the hidden units of the first rows of a batch into `hidden` (n, h).

    Four columns at a time, which are skipped where all four are 0, as at the rim of images.
    """
    d, h = first.shape
    for b in range(n_rows):
        for j in range(h):
            hidden[b, j] = first_bias[j]
    whole = d // GROUP * GROUP
    for k in range(0, whole, GROUP):
        for b in range(n_rows):
            x0, x1, x2, x3 = batch[b, k], batch[b, k + 1], batch[b, k + 2], batch[b, k + 3]
            if x0 != 0 or x1 != 0 or x2 != 0 or x3 != 0:
                for j in range(h):
                    hidden[b, j] += (x0 * first[k, j] + x1 * first[k + 1, j]) + (
                        x2 * first[k + 2, j] + x3 * first[k + 3, j]
                    )
    for k in range(whole, d):
        for b in range(n_rows):
            for j in range(h):
                hidden[b, j] += batch[b, k] * first[k, j]
    one, zero = first.dtype.type(1), first.dtype.type(0)
    for b in range(n_rows):
        if is_relu:
            for j in range(h):
                hidden[b, j] = max(hidden[b, j], zero)
        else:
            for j in range(h):
                hidden[b, j] = one / (one + np.exp(-hidden[b, j]))


@inlined
def to_residual(hidden, b, target, second, second_bias, residuals, place):
    """Return -log p(target) of row `b` of a batch, and write p - y into ``residuals[place]``.

    Where the target is -1 it is p itself.
    """
    h, m = second.shape
    for c in range(m):
        residuals[place, c] = second_bias[c]
    for j in range(h):
        for c in range(m):
            residuals[place, c] += hidden[b, j] * second[j, c]
    largest = residuals[place, 0]
    for c in range(1, m):
        largest = max(largest, residuals[place, c])
    own = residuals[place, target] - largest if target >= 0 else residuals.dtype.type(0)
    total = residuals.dtype.type(0)
    for c in range(m):
        residuals[place, c] = np.exp(residuals[place, c] - largest)
    for c in range(m):
        total += residuals[place, c]
    for c in range(m):
        residuals[place, c] /= total
    if target >= 0:
        residuals[place, target] -= residuals.dtype.type(1)
    return np.log(total) - own


@inlined
def fill_batch(rows, visits, start, n, batch):
    """Copy `n` visited rows side by side into `batch`, and zeros into what is left of it."""
    for b in range(n):
        row = visits[start + b]
        for k in range(batch.shape[1]):
            batch[b, k] = rows[row, k]
    for b in range(n, batch.shape[0]):
        for k in range(batch.shape[1]):
            batch[b, k] = 0


@inlined
def back_propagate(hidden, b, second, residuals, is_relu, weighted_slopes):
    """Write the derivatives by the inputs of the hidden units into ``weighted_slopes[b]``."""
    real = second.dtype.type
    for j in range(second.shape[0]):
        back = real(0)
        for c in range(second.shape[1]):
            back += second[j, c] * residuals[b, c]
        unit = hidden[b, j]
        if is_relu:
            weighted_slopes[b, j] = back if unit > 0 else real(0)
        else:
            weighted_slopes[b, j] = back * unit * (real(1) - unit)


@inlined
def step_first(batch, weighted_slopes, keep, first):
    """Take the step of the first layer, the first four rows of the batch with the shrinking.

    All the zeros that `fill_batch` and padding leave add nothing, and groups of them are skipped.
    """
    for k in range(first.shape[0]):
        x0, x1, x2, x3 = batch[0, k], batch[1, k], batch[2, k], batch[3, k]
        for j in range(first.shape[1]):
            first[k, j] = keep * first[k, j] - (
                (x0 * weighted_slopes[0, j] + x1 * weighted_slopes[1, j])
                + (x2 * weighted_slopes[2, j] + x3 * weighted_slopes[3, j])
            )
        for b in range(GROUP, batch.shape[0], GROUP):
            x0, x1, x2, x3 = batch[b, k], batch[b + 1, k], batch[b + 2, k], batch[b + 3, k]
            if x0 != 0 or x1 != 0 or x2 != 0 or x3 != 0:
                for j in range(first.shape[1]):
                    first[k, j] -= (x0 * weighted_slopes[b, j] + x1 * weighted_slopes[b + 1, j]) + (
                        x2 * weighted_slopes[b + 2, j] + x3 * weighted_slopes[b + 3, j]
                    )


@summing_kernel
def batch_steps(
    rows,
    classes,
    scales,
    visits,
    batch_rows,
    step,
    l2,
    is_relu,
    first,
    first_bias,
    second,
    second_bias,
    kept,
):
    """Take a step for each batch of visits, all weights changed in place.

    W <- W - step (mean over the batch of scale grad f(W) + l2 W), biases without l2.

    Parameters
    ----------
    scales : ndarray of float64, shape (n,)
        What the gradient of a row is multiplied by.
    visits : ndarray of int64
        The rows, in the order they are taken; the last batch may be smaller.
    batch_rows : int
    kept : float, shape (n, m) or (0, m)
        Where it has rows, p - y of each visited row, as it was when the row was taken, is written
        to its place.
    """
    d, h = first.shape
    m = second.shape[1]
    real = first.dtype.type
    padded = (batch_rows + GROUP - 1) // GROUP * GROUP
    batch = np.zeros((padded, d), first.dtype)
    hidden = np.zeros((padded, h), first.dtype)
    weighted_slopes = np.zeros((padded, h), first.dtype)
    residuals = np.zeros((padded, m), first.dtype)
    keep = real(1.0 - step * l2)
    for start in range(0, visits.shape[0], batch_rows):
        n = min(batch_rows, visits.shape[0] - start)
        fill_batch(rows, visits, start, n, batch)
        for b in range(n, padded):
            for j in range(h):
                weighted_slopes[b, j] = 0
        to_hidden(batch, n, first, first_bias, is_relu, hidden)
        for b in range(n):
            row = visits[start + b]
            to_residual(hidden, b, classes[row], second, second_bias, residuals, b)
            weight = real(step * scales[row] / n)
            for c in range(m):
                if kept.shape[0] > 0:
                    kept[row, c] = residuals[b, c]
                residuals[b, c] *= weight
            back_propagate(hidden, b, second, residuals, is_relu, weighted_slopes)
        for j in range(h):
            for c in range(m):
                move = real(0)
                for b in range(n):
                    move += hidden[b, j] * residuals[b, c]
                second[j, c] = keep * second[j, c] - move
        for b in range(n):
            for c in range(m):
                second_bias[c] -= residuals[b, c]
            for j in range(h):
                first_bias[j] -= weighted_slopes[b, j]
        step_first(batch, weighted_slopes, keep, first)


@summing_kernel
def forward_pass(
    rows,
    classes,
    visits,
    start,
    stop,
    is_relu,
    first,
    first_bias,
    second,
    second_bias,
    residuals,
    losses,
    units,
):
    """Write p - y, -log p(class) and the hidden units of the rows ``visits[start:stop]``.

    Each to its place in arrays of all rows: `residuals` (n, m) and `units` (n, h) of the type of
    the rows, `losses` float64 (n,). A row of class -1 gets p itself, and 0. Where `units` has no
    rows none are written.
    """
    d, h = first.shape
    hidden = np.zeros((PASS_ROWS, h), first.dtype)
    batch = np.zeros((PASS_ROWS, d), first.dtype)
    for low in range(start, stop, PASS_ROWS):
        n = min(PASS_ROWS, stop - low)
        fill_batch(rows, visits, low, n, batch)
        to_hidden(batch, n, first, first_bias, is_relu, hidden)
        for b in range(n):
            row = visits[low + b]
            loss = to_residual(hidden, b, classes[row], second, second_bias, residuals, row)
            losses[row] = loss if classes[row] >= 0 else 0.0
            if units.shape[0] > 0:
                for j in range(h):
                    units[row, j] = hidden[b, j]
