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
PASS_ROWS = 16
"""Rows that a pass takes at a time."""


@inlined
def to_hidden(batch, n_rows, first, first_bias, is_relu, hidden):
    """Write the outputs of the hidden units for the first rows of a batch (n, d) into `hidden` (n,
    h).
    """
    d, h = first.shape
    for b in range(n_rows):
        for j in range(h):
            hidden[b, j] = first_bias[j]
    whole = d // 4 * 4
    for k in range(0, whole, 4):
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
    """Write p - y of row `b` of a batch into ``residuals[place]`` (p itself where the target is
    -1); returns the negative log-likelihood.
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
        total += residuals[place, c]
    for c in range(m):
        residuals[place, c] /= total
    if target >= 0:
        residuals[place, target] -= residuals.dtype.type(1)
    return np.log(total) - own


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
    """Take a step for each batch of visits: W <- W - step (mean over the batch of scale grad f(W) +
    l2 W), biases without l2; all in place.

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
        for b in range(n):
            row = visits[start + b]
            for k in range(d):
                batch[b, k] = rows[row, k]
        for b in range(n, padded):
            for k in range(d):
                batch[b, k] = 0
            for j in range(h):
                weighted_slopes[b, j] = 0
        to_hidden(batch, n, first, first_bias, is_relu, hidden)
        for b in range(n):
            row = visits[start + b]
            to_residual(hidden, b, classes[row], second, second_bias, residuals, b)
            weighted_slope = real(step * scales[row] / n)
            for c in range(m):
                if kept.shape[0] > 0:
                    kept[row, c] = residuals[b, c]
                residuals[b, c] *= weighted_slope
            for j in range(h):
                back = real(0)
                for c in range(m):
                    back += second[j, c] * residuals[b, c]
                unit = hidden[b, j]
                if is_relu:
                    weighted_slopes[b, j] = back if unit > 0 else real(0)
                else:
                    weighted_slopes[b, j] = back * unit * (real(1) - unit)
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
        for k in range(d):
            x0, x1, x2, x3 = batch[0, k], batch[1, k], batch[2, k], batch[3, k]
            for j in range(h):
                first[k, j] = keep * first[k, j] - (
                    (x0 * weighted_slopes[0, j] + x1 * weighted_slopes[1, j])
                    + (x2 * weighted_slopes[2, j] + x3 * weighted_slopes[3, j])
                )
            for b in range(GROUP, padded, GROUP):
                x0, x1, x2, x3 = batch[b, k], batch[b + 1, k], batch[b + 2, k], batch[b + 3, k]
                if x0 != 0 or x1 != 0 or x2 != 0 or x3 != 0:
                    for j in range(h):
                        first[k, j] -= (
                            x0 * weighted_slopes[b, j] + x1 * weighted_slopes[b + 1, j]
                        ) + (x2 * weighted_slopes[b + 2, j] + x3 * weighted_slopes[b + 3, j])


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
    """Write p - y, the negative log-likelihood and, unless it has no rows, the hidden units of the
    rows ``visits[start:stop]`` to their places.

    `residuals` (n, m) and `units` (n, h) are of the type of the rows, `losses` float64 (n,); a row
    of class -1 gets p itself, and 0.
    """
    d, h = first.shape
    hidden = np.zeros((PASS_ROWS, h), first.dtype)
    batch = np.zeros((PASS_ROWS, d), first.dtype)
    for low in range(start, stop, PASS_ROWS):
        n = min(PASS_ROWS, stop - low)
        for b in range(n):
            for k in range(d):
                batch[b, k] = rows[visits[low + b], k]
        to_hidden(batch, n, first, first_bias, is_relu, hidden)
        for b in range(n):
            row = visits[low + b]
            loss = to_residual(hidden, b, classes[row], second, second_bias, residuals, row)
            losses[row] = loss if classes[row] >= 0 else 0.0
            if units.shape[0] > 0:
                for j in range(h):
                    units[row, j] = hidden[b, j]
