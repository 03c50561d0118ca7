"""A class of dense rows, laid out for selection."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels import dense, in_cells, reverse_greedy
from craig_cli.kernels.cells import split_rows
from craig_cli.kernels.tiles import TILE, lay_out, tile_bounds, write_limits
from craig_cli.selection.fixed_point import FixedPoint
from craig_cli.selection.neighbour_lists import CANDIDATES_A_TASK, Lists, collect_lists
from craig_cli.selection.row_weights import RowWeights
from craig_cli.threads import Workers, ranges

TILES_A_TASK = 2048
TILES_NEAR = 32
TILES_A_SWEEP = 8
ROWS_A_FILL = 128 * TILE


class Layout(NamedTuple):
    """Tiles (n_tiles, d, TILE), the centres of the balls round them, side by side, and their radii;
    the whole-number distances per unit.
    """

    tiles: NDArray[np.floating]
    centre_lanes: NDArray[np.floating]
    radii: NDArray[np.float64]
    scale: np.floating


class DenseGroup:
    """Dense rows in tiles.

    Parameters
    ----------
    rank : ndarray of int64, shape (n_rows,)
        The row of the class at each position.
    tiles : ndarray of float32 or float64, shape (n_tiles, d, TILE)
        The coordinates in the frame, as `tile_rows` gives them.
    fixed_point : Frame
        Of the class.
    workers : Workers
    weights : RowWeights, optional
        Of the rows of the class, in its order; default: all 1.

    Notes
    -----
    Memory: 4 d n for the tiles (twice as much for a wide frame; and as much again while they are
    made), and 8 n for distances and clusters.
    """

    def __init__(
        self,
        rank: NDArray[np.int64],
        tiles: NDArray[np.floating],
        fixed_point: FixedPoint,
        workers: Workers,
        weights: RowWeights | None = None,
    ) -> None:
        self.n_rows = n = len(rank)
        self._workers = workers
        self._frame = fixed_point
        real, whole = fixed_point.real, fixed_point.whole
        self._scale = real(fixed_point.scale)
        self.unit, self.auxiliary_distance, self.is_float64 = (
            fixed_point.unit,
            fixed_point.auxiliary_distance,
            fixed_point.is_float64,
        )
        self.rank, self._tiles = rank, tiles
        self._weight_unit = 1.0 if weights is None else weights.unit
        self.total_weight, self.gain_unit = (
            n if weights is None else weights.total,
            self.unit * self._weight_unit,
        )
        self._weights = None if weights is None else weights.in_tiles(rank)
        self.weights = None if self._weights is None else self._weights.reshape(-1)[:n]
        n_tiles, d, _ = self._tiles.shape
        self._centres, self._radii = np.empty((n_tiles, d), real), np.empty(n_tiles)
        self._low, self._high = np.empty((n_tiles, d), real), np.empty((n_tiles, d), real)
        workers.map(
            lambda first, last: tile_bounds(
                self._tiles, self._centres, self._radii, self._low, self._high, n, first, last
            ),
            ranges(n_tiles, 256),
        )
        self._centre_lanes = np.zeros((n_tiles // TILE + 1, d, TILE), real)
        lay_out(self._centres, self._centre_lanes)
        self._low_lanes, self._high_lanes = (
            np.zeros_like(self._centre_lanes),
            np.zeros_like(self._centre_lanes),
        )
        lay_out(self._low, self._low_lanes)
        lay_out(self._high, self._high_lanes)
        self._nearest = np.zeros((n_tiles, TILE), whole)
        self._farthest = np.zeros(n_tiles, np.int64)
        self._cluster = np.zeros((n_tiles, TILE), np.int32)
        self.reset()

    def reset(self) -> None:
        """Forget all picks: every row is at the phantom's distance."""
        self._nearest.reshape(-1)[: self.n_rows] = self.auxiliary_distance
        self._farthest[:] = self.auxiliary_distance
        self._cluster[:] = -1
        self._n_picks = 0

    def gains(self, candidates: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what each candidate would gain as the next pick; fastest for ascending ones."""
        candidate_ranges, tile_ranges = self._cut(len(candidates))
        tasks = [
            (c0, c1, t0, t1, np.zeros(c1 - c0, np.int64))
            for c0, c1 in candidate_ranges
            for t0, t1 in tile_ranges
        ]
        self._workers.map(
            lambda c0, c1, t0, t1, out: dense.gains(
                self._tiles, self._centres, self._radii, self._low, self._high, self._nearest, self._farthest, self._scale, candidates[c0:c1],
                t0, t1, out, self._weights,
            ),
            tasks,
        )  # fmt: skip
        gained = np.zeros(len(candidates), np.int64)
        for c0, c1, _, _, part in tasks:
            gained[c0:c1] += part
        return gained

    def all_gains(self) -> NDArray[np.int64]:
        """Return what each position would gain as the next pick; where weights are equal in about
        half the time of `gains`. Memory 8 n a thread.
        """
        if self._weights is not None:
            return self.gains(np.arange(self.n_rows))
        n_tiles, total, lock = (
            len(self._tiles),
            np.zeros(self._nearest.shape, np.int64),
            threading.Lock(),
        )
        limits = np.empty((1, *self._nearest.shape), self._tiles.dtype)
        write_limits(self._nearest, self._scale, limits[0])

        def add(first: int, last: int) -> None:
            out = np.zeros_like(total)
            dense.gains_of_pairs(
                self._tiles,
                self._centres,
                self._radii,
                self._low,
                self._high,
                self._nearest,
                self._farthest,
                limits,
                self._scale,
                first,
                last,
                out,
            )
            with lock:
                np.add(total, out, out=total)

        self._workers.map(
            add,
            ranges(n_tiles, max(1, min(TILES_A_SWEEP, n_tiles // (8 * self._workers.n_threads)))),
        )
        return total.reshape(-1)[: self.n_rows]

    def _cut(self, n_candidates: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return ranges of candidates and of tiles that make enough tasks for all threads, none of
        them long.
        """
        candidate_ranges = ranges(n_candidates, CANDIDATES_A_TASK)
        wanted = -(-2 * self._workers.n_threads // len(candidate_ranges))
        return candidate_ranges, ranges(
            len(self._tiles), min(TILES_A_TASK, -(-len(self._tiles) // wanted))
        )

    def first_gain_bounds(self) -> NDArray[np.int64]:
        """Return for each position no less than its gain as the first pick; where weights differ
        nothing better is known than all there is.
        """
        if self._weights is not None:
            return np.full(self.n_rows, self.total_weight * self.auxiliary_distance, np.int64)
        out = np.empty(self.n_rows, np.int64)
        self._workers.map(
            lambda first, last: dense.first_gain_bounds(
                self._tiles,
                self._centre_lanes,
                self.auxiliary_distance,
                float(self._scale),
                self.n_rows,
                first,
                last,
                out,
            ),
            ranges(self.n_rows, 4096),
        )
        return out

    def absorb(self, picks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Make picks, in order: each takes the rows nearer to it than to any earlier one. Return
        what each gained.
        """
        return self.absorb_vectors(self.vectors(picks))

    def absorb_vectors(self, vectors: NDArray[np.floating]) -> NDArray[np.int64]:
        """Make picks that need not be rows of this group, given by their coordinates (m, d), in
        order. Return what each gained.
        """
        tile_ranges = ranges(
            len(self._tiles), max(1, min(64, -(-len(self._tiles) // self._workers.n_threads)))
        )
        tasks = [(first, last, np.zeros(len(vectors), np.int64)) for first, last in tile_ranges]
        self._workers.map(
            lambda first, last, gain: dense.absorb(
                self._tiles, self._low, self._high, self._nearest, self._farthest, self._cluster, self._scale, vectors, self._n_picks,
                first, last, gain, self._weights,
            ),
            tasks,
        )  # fmt: skip
        self._n_picks += len(vectors)
        gained: NDArray[np.int64] = np.sum([task[2] for task in tasks], axis=0, dtype=np.int64)
        return gained

    def neighbours(self, positions: NDArray[np.int64], capacity: int) -> Lists | None:
        """Return the lists of some positions; None if they would hold more than `capacity` pairs."""

        def list_some(
            first: int, last: int, starts: NDArray, columns: NDArray, distances: NDArray
        ) -> int:
            return int(
                dense.neighbours(
                    self._tiles,
                    self._centre_lanes,
                    self._radii,
                    self._nearest,
                    self._scale,
                    self.n_rows,
                    positions,
                    first,
                    last,
                    starts,
                    columns,
                    distances,
                )
            )

        return collect_lists(
            list_some,
            len(positions),
            4 * len(self._tiles) * TILE,
            capacity,
            self._nearest.dtype,
            self._workers,
        )

    def take_picks(
        self, lists: Lists, gain: NDArray[np.int64], choices: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Make a pick a row of `choices` (no columns: of all rows), gains kept up to date by the
        lists; return them, and what each gained.
        """
        picks, gained = np.empty(len(choices), np.int64), np.empty(len(choices), np.int64)
        made = dense.take_picks(
            self._tiles, self._centre_lanes, self._radii, self._low_lanes, self._high_lanes, self._nearest, self._farthest, self._scale, *lists, gain,
            self.rank, choices, picks, gained, self.weights,
        )  # fmt: skip
        return picks[:made], gained[:made]

    def cut(self, cell_size: int) -> list[NDArray[np.int64]]:
        """Return the positions of each of some compact cells of at most `cell_size` rows (but at
        least a tile).
        """
        return [np.arange(first, last) for first, last in compact_ranges(self.n_rows, cell_size)]

    def greedy_in_cell(
        self, cell: NDArray[np.int64] | range, n_picks: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return up to `n_picks` greedy picks among the rows of a cell, and what each gained."""
        picks, gained = np.empty(n_picks, np.int64), np.empty(n_picks)
        first, last = cell[0] // TILE, cell[-1] // TILE + 1
        gain = np.zeros((last - first) * TILE, np.int32 if self._weights is None else np.int64)
        made = in_cells.greedy_in_cell(
            self._tiles,
            self._centres,
            self._radii,
            first,
            last,
            self.n_rows,
            picks,
            gained,
            gain,
            self._weights,
        )
        return picks[:made], gained[:made] * (self._frame.power * self._weight_unit)

    def near_picks(self, picks: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.integer]]:
        """Return the numbers and distances of the picks nearest to each position, or nearly, shape
        (n_rows, K), nearest first.
        """
        numbers = np.argsort(picks, kind="stable").astype(np.int32)
        vectors = self.vectors(picks[numbers])
        starts = np.arange(0, len(picks), reverse_greedy.BLOCK)
        blocks = np.add.reduceat(vectors, starts, axis=0) / np.diff(np.append(starts, len(picks)))[
            :, None
        ].astype(vectors.dtype)
        block_lanes = np.zeros((len(blocks) // TILE + 1, blocks.shape[1], TILE), vectors.dtype)
        lay_out(blocks, block_lanes)
        near = np.empty((self.n_rows, reverse_greedy.K), np.int32)
        distances = np.zeros_like(self._nearest, shape=near.shape)
        self._workers.map(
            lambda first, last: reverse_greedy.near_picks(
                self._tiles,
                self._centres,
                block_lanes,
                vectors,
                numbers,
                self._scale,
                self.n_rows,
                first,
                last,
                near,
                distances,
            ),
            ranges(len(self._tiles), TILES_NEAR),
        )
        return near, distances

    def medoids(
        self, starts: NDArray[np.int64], members: NDArray[np.int64], limit: int
    ) -> NDArray[np.int64]:
        """Return the medoid of each cluster: cluster c's members are ``members[starts[c]:starts[c +
        1]]``, the first `limit` of them eligible.
        """
        medoids = np.empty(len(starts) - 1, np.int64)
        self._workers.map(
            lambda first, last: in_cells.cluster_medoids(
                self._tiles, starts, members, limit, first, last, medoids, self._weights
            ),
            ranges(len(medoids), max(1, len(medoids) // (16 * self._workers.n_threads))),
        )
        return medoids

    def layout(self) -> Layout:
        """Return the tiles and the balls round them."""
        return Layout(self._tiles, self._centre_lanes, self._radii, self._scale)

    def vectors(self, positions: NDArray[np.int64]) -> NDArray[np.floating]:
        """Return the coordinates of some rows, shape (m, d)."""
        return np.ascontiguousarray(self._tiles[positions // TILE, :, positions % TILE])

    def nearest(self) -> NDArray[np.integer]:
        """Return each position's distance to its nearest pick."""
        return self._nearest.reshape(-1)[: self.n_rows]

    def cluster(self) -> NDArray[np.int32]:
        """Return each position's nearest pick, as the number of the pick among those absorbed."""
        return self._cluster.reshape(-1)[: self.n_rows]


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
    points: NDArray[np.floating], workers: Workers
) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
    """Return the rows at each position and the tiles, shape (n_tiles, d padded to a multiple of 4,
    TILE).
    """
    rank, tiles = tile_order(points, workers), empty_tiles(points.shape, points.dtype)
    for first, last in ranges(len(points), ROWS_A_FILL):
        fill_tiles(tiles, first, points[rank[first:last]])
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
    order = np.arange(len(points))
    parts = [(0, len(bounds) - 1)]  # (first cell, number of cells)

    def split(own: NDArray[np.int64]) -> None:
        split_rows(points, order[own[0] : own[-1]], own)

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
