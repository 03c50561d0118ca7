"""Swaps after greedy: replacing a pick by a row that lowers L, until no single swap does
(FasterPAM, Schubert and Rousseeuw 2021).

Each row knows its nearest and second nearest pick. What a swap changes is found exactly, yet only
from the rows nearer to the candidate than to their second pick: every other pick's loss of removal
is known, and the least of all stands for those that the candidate does not touch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels import kernel
from craig_cli.kernels.reach import is_out_of_reach
from craig_cli.kernels.squares import limit_of, quantise, squared_distances, squares_within
from craig_cli.kernels.tiles import TILE, copy_row


class Swaps(NamedTuple):
    """What is known of the picks and of the rows' way to them; changed in place by every swap.

    Parameters
    ----------
    picks : int64 (k,)
    pick_lanes : float (m, d, TILE)
        The picks side by side.
    is_pick : bool (n,)
    nearest, number : int (n, 2), int32 (n, 2)
        The two least distances of each row to picks, and the numbers of these; of equal ones the
        lower number comes first.
    farthest : int64 (n_tiles,)
        At least the largest second distance in each tile.
    loss : int64 (k,)
        What L would rise by if a pick were removed.
    """

    picks: NDArray[np.int64]
    pick_lanes: NDArray[np.floating]
    is_pick: NDArray[np.bool_]
    nearest: NDArray[np.integer]
    number: NDArray[np.int32]
    farthest: NDArray[np.int64]
    loss: NDArray[np.int64]


@kernel
def two_nearest(layout, swaps, row, scratch):
    """Find the two picks nearest to a row anew. `scratch`: a vector, squares and distances."""
    vector, squares, lane = scratch
    pick_lanes, nearest, number = swaps.pick_lanes, swaps.nearest, swaps.number
    n_picks = swaps.picks.shape[0]
    copy_row(layout.tiles, row, vector, 0)
    a = b = layout.auxiliary_distance
    number_a, number_b = -1, -1
    for u in range(pick_lanes.shape[0]):
        squared_distances(pick_lanes, u, vector, 0, squares)
        quantise(squares, layout.scale, lane)
        for i in range(min(TILE, n_picks - u * TILE)):
            if lane[i] < b:
                if lane[i] < a:
                    b, number_b = a, number_a
                    a, number_a = np.int64(lane[i]), u * TILE + i
                else:
                    b, number_b = np.int64(lane[i]), u * TILE + i
    nearest[row, 0], nearest[row, 1] = a, b
    number[row, 0], number[row, 1] = number_a, number_b


@kernel
def start_swaps(layout, swaps, span):
    """Find the two nearest picks of the rows from ``span[0]`` to ``span[1] - 1``. Time: the picks a
    row.
    """
    tiles, dtype = layout.tiles, swaps.nearest.dtype
    vector = np.empty((1, tiles.shape[1]), tiles.dtype)
    scratch = (vector, np.empty(TILE, tiles.dtype), np.empty(TILE, dtype))
    for row in range(span[0], span[1]):
        two_nearest(layout, swaps, row, scratch)


@kernel
def best_swap(layout, swaps, trial, to_centre, limits, scratch):
    """Return the pick to give up for a candidate, how much L rises by that, how much it falls by
    the candidate, and the number of rows near it.

    `scratch` begins with the vector of the candidate. `trial` holds, all overwritten: the rows
    nearer to it than to their second pick, int64 (n,), and how near, int (n,); for each pick what
    the candidate adds to the loss of its removal, int64 (k,), zeros between two calls; picks for
    which that was looked at, int64 (k,), and a flag for each, bool (k,), off between two calls.
    """
    tiles, centre_lanes, radii = layout.tiles, layout.centre_lanes, layout.radii
    scale, n_rows, loss = layout.scale, layout.n_rows, swaps.loss
    nearest, number, farthest = swaps.nearest, swaps.number, swaps.farthest
    near, to_row, change, touched, is_touched = trial
    vector, squares, lane = scratch
    n_near, n_touched, falls = 0, 0, np.int64(0)
    for t in range(tiles.shape[0]):
        if t % TILE == 0:
            squared_distances(centre_lanes, t // TILE, vector, 0, to_centre)
        if is_out_of_reach(to_centre[t % TILE], radii[t], tiles.shape[1], scale, farthest[t]):
            continue
        limits[:] = limit_of(farthest[t], scale)
        if not squares_within(tiles, t, vector, 0, limits, 0, squares):
            continue
        quantise(squares, scale, lane)
        for i in range(min(TILE, n_rows - t * TILE)):
            r = t * TILE + i
            if lane[i] < nearest[r, 1]:
                near[n_near], to_row[n_near] = r, lane[i]
                n_near += 1
                pick = number[r, 0]
                # A flag of its own: `change` may stay 0, for a row as near to two picks.
                if not is_touched[pick]:
                    is_touched[pick] = True
                    touched[n_touched] = pick
                    n_touched += 1
                # `loss` has the row go to its second pick when the first is removed; now it goes to
                # the candidate, or stays with it.
                if lane[i] < nearest[r, 0]:
                    falls += nearest[r, 0] - lane[i]
                    change[pick] += nearest[r, 0] - nearest[r, 1]
                else:
                    change[pick] += lane[i] - nearest[r, 1]
    # No change is above 0: where the least loss of all belongs to a pick that is touched, it only
    # gets less, so it is never more than the loss of any pick that is not. Hence only the touched
    # ones are compared with it.
    best = np.argmin(loss)
    for j in range(n_touched):
        if loss[touched[j]] + change[touched[j]] < loss[best] + change[best]:
            best = touched[j]
    rise = loss[best] + change[best]
    for j in range(n_touched):
        change[touched[j]], is_touched[touched[j]] = 0, False
    return best, rise, falls, n_near


@kernel
def swap_in(layout, swaps, row, best, near, scratch):
    """Put a row in the place of pick `best`. `near`: the rows near it, how near, and their number.

    `scratch` begins with the vector of the row, and is overwritten.
    """
    picks, pick_lanes, is_pick, nearest, number, farthest, loss = swaps
    rows, to_row, n_near = near
    vector = scratch[0]
    is_pick[picks[best]], is_pick[row] = False, True
    picks[best] = row
    for k in range(vector.shape[1]):
        pick_lanes[best // TILE, k, best % TILE] = vector[0, k]
    # A row that loses one of its two picks knows no third, and looks among all, the new one too.
    # All others keep theirs, unless the new one is nearer. The loss of the first pick is taken off
    # before and added after whatever changes.
    for r in range(layout.n_rows):
        if number[r, 0] == best or number[r, 1] == best:
            loss[number[r, 0]] -= nearest[r, 1] - nearest[r, 0]
            two_nearest(layout, swaps, r, scratch)
            loss[number[r, 0]] += nearest[r, 1] - nearest[r, 0]
            farthest[r // TILE] = max(farthest[r // TILE], np.int64(nearest[r, 1]))
    for j in range(n_near):
        r, distance = rows[j], to_row[j]
        # The number of the new pick, or a distance no larger, tells that the row has just looked.
        if number[r, 0] == best or number[r, 1] == best or distance >= nearest[r, 1]:
            continue
        loss[number[r, 0]] -= nearest[r, 1] - nearest[r, 0]
        if distance < nearest[r, 0]:
            nearest[r, 1], number[r, 1] = nearest[r, 0], number[r, 0]
            nearest[r, 0], number[r, 0] = distance, best
        else:
            nearest[r, 1], number[r, 1] = distance, best
        loss[number[r, 0]] += nearest[r, 1] - nearest[r, 0]


@kernel
def try_swaps(layout, swaps, span):
    """Try each row from ``span[0]`` to ``span[1] - 1`` as a pick in place of the best one to give
    up, and swap at once if L falls; return how many swaps were made.

    Time a row: the tiles in reach; a swap: n, and the picks for each row that must look for another
    second pick.
    """
    tiles, dtype, is_pick = layout.tiles, swaps.nearest.dtype, swaps.is_pick
    n_rows, n_picks = layout.n_rows, swaps.picks.shape[0]
    vector = np.empty((1, tiles.shape[1]), tiles.dtype)
    scratch = (vector, np.empty(TILE, tiles.dtype), np.empty(TILE, dtype))
    to_centre = np.empty(TILE, tiles.dtype)
    limits = np.empty((1, TILE), tiles.dtype)
    near, to_row = np.empty(n_rows, np.int64), np.empty(n_rows, dtype)
    change, touched = np.zeros(n_picks, np.int64), np.empty(n_picks, np.int64)
    trial = (near, to_row, change, touched, np.zeros(n_picks, np.bool_))
    n_swaps = 0
    for row in range(span[0], span[1]):
        if is_pick[row]:
            continue
        copy_row(tiles, row, vector, 0)
        best, rise, falls, n_near = best_swap(layout, swaps, trial, to_centre, limits, scratch)
        # Only a swap that lowers L is made: none is ever undone by another, and the rounds end.
        if rise < falls:
            n_swaps += 1
            swap_in(layout, swaps, row, best, (near, to_row, n_near), scratch)
    return n_swaps
