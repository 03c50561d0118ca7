"""Squared and quantised distances of vectors to the rows of a tile.

All of these add up the same squares in the same order, the columns one after the other, each
product and sum rounded once: a distance has the same bits whichever of them found it. The columns
of the largest spread come first (`fixed_point`), and a sum of squares never falls, so that a look
after a few columns often tells that a row is too far to matter.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import inlined, kernel
from craig_cli.kernels.simd import (
    add_square,
    any_within,
    larger,
    load,
    n_lanes,
    smaller,
    splat,
    splat_at,
    store,
)
from craig_cli.kernels.tiles import TILE

WIDE = 64
"""From so many columns on, four picks meet a tile at once: each row that is loaded serves four.
What one of them takes cannot spare the others then, which pays where columns are few.
"""


@inlined
def squared_distances(tiles, t, vectors, v, squares):
    """Write the squared distances of vector `v` to the rows of tile `t` into `squares` (TILE,)."""
    for i in range(TILE):
        squares[i] = 0
    # Four columns a pass: the running sums are loaded and stored once for four of them. A fold over
    # all columns of one row would be shorter, but no compiler may vectorise its sum.
    for k in range(0, tiles.shape[1], 4):
        c0, c1, c2, c3 = vectors[v, k], vectors[v, k + 1], vectors[v, k + 2], vectors[v, k + 3]
        for i in range(TILE):
            total = add_square(tiles[t, k, i], c0, squares[i])
            total = add_square(tiles[t, k + 1, i], c1, total)
            total = add_square(tiles[t, k + 2, i], c2, total)
            squares[i] = add_square(tiles[t, k + 3, i], c3, total)


@inlined
def squares_within(tiles, t, vectors, v, limits, row, squares):
    """Return whether any row of tile `t` may be within its limit of vector `v`.

    If so, `squares` holds `squared_distances`, the same bits; if not, it is unfinished. `limits` is
    (_, TILE), its row `row`.
    """
    for i in range(TILE):
        squares[i] = 0
    may_be_within = True
    k = 0
    # Sums never fall: once each is above its limit, no further column brings one back. A look after
    # every eight columns is cheap beside them, and ends most far tiles early.
    while may_be_within and k < tiles.shape[1]:
        for part in range(k, min(k + 8, tiles.shape[1]), 4):
            c0, c1 = vectors[v, part], vectors[v, part + 1]
            c2, c3 = vectors[v, part + 2], vectors[v, part + 3]
            for i in range(TILE):
                total = add_square(tiles[t, part, i], c0, squares[i])
                total = add_square(tiles[t, part + 1, i], c1, total)
                total = add_square(tiles[t, part + 2, i], c2, total)
                squares[i] = add_square(tiles[t, part + 3, i], c3, total)
        k += 8
        # Counted to the end, in int32, as wide as the squares: that runs in vectors, where a loop
        # that leaves at the first row within its limit would not.
        n_within = np.int32(0)
        for i in range(TILE):
            n_within = np.int32(n_within + np.int32(squares[i] <= limits[row, i]))
        may_be_within = n_within > 0
    return may_be_within


@inlined
def limit_of(distance, scale):
    """Return a square above which no distance rounds to less than `distance`, nor to it.

    One unit of room is for the rounding to a quantised distance. The factor is for the rounding of
    float32 (root, product, sum, and the limit itself: some 2^-24 each), which near 2^30 is more
    than a unit.
    """
    return ((distance + 1) / np.float64(scale)) ** 2 * (1 + 1e-6)


@kernel
def write_limits(nearest, scale, limits):
    """Write `limit_of` each of the distances `nearest`, (n_tiles, TILE), into `limits`."""
    for t in range(nearest.shape[0]):
        for i in range(TILE):
            limits[t, i] = limit_of(nearest[t, i], scale)


@inlined
def squares_of_four_within(tiles, t, vectors, four, limits, row, own, squares):
    """Write the squared distances of the vectors ``four[0 ... 3]`` to the rows of tile `t` into
    `squares` (4, TILE).

    A row's limit is the larger of ``limits[0, row, i]`` and `own`. Some rows side by side go the
    same way: where any of the four vectors is within the limit of any of these rows, all their
    squares are those of `squared_distances`, the same bits. Else what is written is too small, but
    above the limit, which is all that a caller may ask of such a row.
    """
    zero, least = splat(tiles.dtype.type(0)), splat(own)
    width = n_lanes(tiles)
    v0, v1, v2, v3 = four
    # Four running sums, a register of rows by four vectors, never leave the registers: with 64
    # bytes they are four of AVX-512, or eight of AVX2, which with two loads, a coordinate and two
    # limits fit its sixteen. Sums that do not wait for each other also hide how long one
    # multiplication and addition takes, and each row that is loaded serves four vectors.
    for i in range(0, TILE, width):
        a = b = c = d = zero
        limit = larger(load(limits, 0, row, i), least)
        k, stop = 0, 8
        while True:
            stop = min(stop, tiles.shape[1])
            for part in range(k, stop):
                x = load(tiles, t, part, i)
                a = add_square(x, splat_at(vectors, v0, part), a)
                b = add_square(x, splat_at(vectors, v1, part), b)
                c = add_square(x, splat_at(vectors, v2, part), c)
                d = add_square(x, splat_at(vectors, v3, part), d)
            if stop == tiles.shape[1]:
                break
            # Looks after 8, 16, 32 columns, and then every 32: rows too far are told by the first
            # ones, or soon after they are too far, and a look costs no more than a column.
            k, stop = stop, stop + min(stop, 32)
            if not any_within(smaller(smaller(a, b), smaller(c, d)), limit):
                break
        store(squares, 0, i, a)
        store(squares, 1, i, b)
        store(squares, 2, i, c)
        store(squares, 3, i, d)


@kernel
def any_below(squares, r, limits):
    """Return whether row `r` of `squares` (4, TILE) has any within its limit (1, 1, TILE)."""
    n_within = np.int32(0)
    for i in range(TILE):
        n_within = np.int32(n_within + np.int32(squares[r, i] <= limits[0, 0, i]))
    return n_within > 0


@inlined
def quantise(squares, scale, distances):
    """Write the quantised distances of `squares` (TILE,): the root, scaled and rounded."""
    half = squares.dtype.type(0.5)
    for i in range(TILE):
        distances[i] = np.sqrt(squares[i]) * scale + half


@inlined
def quantise_row(squares, r, scale, distances):
    """Write the quantised distances of row `r` of `squares` (_, TILE), as `quantise` does."""
    half = squares.dtype.type(0.5)
    for i in range(TILE):
        distances[i] = np.sqrt(squares[r, i]) * scale + half


@kernel
def gain_over(nearest, t, distances, weights=None):
    """Return the sum of max(0, nearest - distance) over the rows of tile `t`, times the weights of
    the rows, int32 (n_tiles, TILE), if there are any; int64.

    Differences are brought back to the type of the distances, since numba makes them int64: int32
    ones take half the registers.
    """
    total, whole = np.int64(0), distances.dtype.type
    for i in range(TILE):
        difference = max(whole(nearest[t, i] - distances[i]), whole(0))
        if weights is None:
            total += difference
        else:
            total += np.int64(weights[t, i]) * np.int64(difference)
    return total
