"""Rows cut into compact tiles: the order that they come in, the tiles themselves, and the balls and
boxes round them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels.cells import split_rows
from craig_cli.kernels.tiles import TILE, Layout, fill_bounds, lay_out
from craig_cli.selection.fixed_point import FixedPoint
from craig_cli.threads import Workers, ranges

ROWS_A_TASK = 1024
TILES_A_FILL = 8
TILES_A_BOUND = 8


def compact_ranges(n_rows: int, cell_size: int) -> list[tuple[int, int]]:
    """Return the first position, and that after the last, of each of the cells that tiled rows are
    cut into, by halves.
    """
    cells, parts = [], [(0, -(-n_rows // TILE))]
    while parts:
        first, count = parts.pop()
        if count * TILE <= max(cell_size, TILE):
            cells.append((first * TILE, min((first + count) * TILE, n_rows)))
        else:
            parts += [(first + count // 2, count - count // 2), (first, count // 2)]
    return cells


def tile_rows(
    points: NDArray[np.floating], fixed_point: FixedPoint, workers: Workers
) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
    """Return the row at each position and the tiles, shape (n_tiles, d padded to a multiple of 4,
    TILE), of points (n, d).

    Coordinates are made twice, for the order and then for the tiles: held are those of all rows
    once, never both.
    """

    def order() -> NDArray[np.int64]:
        coordinates = np.empty(points.shape, fixed_point.real)

        def write(start: int, stop: int) -> None:
            fixed_point.write_coordinates(points[start:stop], coordinates[start:stop])

        workers.map(write, ranges(len(points), ROWS_A_TASK))
        return tile_order(coordinates, workers)

    rank, tiles = order(), empty_tiles(points.shape, np.dtype(fixed_point.real))

    def fill(first: int, last: int) -> None:
        own = rank[first * TILE : last * TILE]
        fill_tiles(tiles, first * TILE, fixed_point.coordinates(points[own]))

    workers.map(fill, ranges(len(tiles), TILES_A_FILL))
    return rank, tiles


def tile_order(points: NDArray[np.floating], workers: Workers) -> NDArray[np.int64]:
    """Return the rows in an order in which every `TILE` of them are near each other."""
    n = len(points)
    return compact_order(points, np.minimum(np.arange(-(-n // TILE) + 1) * TILE, n), workers)


def compact_order(
    points: NDArray[np.floating], bounds: NDArray[np.int64], workers: Workers
) -> NDArray[np.int64]:
    """Return the rows cell by cell, those of cell c from ``bounds[c]`` to ``bounds[c + 1]``:
    halved, and halved again, each half on its own.

    Time n d log2(n_cells) / threads.
    """
    points, order = np.ascontiguousarray(points), np.arange(len(points))
    parts = [(0, len(bounds) - 1)]  # (first cell, number of cells)

    def split(own: NDArray[np.int64]) -> None:
        split_rows(points, order[own[0] : own[-1]], own)

    # Split in two, as `split_rows` would go on to do, until there are halves enough for all threads
    # to go on with alone: the cuts are the same for any number of threads.
    while len(parts) < 4 * workers.n_threads and min(count for _, count in parts) > 1:
        workers.map(
            split, [(bounds[[first, first + count // 2, first + count]],) for first, count in parts]
        )
        parts = [
            half
            for first, count in parts
            for half in ((first, count // 2), (first + count // 2, count - count // 2))
        ]
    workers.map(split, [(bounds[first : first + count + 1],) for first, count in parts])
    return order


def empty_tiles(shape: tuple[int, ...], dtype: np.dtype) -> NDArray[np.floating]:
    """Return tiles of zeros for rows and columns of this number."""
    return np.zeros((-(-shape[0] // TILE), -(-shape[1] // 4) * 4, TILE), dtype)


def fill_tiles(tiles: NDArray[np.floating], first: int, points: NDArray[np.floating]) -> None:
    """Copy rows into the tiles from position `first`, a multiple of `TILE`, on."""
    n, d = points.shape
    t, whole = first // TILE, n // TILE
    tiles[t : t + whole, :d] = points[: whole * TILE].reshape(whole, TILE, d).transpose(0, 2, 1)
    if n > whole * TILE:
        tiles[t + whole, :d, : n - whole * TILE] = points[whole * TILE :].T


def side_by_side(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return vectors (m, d) in lanes of `TILE`, shape (m // TILE + 1, d, TILE)."""
    lanes = np.zeros((len(vectors) // TILE + 1, vectors.shape[1], TILE), vectors.dtype)
    lay_out(vectors, lanes)
    return lanes


def make_layout(
    tiles: NDArray[np.floating], n_rows: int, fixed_point: FixedPoint, workers: Workers
) -> Layout:
    """Return tiles with the balls and boxes round them. Memory: 6 d numbers a tile."""
    n_tiles, d, _ = tiles.shape
    centres, low, high = (np.empty((n_tiles, d), tiles.dtype) for _ in range(3))
    none = np.empty((0, d, TILE), tiles.dtype)
    layout = Layout(
        *(tiles, centres, np.empty(n_tiles), low, high, none, none, none),
        scale=fixed_point.real(fixed_point.scale),
        auxiliary_distance=fixed_point.auxiliary_distance,
        n_rows=n_rows,
    )
    workers.map(
        lambda first, last: fill_bounds(layout, first, last), ranges(n_tiles, TILES_A_BOUND)
    )
    return layout._replace(
        centre_lanes=side_by_side(centres),
        low_lanes=side_by_side(low),
        high_lanes=side_by_side(high),
    )
