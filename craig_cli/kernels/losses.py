"""Losses of a row as functions of its scores, and their slopes.

A model has m outputs. With one, the target t is -1 or +1, or the number to predict. With more, the
target is the number of the class, and every loss but softmax is one against the rest: t is +1 for
the output of that class, -1 for the others.

A loss is an integer code, declared here and nowhere else: a kernel that takes a function misses the
cache in every process. A code that is none gives NaN, never the value of another loss.

All are summing kernels, although they sum little: numba compiles a function that says nothing of
its arithmetic by that of whoever calls it first, and the last bits would depend on who that is.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import inlined, summing_kernel

LOGISTIC, SQUARED, SQUARED_HINGE, SMOOTHED_HINGE, SOFTMAX = range(5)
"""Softmax, which joins the scores of a row, stands last: those before it are sums over the outputs.
"""
TERMS = 16
"""Of a series whose terms fall by a factor of nine or more: 9^-16 is below the last bit."""


@summing_kernel
def value(loss, score, t):
    """Return the loss of one output."""
    # First, not last: behind the other branches it would keep their products and sums from being
    # fused, and so change the last bits.
    if not LOGISTIC <= loss < SOFTMAX:
        return np.nan
    if loss == LOGISTIC:
        margin = t * score
        return np.log1p(np.exp(-abs(margin))) + max(-margin, 0.0)
    if loss == SQUARED:
        return 0.5 * (score - t) ** 2
    gap = max(1.0 - t * score, 0.0)
    if loss == SQUARED_HINGE:
        return gap * gap
    return 0.5 * gap * gap if gap < 1.0 else gap - 0.5


@summing_kernel
def slope(loss, score, t):
    """Return the derivative of `value` by the score."""
    if not LOGISTIC <= loss < SOFTMAX:
        return np.nan
    if loss == LOGISTIC:
        return -t / (1.0 + np.exp(t * score))
    if loss == SQUARED:
        return score - t
    gap = max(1.0 - t * score, 0.0)
    if loss == SQUARED_HINGE:
        return -2.0 * t * gap
    return -t * min(gap, 1.0)


@summing_kernel
def largest_of(scores):
    """Return the largest score of a row.

    That of numpy would have each process that loads a loss load numba's arrays and scipy.
    """
    largest = scores[0]
    for c in range(1, scores.shape[0]):
        largest = max(largest, scores[c])
    return largest


@summing_kernel
def row_loss(loss, scores, target):
    """Return the loss of a row of m scores, summed over the outputs; for softmax -log p(class)."""
    if scores.shape[0] == 1:
        return value(loss, scores[0], target)
    total = 0.0
    if loss == SOFTMAX:
        largest = largest_of(scores)
        for c in range(scores.shape[0]):
            total += np.exp(scores[c] - largest)
        return np.log(total) + largest - scores[int(target)]
    for c in range(scores.shape[0]):
        total += value(loss, scores[c], 1.0 if c == target else -1.0)
    return total


@summing_kernel
def to_slopes(loss, scores, target):
    """Change the m scores of a row to the derivatives of its loss by them, in place."""
    if scores.shape[0] == 1:
        scores[0] = slope(loss, scores[0], target)
    elif loss == SOFTMAX:
        total, largest = 0.0, largest_of(scores)
        for c in range(scores.shape[0]):
            scores[c] = np.exp(scores[c] - largest)
        for c in range(scores.shape[0]):
            total += scores[c]
        for c in range(scores.shape[0]):
            scores[c] /= total
        scores[int(target)] -= 1.0
    else:
        for c in range(scores.shape[0]):
            scores[c] = slope(loss, scores[c], 1.0 if c == target else -1.0)


@inlined
def log1p_of_share(x):
    """Return log(1 + x) for 0 <= x <= 1, to the last bits, by the series of 2 artanh(x / (2 + x)).

    Unlike `np.log1p`, a loop of it runs on vectors.
    """
    root = x / (2.0 + x)
    square = root * root
    total = 0.0
    for place in range(TERMS):
        total = total * square + 1.0 / (2 * (TERMS - place) - 1)
    return 2.0 * root * total


@summing_kernel
def to_weighted_slopes(loss, scores, targets, shares, first, last):
    """Return the sum of share times loss over rows first ... last - 1 of the scores (n, m).

    The scores are changed as `to_slopes` does. The logistic loss of one output, the usual one, has
    loops of its own, cut so that all but the exponential run on vectors.
    """
    total = 0.0
    if loss != LOGISTIC or scores.shape[1] > 1:
        for row in range(first, last):
            total += shares[row] * row_loss(loss, scores[row], targets[row])
            to_slopes(loss, scores[row], targets[row])
        return total
    margins, odds = np.empty(last - first), np.empty(last - first)
    for i in range(last - first):
        margins[i] = targets[first + i] * scores[first + i, 0]
    for i in range(last - first):
        odds[i] = np.exp(-abs(margins[i]))
    # A sum has a loop of its own (`summing_kernel`).
    for i in range(last - first):
        total += shares[first + i] * (log1p_of_share(odds[i]) + max(-margins[i], 0.0))
    for i in range(last - first):
        margins[i] = (odds[i] if margins[i] > 0.0 else 1.0) / (1.0 + odds[i])
    for i in range(last - first):
        scores[first + i, 0] = -targets[first + i] * margins[i]
    return total
