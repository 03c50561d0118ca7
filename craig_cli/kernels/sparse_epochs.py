"""The steps of `dense_epochs` over sparse rows, at the cost of a row's entries.

A step changes the columns that its row lacks too: the regulariser shrinks them, momentum carries
them on, and the mean of SAGA moves them. But as long as no row has the column, its steps form a
sequence with a closed form. So a column is left as it is, and brought up to date just before a row
next needs it (a lazy update), and at the end. ``seen`` (d,) counts the steps it is up to date with.

``rows`` = (indptr, indices, values); the other arguments are those of the dense kernels.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import inlined, summing_kernel
from craig_cli.kernels.dense_epochs import BATCH, FLOAT64_LINE, adapt
from craig_cli.kernels.losses import to_slopes
from craig_cli.kernels.passes import sparse_score

SMALLEST = 1e-9
"""Of the factor that is kept apart from the model, before it is multiplied in: far from underflow,
and what is added, divided by it, far from overflow.
"""
LADDER = 48
"""Powers of two of steps that a column can be behind by: more than any epoch has."""


@inlined
def prefetch(rows, targets, scales, visits, start, prefetched):
    """Read a little of what the next steps need, as `dense_epochs.prefetch` does."""
    indptr, indices, values = rows
    total = 0.0
    for v in range(start, min(start + BATCH, visits.shape[0])):
        row = visits[v]
        total += targets[row] + scales[row]
        for j in range(indptr[row], indptr[row + 1], FLOAT64_LINE):
            total += values[j] + indices[j]
    prefetched[0] = total


@inlined
def multiply_in(model, factor):
    """Multiply the model, but for the intercepts, by a factor."""
    for c in range(model.shape[0]):
        for k in range(model.shape[1] - 1):
            model[c, k] *= factor


@summing_kernel
def gradient_steps(rows, targets, scales, visits, loss, step, l2, radius, constant, model):
    """Take plain steps, the model kept as a factor times a vector: shrinking it costs one product.

    For the projection the squared length is kept too, by (a - b)^2 = a^2 - 2 a b + b^2: the product
    of model and row is the score, which is known, less the intercept.
    """
    indptr, indices, values = rows
    m, d = model.shape[0], model.shape[1] - 1
    slopes, prefetched = np.empty(m), np.empty(1)
    keep, factor, square = 1.0 - step * l2, 1.0, 0.0
    for c in range(m):
        for k in range(d):
            square += model[c, k] * model[c, k]
    for v in range(visits.shape[0]):
        row = visits[v]
        if v % BATCH == 0:
            prefetch(rows, targets, scales, visits, v, prefetched)
        length = 0.0
        for j in range(indptr[row], indptr[row + 1]):
            length += values[j] * values[j]
        for c in range(m):
            slopes[c] = factor * sparse_score(rows, row, model, c, 0.0) + constant * model[c, d]
        scores = slopes.copy()
        to_slopes(loss, slopes, targets[row])
        factor *= keep
        square *= keep * keep
        if abs(factor) < SMALLEST:  # which a step of 1 / l2 makes 0 at once
            multiply_in(model, factor)
            factor = 1.0
        for c in range(m):
            weighted_slope = step * scales[row] * slopes[c]
            square += weighted_slope * (
                weighted_slope * length - 2.0 * keep * (scores[c] - constant * model[c, d])
            )
            for j in range(indptr[row], indptr[row + 1]):
                model[c, indices[j]] -= weighted_slope / factor * values[j]
            model[c, d] -= weighted_slope * constant
        if radius > 0 and square > radius * radius:
            factor *= radius / np.sqrt(square)
            square = radius * radius
    multiply_in(model, factor)


@inlined
def lazy_update(model, velocity, c, k, steps, ladder):
    """Take `steps` steps of momentum without a gradient, by the binary digits of their number.

    A step without a gradient is linear in (w, u), the same matrix each time, and ``ladder[b]`` is
    that matrix to the power 2^b: g steps take log2(g) products of 2 x 2 matrices.
    """
    bit = 0
    while steps > 0:
        if steps & 1:
            w, u = model[c, k], velocity[c, k]
            model[c, k] = ladder[bit, 0] * w + ladder[bit, 1] * u
            velocity[c, k] = ladder[bit, 2] * w + ladder[bit, 3] * u
        steps >>= 1
        bit += 1


@inlined
def fill_ladder(ladder, step, l2, momentum):
    """Write the matrix by which a step without a gradient changes (w, u), its square, and so on."""
    ladder[0, 0], ladder[0, 1] = 1.0 - step * l2, -step * momentum
    ladder[0, 2], ladder[0, 3] = l2, momentum
    for b in range(1, ladder.shape[0]):
        p, q, r, s = ladder[b - 1]
        ladder[b, 0], ladder[b, 1] = p * p + q * r, p * q + q * s
        ladder[b, 2], ladder[b, 3] = r * p + s * r, r * q + s * s


@summing_kernel
def momentum_steps(
    rows, targets, scales, visits, loss, step, l2, momentum, constant, velocity, model
):
    """Take steps with momentum; `lazy_update` brings up to date the columns that rows left out."""
    indptr, indices, values = rows
    m, d = model.shape[0], model.shape[1] - 1
    slopes, prefetched, seen = np.empty(m), np.empty(1), np.zeros(d, np.int64)
    ladder = np.empty((LADDER, 4))
    fill_ladder(ladder, step, l2, momentum)
    for v in range(visits.shape[0]):
        row = visits[v]
        if v % BATCH == 0:
            prefetch(rows, targets, scales, visits, v, prefetched)
        for j in range(indptr[row], indptr[row + 1]):
            for c in range(m):
                lazy_update(model, velocity, c, indices[j], v - seen[indices[j]], ladder)
        for c in range(m):
            slopes[c] = sparse_score(rows, row, model, c, constant)
        to_slopes(loss, slopes, targets[row])
        for c in range(m):
            weighted_slope = scales[row] * slopes[c]
            for j in range(indptr[row], indptr[row + 1]):
                k = indices[j]
                velocity[c, k] = (
                    momentum * velocity[c, k] + l2 * model[c, k] + weighted_slope * values[j]
                )
                model[c, k] -= step * velocity[c, k]
                seen[k] = v + 1
            velocity[c, d] = momentum * velocity[c, d] + weighted_slope * constant
            model[c, d] -= step * velocity[c, d]
    for c in range(m):
        for k in range(d):
            lazy_update(model, velocity, c, k, visits.shape[0] - seen[k], ladder)


@summing_kernel
def reduced_steps(
    rows, targets, scales, shares, visits, loss, step, l2, constant, table, mean, model
):
    """Take variance-reduced steps; columns that rows left out are brought up to date at once.

    The mean of a column changes only with rows that have it: over g steps without one, w becomes
    keep^g w - step (1 + keep + ... + keep^(g-1)) mean. Both factors are in a table, by g.
    """
    indptr, indices, values = rows
    m, d, n_steps = model.shape[0], model.shape[1] - 1, visits.shape[0]
    slopes, prefetched, seen = np.empty(m), np.empty(1), np.zeros(d, np.int64)
    keep = 1.0 - step * l2
    powers, sums = np.ones(n_steps + 1), np.zeros(n_steps + 1)
    for g in range(n_steps):
        powers[g + 1] = powers[g] * keep
        sums[g + 1] = sums[g] * keep + step
    for v in range(n_steps):
        row = visits[v]
        if v % BATCH == 0:
            prefetch(rows, targets, scales, visits, v, prefetched)
        for j in range(indptr[row], indptr[row + 1]):
            k = indices[j]
            gap = v - seen[k]
            for c in range(m):
                model[c, k] = powers[gap] * model[c, k] - sums[gap] * mean[c, k]
            seen[k] = v + 1
        for c in range(m):
            slopes[c] = sparse_score(rows, row, model, c, constant)
        to_slopes(loss, slopes, targets[row])
        for c in range(m):
            change = slopes[c] - table[row, c]
            weighted_slope, move = step * scales[row] * change, 0.0
            if shares.shape[0] > 0:
                table[row, c] = slopes[c]
                move = shares[row] * change
            for j in range(indptr[row], indptr[row + 1]):
                k = indices[j]
                model[c, k] = keep * model[c, k] - step * mean[c, k] - weighted_slope * values[j]
                mean[c, k] += move * values[j]
            model[c, d] -= step * mean[c, d] + weighted_slope * constant
            mean[c, d] += move * constant
    for c in range(m):
        for k in range(d):
            gap = n_steps - seen[k]
            model[c, k] = powers[gap] * model[c, k] - sums[gap] * mean[c, k]


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
    """Take steps of Adagrad or Adam; columns that rows left out are brought up to date by a power.

    Their moments, and so their heights, have stood still: all that they lack is to be shrunk, by
    the same factor in every step.
    """
    indptr, indices, values = rows
    m, d = model.shape[0], model.shape[1] - 1
    slopes, prefetched, seen = np.empty(m), np.empty(1), np.zeros(d, np.int64)
    for v in range(visits.shape[0]):
        row = visits[v]
        if v % BATCH == 0:
            prefetch(rows, targets, scales, visits, v, prefetched)
        for j in range(indptr[row], indptr[row + 1]):
            k = indices[j]
            for c in range(m):
                model[c, k] *= (1.0 + step * l2 / (heights[c, k] + floor)) ** (seen[k] - v)
            seen[k] = v + 1
            powers[0, k] *= betas[0]
            powers[1, k] *= betas[1]
        powers[0, d] *= betas[0]
        powers[1, d] *= betas[1]
        for c in range(m):
            slopes[c] = sparse_score(rows, row, model, c, constant)
        to_slopes(loss, slopes, targets[row])
        for c in range(m):
            weighted_slope = scales[row] * slopes[c]
            for j in range(indptr[row], indptr[row + 1]):
                k = indices[j]
                direction = adapt(
                    first, second, heights, powers, betas, c, k, weighted_slope * values[j]
                )
                model[c, k] = (model[c, k] - step * direction / (heights[c, k] + floor)) / (
                    1.0 + step * l2 / (heights[c, k] + floor)
                )
            if constant != 0:
                direction = adapt(
                    first, second, heights, powers, betas, c, d, weighted_slope * constant
                )
                model[c, d] -= step * direction / (heights[c, d] + floor)
    for c in range(m):
        for k in range(d):
            model[c, k] *= (1.0 + step * l2 / (heights[c, k] + floor)) ** (
                seen[k] - visits.shape[0]
            )
