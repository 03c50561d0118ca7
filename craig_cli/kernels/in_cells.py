"""Work within one compact cell, or one cluster, of dense rows: all pairs are looked at."""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import kernel
from craig_cli.kernels.tiles import TILE, copy_row, squared_distances_of_two


@kernel
def usual_extent(centres, radii, first_tile, last_tile):
    """Return a length that few distances in a cell exceed: what holds all of it, or 32 times the
    median radius and distance of its tiles.
    """
    n = last_tile - first_tile
    apart = np.zeros((n, n))
    for a in range(n):
        for b in range(n):
            for k in range(centres.shape[1]):
                apart[a, b] += (
                    np.float64(centres[first_tile + a, k]) - np.float64(centres[first_tile + b, k])
                ) ** 2
    apart = np.sqrt(apart)
    balls = radii[first_tile:last_tile]
    usual = np.inf
    whole = np.inf
    for a in range(n):
        usual = min(usual, np.median(apart[a]))
        whole = min(whole, np.max(apart[a] + balls))
    usual = 32.0 * (usual + np.median(balls))
    return min(2.0 * whole, usual) if usual > 0 else 2.0 * whole


@kernel
def greedy_in_cell(
    tiles, centres, radii, first_tile, last_tile, n_rows, picks, gained, gain, weights=None
):
    """Make greedy picks among the rows of some tiles, which alone count: as many as `picks` has
    places, or until nothing gains any more.

    All distances within the cell are held, as whole numbers small enough that gains fit int32,
    which makes the updates twice as fast. They are cut off at the usual extent of the cell: a row
    far from all others is soon picked in any case, and must not coarsen the rest. Writes the picks
    (positions) and what each gained, in units of the coordinates (float64); returns how many were
    made. `gain` are zeros, int32 (TILE a tile), or int64 for rows of different `weights`, int32
    (n_tiles, TILE). Time m^2 d, and m a row that changes its pick; memory 4 m^2.
    """
    d = tiles.shape[1]
    first_row = first_tile * TILE
    n_cell = min(last_tile * TILE, n_rows) - first_row
    n_lanes = (last_tile - first_tile) * TILE
    auxiliary_distance = np.int32((2**31 - 1) // n_cell - 2)
    extent = usual_extent(centres, radii, first_tile, last_tile)
    scale = tiles.dtype.type(auxiliary_distance / extent if extent > 0 else 0.0)
    distances = np.empty((n_cell, n_lanes), np.int32)
    vectors = np.empty((2, d), tiles.dtype)
    squares_a = np.empty(TILE, tiles.dtype)
    squares_b = np.empty(TILE, tiles.dtype)
    ceiling = tiles.dtype.type(
        auxiliary_distance - auxiliary_distance // 1_000_000
    )  # what float32 makes of it stays below the phantom
    for r in range(0, n_cell, 2):
        second = min(r + 1, n_cell - 1)
        copy_row(tiles, first_row + r, vectors, 0)
        copy_row(tiles, first_row + second, vectors, 1)
        for t in range(first_tile, last_tile):
            squared_distances_of_two(tiles, t, vectors, 0, 1, squares_a, squares_b)
            start = (t - first_tile) * TILE
            for i in range(TILE):
                distances[r, start + i] = min(np.sqrt(squares_a[i]) * scale, ceiling)
            for i in range(TILE):
                distances[second, start + i] = min(np.sqrt(squares_b[i]) * scale, ceiling)
    nearest = np.full(n_cell, auxiliary_distance, np.int32)
    for r in range(n_cell):
        for e in range(n_lanes):
            if weights is None:
                gain[e] = np.int32(gain[e] + np.int32(auxiliary_distance - distances[r, e]))
            else:
                gain[e] += np.int64(weights[first_tile + r // TILE, r % TILE]) * np.int64(
                    auxiliary_distance - distances[r, e]
                )
    for p in range(picks.shape[0]):
        best_gain = gain.dtype.type(0)
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
                    if weights is None:
                        gain[e] = np.int32(
                            gain[e] - np.int32(max(old, distance) - max(new, distance))
                        )
                    else:
                        gain[e] -= np.int64(weights[first_tile + r // TILE, r % TILE]) * np.int64(
                            max(old, distance) - max(new, distance)
                        )
                nearest[r] = new
        gain[best] = 0
    return picks.shape[0]


@kernel
def cluster_medoids(tiles, starts, members, limit, first, last, medoids, weights=None):
    """Write for each cluster the member whose distances to all members, times their weights, add up
    to least; the first of several.

    Cluster c's members (positions) are ``members[starts[c]:starts[c + 1]]``. Only the first `limit`
    of them may become the medoid. Time: the squares of the cluster sizes, but linear in those
    beyond `limit`. Memory: d times the largest cluster.
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
                    x0, x1, x2, x3 = (
                        lanes[k, i] - c0,
                        lanes[k + 1, i] - c1,
                        lanes[k + 2, i] - c2,
                        lanes[k + 3, i] - c3,
                    )
                    squares[i] += (x0 * x0 + x1 * x1) + (x2 * x2 + x3 * x3)
            total = 0.0
            for i in range(size):
                if weights is None:
                    total += np.sqrt(squares[i])
                else:
                    row = members[starts[c] + i]
                    total += weights[row // TILE, row % TILE] * np.sqrt(squares[i])
            if total < least:
                least = total
                medoids[c] = members[starts[c] + a]
