"""Steps of incremental gradient methods over dense rows, one row a step, in the order of
``visits``.

Arguments common to the kernels: ``rows`` float (n, d), ``targets`` float64 (n,), ``scales`` float64
(n,) what a row's gradient is multiplied by, ``visits`` int64 the rows in the order of the steps,
``loss`` a code of `losses`, ``step`` the step size, ``l2`` of the regulariser l2/2 ||w||^2,
``constant`` the input that the intercept multiplies (1, or 0 for no intercept), ``model`` float64
(m, d + 1) changed in place, the intercept last. The gradient of a row is an outer product of m
slopes and the row.

Rows in random order come slowly from memory, one wait a step. So the rows of a batch of steps are
prefetched: the processor waits for many of them at once, and each step then finds its row near by.
That doubles the speed. What every kernel repeats stays repeated: an inlined function called in each
step, rather than in one of 64, counts references to its arrays there, which takes twice the time of
a step on narrow rows.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import inlined, summing_kernel
from craig_cli.kernels.losses import slope, to_slopes
from craig_cli.kernels.passes import dense_score

BATCH = 64
"""Steps whose rows are prefetched at a time: enough to wait for together, few enough to be in the
cache still when their turn comes.
"""
FLOAT32_LINE, FLOAT64_LINE = 16, 8
"""Entries in a line of memory (64 bytes). Constants: a loop whose stride is a variable costs more
than it saves.
"""


@inlined
def prefetch(rows, targets, scales, visits, start, prefetched):
    """Read one entry a line of the rows of the next steps, and what else these need.

    The sums are written to `prefetched` (2,) only so that the compiler keeps the reads.
    """
    total, entries, last = 0.0, np.float32(0), rows.shape[1] - 1
    for v in range(start, min(start + BATCH, visits.shape[0])):
        row = visits[v]
        total += targets[row] + scales[row]
        if rows.itemsize == 4:
            for k in range(0, rows.shape[1], FLOAT32_LINE):
                entries += rows[row, k]
        else:
            for k in range(0, rows.shape[1], FLOAT64_LINE):
                entries += rows[row, k]
        if last >= 0:  # a row need not begin where a line does: its end may lie in one more
            entries += rows[row, last]
    prefetched[0], prefetched[1] = total, entries


@inlined
def limit_length(model, radius):
    """Scale the model, but for the intercepts, to a length of at most `radius` (paper eq. 18)."""
    square = 0.0
    for c in range(model.shape[0]):
        for k in range(model.shape[1] - 1):
            square += model[c, k] * model[c, k]
    if square > radius * radius:
        ratio = radius / np.sqrt(square)
        for c in range(model.shape[0]):
            for k in range(model.shape[1] - 1):
                model[c, k] *= ratio


@summing_kernel
def one_output_steps(rows, targets, scales, visits, loss, step, l2, constant, model):
    """Take the plain steps of `gradient_steps` for a model of one output, and no radius.

    Without the loops over outputs they are a third faster.
    """
    d, model_row, prefetched = rows.shape[1], model[0], np.empty(2)
    keep = 1.0 - step * l2
    for v in range(visits.shape[0]):
        row = visits[v]
        if v % BATCH == 0:
            prefetch(rows, targets, scales, visits, v, prefetched)
        x = rows[row]
        score = constant * model_row[d]
        for k in range(d):
            score += model_row[k] * x[k]
        weighted_slope = step * scales[row] * slope(loss, score, targets[row])
        for k in range(d):
            model_row[k] = keep * model_row[k] - weighted_slope * x[k]
        model_row[d] -= weighted_slope * constant


@summing_kernel
def gradient_steps(rows, targets, scales, visits, loss, step, l2, radius, constant, model):
    """Take plain steps: w <- w - step (scale grad f(w) + l2 w) (paper eq. 17-20).

    After each the model is brought to ||w|| <= radius, unless that is 0.
    """
    if model.shape[0] == 1 and radius == 0:
        one_output_steps(rows, targets, scales, visits, loss, step, l2, constant, model)
        return
    m, d = model.shape[0], rows.shape[1]
    slopes, prefetched = np.empty(m), np.empty(2)
    keep = 1.0 - step * l2
    for v in range(visits.shape[0]):
        row = visits[v]
        if v % BATCH == 0:
            prefetch(rows, targets, scales, visits, v, prefetched)
        for c in range(m):
            slopes[c] = dense_score(rows, row, model, c, constant)
        to_slopes(loss, slopes, targets[row])
        for c in range(m):
            weighted_slope = step * scales[row] * slopes[c]
            for k in range(d):
                model[c, k] = keep * model[c, k] - weighted_slope * rows[row, k]
            model[c, d] -= weighted_slope * constant
        if radius > 0:
            limit_length(model, radius)


@summing_kernel
def momentum_steps(
    rows, targets, scales, visits, loss, step, l2, momentum, constant, velocity, model
):
    """Take steps with momentum: u <- momentum u + scale grad f(w) + l2 w, w <- w - step u.

    `velocity` (m, d + 1) is u, changed in place.
    """
    m, d = model.shape[0], rows.shape[1]
    slopes, prefetched = np.empty(m), np.empty(2)
    for v in range(visits.shape[0]):
        row = visits[v]
        if v % BATCH == 0:
            prefetch(rows, targets, scales, visits, v, prefetched)
        for c in range(m):
            slopes[c] = dense_score(rows, row, model, c, constant)
        to_slopes(loss, slopes, targets[row])
        for c in range(m):
            weighted_slope = scales[row] * slopes[c]
            for k in range(d):
                velocity[c, k] = (
                    momentum * velocity[c, k] + l2 * model[c, k] + weighted_slope * rows[row, k]
                )
                model[c, k] -= step * velocity[c, k]
            velocity[c, d] = momentum * velocity[c, d] + weighted_slope * constant
            model[c, d] -= step * velocity[c, d]


@summing_kernel
def reduced_steps(
    rows, targets, scales, shares, visits, loss, step, l2, constant, table, mean, model
):
    """Take variance-reduced steps, the gradient of a row less that of its slopes in a table.

    w <- w - step (scale (grad f(w) - grad f(at the table)) + mean + l2 w).

    Parameters
    ----------
    shares : ndarray of float64, shape (n,) or (0,)
        With one a row (SAGA) `table` and `mean` follow the visited row, whose part in the mean it
        is; with none (SVRG) they stand.
    table : ndarray of float64, shape (n, m)
        Slopes of each row.
    mean : ndarray of float64, shape (m, d + 1)
        Their gradient over all rows.
    """
    m, d = model.shape[0], rows.shape[1]
    slopes, prefetched = np.empty(m), np.empty(2)
    keep = 1.0 - step * l2
    for v in range(visits.shape[0]):
        row = visits[v]
        if v % BATCH == 0:
            prefetch(rows, targets, scales, visits, v, prefetched)
        for c in range(m):
            slopes[c] = dense_score(rows, row, model, c, constant)
        to_slopes(loss, slopes, targets[row])
        for c in range(m):
            # A row's gradient is its slope times the row: a table of slopes is one of gradients.
            change = slopes[c] - table[row, c]
            weighted_slope, move = step * scales[row] * change, 0.0
            if shares.shape[0] > 0:
                table[row, c] = slopes[c]
                move = shares[row] * change
            for k in range(d):
                # The mean as it was before this row's part of it changed: else the step is biased.
                model[c, k] = keep * model[c, k] - step * mean[c, k] - weighted_slope * rows[row, k]
                mean[c, k] += move * rows[row, k]
            model[c, d] -= step * mean[c, d] + weighted_slope * constant
            mean[c, d] += move * constant


@inlined
def adapt(first, second, heights, powers, betas, c, k, gradient):
    """Return the direction of one coordinate, before it is divided by the height.

    The gradient is taken into the moments, in place. ``betas`` = (0, 0) is Adagrad: the sum of
    squares. Otherwise Adam; ``powers`` (2, d + 1) are the betas to the power of the coordinate's
    steps, by which its moments, begun at 0, are too small.
    """
    if betas[0] == 0:
        second[c, k] += gradient * gradient
        heights[c, k] = np.sqrt(second[c, k])
        return gradient
    first[c, k] = betas[0] * first[c, k] + (1.0 - betas[0]) * gradient
    second[c, k] = betas[1] * second[c, k] + (1.0 - betas[1]) * gradient * gradient
    heights[c, k] = np.sqrt(second[c, k] / (1.0 - powers[1, k]))
    return first[c, k] / (1.0 - powers[0, k])


@summing_kernel
def adaptive_steps(
    rows,
    targets,
    scales,
    visits,
    loss,
    step,
    l2,
    constant,
    betas,
    floor,
    first,
    second,
    heights,
    powers,
    model,
):
    """Take steps of Adagrad or Adam; see `adapt` for the state, all of it (m, d + 1) but `powers`.

    Moments of a coordinate change only in steps whose row is not zero there, so that sparse rows
    need not touch the others. The regulariser is taken implicitly, by the same heights, in every
    step: w <- (w - step direction / h) / (1 + step l2 / h), h = height + `floor`. Explicitly it
    would throw a coordinate that has no height yet across zero.
    """
    m, d = model.shape[0], rows.shape[1]
    slopes, prefetched = np.empty(m), np.empty(2)
    for v in range(visits.shape[0]):
        row = visits[v]
        if v % BATCH == 0:
            prefetch(rows, targets, scales, visits, v, prefetched)
        for c in range(m):
            slopes[c] = dense_score(rows, row, model, c, constant)
        to_slopes(loss, slopes, targets[row])
        for k in range(d):
            if rows[row, k] != 0:
                powers[0, k] *= betas[0]
                powers[1, k] *= betas[1]
        powers[0, d] *= betas[0]
        powers[1, d] *= betas[1]
        for c in range(m):
            weighted_slope = scales[row] * slopes[c]
            for k in range(d):
                if rows[row, k] != 0:
                    direction = adapt(
                        first, second, heights, powers, betas, c, k, weighted_slope * rows[row, k]
                    )
                    model[c, k] -= step * direction / (heights[c, k] + floor)
                model[c, k] /= 1.0 + step * l2 / (heights[c, k] + floor)
            if constant != 0:
                direction = adapt(
                    first, second, heights, powers, betas, c, d, weighted_slope * constant
                )
                model[c, d] -= step * direction / (heights[c, d] + floor)
