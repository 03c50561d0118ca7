"""Dense rows in tiles, as the kernels of a selection take them.

A class of n rows is cut into compact tiles of `TILE` rows (`cells.split_rows`); ``tiles[t, k, i]``
is coordinate k of row i of tile t, so that one candidate meets `TILE` rows at a time with every
load contiguous. The number of coordinates is padded with zeros to a multiple of four, the last tile
with rows whose ``nearest`` is 0, which no candidate can improve.

Distances are quantised: ``floor(||x - y|| * scale + 1/2)``. Sums of whole numbers do not depend on
the order of addition, so gains are the same bytes for any number of threads and any order of rows,
equal candidates tie exactly, and gains kept up to date by subtraction never drift. (float32, int32)
is the usual pair of types; (float64, int64) serves data that float32 cannot resolve.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels import kernel

TILE = 128
"""Rows of a tile: with some dozens of coordinates it stays in the first cache while candidates pass
over it, and what one look at its ball or box costs is small beside its rows.
"""


class Layout(NamedTuple):
    """The rows of a group in tiles, and what bounds the distances to them.

    One tuple for all kernels: each takes what it needs out of it once, before its loops. Within
    them whole arrays and positions are passed, not slices: numba counts the references to each
    slice atomically, which is slow.

    Parameters
    ----------
    tiles : float (n_tiles, d, TILE)
    centres, radii : float (n_tiles, d), float64 (n_tiles,)
        A ball round each tile.
    low, high : float (n_tiles, d)
        A box round each tile.
    centre_lanes, low_lanes, high_lanes : float (n_tiles // TILE + 1, d, TILE)
        The same centres and boxes, `TILE` of them side by side, as `lay_out` puts them.
    scale : float
        Quantised distances per unit of the coordinates.
    auxiliary_distance : int
        A quantised distance above any in the class.
    n_rows : int
    """

    tiles: NDArray[np.floating]
    centres: NDArray[np.floating]
    radii: NDArray[np.float64]
    low: NDArray[np.floating]
    high: NDArray[np.floating]
    centre_lanes: NDArray[np.floating]
    low_lanes: NDArray[np.floating]
    high_lanes: NDArray[np.floating]
    scale: np.floating
    auxiliary_distance: int
    n_rows: int


@kernel
def copy_row(tiles, row, vectors, v):
    """Copy one row out of the tiles."""
    for k in range(tiles.shape[1]):
        vectors[v, k] = tiles[row // TILE, k, row % TILE]


@kernel
def lay_out(vectors, lanes):
    """Copy vectors (m, d) into `lanes` (m / TILE rounded up, d, TILE), side by side as in tiles."""
    for v in range(vectors.shape[0]):
        for k in range(vectors.shape[1]):
            lanes[v // TILE, k, v % TILE] = vectors[v, k]


@kernel
def fill_bounds(layout, first_tile, last_tile):
    """Fill in a ball round the rows of each tile, and a box.

    The ball is their mean and the largest distance from it, the box their extremes.
    """
    tiles, centres, radii, low, high = layout[:5]
    squares = np.empty(TILE)
    for t in range(first_tile, last_tile):
        n_in_tile = min(TILE, layout.n_rows - t * TILE)
        for i in range(TILE):
            squares[i] = 0.0
        for k in range(tiles.shape[1]):
            total, least, most = 0.0, tiles[t, k, 0], tiles[t, k, 0]
            for i in range(n_in_tile):
                value = tiles[t, k, i]
                total += value
                least, most = min(least, value), max(most, value)
            low[t, k], high[t, k], centres[t, k] = least, most, total / n_in_tile
            # The radius is measured from the mean as it was rounded to the type of the coordinates,
            # and in float64: the ball holds every row whatever that rounding did. All rows of the
            # tile go on by a column, those after the last too, as a vector does.
            centre = np.float64(centres[t, k])
            for i in range(TILE):
                difference = np.float64(tiles[t, k, i]) - centre
                squares[i] += difference * difference
        largest = 0.0
        for i in range(n_in_tile):
            largest = max(largest, squares[i])
        radii[t] = np.sqrt(largest) * (1 + 1e-9)


@kernel
def pair_distances(points, outer, others, number, out):
    """Write the float64 distance of each row of `points` (m, d), divided by `outer`, to row
    ``number[p]`` of `others` into ``out[p]``.
    """
    for p in range(out.shape[0]):
        total = 0.0
        for k in range(points.shape[1]):
            difference = points[p, k] / outer - others[number[p], k]
            total += difference * difference
        out[p] = np.sqrt(total)
