"""Swaps after greedy: replacing a pick by a row that lowers L, until no single swap does
(FasterPAM, Schubert and Rousseeuw 2021).

Each row knows its nearest and second nearest pick. What a swap changes is found exactly, yet only
from the rows nearer to the candidate than to their second pick: every other pick's loss of removal
is known, and the least of all stands for those that the candidate does not touch.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import kernel
from craig_cli.kernels.tiles import (
    TILE,
    copy_row,
    is_out_of_reach,
    limit_of,
    quantise,
    squared_distances,
    squares_within,
)


@kernel
def two_nearest(
    tiles, pick_lanes, scale, n_picks, row, vector, squares, lane, first, second, nearest, number
):
    """Write the two least distances of `row` to the picks, and the picks' numbers; of equal ones
    the lower number comes first.

    `pick_lanes` (m, d, TILE) holds the picks side by side, `nearest` and `number` are (n, 2) with
    the results in row `row`; `first` and `second` say below which distances to look (the phantom
    for all).
    """
    copy_row(tiles, row, vector, 0)
    a, b, number_a, number_b = first, second, -1, -1
    for u in range(pick_lanes.shape[0]):
        squared_distances(pick_lanes, u, vector, 0, squares)
        quantise(squares, scale, lane)
        for i in range(min(TILE, n_picks - u * TILE)):
            if lane[i] < b:
                if lane[i] < a:
                    b, number_b = a, number_a
                    a, number_a = lane[i], u * TILE + i
                else:
                    b, number_b = lane[i], u * TILE + i
    nearest[row, 0], nearest[row, 1] = a, b
    number[row, 0], number[row, 1] = number_a, number_b


@kernel
def start_swaps(
    tiles, pick_lanes, scale, auxiliary_distance, n_picks, first_row, last_row, nearest, number
):
    """Find the two nearest picks of some rows. Time: the picks a row; memory 3 TILE."""
    vector = np.empty((1, tiles.shape[1]), tiles.dtype)
    squares = np.empty(TILE, tiles.dtype)
    lane = np.empty(TILE, nearest.dtype)
    for row in range(first_row, last_row):
        two_nearest(
            tiles,
            pick_lanes,
            scale,
            n_picks,
            row,
            vector,
            squares,
            lane,
            auxiliary_distance,
            auxiliary_distance,
            nearest,
            number,
        )


@kernel
def try_swaps(
    tiles,
    centre_lanes,
    radii,
    pick_lanes,
    scale,
    auxiliary_distance,
    picks,
    is_pick,
    nearest,
    number,
    farthest,
    loss,
    first_row,
    last_row,
):
    """Try each row of a range as a pick in place of the best one to give up, and swap at once if L
    falls; return how many swaps were made.

    Changed in place: `picks` int64 (k,), `pick_lanes`, `is_pick` bool (n,), `nearest` and `number`
    (n, 2), `farthest` int64 (n_tiles,), at least the largest second distance in each tile, and
    `loss` int64 (k,), what L would rise by if a pick were removed. Time a row: the tiles in reach;
    a swap: n, and the picks for each row that must look for another second pick.
    """
    n_tiles, d, _ = tiles.shape
    n_rows, n_picks = nearest.shape[0], picks.shape[0]
    vector = np.empty((1, d), tiles.dtype)
    other = np.empty((1, d), tiles.dtype)
    to_centre = np.empty(TILE, tiles.dtype)
    squares = np.empty(TILE, tiles.dtype)
    limits = np.empty((1, TILE), tiles.dtype)
    lane = np.empty(TILE, nearest.dtype)
    to_row = np.empty(n_rows, nearest.dtype)
    near = np.empty(n_rows, np.int64)
    change = np.zeros(n_picks, np.int64)
    touched, is_touched = np.empty(n_picks, np.int64), np.zeros(n_picks, np.bool_)
    n_swaps = 0
    for row in range(first_row, last_row):
        if is_pick[row]:
            continue
        copy_row(tiles, row, vector, 0)
        n_near, n_touched, falls = 0, 0, np.int64(0)
        for t in range(n_tiles):
            if t % TILE == 0:
                squared_distances(centre_lanes, t // TILE, vector, 0, to_centre)
            if is_out_of_reach(to_centre[t % TILE], radii[t], d, scale, farthest[t]):
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
                    if not is_touched[pick]:  # its change may be 0: for a row as near to two picks
                        is_touched[pick] = True
                        touched[n_touched] = pick
                        n_touched += 1
                    if lane[i] < nearest[r, 0]:
                        falls += nearest[r, 0] - lane[i]
                        change[pick] += nearest[r, 0] - nearest[r, 1]
                    else:
                        change[pick] += lane[i] - nearest[r, 1]
        best = np.argmin(loss)
        for j in range(n_touched):
            if loss[touched[j]] + change[touched[j]] < loss[best] + change[best]:
                best = touched[j]
        rise = loss[best] + change[best]
        for j in range(n_touched):
            change[touched[j]], is_touched[touched[j]] = 0, False
        if rise >= falls:
            continue
        n_swaps += 1
        is_pick[picks[best]], is_pick[row] = False, True
        picks[best] = row
        for k in range(d):
            pick_lanes[best // TILE, k, best % TILE] = vector[0, k]
        for r in range(
            n_rows
        ):  # rows that lose one of their two picks, and are not near the new one, look for another
            if number[r, 0] == best or number[r, 1] == best:
                loss[number[r, 0]] -= nearest[r, 1] - nearest[r, 0]
                two_nearest(
                    tiles,
                    pick_lanes,
                    scale,
                    n_picks,
                    r,
                    other,
                    squares,
                    lane,
                    auxiliary_distance,
                    auxiliary_distance,
                    nearest,
                    number,
                )
                loss[number[r, 0]] += nearest[r, 1] - nearest[r, 0]
                farthest[r // TILE] = max(farthest[r // TILE], np.int64(nearest[r, 1]))
        for j in range(n_near):
            r, distance = near[j], to_row[j]
            if number[r, 0] == best or number[r, 1] == best or distance >= nearest[r, 1]:
                continue
            loss[number[r, 0]] -= nearest[r, 1] - nearest[r, 0]
            if distance < nearest[r, 0]:
                nearest[r, 1], number[r, 1] = nearest[r, 0], number[r, 0]
                nearest[r, 0], number[r, 0] = distance, best
            else:
                nearest[r, 1], number[r, 1] = distance, best
            loss[number[r, 0]] += nearest[r, 1] - nearest[r, 0]
    return n_swaps
