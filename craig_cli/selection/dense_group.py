"""A class of dense rows, laid out for selection."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels import dense
from craig_cli.kernels.cells import split_rows
from craig_cli.kernels.dense import TILE
from craig_cli.selection.frames import Frame
from craig_cli.selection.history import History
from craig_cli.selection.near_lists import CANDIDATES_A_TASK, Lists, collect_lists
from craig_cli.selection.threads import Workers, ranges

TILES_A_TASK = 2048


class DenseGroup:
    """Dense rows in tiles.

    Parameters
    ----------
    points : ndarray of float, shape (n_rows, d)
    frame : Frame
        Of the class.
    workers : Workers

    Notes
    -----
    Memory: 8 d n while the tiles are made, then 4 d n (twice as much for a wide frame), and 8 n for distances and clusters.
    """

    def __init__(self, points: NDArray[np.floating], frame: Frame, workers: Workers) -> None:
        self.n_rows = n = len(points)
        self._workers = workers
        self._frame = frame
        real, whole = frame.real, frame.whole
        self._scale = real(frame.scale)
        self.unit, self.phantom, self.is_wide = frame.unit, frame.phantom, frame.wide
        self.rank, self._tiles = tile_rows(frame.coordinates(points))
        n_tiles, d, _ = self._tiles.shape
        self._centres, self._radii = np.empty((n_tiles, d), real), np.empty(n_tiles)
        dense.tile_bounds(self._tiles, self._centres, self._radii, n)
        self._centre_lanes = np.zeros((n_tiles // TILE + 1, d, TILE), real)
        dense.lay_out(self._centres, self._centre_lanes)
        self._nearest = np.zeros((n_tiles, TILE), whole)
        self._farthest = np.zeros(n_tiles, np.int64)
        self._cluster = np.zeros((n_tiles, TILE), np.int32)
        self.reset()

    def reset(self) -> None:
        """Forget all picks: every row is at the phantom's distance."""
        self._nearest.reshape(-1)[: self.n_rows] = self.phantom
        self._farthest[:] = self.phantom
        self._cluster[:] = -1
        self._n_picks = 0
        self._history = History(len(self._tiles), self._nearest.dtype)

    def update_gains(self, candidates: NDArray[np.int64], gains: NDArray[np.int64], stamps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what each candidate would gain as the next pick, its gain after ``stamps`` picks being known (-1: not known)."""
        history, stamps = self._history.arrays(), stamps.copy()
        self._workers.map(
            lambda c0, c1: dense.drop_costly_stamps(
                self._tiles, self._centres, self._radii, self._farthest, self._scale, candidates[c0:c1], stamps[c0:c1], history
            ),
            ranges(len(candidates), CANDIDATES_A_TASK),
        )
        candidate_ranges, tile_ranges = self._cut(len(candidates))
        tasks = [(c0, c1, t0, t1, np.zeros(c1 - c0, np.int64)) for c0, c1 in candidate_ranges for t0, t1 in tile_ranges]
        self._workers.map(
            lambda c0, c1, t0, t1, out: dense.update_gains(
                self._tiles, self._centres, self._radii, self._nearest, self._farthest, self._scale, candidates[c0:c1], stamps[c0:c1], history, t0,
                t1, out
            ),
            tasks,
        )  # fmt: skip
        updated = np.where(stamps >= 0, gains, 0)
        for c0, c1, _, _, change in tasks:
            updated[c0:c1] += change
        return updated

    def _cut(self, n_candidates: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return ranges of candidates and of tiles that make enough tasks for all threads, none of them long."""
        candidate_ranges = ranges(n_candidates, CANDIDATES_A_TASK)
        wanted = -(-2 * self._workers.n_threads // len(candidate_ranges))
        return candidate_ranges, ranges(len(self._tiles), min(TILES_A_TASK, -(-len(self._tiles) // wanted)))

    def first_gain_bounds(self) -> NDArray[np.int64]:
        """Return for each position no less than its gain as the first pick."""
        out = np.empty(self.n_rows, np.int64)
        self._workers.map(
            lambda first, last: dense.first_gain_bounds(
                self._tiles, self._centre_lanes, self.phantom, float(self._scale), self.n_rows, first, last, out
            ),
            ranges(self.n_rows, 4096),
        )
        return out

    def absorb(self, picks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Make picks, in order: each takes the rows nearer to it than to any earlier one. Return what each gained."""
        return self._absorb(picks, np.zeros(len(self._tiles), np.int64))

    def assign(self, picks: NDArray[np.int64]) -> None:
        """Give each row to its nearest pick, of equally near ones to any; several times faster than `absorb`."""
        by_position = np.argsort(picks)
        starts = np.searchsorted(picks[by_position], np.arange(len(self._tiles)) * TILE) % len(picks)
        self._absorb(picks[by_position], starts)
        self._cluster[:] = by_position[self._cluster]

    def absorb_one(self, pick: int) -> int:
        """Make a pick and return what it gained; gains known before it can be updated afterwards."""
        nearest, farthest = self._nearest.copy(), self._farthest.copy()
        gained = int(self.absorb(np.array([pick]))[0])
        self._history.record(nearest, farthest, np.flatnonzero((nearest != self._nearest).any(axis=1)), self._n_picks)
        return gained

    def _absorb(self, picks: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
        vectors = np.ascontiguousarray(self._tiles[picks // TILE, :, picks % TILE])
        tile_ranges = ranges(len(self._tiles), max(1, min(64, -(-len(self._tiles) // self._workers.n_threads))))
        tasks = [(first, last, np.zeros(len(picks), np.int64)) for first, last in tile_ranges]
        self._workers.map(
            lambda first, last, gain: dense.absorb(
                self._tiles, self._centres, self._radii, self._nearest, self._farthest, self._cluster, self._scale, vectors, self._n_picks, starts,
                first, last, gain,
            ),
            tasks,
        )  # fmt: skip
        self._n_picks += len(picks)
        gained: NDArray[np.int64] = np.sum([task[2] for task in tasks], axis=0, dtype=np.int64)
        return gained

    def neighbours(self, positions: NDArray[np.int64], capacity: int) -> Lists | None:
        """Return the lists of some positions; None if they would hold more than `capacity` pairs."""

        def list_some(first: int, last: int, starts: NDArray, columns: NDArray, distances: NDArray) -> int:
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

        return collect_lists(list_some, len(positions), len(self._tiles) * TILE, capacity, self._nearest.dtype, self._workers)

    def take_picks(self, lists: Lists, gain: NDArray[np.int64], choices: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Make a pick a row of `choices` (no columns: of all rows), gains kept up to date by the lists; return them, and what each gained."""
        picks, gained = np.empty(len(choices), np.int64), np.empty(len(choices), np.int64)
        made = dense.take_picks(
            self._tiles, self._centre_lanes, self._radii, self._nearest, self._farthest, self._scale, *lists, gain, self.rank, choices, picks, gained
        )
        return picks[:made], gained[:made]

    def cut(self, cell_size: int) -> list[NDArray[np.int64]]:
        """Return the positions of each of some compact cells of at most `cell_size` rows (but at least a tile)."""
        cells, parts = [], [(0, len(self._tiles))]
        while parts:
            first, count = parts.pop()
            if count * TILE <= max(cell_size, TILE):
                cells.append(np.arange(first * TILE, min((first + count) * TILE, self.n_rows)))
            else:
                parts += [(first + count // 2, count - count // 2), (first, count // 2)]
        return cells

    def greedy_in_cell(self, cell: NDArray[np.int64], n_picks: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return up to `n_picks` greedy picks among the rows of a cell, and what each gained."""
        picks, gained = np.empty(n_picks, np.int64), np.empty(n_picks)
        first, last = cell[0] // TILE, cell[-1] // TILE + 1
        made = dense.greedy_in_cell(self._tiles, self._centres, self._radii, first, last, self.n_rows, picks, gained)
        return picks[:made], gained[:made] * self._frame.power

    def medoids(self, starts: NDArray[np.int64], members: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
        """Return the medoid of each cluster: cluster c's members are ``members[starts[c]:starts[c + 1]]``, the first `limit` of them eligible."""
        medoids = np.empty(len(starts) - 1, np.int64)
        self._workers.map(
            lambda first, last: dense.cluster_medoids(self._tiles, starts, members, limit, first, last, medoids),
            ranges(len(medoids), max(1, len(medoids) // (16 * self._workers.n_threads))),
        )
        return medoids

    def nearest(self) -> NDArray[np.integer]:
        """Return each position's distance to its nearest pick."""
        return self._nearest.reshape(-1)[: self.n_rows]

    def cluster(self) -> NDArray[np.int32]:
        """Return each position's nearest pick, as the number of the pick among those absorbed."""
        return self._cluster.reshape(-1)[: self.n_rows]


def tile_rows(points: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
    """Return the rows at each position and the tiles, shape (n_tiles, d padded to a multiple of 4, TILE)."""
    n, d = points.shape
    n_tiles = -(-n // TILE)
    rank = np.arange(n)
    split_rows(points, rank, n_tiles, TILE, np.empty(n_tiles + 1, np.int64))
    tiles = np.zeros((n_tiles, -(-d // 4) * 4, TILE), points.dtype)
    for t in range(n_tiles):
        members = points[rank[t * TILE : (t + 1) * TILE]]
        tiles[t, :d, : len(members)] = members.T
    return rank, tiles
