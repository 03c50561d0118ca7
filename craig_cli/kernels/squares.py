"""Squared and quantised distances of vectors to the rows of a tile.

All of these add up the same squares in the same order, the columns one after the other, each
product and sum rounded once: a distance has the same bits whichever of them found it. The columns
of the largest spread come first (`fixed_point`), and a sum of squares never falls, so that a look
after a few columns often tells that a row is too far to matter.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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

FIRST_COLUMNS = 8
"""Columns after which a sum of squares is first held against its limit."""


class Box(NamedTuple):
    """The boxes round tiles, and those columns of one of them in which its rows differ from each
    other or from some vectors.
    """

    low: NDArray[np.floating]
    high: NDArray[np.floating]
    marks: NDArray[np.uint8]
    numbers: NDArray[np.int64]
    is_any_constant: bool


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
def squares_of_four_within(tiles, t, vectors, four, limits, row, own, squares, box=None):
    """Write the squared distances of the vectors ``four[0 ... 3]`` to the rows of tile `t` into
    `squares` (4, TILE).

    A row's limit is the larger of ``limits[0, row, i]`` and `own`. Some rows side by side go the
    same way: where any of the four vectors is within the limit of any of these rows, all their
    squares are those of `squared_distances`, the same bits. Else what is written is too small, but
    above the limit, which is all that a caller may ask of such a row. Returned is whether any may
    be within its limit.

    With a `box`, the `columns_in` tile `t`, columns in which all its rows and the four vectors are
    equal are passed over: categories, pixels of a margin, padding.
    """
    zero, least = splat(tiles.dtype.type(0)), splat(own)
    width = n_lanes(tiles)
    v0, v1, v2, v3 = four
    n_columns, is_known, is_any_within = tiles.shape[1], True, False
    if box is not None and box.is_any_constant:
        n_columns, is_known = min(FIRST_COLUMNS, n_columns), False
    # Four running sums, a register of rows by four vectors, never leave the registers: with 64
    # bytes they are four of AVX-512, or eight of AVX2, which with two loads, a coordinate and two
    # limits fit its sixteen. Sums that do not wait for each other also hide how long one
    # multiplication and addition takes, and each row that is loaded serves four vectors.
    for i in range(0, TILE, width):
        a = b = c = d = zero
        limit = larger(load(limits, 0, row, i), least)
        k, stop = 0, FIRST_COLUMNS
        while True:
            stop = min(stop, n_columns)
            for part in range(k, stop):
                column = part if box is None else box.numbers[part]
                x = load(tiles, t, column, i)
                a = add_square(x, splat_at(vectors, v0, column), a)
                b = add_square(x, splat_at(vectors, v1, column), b)
                c = add_square(x, splat_at(vectors, v2, column), c)
                d = add_square(x, splat_at(vectors, v3, column), d)
            # Looks after 8, 16, 32 columns, and then every 32: rows too far are told by the first
            # ones, or soon after they are too far, and a look costs no more than a column.
            if not any_within(smaller(smaller(a, b), smaller(c, d)), limit):
                break
            if is_known and stop == n_columns:
                is_any_within = True
                break
            k, stop = stop, stop + min(stop, 32)
            if box is not None and not is_known:
                n_columns, is_known = columns_apart(box, t, vectors, four), True
        store(squares, 0, i, a)
        store(squares, 1, i, b)
        store(squares, 2, i, c)
        store(squares, 3, i, d)
    return is_any_within


@inlined
def squares_of_wide_within(tiles, t, vectors, four, limits, row, own, squares, box):
    """As `squares_of_four_within`: where no column is constant none is looked up by its number,
    which takes wide rows a twentieth longer.
    """
    if box.is_any_constant:
        squares_of_four_within(tiles, t, vectors, four, limits, row, own, squares, box)
    else:
        squares_of_four_within(tiles, t, vectors, four, limits, row, own, squares)


@kernel
def room_for_columns(d):
    """Return room for marks and numbers of columns, as `columns_in` takes it."""
    return np.empty(d, np.uint8), np.empty(d, np.int64)


@kernel
def columns_in(layout, t, room):
    """Return what tells the columns in which the rows of tile `t` and some vectors are not equal;
    for one tile at a time, since they share the room.
    """
    low, high, (marks, numbers) = layout.low, layout.high, room
    is_any_constant = False
    for k in range(numbers.shape[0]):
        is_any_constant |= low[t, k] == high[t, k]
        numbers[k] = k
    return Box(low, high, marks, numbers, is_any_constant)


@kernel
def columns_apart(box, t, vectors, four):
    """Write the columns, but for the first, in which not all rows of tile `t` equal the vectors
    ``four[0 ... 3]`` behind the first ones; return how many there are with these.

    In any other column each difference is 0, which leaves a sum of squares as it is, bit for bit.
    """
    mark_apart(box.low, box.high, t, vectors, four, box.marks)
    return number_marked(box.marks, FIRST_COLUMNS, box.numbers)


@kernel
def mark_apart(low, high, t, vectors, four, marks):
    """Mark each column with 1 in which not all rows of tile `t` equal four vectors, else with 0."""
    v0, v1, v2, v3 = four
    mark = np.uint8
    for k in range(low.shape[1]):
        value = low[t, k]
        marks[k] = (
            mark(high[t, k] != value)
            | mark(vectors[v0, k] != value)
            | mark(vectors[v1, k] != value)
            | mark(vectors[v2, k] != value)
            | mark(vectors[v3, k] != value)
        )


@kernel
def number_marked(marks, first, numbers):
    """Write the numbers of those marked from `first` on there; return the place after the last."""
    place = min(first, marks.shape[0])
    for k in range(place, marks.shape[0]):
        # Written always, counted if marked: no branch to guess wrong.
        numbers[place] = k
        place += np.int64(marks[k])
    return place


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
