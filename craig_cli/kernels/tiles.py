"""Dense rows in tiles, and their distances.

A class of n rows is cut into compact tiles of `TILE` rows (`cells.split_rows`); ``tiles[t, k, i]``
is coordinate k of row i of tile t, so that one candidate meets `TILE` rows at a time with every
load contiguous. The number of coordinates is padded with zeros to a multiple of four, the last tile
with rows whose ``nearest`` is 0, which no candidate can improve.

Distances are whole numbers: ``floor(||x - y|| * scale + 1/2)``. Sums of whole numbers do not depend
on the order of addition, so gains are the same bytes for any number of threads and any order of
rows, equal candidates tie exactly, and gains kept up to date by subtraction never drift. (float32,
int32) is the usual pair of types; (float64, int64) serves data that float32 cannot resolve.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numba.extending import intrinsic

from craig_cli.kernels import inlined, kernel
from craig_cli.kernels.simd import (
    add_square,
    any_within,
    larger,
    load,
    n_lanes,
    smaller,
    splat,
    store,
)

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

    Here and below whole arrays and positions are passed, not slices: numba counts the references to
    each slice atomically, which is slow.
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
    """Write `squared_distances`, the same bits, unless every one exceeds its limit: return whether
    any may not (else `squares` is unfinished).

    Looks after every eight coordinates; the widest columns come first, so that most far rows are
    told by a few. `limits` is (_, TILE), its row `row`.
    """
    for i in range(TILE):
        squares[i] = 0
    any_within = True
    k = 0
    while any_within and k < tiles.shape[1]:
        for part in range(k, min(k + 8, tiles.shape[1]), 4):
            c0, c1, c2, c3 = (
                vectors[v, part],
                vectors[v, part + 1],
                vectors[v, part + 2],
                vectors[v, part + 3],
            )
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


@kernel
def write_limits(nearest, scale, limits):
    """Write `limit_of` each distance; `limits` is a float array of the shape of `nearest`,
    (n_tiles, TILE).
    """
    for t in range(nearest.shape[0]):
        for i in range(TILE):
            limits[t, i] = limit_of(nearest[t, i], scale)


@inlined
def squared_distances_of_two(tiles, t, vectors, a, b, squares_a, squares_b):
    """`squared_distances` of two vectors at once, the same bits: each row is loaded once for both,
    1.3 times faster.
    """
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
def squares_of_four_within(tiles, t, vectors, four, limits, row, own, squares):
    """Write the squared distances of the vectors ``four[0 ... 3]`` to the rows of tile `t` into
    `squares` (4, TILE).

    The same bits as `squared_distances` where any of the four, or of some rows beside, is within
    its limit: else what is written is too small, but above the limit. A row's limit is the larger
    of ``limits[0, row, i]`` and `own`. Sums stay in registers, which makes it 1.5 times faster than
    `squared_distances_of_two`.
    """
    zero, least = splat(tiles.dtype.type(0)), splat(own)
    width = n_lanes(tiles)
    v0, v1, v2, v3 = four
    for i in range(0, TILE, 2 * width):
        a0 = a1 = b0 = b1 = c0 = c1 = d0 = d1 = zero
        limit0, limit1 = (
            larger(load(limits, 0, row, i), least),
            larger(load(limits, 0, row, i + width), least),
        )
        k, stop = 0, 8
        while True:
            stop = min(stop, tiles.shape[1])
            for part in range(k, stop):
                x, y = load(tiles, t, part, i), load(tiles, t, part, i + width)
                value = splat(vectors[v0, part])
                a0, a1 = add_square(x, value, a0), add_square(y, value, a1)
                value = splat(vectors[v1, part])
                b0, b1 = add_square(x, value, b0), add_square(y, value, b1)
                value = splat(vectors[v2, part])
                c0, c1 = add_square(x, value, c0), add_square(y, value, c1)
                value = splat(vectors[v3, part])
                d0, d1 = add_square(x, value, d0), add_square(y, value, d1)
            if stop == tiles.shape[1]:
                break
            k, stop = stop, 2 * stop
            least0, least1 = (
                smaller(smaller(a0, b0), smaller(c0, d0)),
                smaller(smaller(a1, b1), smaller(c1, d1)),
            )
            if not (any_within(least0, limit0) or any_within(least1, limit1)):
                break
        store(squares, 0, i, a0)
        store(squares, 0, i + width, a1)
        store(squares, 1, i, b0)
        store(squares, 1, i + width, b1)
        store(squares, 2, i, c0)
        store(squares, 2, i + width, c1)
        store(squares, 3, i, d0)
        store(squares, 3, i + width, d1)


@inlined
def quantise_row(squares, r, scale, distances):
    """`quantise` for row `r` of `squares` (_, TILE)."""
    half = squares.dtype.type(0.5)
    for i in range(TILE):
        distances[i] = np.sqrt(squares[r, i]) * scale + half


@inlined
def quantise(squares, scale, distances):
    """Write the whole-number distances of `squares` (TILE,) into `distances`: the square root,
    scaled and rounded.
    """
    half = squares.dtype.type(0.5)
    for i in range(TILE):
        distances[i] = np.sqrt(squares[i]) * scale + half


@inlined
def positive_differences(nearest, t, distances):
    """Return the sum of max(0, nearest - distances) over the rows of tile `t`, as int64;
    differences as narrow as they can be, for speed.
    """
    total, whole = np.int64(0), distances.dtype.type
    for i in range(TILE):
        total += max(whole(nearest[t, i] - distances[i]), whole(0))
    return total


@inlined
def weighted_differences(nearest, t, distances, weights):
    """Return the sum of weight times max(0, nearest - distance) over the rows of tile `t`, as
    int64; `weights` is int32 (n_tiles, TILE).
    """
    total, whole = np.int64(0), distances.dtype.type
    for i in range(TILE):
        total += np.int64(weights[t, i]) * np.int64(
            max(whole(nearest[t, i] - distances[i]), whole(0))
        )
    return total


@inlined
def is_out_of_reach(square, radius, d, scale, farthest):
    """Return whether no row of a tile can be nearer to a vector than to its pick, by the triangle
    inequality.

    `square` is the squared distance of the vector to the tile's centre, `farthest` the largest
    ``nearest`` of the tile. The margin covers the rounding of d additions in each of the distances
    involved.
    """
    distance = np.float64(np.sqrt(square))
    margin = (d + 16) * 1.2e-7 * (distance + radius)
    return (distance - radius - margin) * np.float64(scale) - 2.0 >= farthest


@inlined
def are_apart(centres, radii, low, high, s, t, scale, farthest):
    """Return whether no row of tile `s` is nearer to one of tile `t` than `farthest`, as their
    balls or their boxes tell.
    """
    d = centres.shape[1]
    between, gap = centres.dtype.type(0), centres.dtype.type(0)
    for k in range(d):
        x = centres[s, k] - centres[t, k]
        between += x * x
        x = max(max(low[s, k] - high[t, k], low[t, k] - high[s, k]), centres.dtype.type(0))
        gap += x * x
    return is_out_of_reach(gap, 0.0, d, scale, farthest) or is_out_of_reach(
        between, radii[s] + radii[t], d, scale, farthest
    )


@inlined
def box_squares(lanes, u, low, high, t, n_columns, squares):
    """Write the squared distances of TILE vectors to the smallest box round the rows of tile `t`,
    in the first, the widest, columns.

    They bound the distances to any of its rows, and more strongly than a ball does where columns
    are constant within a tile, as the columns of a category are.
    """
    for i in range(TILE):
        squares[i] = 0
    for k in range(n_columns):
        least, most = low[t, k], high[t, k]
        for i in range(TILE):
            x = max(max(least - lanes[u, k, i], lanes[u, k, i] - most), lanes.dtype.type(0))
            squares[i] = fma(x, x, squares[i])


@inlined
def squares_to_boxes(low_lanes, high_lanes, u, vectors, v, squares):
    """Write the squared distances of vector `v` to TILE boxes: `box_squares` the other way round."""
    for i in range(TILE):
        squares[i] = 0
    for k in range(low_lanes.shape[1]):
        value = vectors[v, k]
        for i in range(TILE):
            x = max(
                max(low_lanes[u, k, i] - value, value - high_lanes[u, k, i]),
                low_lanes.dtype.type(0),
            )
            squares[i] = fma(x, x, squares[i])


@kernel
def copy_row(tiles, row, vectors, v):
    """Copy one row out of the tiles."""
    for k in range(tiles.shape[1]):
        vectors[v, k] = tiles[row // TILE, k, row % TILE]


@kernel
def lay_out(vectors, lanes):
    """Copy vectors (m, d) into `lanes` (m / TILE rounded up, d, TILE), so that one of another kind
    meets TILE of them at a time.
    """
    for v in range(vectors.shape[0]):
        for k in range(vectors.shape[1]):
            lanes[v // TILE, k, v % TILE] = vectors[v, k]


@kernel
def tile_bounds(tiles, centres, radii, low, high, n_rows, first_tile, last_tile):
    """Fill in a ball round the rows of each tile, their mean and the largest distance from it, and
    a box, their extremes.
    """
    for t in range(first_tile, last_tile):
        n_in_tile = min(TILE, n_rows - t * TILE)
        for k in range(tiles.shape[1]):
            total = 0.0
            low[t, k] = high[t, k] = tiles[t, k, 0]
            for i in range(n_in_tile):
                total += tiles[t, k, i]
                low[t, k] = min(low[t, k], tiles[t, k, i])
                high[t, k] = max(high[t, k], tiles[t, k, i])
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
def pair_distances(points, others, number, out):
    """Write the float64 distance of each row of `points` (m, d) to row ``number[p]`` of `others`
    into ``out[p]``.
    """
    for p in range(out.shape[0]):
        total = 0.0
        for k in range(points.shape[1]):
            difference = points[p, k] - others[number[p], k]
            total += difference * difference
        out[p] = np.sqrt(total)
