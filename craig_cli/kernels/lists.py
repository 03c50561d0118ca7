"""The late phase of exact greedy: gains kept up to date through lists of near neighbours.

Row r's list holds every candidate nearer to r than r's nearest pick; only these gain anything from
r. When a pick takes rows over, only the candidates in those rows' lists lose, and by whole numbers,
so every gain stays what a new evaluation would give.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import kernel

BLOCK = 128
"""Candidates whose largest gain is found at once, in registers, before any is looked at."""


@kernel
def weight_of(weights, row):
    """Return the weight of a row; 1 where there are none. Where `weights` is None numba drops the
    other branch, and the compiler the product.
    """
    if weights is None:
        return 1
    return weights[row]


@kernel
def gains_from_lists(starts, ends, columns, distances, nearest, gain, weights=None):
    """Add up every candidate's gain (int64, in place, from 0), by the weights int32 (n,) of the
    rows. Time: the number of pairs.
    """
    for row in range(starts.shape[0]):
        weight = weight_of(weights, row)
        for j in range(starts[row], ends[row]):
            gain[columns[j]] += weight * np.int64(nearest[row] - distances[j])


@kernel
def best_candidate(gain, rank):
    """Return the candidate of the largest gain; of several, the one of the lowest rank (its row in
    the input).
    """
    best = 0
    for start in range(0, gain.shape[0], BLOCK):
        stop = min(start + BLOCK, gain.shape[0])
        largest = gain[start]
        for e in range(start, stop):
            largest = max(largest, gain[e])
        if largest < gain[best]:
            continue
        for e in range(start, stop):
            if gain[e] > gain[best] or (gain[e] == gain[best] and rank[e] < rank[best]):
                best = e
    return best


@kernel
def best_of(gain, rank, choices, p):
    """Return the best of the candidates ``choices[p]``, as `best_candidate` does of all; of all if
    there is no choice (0 columns).
    """
    if choices.shape[1] == 0:
        return best_candidate(gain, rank)
    best = choices[p, 0]
    for c in range(1, choices.shape[1]):
        e = choices[p, c]
        if gain[e] > gain[best] or (gain[e] == gain[best] and rank[e] < rank[best]):
            best = e
    return best


@kernel
def shrink_lists(starts, ends, columns, distances, row, old, new, gain, weights=None):
    """Lower row's nearest distance from `old` to `new`: take what they lose from its candidates'
    gains, drop those out of reach.
    """
    weight = weight_of(weights, row)
    kept = starts[row]
    for j in range(starts[row], ends[row]):
        distance = distances[j]
        if distance < new:
            gain[columns[j]] -= weight * np.int64(old - new)
            columns[kept] = columns[j]
            distances[kept] = distance
            kept += 1
        else:
            gain[columns[j]] -= weight * np.int64(old - distance)
    ends[row] = kept
