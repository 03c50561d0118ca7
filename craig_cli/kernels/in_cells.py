"""Work within one compact cell, or one cluster, of dense rows: all pairs are looked at."""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import kernel
from craig_cli.kernels.distances import move_nearest
from craig_cli.kernels.lists import weight_of
from craig_cli.kernels.squares import WIDE, columns_in, room_for_columns, squares_of_wide_within
from craig_cli.kernels.tiles import TILE, copy_row

LANES = 16
"""float32 values in the longest registers: loops over whole multiples of them leave no rest to be
done one by one.
"""


@kernel
def fill_distances(layout, first_tile, scale, ceiling, distances):
    """Write the quantised distances within a cell, none above `ceiling`, int32 (n_cell, a multiple
    of TILE); the cell begins with tile `first_tile`.

    Those of wide rows are found once a pair, and written twice: of narrow ones that is no quicker.
    """
    tiles, is_wide = layout.tiles, layout.tiles.shape[1] >= WIDE
    n_cell = distances.shape[0]
    vectors = np.empty((4, tiles.shape[1]), tiles.dtype)
    squares = np.empty((4, TILE), tiles.dtype)
    no_limits = np.zeros((1, 1, TILE), tiles.dtype)
    infinite, columns = tiles.dtype.type(np.inf), room_for_columns(tiles.shape[1])
    for first in range(0, n_cell, 4):
        # The last four are filled up with the last row, written as often.
        for r in range(4):
            copy_row(tiles, first_tile * TILE + min(first + r, n_cell - 1), vectors, r)
        own_tile = first // TILE
        for t in range(own_tile if is_wide else 0, distances.shape[1] // TILE):
            box = columns_in(layout, first_tile + t, columns)
            squares_of_wide_within(
                tiles, first_tile + t, vectors, (0, 1, 2, 3), no_limits, 0, infinite, squares, box
            )
            for r in range(4):
                row = min(first + r, n_cell - 1)
                for i in range(TILE):
                    distances[row, t * TILE + i] = min(np.sqrt(squares[r, i]) * scale, ceiling)
            if is_wide and t > own_tile:
                for i in range(t * TILE, min((t + 1) * TILE, n_cell)):
                    for row in range(first, first + 4):
                        distances[i, row] = distances[row, i]


@kernel
def greedy_in_cell(layout, span, extent, made, gain, weights=None):
    """Make greedy picks among the rows of some tiles, which alone count: as many as `picks` has
    places, or until nothing gains any more. Return how many.

    Parameters
    ----------
    layout : Layout
    span : (int, int)
        The first tile, and that after the last.
    extent : float
        A length that few distances in the cell exceed; longer ones are cut off.
    made : (int64 (m,), float64 (m,))
        Written: positions, and what each pick gained, in units of the coordinates.
    gain : int32 (TILE a tile,)
        Zeros, overwritten; int64 for rows of different weights.
    weights : int32 (n_cell,), optional
        Of the rows of the cell.

    Notes
    -----
    All distances within the cell are held, as whole numbers small enough that gains fit int32,
    which makes the updates twice as fast. Time m^2 d, and m a row that changes its pick; memory
    4 m^2.
    """
    tiles, (picks, gained) = layout.tiles, made
    first_row = span[0] * TILE
    n_cell = min(span[1] * TILE, layout.n_rows) - first_row
    # A gain is at most n_cell times this, less than 2^31.
    auxiliary_distance = np.int32((2**31 - 1) // n_cell - 2)
    scale = tiles.dtype.type(auxiliary_distance / extent if extent > 0 else 0.0)
    # A millionth less: so that float32, rounding it up, stays below the auxiliary element.
    ceiling = tiles.dtype.type(auxiliary_distance - auxiliary_distance // 1_000_000)
    distances = np.empty((n_cell, gain.shape[0]), np.int32)
    fill_distances(layout, span[0], scale, ceiling, distances)
    nearest = np.full(n_cell, auxiliary_distance, np.int32)
    for r in range(n_cell):
        move_nearest(distances, r, np.int32(0), auxiliary_distance, gain, weights)
    for p in range(picks.shape[0]):
        # Two looks, one for the largest gain, in vectors, and one for where it stands, instead of a
        # slow one for both. A pick need not be closed: whole numbers have brought its gain to 0.
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
            new = distances[r, best]
            if new < nearest[r]:
                move_nearest(distances, r, nearest[r], new, gain, weights)
                nearest[r] = new
    return picks.shape[0]


@kernel
def cluster_medoids(layout, clusters, limit, span, medoids, weights=None):
    """Write for each cluster the member whose distances to all members, times their weights, add up
    to least; the first of several.

    Parameters
    ----------
    layout : Layout
    clusters : (int64 (n_clusters + 1,), int64)
        `starts` and `members`: those of cluster c are ``members[starts[c]:starts[c + 1]]``.
    limit : int
        Only the first so many of them may become the medoid.
    span : (int, int)
        The first cluster, and that after the last.
    medoids : int64 (n_clusters,)
        Written.
    weights : int32 (n,), optional

    Notes
    -----
    Time: the squares of the cluster sizes, but linear in those beyond `limit`. Memory: d times the
    largest cluster.
    """
    tiles, (starts, members) = layout.tiles, clusters
    d = tiles.shape[1]
    widest = 0
    for c in range(span[0], span[1]):
        widest = max(widest, starts[c + 1] - starts[c])
    # The members of a cluster, strewn over the tiles, are brought side by side once, and then meet
    # each candidate with contiguous loads. What stands beyond the last one is never added up.
    lanes = np.zeros((d, widest + LANES), tiles.dtype)
    squares = np.empty(widest + LANES, tiles.dtype)
    for c in range(span[0], span[1]):
        size = starts[c + 1] - starts[c]
        width = (size + LANES - 1) // LANES * LANES
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
                    x0, x1 = lanes[k, i] - c0, lanes[k + 1, i] - c1
                    x2, x3 = lanes[k + 2, i] - c2, lanes[k + 3, i] - c3
                    squares[i] += (x0 * x0 + x1 * x1) + (x2 * x2 + x3 * x3)
            total = 0.0
            for i in range(size):
                total += weight_of(weights, members[starts[c] + i]) * np.sqrt(squares[i])
            if total < least:
                least = total
                medoids[c] = members[starts[c] + a]
