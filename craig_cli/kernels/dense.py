"""Greedy selection over dense rows, held in tiles.

A class of n rows is cut into compact tiles of `TILE` rows (`cells.split_rows`); ``tiles[t, k, i]`` is coordinate k of row i of tile t, so
that one candidate meets `TILE` rows at a time with every load contiguous. The number of coordinates is padded with zeros to a multiple of
four, the last tile with rows whose ``nearest`` is 0, which no candidate can improve.

Distances are whole numbers: ``floor(||x - y|| * scale + 1/2)``. Sums of whole numbers do not depend on the order of addition, so gains
are the same bytes for any number of threads and any order of rows, equal candidates tie exactly, and gains kept up to date by
subtraction never drift. (float32, int32) is the usual pair of types; (float64, int64) serves data that float32 cannot resolve.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numba.extending import intrinsic

from craig_cli.kernels import kernel
from craig_cli.kernels.lists import best_candidate, shrink_lists

TILE = 128


@intrinsic
def fma(typing_context, a, b, c):
    """Return a * b + c, rounded once: stated, not left to the compiler, so that machines agree."""
    if a not in (types.float32, types.float64) or not a == b == c:
        return None

    def build(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return a(a, a, a), build


@kernel
def squared_distances(tile, vector, squares):
    """Write the squared distances of `vector` (d,) to the rows of `tile` (d, TILE) into `squares` (TILE,)."""
    squares[:] = 0
    for k in range(0, vector.shape[0], 4):
        c0, c1, c2, c3 = vector[k], vector[k + 1], vector[k + 2], vector[k + 3]
        for i in range(TILE):
            total = squares[i]
            x = tile[k, i] - c0
            total = fma(x, x, total)
            x = tile[k + 1, i] - c1
            total = fma(x, x, total)
            x = tile[k + 2, i] - c2
            total = fma(x, x, total)
            x = tile[k + 3, i] - c3
            squares[i] = fma(x, x, total)


@kernel
def squared_distances_of_two(tile, a, b, squares_a, squares_b):
    """`squared_distances` of two vectors at once, the same bits: each row is loaded once for both, 1.3 times faster."""
    squares_a[:] = 0
    squares_b[:] = 0
    for k in range(0, a.shape[0], 4):
        a0, a1, a2, a3 = a[k], a[k + 1], a[k + 2], a[k + 3]
        b0, b1, b2, b3 = b[k], b[k + 1], b[k + 2], b[k + 3]
        for i in range(TILE):
            total_a = squares_a[i]
            total_b = squares_b[i]
            row = tile[k, i]
            x = row - a0
            total_a = fma(x, x, total_a)
            x = row - b0
            total_b = fma(x, x, total_b)
            row = tile[k + 1, i]
            x = row - a1
            total_a = fma(x, x, total_a)
            x = row - b1
            total_b = fma(x, x, total_b)
            row = tile[k + 2, i]
            x = row - a2
            total_a = fma(x, x, total_a)
            x = row - b2
            total_b = fma(x, x, total_b)
            row = tile[k + 3, i]
            x = row - a3
            squares_a[i] = fma(x, x, total_a)
            x = row - b3
            squares_b[i] = fma(x, x, total_b)


@kernel
def quantise(squares, scale, distances):
    """Write the whole-number distances of `squares` (TILE,) into `distances`: the square root, scaled and rounded."""
    half = squares.dtype.type(0.5)
    for i in range(TILE):
        distances[i] = np.sqrt(squares[i]) * scale + half


@kernel
def ball_distance(centre, vector):
    """Return the distance of two vectors up to rounding (float64; four running sums, so that additions need not wait for each other)."""
    s0 = s1 = s2 = s3 = 0.0
    for k in range(0, vector.shape[0], 4):
        x0 = np.float64(vector[k] - centre[k])
        x1 = np.float64(vector[k + 1] - centre[k + 1])
        x2 = np.float64(vector[k + 2] - centre[k + 2])
        x3 = np.float64(vector[k + 3] - centre[k + 3])
        s0 += x0 * x0
        s1 += x1 * x1
        s2 += x2 * x2
        s3 += x3 * x3
    return np.sqrt((s0 + s1) + (s2 + s3))


@kernel
def is_out_of_reach(centre, radius, vector, scale, farthest):
    """Return whether no row of a tile can be nearer to `vector` than to its pick, by the triangle inequality.

    `farthest` is the largest ``nearest`` of the tile. The margin covers the rounding of d additions in each of the distances involved.
    """
    distance = ball_distance(centre, vector)
    margin = (vector.shape[0] + 16) * 1.2e-7 * (distance + radius)
    return (distance - radius - margin) * np.float64(scale) - 2.0 >= farthest


@kernel
def vector_of(tiles, row, vector):
    """Copy one row out of the tiles."""
    vector[:] = tiles[row // TILE, :, row % TILE]


@kernel
def gains(tiles, centres, radii, nearest, farthest, scale, candidates, first_tile, last_tile, out):
    """Add to `out` the gain of each candidate over the rows of some tiles: the sum of max(0, nearest - distance).

    Parameters
    ----------
    tiles : float (n_tiles, d, TILE)
    centres, radii : float (n_tiles, d), float64 (n_tiles,)
        A ball round each tile.
    nearest : int (n_tiles, TILE)
        Distance of each row to its nearest pick.
    farthest : int64 (n_tiles,)
        At least the largest of `nearest` in each tile.
    scale : float
        Whole-number distances per unit of the coordinates.
    candidates : int64 (m,)
        Rows, counted through the tiles.
    out : int64 (m,)
        Added to in place.

    Notes
    -----
    Time m n d at worst; tiles out of a candidate's reach cost d. Memory m d.
    """
    n_candidates, d = candidates.shape[0], tiles.shape[1]
    vectors = np.empty((n_candidates, d), tiles.dtype)
    for c in range(n_candidates):
        vector_of(tiles, candidates[c], vectors[c])
    squares = np.empty((2, TILE), tiles.dtype)
    distances = np.empty(TILE, nearest.dtype)
    reached = np.empty(n_candidates + 1, np.int64)
    for t in range(first_tile, last_tile):
        n_reached = 0
        for c in range(n_candidates):
            if not is_out_of_reach(centres[t], radii[t], vectors[c], scale, farthest[t]):
                reached[n_reached] = c
                n_reached += 1
        reached[n_reached] = reached[max(n_reached - 1, 0)]
        for r in range(0, n_reached, 2):
            squared_distances_of_two(tiles[t], vectors[reached[r]], vectors[reached[r + 1]], squares[0], squares[1])
            for half in range(min(2, n_reached - r)):
                quantise(squares[half], scale, distances)
                out[reached[r + half]] += positive_differences(nearest[t], distances)


@kernel
def positive_differences(nearest, distances):
    """Return the sum of max(0, nearest - distances), as int64."""
    total = np.int64(0)
    for i in range(nearest.shape[0]):
        if distances[i] < nearest[i]:
            total += nearest[i] - distances[i]
    return total


@kernel
def absorb(tiles, centres, radii, nearest, farthest, cluster, scale, picks, first_number, first_tile, last_tile, gain):
    """Let picks take the rows that are nearer to them than to any earlier pick, in the order given.

    `nearest`, `farthest`, `cluster` (int32: the number of the nearest pick; ties stay with the earlier one) are changed in place; what each
    pick gained over these tiles is added to `gain` (int64). `picks` are vectors (m, d), numbered from `first_number`. Time m n d at worst.
    """
    squares = np.empty(TILE, tiles.dtype)
    distances = np.empty(TILE, nearest.dtype)
    for t in range(first_tile, last_tile):
        for p in range(picks.shape[0]):
            if is_out_of_reach(centres[t], radii[t], picks[p], scale, farthest[t]):
                continue
            squared_distances(tiles[t], picks[p], squares)
            quantise(squares, scale, distances)
            gained = positive_differences(nearest[t], distances)
            if gained > 0:
                gain[p] += gained
                largest = np.int64(0)
                for i in range(TILE):
                    if distances[i] < nearest[t, i]:
                        nearest[t, i] = distances[i]
                        cluster[t, i] = first_number + p
                    largest = max(largest, np.int64(nearest[t, i]))
                farthest[t] = largest


@kernel
def neighbours(tiles, centres, radii, nearest, scale, n_rows, positions, first, last, starts, columns, distances):
    """List for the rows ``positions[first:last]`` the candidates that are nearer than the row's nearest pick, until the lists might not fit.

    Writes the candidates into `columns` (int32) and their distances into `distances`, where those of ``positions[p]`` begin at ``starts[p - first]``;
    stops early when fewer than n places are left. Returns the place in `positions` to go on with.
    """
    vector = np.empty(tiles.shape[1], tiles.dtype)
    squares = np.empty(TILE, tiles.dtype)
    lane = np.empty(TILE, nearest.dtype)
    filled = 0
    starts[0] = 0
    for p in range(first, last):
        row = positions[p]
        if filled + tiles.shape[0] * TILE > columns.shape[0]:
            return p
        vector_of(tiles, row, vector)
        reach = nearest[row // TILE, row % TILE]
        for t in range(tiles.shape[0]):
            if reach == 0 or is_out_of_reach(centres[t], radii[t], vector, scale, np.int64(reach)):
                continue
            squared_distances(tiles[t], vector, squares)
            quantise(squares, scale, lane)
            n_near = 0
            for i in range(TILE):
                n_near += lane[i] < reach
            if n_near > 0:
                for i in range(min(TILE, n_rows - t * TILE)):
                    if lane[i] < reach:
                        columns[filled] = t * TILE + i
                        distances[filled] = lane[i]
                        filled += 1
        starts[p - first + 1] = filled
    return last


@kernel
def take_picks(tiles, centres, radii, nearest, farthest, scale, starts, ends, columns, lane, gain, rank, picks, gained):
    """Make as many greedy picks as `picks` has places, gains kept up to date by the lists; returns how many gained anything.

    `nearest`, `farthest`, the lists and `gain` (selected rows: -1) are changed in place; picks (int64) and what each gained are written.
    Time a pick: n for the largest gain, the tiles in reach, and the lists of the rows taken over.
    """
    vector = np.empty(tiles.shape[1], tiles.dtype)
    squares = np.empty(TILE, tiles.dtype)
    distances = np.empty(TILE, nearest.dtype)
    for p in range(picks.shape[0]):
        pick = best_candidate(gain, rank)
        if gain[pick] <= 0:
            return p
        picks[p], gained[p] = pick, gain[pick]
        vector_of(tiles, pick, vector)
        for t in range(tiles.shape[0]):
            if is_out_of_reach(centres[t], radii[t], vector, scale, farthest[t]):
                continue
            squared_distances(tiles[t], vector, squares)
            quantise(squares, scale, distances)
            largest = np.int64(0)
            for i in range(TILE):
                if distances[i] < nearest[t, i]:
                    shrink_lists(starts, ends, columns, lane, t * TILE + i, nearest[t, i], distances[i], gain)
                    nearest[t, i] = distances[i]
                largest = max(largest, np.int64(nearest[t, i]))
            farthest[t] = largest
        gain[pick] = -1
    return picks.shape[0]


@kernel
def first_gain_bounds(tiles, centres, phantom, scale, n_rows, first_row, last_row, out):
    """Write for each row no less than what it would gain as the first pick, at the price of one distance a tile.

    The distances of a tile's rows add up to at least their number times the distance to their mean (Jensen).
    """
    d = tiles.shape[1]
    vector = np.empty(d, tiles.dtype)
    margin = 1.0 - (d + 16) * 1.2e-7
    for row in range(first_row, last_row):
        vector_of(tiles, row, vector)
        total = 0.0
        for t in range(tiles.shape[0]):
            total += min(TILE, n_rows - t * TILE) * max(ball_distance(centres[t], vector) * margin * scale - 1.0, 0.0)
        out[row] = n_rows * np.float64(phantom) - total * (1 - 1e-9) + 1.0


@kernel
def tile_bounds(tiles, centres, radii, n_rows):
    """Fill in a ball round the rows of each tile: their mean, and the largest distance from it (rounded up)."""
    for t in range(tiles.shape[0]):
        n_in_tile = min(TILE, n_rows - t * TILE)
        for k in range(tiles.shape[1]):
            total = 0.0
            for i in range(n_in_tile):
                total += tiles[t, k, i]
            centres[t, k] = total / n_in_tile
        largest = 0.0
        for i in range(n_in_tile):
            largest = max(largest, ball_distance(centres[t], tiles[t, :, i]))
        radii[t] = largest


@kernel
def pair_distances(points, first, second, out):
    """Write the float64 distance of row ``first[p]`` of `points` (n, d) to row ``second[p]`` into ``out[p]``."""
    for p in range(out.shape[0]):
        total = 0.0
        for k in range(points.shape[1]):
            difference = points[first[p], k] - points[second[p], k]
            total += difference * difference
        out[p] = np.sqrt(total)
