"""A class of dense rows, laid out for selection."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels import dense, in_cells, reverse_greedy
from craig_cli.kernels import gains as gain_kernels
from craig_cli.kernels.distances import fill_all
from craig_cli.kernels.lists import State
from craig_cli.kernels.squares import WIDE, write_limits
from craig_cli.kernels.tiles import TILE, Layout
from craig_cli.selection.base_group import Group, GroupKernels
from craig_cli.selection.fixed_point import FixedPoint
from craig_cli.selection.row_weights import RowWeights
from craig_cli.selection.tiles import compact_ranges, make_layout, side_by_side
from craig_cli.threads import Workers, ranges

CANDIDATES_A_TASK = 256
TILES_A_TASK = 2048
TILES_NEAR = 32
TILES_A_SWEEP = 8
TILES_ABSORBED = 64
ROWS_BOUNDED = 4096
ROWS_ALL_DISTANCES = 7168
"""Of groups of at most so many rows all distances are kept: 4 bytes a pair (float64: 8), 206 MB."""
PAIRS_TOGETHER = 1 << 26
"""Groups that are held together keep their distances if these are no more in all."""
COLUMNS_BESIDE = 16
"""Columns of the distances that stand for no row; `distances.fill_all` says what for."""
FIRST_PICKS = 8 * TILE
"""Of many picks so many meet all tiles; then as many as there have been, those within reach of some
tiles side by side: each tile meets those that are near.
"""


class DenseGroup(Group):
    """Dense rows in tiles.

    Parameters
    ----------
    rank : ndarray of int64, shape (n_rows,)
        The row of the class at each position.
    tiles : ndarray of float32 or float64, shape (n_tiles, d, TILE)
        The coordinates in fixed point, as `tile_rows` gives them.
    fixed_point : FixedPoint
        Of the class.
    workers : Workers
    weights : RowWeights, optional
        Of the rows of the class, in its order; default: all 1.

    Notes
    -----
    Memory: 4 d n for the tiles (float64: twice as much; and as much again while they are made), and
    8 n for distances and clusters.
    """

    layout: Layout
    kernels = GroupKernels(dense.neighbours, dense.take_picks, in_cells.cluster_medoids)

    def __init__(
        self,
        rank: NDArray[np.int64],
        tiles: NDArray[np.floating],
        fixed_point: FixedPoint,
        workers: Workers,
        weights: RowWeights | None = None,
    ) -> None:
        row_weights = weights or RowWeights(None, 1.0, len(rank))
        unit, auxiliary_distance = fixed_point.unit, fixed_point.auxiliary_distance
        super().__init__(rank, unit, auxiliary_distance, row_weights, workers)
        self._power = fixed_point.power
        self._tile_weights = row_weights.in_tiles(rank)
        if self._tile_weights is not None:
            self.weights = self._tile_weights.reshape(-1)[: self.n_rows]
        self.layout = make_layout(tiles, self.n_rows, fixed_point, workers)
        n_tiles = len(tiles)
        self._list_room = dense.ROWS_LISTED * n_tiles * TILE
        self.state = State(
            nearest=np.zeros((n_tiles, TILE), fixed_point.whole),
            farthest=np.zeros(n_tiles, np.int64),
            cluster=np.zeros((n_tiles, TILE), np.int32),
        )
        self.reset()

    def gains(self, candidates: NDArray[np.int64]) -> NDArray[np.int64]:
        # Candidates and tiles are cut into tasks enough for all threads, none of them long.
        n_tiles, candidate_ranges = (
            len(self.layout.tiles),
            ranges(len(candidates), CANDIDATES_A_TASK),
        )
        wanted = -(-2 * self._workers.n_threads // len(candidate_ranges))
        tasks = [
            (*own, span, np.zeros(own[1] - own[0], np.int64))
            for own in candidate_ranges
            for span in ranges(n_tiles, min(TILES_A_TASK, -(-n_tiles // wanted)))
        ]
        self._workers.map(
            lambda first, last, span, out: gain_kernels.gains(
                self.layout, self.state, candidates[first:last], span, out, self._tile_weights
            ),
            tasks,
        )
        gained = np.zeros(len(candidates), np.int64)
        for first, last, _, part in tasks:
            gained[first:last] += part
        return gained

    def all_gains(self) -> NDArray[np.int64]:
        """Return what each position would gain as the next pick, in about half the time of `gains`:
        what a pair gains either way comes of one distance. Memory 8 n a thread.
        """
        nearest, n_tiles, lock = self.state.nearest, len(self.layout.tiles), threading.Lock()
        total = np.zeros(nearest.shape, np.int64)
        limits = np.empty((1, *nearest.shape), self.layout.tiles.dtype)
        write_limits(nearest, self.layout.scale, limits[0])

        def add(first: int, last: int) -> None:
            out = np.zeros_like(total)
            span, weights = (first, last), self._tile_weights
            gain_kernels.gains_of_pairs(self.layout, self.state, limits, span, out, weights)
            with lock:
                np.add(total, out, out=total)

        step = max(1, min(TILES_A_SWEEP, n_tiles // (8 * self._workers.n_threads)))
        self._workers.map(add, ranges(n_tiles, step))
        return total.reshape(-1)[: self.n_rows]

    def all_distances(self) -> NDArray[np.integer] | None:
        """Return the distances between all positions, of at most `ROWS_ALL_DISTANCES` rows."""
        if self.n_rows > ROWS_ALL_DISTANCES or not self.may_keep_distances:
            return None
        n_tiles = len(self.layout.tiles)
        n = n_tiles * TILE
        distances = np.empty((n, n + COLUMNS_BESIDE), self.state.nearest.dtype)
        self._workers.map(
            lambda first, last: fill_all(self.layout, (first, last), distances),
            ranges(n_tiles, max(1, min(TILES_A_SWEEP, n_tiles // (8 * self._workers.n_threads)))),
        )
        return distances

    def first_gain_bounds(self) -> NDArray[np.int64]:
        """Return for each position no less than its gain as the first pick.

        Where weights differ nothing better is known than all there is.
        """
        if self.weights is not None:
            return super().first_gain_bounds()
        out = np.empty(self.n_rows, np.int64)
        self._workers.map(
            lambda first, last: gain_kernels.first_gain_bounds(self.layout, (first, last), out),
            ranges(self.n_rows, ROWS_BOUNDED),
        )
        return out

    def absorb(self, picks: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.absorb_vectors(self.vectors(picks))

    def absorb_vectors(self, vectors: NDArray[np.floating]) -> NDArray[np.int64]:
        """Return what picks gain that need not be rows of this group, made in order; their
        coordinates are (m, d).
        """
        n_tiles = len(self.layout.tiles)
        step = max(1, min(TILES_ABSORBED, -(-n_tiles // self._workers.n_threads)))
        numbers = np.arange(self._n_picks, self._n_picks + len(vectors))
        lanes = side_by_side(vectors) if len(vectors) > FIRST_PICKS else None
        gained, lock = np.zeros(len(vectors), np.int64), threading.Lock()

        def absorb(own: slice | NDArray[np.int64], span: tuple[int, int]) -> None:
            gain = np.zeros(len(numbers[own]), np.int64)
            near, weights = (vectors[own], numbers[own]), self._tile_weights
            dense.absorb(self.layout, self.state, *near, span, gain, weights)
            with lock:
                gained[own] += gain

        def absorb_all(first: int, last: int) -> None:
            span = (first, last)
            absorb(slice(0, FIRST_PICKS), span)
            if lanes is None:
                return
            found, start = np.empty(len(vectors) + 1, np.int64), FIRST_PICKS
            while start < len(vectors):
                own = (start, min(2 * start, len(vectors)))
                count = dense.reaching(self.layout, self.state, lanes, span, own, found)
                if count:
                    absorb(found[:count], span)
                start = own[1]

        self._workers.map(absorb_all, ranges(n_tiles, step))
        self._n_picks += len(vectors)
        return gained

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
        first, last = int(cell[0]), int(cell[-1]) + 1
        span = (first // TILE, -(-last // TILE))
        weights = None if self.weights is None else self.weights[first:last]
        gain = np.zeros((span[1] - span[0]) * TILE, np.int32 if weights is None else np.int64)
        extent = usual_extent(self.layout.centres[slice(*span)], self.layout.radii[slice(*span)])
        made = in_cells.greedy_in_cell(self.layout, span, extent, (picks, gained), gain, weights)
        return picks[:made], gained[:made] * (self._power * self._row_weights.unit)

    def near_picks(self, picks: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.integer]]:
        """Return the numbers and distances of the picks nearest to each position, or nearly, shape
        (n_rows, m), nearest first: more of wide rows.
        """
        is_wide = self.layout.tiles.shape[1] >= WIDE
        n_known = reverse_greedy.WIDE_K if is_wide else reverse_greedy.K
        numbers = np.argsort(picks, kind="stable").astype(np.int32)
        vectors = self.vectors(picks[numbers])
        means = means_of_blocks(vectors, reverse_greedy.BLOCK)
        block_lanes, shelf_lanes = side_by_side(means), side_by_side(means_of_blocks(means, TILE))
        near = np.empty((self.n_rows, n_known), np.int32)
        distances = np.zeros_like(self.state.nearest, shape=near.shape)
        self._workers.map(
            lambda first, last: reverse_greedy.near_picks(
                *(self.layout, block_lanes, shelf_lanes, vectors, numbers),
                *((first, last), (near, distances)),
            ),
            ranges(len(self.layout.tiles), TILES_NEAR),
        )
        return near, distances

    def vectors(self, positions: NDArray[np.int64]) -> NDArray[np.floating]:
        """Return the coordinates of some rows, shape (m, d)."""
        return np.ascontiguousarray(self.layout.tiles[positions // TILE, :, positions % TILE])


def means_of_blocks(vectors: NDArray[np.floating], size: int) -> NDArray[np.floating]:
    """Return the means of every `size` vectors (m, d) on end, and of what is left."""
    starts = np.arange(0, len(vectors), size)
    sizes = np.diff(np.append(starts, len(vectors)))[:, None].astype(vectors.dtype)
    means: NDArray[np.floating] = np.add.reduceat(vectors, starts, axis=0) / sizes
    return means


def usual_extent(centres: NDArray[np.floating], radii: NDArray[np.float64]) -> float:
    """Return a length that few distances in a cell exceed, from the balls round its tiles.

    It is what holds all of the cell, or 32 times the median radius and distance of its tiles: a row
    far from all others is soon picked in any case, and must not make the steps in which distances
    are told coarser for the rest.
    """
    squares = np.zeros((len(radii), len(radii)))
    for column in centres.T.astype(np.float64):
        squares += np.subtract.outer(column, column) ** 2
    apart = np.sqrt(squares)
    whole = 2.0 * float((apart + radii).max(axis=1).min())
    usual = 32.0 * float(np.median(apart, axis=1).min() + np.median(radii))
    return min(whole, usual) if usual > 0 else whole
