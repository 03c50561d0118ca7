"""Greedy selection over dense rows, held in tiles (see `tiles`): gains, picks, and lists of near
candidates.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import inlined, kernel
from craig_cli.kernels.lists import best_of, shrink_lists
from craig_cli.kernels.tiles import (
    TILE,
    are_apart,
    box_squares,
    copy_row,
    is_out_of_reach,
    lay_out,
    limit_of,
    positive_differences,
    quantise,
    quantise_row,
    squared_distances,
    squares_of_four_within,
    squares_to_boxes,
    squares_within,
    weighted_differences,
    write_limits,
)

LEADING = 12
"""Columns of the boxes that tell which picks are out of a tile's reach: the others hardly make the
bound stronger.
"""


@kernel
def gains(
    tiles,
    centres,
    radii,
    low,
    high,
    nearest,
    farthest,
    scale,
    candidates,
    first_tile,
    last_tile,
    out,
    weights=None,
):
    """Add to `out` what each candidate gains over the rows of some tiles: the sum of max(0, nearest
    - distance), times the weight of the row.

    Parameters
    ----------
    tiles : float (n_tiles, d, TILE)
    centres, radii : float (n_tiles, d), float64 (n_tiles,)
        A ball round each tile.
    low, high : float (n_tiles, d)
        A box round each tile.
    nearest : int (n_tiles, TILE)
        Distance of each row to its nearest pick.
    farthest : int64 (n_tiles,)
        At least the largest of `nearest` in each tile.
    scale : float
        Whole-number distances per unit of the coordinates.
    candidates : int64 (m,)
        Rows, counted through the tiles; fastest if those side by side are near each other.
    out : int64 (m,)
        Added to in place.
    weights : int32 (n_tiles, TILE), optional
        Of the rows; 0 after the last one.

    Notes
    -----
    Time m n d at worst; tiles out of a candidate's reach cost one distance, rows out of reach some
    coordinates. Memory 2 m d.
    """
    n_candidates, d = candidates.shape[0], tiles.shape[1]
    vectors = np.empty((n_candidates, d), tiles.dtype)
    for c in range(n_candidates):
        copy_row(tiles, candidates[c], vectors, c)
    lanes = np.zeros((n_candidates // TILE + 1, d, TILE), tiles.dtype)
    lay_out(vectors, lanes)
    to_centre = np.empty(TILE, tiles.dtype)
    to_box = np.empty(TILE, tiles.dtype)
    squares = np.empty((4, TILE), tiles.dtype)
    distances = np.empty(TILE, nearest.dtype)
    limits = np.empty((1, 1, TILE), tiles.dtype)
    no_limit = tiles.dtype.type(0)
    reached = np.empty(n_candidates + 3, np.int64)
    for t in range(first_tile, last_tile):
        n_reached = 0
        for c in range(n_candidates):
            if c % TILE == 0:
                squared_distances(lanes, c // TILE, centres, t, to_centre)
                box_squares(lanes, c // TILE, low, high, t, d, to_box)
            reached[n_reached] = c
            n_reached += not (
                is_out_of_reach(to_box[c % TILE], 0.0, d, scale, farthest[t])
                or is_out_of_reach(to_centre[c % TILE], radii[t], d, scale, farthest[t])
            )
        if n_reached == 0:
            continue
        reached[n_reached : n_reached + 3] = reached[n_reached - 1]  # to fill up the last four
        for i in range(TILE):
            limits[0, 0, i] = limit_of(nearest[t, i], scale)
        for first in range(0, n_reached, 4):
            four = (reached[first], reached[first + 1], reached[first + 2], reached[first + 3])
            squares_of_four_within(tiles, t, vectors, four, limits, 0, no_limit, squares)
            for r in range(min(4, n_reached - first)):
                quantise_row(squares, r, scale, distances)
                if weights is None:
                    out[four[r]] += positive_differences(nearest, t, distances)
                else:
                    out[four[r]] += weighted_differences(nearest, t, distances, weights)


@inlined
def add_gains_of_two(squares, r, scale, reach, reach_a, reach_b, column):
    """Return what two rows gain from those of a tile, whose nearest picks are at `reach` (TILE,);
    add what these gain from the two to `column`.

    The squared distances are the rows r and r + 1 of `squares`.
    """
    half, whole = squares.dtype.type(0.5), reach.dtype.type
    gain_a, gain_b = np.int64(0), np.int64(0)
    for i in range(TILE):
        to_a, to_b = (
            whole(np.sqrt(squares[r, i]) * scale + half),
            whole(np.sqrt(squares[r + 1, i]) * scale + half),
        )
        gain_a += max(whole(reach[i] - to_a), whole(0))
        gain_b += max(whole(reach[i] - to_b), whole(0))
        column[i] += np.int64(max(whole(reach_a - to_a), whole(0))) + np.int64(
            max(whole(reach_b - to_b), whole(0))
        )
    return gain_a, gain_b


@kernel
def gains_of_pairs(
    tiles, centres, radii, low, high, nearest, farthest, limits, scale, first_tile, last_tile, out
):
    """Add to `out` what all rows gain by each other, as far as one of a pair is in some tiles and
    the other in the same or later ones.

    Each distance serves both of its rows, so that all tiles together cost half of `gains` of all
    rows. `limits` (1, n_tiles, TILE) are `limit_of` the distances `nearest`; `out` int64 (n_tiles,
    TILE).
    """
    n_tiles, d, _ = tiles.shape
    vectors = np.empty(((last_tile - first_tile) * TILE, d), tiles.dtype)
    for v in range(vectors.shape[0]):
        copy_row(tiles, first_tile * TILE + v, vectors, v)
    squares = np.empty((4, TILE), tiles.dtype)
    reach, column = np.empty(TILE, nearest.dtype), np.empty(TILE, np.int64)
    for t in range(first_tile, n_tiles):
        reach[:] = nearest[t]
        column[:] = 0
        for s in range(first_tile, min(t + 1, last_tile)):
            if are_apart(centres, radii, low, high, s, t, scale, max(farthest[s], farthest[t])):
                continue
            for c in range(0, TILE, 4):
                own = max(
                    max(limits[0, s, c], limits[0, s, c + 1]),
                    max(limits[0, s, c + 2], limits[0, s, c + 3]),
                )
                v = (s - first_tile) * TILE + c
                squares_of_four_within(
                    tiles, t, vectors, (v, v + 1, v + 2, v + 3), limits, t, own, squares
                )
                for r in range(0, 4, 2):
                    a, b = nearest[s, c + r], nearest[s, c + r + 1]
                    if s == t:  # both orders of a pair come up
                        a = b = nearest.dtype.type(0)
                    gain_a, gain_b = add_gains_of_two(squares, r, scale, reach, a, b, column)
                    out[s, c + r] += gain_a
                    out[s, c + r + 1] += gain_b
        for i in range(TILE):
            out[t, i] += column[i]


@kernel
def absorb(
    tiles,
    low,
    high,
    nearest,
    farthest,
    cluster,
    scale,
    picks,
    first_number,
    first_tile,
    last_tile,
    gain,
    weights=None,
):
    """Let picks take the rows that are nearer to them than to any earlier pick, in the order given.

    `nearest`, `farthest`, `cluster` (int32: the number of the nearest pick; ties stay with the
    earlier one) are changed in place; what each pick gained over these tiles, by the weights of the
    rows, is added to `gain` (int64). `picks` are vectors (m, d), numbered from `first_number`. Time
    m n d at worst; most picks are told to be out of a tile's reach by its box in the `LEADING`
    columns.
    """
    d = tiles.shape[1]
    lanes = np.zeros((picks.shape[0] // TILE + 1, d, TILE), tiles.dtype)
    lay_out(picks, lanes)
    to_box = np.empty(TILE, tiles.dtype)
    squares = np.empty(TILE, tiles.dtype)
    distances = np.empty(TILE, nearest.dtype)
    limits = np.empty((1, TILE), tiles.dtype)
    in_reach = np.empty(TILE + 1, np.int64)
    for t in range(first_tile, last_tile):
        for i in range(TILE):
            limits[0, i] = limit_of(nearest[t, i], scale)
        reach = tiles.dtype.type(limit_of(farthest[t], scale))
        for u in range(0, picks.shape[0], TILE):
            box_squares(lanes, u // TILE, low, high, t, min(LEADING, d), to_box)
            n_in_reach = 0
            for i in range(min(TILE, picks.shape[0] - u)):
                in_reach[n_in_reach] = i
                n_in_reach += to_box[i] <= reach
            for r in range(n_in_reach):
                if to_box[in_reach[r]] > reach or not squares_within(
                    tiles, t, picks, u + in_reach[r], limits, 0, squares
                ):
                    continue
                quantise(squares, scale, distances)
                gained = positive_differences(nearest, t, distances)
                if gained > 0:
                    p = u + in_reach[r]
                    if weights is None:
                        gain[p] += gained
                    else:
                        gain[p] += weighted_differences(nearest, t, distances, weights)
                    largest = np.int64(0)
                    for i in range(TILE):
                        if distances[i] < nearest[t, i]:
                            nearest[t, i] = distances[i]
                            limits[0, i] = limit_of(distances[i], scale)
                            cluster[t, i] = first_number + p
                        largest = max(largest, np.int64(nearest[t, i]))
                    farthest[t] = largest
                    reach = tiles.dtype.type(limit_of(largest, scale))


@kernel
def neighbours(
    tiles,
    centre_lanes,
    radii,
    nearest,
    scale,
    n_rows,
    positions,
    first,
    last,
    starts,
    columns,
    distances,
):
    """List for the rows ``positions[first:last]`` the candidates that are nearer than the row's
    nearest pick, until the lists might not fit.

    Writes the candidates into `columns` (int32) and their distances into `distances`, where those
    of ``positions[p]`` begin at ``starts[p - first]``; stops early when fewer than 4 n places are
    left. Returns the place in `positions` to go on with. Four rows at a time: fastest if they are
    near each other. Memory 36 n.
    """
    n_tiles, d, _ = tiles.shape
    vectors = np.empty((4, d), tiles.dtype)
    to_centre = np.empty((4, TILE), tiles.dtype)
    squares = np.empty((4, TILE), tiles.dtype)
    lane = np.empty(TILE, nearest.dtype)
    no_limits = np.zeros((1, 1, TILE), tiles.dtype)
    infinite = tiles.dtype.type(np.inf)
    own = np.zeros(4, tiles.dtype)
    reach = np.zeros(4, nearest.dtype)
    counts = np.zeros(4, np.int64)
    found = np.empty((4, n_tiles * TILE), np.int32)
    apart = np.empty((4, n_tiles * TILE), nearest.dtype)
    filled = 0
    starts[0] = 0
    for p in range(first, last, 4):
        if filled + 4 * n_tiles * TILE > columns.shape[0]:
            return p
        n_listed = min(4, last - p)
        for r in range(4):
            row = positions[p + min(r, n_listed - 1)]
            copy_row(tiles, row, vectors, r)
            reach[r] = nearest[row // TILE, row % TILE]
            own[r] = limit_of(reach[r], scale)
            counts[r] = 0
        farthest = np.int64(max(max(reach[0], reach[1]), max(reach[2], reach[3])))
        widest = max(max(own[0], own[1]), max(own[2], own[3]))
        for t in range(n_tiles if farthest > 0 else 0):
            if t % TILE == 0:
                squares_of_four_within(
                    centre_lanes,
                    t // TILE,
                    vectors,
                    (0, 1, 2, 3),
                    no_limits,
                    0,
                    infinite,
                    to_centre,
                )
            all_out = True
            for r in range(4):
                all_out &= is_out_of_reach(
                    to_centre[r, t % TILE], radii[t], d, scale, np.int64(reach[r])
                )
            if all_out:
                continue
            squares_of_four_within(tiles, t, vectors, (0, 1, 2, 3), no_limits, 0, widest, squares)
            for r in range(n_listed):
                n_within = np.int32(0)
                for i in range(TILE):
                    n_within = np.int32(n_within + np.int32(squares[r, i] <= own[r]))
                if n_within == 0:
                    continue
                quantise_row(squares, r, scale, lane)
                count = counts[r]
                for i in range(min(TILE, n_rows - t * TILE)):
                    found[r, count] = t * TILE + i
                    apart[r, count] = lane[i]
                    count += lane[i] < reach[r]
                counts[r] = count
        for r in range(n_listed):
            columns[filled : filled + counts[r]] = found[r, : counts[r]]
            distances[filled : filled + counts[r]] = apart[r, : counts[r]]
            filled += counts[r]
            starts[p + r - first + 1] = filled
    return last


@kernel
def take_picks(
    tiles, centre_lanes, radii, low_lanes, high_lanes, nearest, farthest, scale, starts, ends, columns, lane, gain, rank, choices, picks, gained,
    weights=None,
):  # fmt: skip
    """Make as many greedy picks as `picks` has places, gains kept up to date by the lists; returns
    how many gained anything.

    `choices` int64 (n_picks, m) are the candidates of each pick; 0 columns for all rows. `nearest`,
    `farthest`, the lists and `gain` (selected rows: -1) are changed in place; picks (int64) and
    what each gained are written. `weights` int32 (n,) are those of the rows, if they differ. Time a
    pick: n for the largest gain, the tiles in reach, and the lists of the rows taken over.
    """
    n_tiles, d, _ = tiles.shape
    vector = np.empty((1, d), tiles.dtype)
    to_centre = np.empty(TILE, tiles.dtype)
    to_box = np.empty(TILE, tiles.dtype)
    squares = np.empty(TILE, tiles.dtype)
    distances = np.empty(TILE, nearest.dtype)
    limits = np.empty((n_tiles, TILE), tiles.dtype)
    write_limits(nearest, scale, limits)
    for p in range(picks.shape[0]):
        pick = best_of(gain, rank, choices, p)
        if gain[pick] <= 0:
            return p
        picks[p], gained[p] = pick, gain[pick]
        copy_row(tiles, pick, vector, 0)
        for t in range(n_tiles):
            if t % TILE == 0:
                squared_distances(centre_lanes, t // TILE, vector, 0, to_centre)
                squares_to_boxes(low_lanes, high_lanes, t // TILE, vector, 0, to_box)
            if is_out_of_reach(to_box[t % TILE], 0.0, d, scale, farthest[t]) or is_out_of_reach(
                to_centre[t % TILE], radii[t], d, scale, farthest[t]
            ):
                continue
            if not squares_within(tiles, t, vector, 0, limits, t, squares):
                continue
            quantise(squares, scale, distances)
            largest = np.int64(0)
            for i in range(TILE):
                if distances[i] < nearest[t, i]:
                    shrink_lists(
                        starts,
                        ends,
                        columns,
                        lane,
                        t * TILE + i,
                        nearest[t, i],
                        distances[i],
                        gain,
                        weights,
                    )
                    nearest[t, i] = distances[i]
                    limits[t, i] = limit_of(distances[i], scale)
                largest = max(largest, np.int64(nearest[t, i]))
            farthest[t] = largest
        gain[pick] = -1
    return picks.shape[0]


@kernel
def first_gain_bounds(
    tiles, centre_lanes, auxiliary_distance, scale, n_rows, first_row, last_row, out
):
    """Write for each row no less than what it would gain as the first pick, at the price of one
    distance a tile.

    The distances of a tile's rows add up to at least their number times the distance to their mean
    (Jensen).
    """
    n_tiles, d, _ = tiles.shape
    vector = np.empty((1, d), tiles.dtype)
    squares = np.empty(TILE, tiles.dtype)
    margin = 1.0 - (d + 16) * 1.2e-7
    for row in range(first_row, last_row):
        copy_row(tiles, row, vector, 0)
        total = 0.0
        for t in range(n_tiles):
            if t % TILE == 0:
                squared_distances(centre_lanes, t // TILE, vector, 0, squares)
            total += min(TILE, n_rows - t * TILE) * max(
                np.float64(np.sqrt(squares[t % TILE])) * margin * scale - 1.0, 0.0
            )
        out[row] = n_rows * np.float64(auxiliary_distance) - total * (1 - 1e-9) + 1.0
