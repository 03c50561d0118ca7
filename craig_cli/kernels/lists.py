"""The late phase of exact greedy: gains kept up to date through lists of near neighbours.

Row r's list holds every candidate nearer to r than r's nearest pick; only these gain anything from
r. When a pick takes rows over, only the candidates in those rows' lists lose, and by whole numbers,
so every gain stays what a new evaluation would give.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels import kernel

BLOCK = 128
"""Candidates whose largest gain is found at once, in registers, before any is looked at."""


class State(NamedTuple):
    """How near the rows of a group are to its picks; kernels change it in place.

    Parameters
    ----------
    nearest : int, in the shape of the rows
        The quantised distance of each row to its nearest pick.
    farthest : int64 (n_tiles,)
        At least the largest of `nearest` in each tile; sparse rows have none.
    cluster : int32, in the shape of the rows
        The number of that pick; ties stay with the earlier one.
    """

    nearest: NDArray[np.integer]
    farthest: NDArray[np.int64]
    cluster: NDArray[np.int32]


class Lists(NamedTuple):
    """For each position the candidates nearer than its nearest pick: those of position p stand at
    ``starts[p]:ends[p]``.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    columns: NDArray[np.int32]
    distances: NDArray[np.integer]


class Choice(NamedTuple):
    """What the next picks are chosen by.

    Parameters
    ----------
    gain : int64 (n,)
        Of every row; -1 for picks. Kernels keep it up to date in place.
    rank : int64 (n,)
        Of several with the largest gain the one of the lowest rank (its row in the input) wins.
    drawn : int64 (n_picks, m)
        The candidates of each pick; 0 columns for all rows.
    """

    gain: NDArray[np.int64]
    rank: NDArray[np.int64]
    drawn: NDArray[np.int64]


@kernel
def weight_of(weights, row):
    """Return the weight of a row; 1 where there are none."""
    # Where `weights` is None numba drops the other branch, and the compiler the product with 1. It
    # does so for an argument only, which is why weights are none of a tuple's fields.
    if weights is None:
        return 1
    return weights[row]


@kernel
def gains_from_lists(lists, nearest, gain, weights=None):
    """Add up every candidate's gain (int64, in place, from 0), by the weights int32 (n,) of the
    rows. Time: the number of pairs.
    """
    starts, ends, columns, distances = lists
    for row in range(starts.shape[0]):
        weight = weight_of(weights, row)
        for j in range(starts[row], ends[row]):
            gain[columns[j]] += weight * np.int64(nearest[row] - distances[j])


@kernel
def best_candidate(gain, rank):
    """Return the candidate of the largest gain; of several, the one of the lowest rank."""
    best = 0
    for start in range(0, gain.shape[0], BLOCK):
        stop = min(start + BLOCK, gain.shape[0])
        # The maximum of a block is found in vectors; only the few blocks that reach the best so far
        # are gone through one by one, for ties to be settled.
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
def best_of(choice, p):
    """Return the best candidate of pick `p`, as `best_candidate` does of all."""
    gain, rank, drawn = choice
    if drawn.shape[1] == 0:
        return best_candidate(gain, rank)
    best = drawn[p, 0]
    for c in range(1, drawn.shape[1]):
        e = drawn[p, c]
        if gain[e] > gain[best] or (gain[e] == gain[best] and rank[e] < rank[best]):
            best = e
    return best


@kernel
def next_pick(choice, p, made):
    """Return the best candidate of pick `p` and note it and its gain in `made`; -1 if none gains
    anything.
    """
    picks, gained = made
    pick = best_of(choice, p)
    # Gains are exact, not bounds: if the largest is 0, every other is too, now and later.
    if choice.gain[pick] <= 0:
        return -1
    picks[p], gained[p] = pick, choice.gain[pick]
    return pick


@kernel
def shrink_list(lists, row, old, new, gain, weights=None):
    """Lower row's nearest distance from `old` to `new`: take what they lose from its candidates'
    gains, drop those out of reach.
    """
    starts, ends, columns, distances = lists
    weight = weight_of(weights, row)
    # A candidate that is nearer than the new pick still gains new - distance; any other gains
    # nothing from this row any more, and never will again, since `nearest` only falls. So the list
    # can be closed up in place, and later picks pass over ever shorter lists: over all picks each
    # pair is dropped once.
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
