"""Greedy over few rows by all their distances: each pair is measured once, and every gain is kept
up to date by whole numbers, so that it stays what a new evaluation would give.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import kernel
from craig_cli.kernels.lists import next_pick, weight_of
from craig_cli.kernels.squares import (
    columns_in,
    quantise_row,
    room_for_columns,
    squares_of_four_within,
)
from craig_cli.kernels.tiles import TILE, copy_row


@kernel
def fill_all(layout, span, distances):
    """Write the distances between the rows of some tiles and those of the same or later ones.

    Parameters
    ----------
    layout : Layout
    span : (int, int)
        The first tile, and that after the last.
    distances : int (n_tiles TILE, more than that)
        Both ways: ``distances[i, j]`` and ``distances[j, i]``. Columns beyond the rows, not a power
        of two in all, keep those written down a column out of each other's way in the cache.
    """
    tiles, (first_tile, last_tile) = layout.tiles, span
    n_tiles, d, _ = tiles.shape
    vectors = np.empty(((last_tile - first_tile) * TILE, d), tiles.dtype)
    for v in range(vectors.shape[0]):
        copy_row(tiles, first_tile * TILE + v, vectors, v)
    squares = np.empty((4, TILE), tiles.dtype)
    lane = np.empty(TILE, distances.dtype)
    no_limits, infinite = np.zeros((1, 1, TILE), tiles.dtype), tiles.dtype.type(np.inf)
    columns = room_for_columns(d)
    for t in range(first_tile, n_tiles):
        box = columns_in(layout, t, columns)
        for v in range(0, min(t + 1 - first_tile, last_tile - first_tile) * TILE, 4):
            four = (v, v + 1, v + 2, v + 3)
            squares_of_four_within(tiles, t, vectors, four, no_limits, 0, infinite, squares, box)
            for r in range(4):
                quantise_row(squares, r, layout.scale, lane)
                row = first_tile * TILE + v + r
                for i in range(TILE):
                    distances[row, t * TILE + i] = lane[i]
                    distances[t * TILE + i, row] = lane[i]


@kernel
def gains_from_distances(distances, nearest, span, gain, weights=None):
    """Write what each candidate of a span gains, int64 (n,), as its rows are at `nearest` (n,)."""
    whole = distances.dtype.type
    for candidate in range(span[0], span[1]):
        total = np.int64(0)
        for row in range(nearest.shape[0]):
            gained = max(whole(nearest[row] - distances[candidate, row]), whole(0))
            total += weight_of(weights, row) * np.int64(gained)
        gain[candidate] = total


@kernel
def move_nearest(distances, row, old, new, gain, weights=None):
    """Change each gain by what a row whose nearest pick goes from `old` to `new` makes of it.

    That is max(new, distance) - max(old, distance), times the weight of the row; an `old` of 0 is
    for a row that nobody gained from before.
    """
    # Within a cell everything fits int32 as `gain` does, and is said to be at each step, as numba
    # makes sums int64: twice as many fit a register.
    whole, sum_of = distances.dtype.type, gain.dtype.type
    for e in range(gain.shape[0]):
        distance = distances[row, e]
        difference = whole(max(new, distance) - max(old, distance))
        if weights is None:
            gain[e] = sum_of(gain[e] + difference)
        else:
            gain[e] += sum_of(weights[row]) * sum_of(difference)


@kernel
def take_picks(distances, nearest, choice, made, weights=None):
    """Make greedy picks, gains kept up to date by all distances; return how many gained anything.

    Parameters
    ----------
    distances : int (n or more, n or more)
    nearest : int (n,)
        Of the rows to their picks; changed in place.
    choice : Choice
    made : (int64 (n_picks,), int64 (n_picks,))
        Written: the picks, and what each gained.
    weights : int32 (n,), optional
        Of the rows, if they differ.

    Notes
    -----
    Time n for a pick and for each row that it takes over.
    """
    gain = choice.gain
    for p in range(made[0].shape[0]):
        pick = next_pick(choice, p, made)
        if pick < 0:
            return p
        for row in range(nearest.shape[0]):
            old, new = nearest[row], distances[pick, row]
            if new < old:
                move_nearest(distances, row, old, new, gain, weights)
                nearest[row] = new
        # Last, since the rows it took have just brought its own gain down to 0.
        gain[pick] = -1
    return made[0].shape[0]
