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

from craig_cli.kernels import inlined, kernel
from craig_cli.kernels.lists import best_of, shrink_lists

TILE = 128


@intrinsic
def fma(typing_context, a, b, c):
    """Return a * b + c, rounded once: stated, not left to the compiler, so that machines agree."""
    if a not in (types.float32, types.float64) or not a == b == c:
        return None

    def build(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return a(a, a, a), build


@inlined
def squared_distances(tiles, t, vectors, v, squares):
    """Write the squared distances of vector `v` to the rows of tile `t` into `squares` (TILE,).

    Here and below whole arrays and positions are passed, not slices: numba counts the references to each slice atomically, which is slow.
    """
    for i in range(TILE):
        squares[i] = 0
    for k in range(0, tiles.shape[1], 4):
        c0, c1, c2, c3 = vectors[v, k], vectors[v, k + 1], vectors[v, k + 2], vectors[v, k + 3]
        for i in range(TILE):
            total = squares[i]
            x = tiles[t, k, i] - c0
            total = fma(x, x, total)
            x = tiles[t, k + 1, i] - c1
            total = fma(x, x, total)
            x = tiles[t, k + 2, i] - c2
            total = fma(x, x, total)
            x = tiles[t, k + 3, i] - c3
            squares[i] = fma(x, x, total)


@inlined
def squares_within(tiles, t, vectors, v, limits, row, squares):
    """Write `squared_distances`, the same bits, unless every one exceeds its limit: return whether any may not (else `squares` is unfinished).

    Looks after every eight coordinates; the widest columns come first, so that most far rows are told by a few. `limits` is (_, TILE), its row `row`.
    """
    for i in range(TILE):
        squares[i] = 0
    any_within = True
    k = 0
    while any_within and k < tiles.shape[1]:
        for part in range(k, min(k + 8, tiles.shape[1]), 4):
            c0, c1, c2, c3 = vectors[v, part], vectors[v, part + 1], vectors[v, part + 2], vectors[v, part + 3]
            for i in range(TILE):
                total = squares[i]
                x = tiles[t, part, i] - c0
                total = fma(x, x, total)
                x = tiles[t, part + 1, i] - c1
                total = fma(x, x, total)
                x = tiles[t, part + 2, i] - c2
                total = fma(x, x, total)
                x = tiles[t, part + 3, i] - c3
                squares[i] = fma(x, x, total)
        k += 8
        n_within = np.int32(0)
        for i in range(TILE):
            n_within = np.int32(n_within + np.int32(squares[i] <= limits[row, i]))
        any_within = n_within > 0
    return any_within


@inlined
def limit_of(distance, scale):
    """Return a square above which no distance rounds to less than `distance`."""
    return ((distance + 1) / np.float64(scale)) ** 2 * (1 + 1e-6)


@inlined
def squared_distances_of_two(tiles, t, vectors, a, b, squares_a, squares_b):
    """`squared_distances` of two vectors at once, the same bits: each row is loaded once for both, 1.3 times faster."""
    for i in range(TILE):
        squares_a[i] = 0
        squares_b[i] = 0
    for k in range(0, tiles.shape[1], 4):
        a0, a1, a2, a3 = vectors[a, k], vectors[a, k + 1], vectors[a, k + 2], vectors[a, k + 3]
        b0, b1, b2, b3 = vectors[b, k], vectors[b, k + 1], vectors[b, k + 2], vectors[b, k + 3]
        for i in range(TILE):
            total_a = squares_a[i]
            total_b = squares_b[i]
            row = tiles[t, k, i]
            x = row - a0
            total_a = fma(x, x, total_a)
            x = row - b0
            total_b = fma(x, x, total_b)
            row = tiles[t, k + 1, i]
            x = row - a1
            total_a = fma(x, x, total_a)
            x = row - b1
            total_b = fma(x, x, total_b)
            row = tiles[t, k + 2, i]
            x = row - a2
            total_a = fma(x, x, total_a)
            x = row - b2
            total_b = fma(x, x, total_b)
            row = tiles[t, k + 3, i]
            x = row - a3
            squares_a[i] = fma(x, x, total_a)
            x = row - b3
            squares_b[i] = fma(x, x, total_b)


@inlined
def quantise(squares, scale, distances):
    """Write the whole-number distances of `squares` (TILE,) into `distances`: the square root, scaled and rounded."""
    half = squares.dtype.type(0.5)
    for i in range(TILE):
        distances[i] = np.sqrt(squares[i]) * scale + half


@inlined
def positive_differences(nearest, t, distances):
    """Return the sum of max(0, nearest - distances) over the rows of tile `t`, as int64."""
    total = np.int64(0)
    for i in range(TILE):
        total += max(nearest[t, i] - distances[i], 0)
    return total


@inlined
def is_out_of_reach(square, radius, d, scale, farthest):
    """Return whether no row of a tile can be nearer to a vector than to its pick, by the triangle inequality.

    `square` is the squared distance of the vector to the tile's centre, `farthest` the largest ``nearest`` of the tile. The margin covers the
    rounding of d additions in each of the distances involved.
    """
    distance = np.float64(np.sqrt(square))
    margin = (d + 16) * 1.2e-7 * (distance + radius)
    return (distance - radius - margin) * np.float64(scale) - 2.0 >= farthest


@kernel
def copy_row(tiles, row, vectors, v):
    """Copy one row out of the tiles."""
    for k in range(tiles.shape[1]):
        vectors[v, k] = tiles[row // TILE, k, row % TILE]


@kernel
def lay_out(vectors, lanes):
    """Copy vectors (m, d) into `lanes` (m / TILE rounded up, d, TILE), so that one of another kind meets TILE of them at a time."""
    for v in range(vectors.shape[0]):
        for k in range(vectors.shape[1]):
            lanes[v // TILE, k, v % TILE] = vectors[v, k]


@kernel
def update_gains(tiles, centres, radii, nearest, farthest, scale, candidates, stamps, history, first_tile, last_tile, out):
    """Add to `out` what each candidate gains over the rows of some tiles, or by how much that has changed since it was last evaluated.

    The gain is the sum of max(0, nearest - distance). Only tiles that have changed since a candidate's evaluation are looked at: there the
    same distances are held against the state of that time and of now.

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
    stamps : int64 (m,)
        Picks made when the candidate was last evaluated; -1 for never.
    history : tuple
        ``changed_at`` int64 (n_tiles,): picks made when the tile last changed; ``saved`` int64 (n_tiles,): its newest earlier state, a position
        in the rest: ``since`` int64: picks made when that state began, ``before`` int64: the state before it, ``old_nearest``, ``old_farthest``.
    out : int64 (m,)
        Added to in place.

    Notes
    -----
    Time m n d at worst; tiles that have not changed cost nothing, those out of a candidate's reach one distance. Memory 2 m d.
    """
    changed_at, saved, since, before, old_nearest, old_farthest = history
    n_candidates, d = candidates.shape[0], tiles.shape[1]
    vectors = np.empty((n_candidates, d), tiles.dtype)
    for c in range(n_candidates):
        copy_row(tiles, candidates[c], vectors, c)
    lanes = np.zeros((n_candidates // TILE + 1, d, TILE), tiles.dtype)
    lay_out(vectors, lanes)
    squares_a = np.empty(TILE, tiles.dtype)
    squares_b = np.empty(TILE, tiles.dtype)
    distances = np.empty(TILE, nearest.dtype)
    reached = np.empty(n_candidates + 1, np.int64)
    states = np.empty(n_candidates + 1, np.int64)
    for t in range(first_tile, last_tile):
        n_reached = 0
        for c in range(n_candidates):
            if c % TILE == 0:
                squared_distances(lanes, c // TILE, centres, t, squares_a)
            if changed_at[t] <= stamps[c]:
                continue
            state = -1
            limit = farthest[t]
            if stamps[c] >= 0:
                state = saved[t]
                while since[state] > stamps[c]:
                    state = before[state]
                limit = old_farthest[state]
            if not is_out_of_reach(squares_a[c % TILE], radii[t], d, scale, limit):
                reached[n_reached] = c
                states[n_reached] = state
                n_reached += 1
        reached[n_reached] = reached[max(n_reached - 1, 0)]
        for r in range(0, n_reached, 2):
            squared_distances_of_two(tiles, t, vectors, reached[r], reached[r + 1], squares_a, squares_b)
            for half in range(min(2, n_reached - r)):
                if half == 0:
                    quantise(squares_a, scale, distances)
                else:
                    quantise(squares_b, scale, distances)
                out[reached[r + half]] += positive_differences(nearest, t, distances)
                if states[r + half] >= 0:
                    out[reached[r + half]] -= positive_differences(old_nearest, states[r + half], distances)


@kernel
def drop_costly_stamps(tiles, centres, radii, farthest, scale, candidates, stamps, history):
    """Set a candidate's stamp to -1 where evaluating it anew visits fewer tiles than updating it: early states reach far."""
    changed_at, saved, since, before, _, old_farthest = history
    n_candidates, d = candidates.shape[0], tiles.shape[1]
    vectors = np.empty((n_candidates, d), tiles.dtype)
    for c in range(n_candidates):
        copy_row(tiles, candidates[c], vectors, c)
    lanes = np.zeros((n_candidates // TILE + 1, d, TILE), tiles.dtype)
    lay_out(vectors, lanes)
    squares = np.empty(TILE, tiles.dtype)
    saving = np.zeros(n_candidates, np.int64)
    for t in range(tiles.shape[0]):
        for c in range(n_candidates):
            if c % TILE == 0:
                squared_distances(lanes, c // TILE, centres, t, squares)
            if stamps[c] < 0:
                continue
            saving[c] += not is_out_of_reach(squares[c % TILE], radii[t], d, scale, farthest[t])
            if changed_at[t] > stamps[c]:
                state = saved[t]
                while since[state] > stamps[c]:
                    state = before[state]
                saving[c] -= not is_out_of_reach(squares[c % TILE], radii[t], d, scale, old_farthest[state])
    for c in range(n_candidates):
        if saving[c] < 0:
            stamps[c] = -1


@kernel
def absorb(tiles, centres, radii, nearest, farthest, cluster, scale, picks, first_number, starts, first_tile, last_tile, gain):
    """Let picks take the rows that are nearer to them than to any earlier pick, in the order given.

    `nearest`, `farthest`, `cluster` (int32: the number of the nearest pick; ties stay with the earlier one) are changed in place; what each
    pick gained over these tiles is added to `gain` (int64). `picks` are vectors (m, d), numbered from `first_number`; tile t begins with the pick
    ``starts[t]`` and goes round, so that near picks can come first where the order does not matter. Time m n d at worst.
    """
    d = tiles.shape[1]
    lanes = np.zeros((picks.shape[0] // TILE + 1, d, TILE), tiles.dtype)
    lay_out(picks, lanes)
    to_centre = np.empty(TILE, tiles.dtype)
    squares = np.empty(TILE, tiles.dtype)
    distances = np.empty(TILE, nearest.dtype)
    limits = np.empty((1, TILE), tiles.dtype)
    for t in range(first_tile, last_tile):
        for i in range(TILE):
            limits[0, i] = limit_of(nearest[t, i], scale)
        laid = -1
        for turn in range(picks.shape[0]):
            p = (starts[t] + turn) % picks.shape[0]
            if p // TILE != laid:
                laid = p // TILE
                squared_distances(lanes, laid, centres, t, to_centre)
            if is_out_of_reach(to_centre[p % TILE], radii[t], d, scale, farthest[t]):
                continue
            if not squares_within(tiles, t, picks, p, limits, 0, squares):
                continue
            quantise(squares, scale, distances)
            gained = positive_differences(nearest, t, distances)
            if gained > 0:
                gain[p] += gained
                largest = np.int64(0)
                for i in range(TILE):
                    if distances[i] < nearest[t, i]:
                        nearest[t, i] = distances[i]
                        limits[0, i] = limit_of(distances[i], scale)
                        cluster[t, i] = first_number + p
                    largest = max(largest, np.int64(nearest[t, i]))
                farthest[t] = largest


@kernel
def neighbours(tiles, centre_lanes, radii, nearest, scale, n_rows, positions, first, last, starts, columns, distances):
    """List for the rows ``positions[first:last]`` the candidates that are nearer than the row's nearest pick, until the lists might not fit.

    Writes the candidates into `columns` (int32) and their distances into `distances`, where those of ``positions[p]`` begin at
    ``starts[p - first]``; stops early when fewer than n places are left. Returns the place in `positions` to go on with.
    """
    n_tiles, d, _ = tiles.shape
    vector = np.empty((1, d), tiles.dtype)
    to_centre = np.empty(TILE, tiles.dtype)
    squares = np.empty(TILE, tiles.dtype)
    lane = np.empty(TILE, nearest.dtype)
    limits = np.empty((1, TILE), tiles.dtype)
    filled = 0
    starts[0] = 0
    for p in range(first, last):
        if filled + n_tiles * TILE > columns.shape[0]:
            return p
        row = positions[p]
        copy_row(tiles, row, vector, 0)
        reach = nearest[row // TILE, row % TILE]
        limits[:] = limit_of(reach, scale)
        for t in range(n_tiles if reach > 0 else 0):
            if t % TILE == 0:
                squared_distances(centre_lanes, t // TILE, vector, 0, to_centre)
            if is_out_of_reach(to_centre[t % TILE], radii[t], d, scale, np.int64(reach)):
                continue
            if not squares_within(tiles, t, vector, 0, limits, 0, squares):
                continue
            quantise(squares, scale, lane)
            for i in range(min(TILE, n_rows - t * TILE)):
                columns[filled] = t * TILE + i
                distances[filled] = lane[i]
                filled += lane[i] < reach
        starts[p - first + 1] = filled
    return last


@kernel
def take_picks(tiles, centre_lanes, radii, nearest, farthest, scale, starts, ends, columns, lane, gain, rank, choices, picks, gained):
    """Make as many greedy picks as `picks` has places, gains kept up to date by the lists; returns how many gained anything.

    `choices` int64 (n_picks, m) are the candidates of each pick; 0 columns for all rows.
    `nearest`, `farthest`, the lists and `gain` (selected rows: -1) are changed in place; picks (int64) and what each gained are written.
    Time a pick: n for the largest gain, the tiles in reach, and the lists of the rows taken over.
    """
    n_tiles, d, _ = tiles.shape
    vector = np.empty((1, d), tiles.dtype)
    to_centre = np.empty(TILE, tiles.dtype)
    squares = np.empty(TILE, tiles.dtype)
    distances = np.empty(TILE, nearest.dtype)
    for p in range(picks.shape[0]):
        pick = best_of(gain, rank, choices, p)
        if gain[pick] <= 0:
            return p
        picks[p], gained[p] = pick, gain[pick]
        copy_row(tiles, pick, vector, 0)
        for t in range(n_tiles):
            if t % TILE == 0:
                squared_distances(centre_lanes, t // TILE, vector, 0, to_centre)
            if is_out_of_reach(to_centre[t % TILE], radii[t], d, scale, farthest[t]):
                continue
            squared_distances(tiles, t, vector, 0, squares)
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
def first_gain_bounds(tiles, centre_lanes, phantom, scale, n_rows, first_row, last_row, out):
    """Write for each row no less than what it would gain as the first pick, at the price of one distance a tile.

    The distances of a tile's rows add up to at least their number times the distance to their mean (Jensen).
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
            total += min(TILE, n_rows - t * TILE) * max(np.float64(np.sqrt(squares[t % TILE])) * margin * scale - 1.0, 0.0)
        out[row] = n_rows * np.float64(phantom) - total * (1 - 1e-9) + 1.0


@kernel
def tile_bounds(tiles, centres, radii, n_rows):
    """Fill in a ball round the rows of each tile: their mean, and the largest distance from it."""
    for t in range(tiles.shape[0]):
        n_in_tile = min(TILE, n_rows - t * TILE)
        for k in range(tiles.shape[1]):
            total = 0.0
            for i in range(n_in_tile):
                total += tiles[t, k, i]
            centres[t, k] = total / n_in_tile
        largest = 0.0
        for i in range(n_in_tile):
            square = 0.0
            for k in range(tiles.shape[1]):
                difference = np.float64(tiles[t, k, i]) - np.float64(centres[t, k])
                square += difference * difference
            largest = max(largest, square)
        radii[t] = np.sqrt(largest) * (1 + 1e-9)


@kernel
def pair_distances(points, first, second, out):
    """Write the float64 distance of row ``first[p]`` of `points` (n, d) to row ``second[p]`` into ``out[p]``."""
    for p in range(out.shape[0]):
        total = 0.0
        for k in range(points.shape[1]):
            difference = points[first[p], k] - points[second[p], k]
            total += difference * difference
        out[p] = np.sqrt(total)


@kernel
def greedy_in_cell(tiles, centres, radii, first_tile, last_tile, n_rows, picks, gained):
    """Make greedy picks among the rows of some tiles, which alone count: as many as `picks` has places, or until nothing gains any more.

    All distances within the cell are held, as whole numbers small enough that gains fit int32, which makes the updates twice as fast.
    Writes the picks (positions) and what each gained, in units of the coordinates (float64); returns how many were made. Time m^2 d, and
    m a row that changes its pick; memory 4 m^2.
    """
    d = tiles.shape[1]
    first_row = first_tile * TILE
    n_cell = min(last_tile * TILE, n_rows) - first_row
    n_lanes = (last_tile - first_tile) * TILE
    reach = 0.0  # no row of the cell is farther from the first tile's centre
    for t in range(first_tile, last_tile):
        square = 0.0
        for k in range(d):
            square += (np.float64(centres[t, k]) - np.float64(centres[first_tile, k])) ** 2
        reach = max(reach, np.sqrt(square) + radii[t])
    phantom = np.int32((2**31 - 1) // n_cell - 2)
    scale = tiles.dtype.type(phantom / (2.0 * reach * (1 + 1e-5)) if reach > 0 else 0.0)
    distances = np.empty((n_cell, n_lanes), np.int32)
    vectors = np.empty((2, d), tiles.dtype)
    squares_a = np.empty(TILE, tiles.dtype)
    squares_b = np.empty(TILE, tiles.dtype)
    lane = np.empty(TILE, np.int32)
    for r in range(0, n_cell, 2):
        second = min(r + 1, n_cell - 1)
        copy_row(tiles, first_row + r, vectors, 0)
        copy_row(tiles, first_row + second, vectors, 1)
        for t in range(first_tile, last_tile):
            squared_distances_of_two(tiles, t, vectors, 0, 1, squares_a, squares_b)
            start = (t - first_tile) * TILE
            quantise(squares_a, scale, lane)
            for i in range(TILE):
                distances[r, start + i] = lane[i]
            quantise(squares_b, scale, lane)
            for i in range(TILE):
                distances[second, start + i] = lane[i]
    gain = np.zeros(n_lanes, np.int32)
    nearest = np.full(n_cell, phantom, np.int32)
    for r in range(n_cell):
        for e in range(n_lanes):
            gain[e] = np.int32(gain[e] + np.int32(phantom - distances[r, e]))
    for p in range(picks.shape[0]):
        best_gain = np.int32(0)
        for e in range(n_cell):
            best_gain = max(best_gain, gain[e])
        if best_gain == 0:
            return p
        best = 0
        while gain[best] != best_gain:
            best += 1
        picks[p], gained[p] = first_row + best, best_gain / np.float64(scale) if scale > 0 else 0.0
        for r in range(n_cell):
            old, new = nearest[r], distances[r, best]
            if new < old:
                for e in range(n_lanes):
                    distance = distances[r, e]
                    gain[e] = np.int32(gain[e] - np.int32(max(old, distance) - max(new, distance)))
                nearest[r] = new
        gain[best] = 0
    return picks.shape[0]


@kernel
def cluster_medoids(tiles, starts, members, limit, first, last, medoids):
    """Write for each cluster the member whose distances to all members add up to least; the first of several.

    Cluster c's members (positions) are ``members[starts[c]:starts[c + 1]]``. Only the first `limit` of them may become the medoid. Time: the
    squares of the cluster sizes, but linear in those beyond `limit`. Memory: d times the largest cluster.
    """
    d = tiles.shape[1]
    widest = 0
    for c in range(first, last):
        widest = max(widest, starts[c + 1] - starts[c])
    lanes = np.zeros((d, widest + 16), tiles.dtype)  # the members side by side; whole vectors of 16
    squares = np.empty(widest + 16, tiles.dtype)
    for c in range(first, last):
        size = starts[c + 1] - starts[c]
        width = (size + 15) // 16 * 16
        for i in range(size):
            row = members[starts[c] + i]
            for k in range(d):
                lanes[k, i] = tiles[row // TILE, k, row % TILE]
        least = np.inf
        for a in range(min(size, limit)):
            for i in range(width):
                squares[i] = 0
            for k in range(0, d, 4):
                c0, c1, c2, c3 = lanes[k, a], lanes[k + 1, a], lanes[k + 2, a], lanes[k + 3, a]
                for i in range(width):
                    x0, x1, x2, x3 = lanes[k, i] - c0, lanes[k + 1, i] - c1, lanes[k + 2, i] - c2, lanes[k + 3, i] - c3
                    squares[i] += (x0 * x0 + x1 * x1) + (x2 * x2 + x3 * x3)
            total = 0.0
            for i in range(size):
                total += np.sqrt(squares[i])
            if total < least:
                least = total
                medoids[c] = members[starts[c] + a]
