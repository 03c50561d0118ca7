"""The rows of one class, laid out for selection: whole-number distances, gains, and who is nearest to which pick.

Positions within a group are internal: `rank` gives the row of the class (in input order) that stands at each. All sums are sums of whole
numbers, so that nothing here depends on the number of threads or on the order of the rows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from craig_cli.blocks import SparseRows, shape_of
from craig_cli.kernels import dense, sparse
from craig_cli.kernels.cells import split_rows
from craig_cli.kernels.dense import TILE
from craig_cli.selection.features import centre
from craig_cli.selection.threads import Workers, ranges

NARROW_BITS = 30
"""Whole-number distances of the usual, narrow kind go up to 2^30: finer than float32 coordinates, and two of them fit an int32."""
CANDIDATES_A_TASK = 256
TILES_A_TASK = 2048
ROWS_A_TASK = 256


class Lists(NamedTuple):
    """For each position the candidates nearer than its nearest pick: those of position p stand at ``starts[p]:ends[p]``."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    columns: NDArray[np.int32]
    distances: NDArray[np.integer]


class Group(Protocol):
    """What a selection method may ask of a class."""

    n_rows: int
    rank: NDArray[np.int64]
    unit: float
    phantom: int

    def reset(self) -> None: ...
    def update_gains(self, candidates: NDArray[np.int64], gains: NDArray[np.int64], stamps: NDArray[np.int64]) -> NDArray[np.int64]: ...
    def first_gain_bounds(self) -> NDArray[np.int64]: ...
    def absorb(self, picks: NDArray[np.int64]) -> NDArray[np.int64]: ...
    def absorb_one(self, pick: int) -> int: ...
    def neighbours(self, positions: NDArray[np.int64], capacity: int) -> Lists | None: ...
    def take_picks(self, lists: Lists, gain: NDArray[np.int64], n_picks: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]: ...
    def nearest(self) -> NDArray[np.integer]: ...
    def cluster(self) -> NDArray[np.int32]: ...


def quantum(diameter: float, n_rows: int, wide: bool) -> float:
    """Return the whole-number distances per unit, a bound on all distances being given; a power of two, so that whole-number data tie exactly.

    The narrow kind spans 2^30. The wide kind takes what int64 sums over all rows leave room for, and no more than float64 resolves.
    """
    if diameter == 0:
        return 0.0
    bits = min(52, 61 - int(n_rows).bit_length()) if wide else NARROW_BITS
    return float(np.ldexp(1.0, bits - int(np.frexp(diameter)[1])))


class DenseGroup:
    """Dense rows in tiles.

    Parameters
    ----------
    points : ndarray of float64, shape (n_rows, d)
        Coordinates; changed in place.
    wide : bool
        float64 coordinates and int64 distances, for data that float32 does not resolve.
    workers : Workers

    Notes
    -----
    Memory: 4 d n for the tiles (8 wide), 8 n for distances and clusters, besides the points while the tiles are made.
    """

    def __init__(self, points: NDArray[np.float64], wide: bool, workers: Workers) -> None:
        self.n_rows = n = len(points)
        self._workers = workers
        power = centre(points)
        diameter = 2.0 * float(np.sqrt(np.square(points - points.mean(axis=0)).sum(axis=1).max()))
        real, whole = (np.float64, np.int64) if wide else (np.float32, np.int32)
        self._scale = real(quantum(diameter, n, wide))
        self.unit = power / float(self._scale) if self._scale > 0 else power
        self.phantom = int(diameter * float(self._scale)) + 1
        self.rank, self._tiles = tile_rows(points.astype(real))
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
        return self._absorb(picks)

    def absorb_one(self, pick: int) -> int:
        """Make a pick and return what it gained; gains known before it can be updated afterwards."""
        nearest, farthest = self._nearest.copy(), self._farthest.copy()
        gained = int(self._absorb(np.array([pick]))[0])
        self._history.record(nearest, farthest, np.flatnonzero((nearest != self._nearest).any(axis=1)), self._n_picks)
        return gained

    def _absorb(self, picks: NDArray[np.int64]) -> NDArray[np.int64]:
        vectors = np.empty((len(picks), self._tiles.shape[1]), self._tiles.dtype)
        for p, pick in enumerate(picks):
            dense.copy_row(self._tiles, pick, vectors, p)
        tile_ranges = ranges(len(self._tiles), max(1, min(64, -(-len(self._tiles) // self._workers.n_threads))))
        tasks = [(first, last, np.zeros(len(picks), np.int64)) for first, last in tile_ranges]
        self._workers.map(
            lambda first, last, gain: dense.absorb(
                self._tiles, self._centres, self._radii, self._nearest, self._farthest, self._cluster, self._scale, vectors, self._n_picks, first,
                last, gain,
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

    def take_picks(self, lists: Lists, gain: NDArray[np.int64], n_picks: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Make up to `n_picks` greedy picks with gains kept up to date by the lists; return them and what each gained."""
        picks, gained = np.empty(n_picks, np.int64), np.empty(n_picks, np.int64)
        made = dense.take_picks(
            self._tiles, self._centre_lanes, self._radii, self._nearest, self._farthest, self._scale, *lists, gain, self.rank, picks, gained
        )
        return picks[:made], gained[:made]

    def nearest(self) -> NDArray[np.integer]:
        """Return each position's distance to its nearest pick."""
        return self._nearest.reshape(-1)[: self.n_rows]

    def cluster(self) -> NDArray[np.int32]:
        """Return each position's nearest pick, as the number of the pick among those absorbed."""
        return self._cluster.reshape(-1)[: self.n_rows]


class History:
    """Earlier states of tiles, so that a gain can be updated from the tiles that have changed since it was known.

    Memory: 4 bytes (wide: 8) a row of each tile that a pick has changed.
    """

    def __init__(self, n_tiles: int, dtype: np.dtype) -> None:
        self._changed_at = np.zeros(n_tiles, np.int64)
        self._saved = np.full(n_tiles, -1, np.int64)
        self._since, self._before, self._farthest = (np.empty(n_tiles, np.int64) for _ in range(3))
        self._nearest = np.empty((n_tiles, TILE), dtype)
        self._filled = 0

    def record(self, nearest: NDArray[np.integer], farthest: NDArray[np.int64], changed: NDArray[np.int64], n_picks: int) -> None:
        """Keep the state of the `changed` tiles before the pick that made `n_picks` of them."""
        start, stop = self._filled, self._filled + len(changed)
        if stop > len(self._since):
            size = max(stop, 2 * len(self._since))
            self._since, self._before, self._farthest = (np.resize(a, size) for a in (self._since, self._before, self._farthest))
            self._nearest = np.resize(self._nearest, (size, TILE))
        self._since[start:stop], self._before[start:stop] = self._changed_at[changed], self._saved[changed]
        self._nearest[start:stop], self._farthest[start:stop] = nearest[changed], farthest[changed]
        self._saved[changed] = np.arange(start, stop)
        self._changed_at[changed] = n_picks
        self._filled = stop

    def arrays(self) -> tuple[NDArray, ...]:
        """Return the history as `dense.update_gains` takes it."""
        return self._changed_at, self._saved, self._since, self._before, self._nearest, self._farthest


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


class SparseGroup:
    """Sparse rows with an inverted index.

    Parameters
    ----------
    rows : SparseRows
        Coordinates.
    wide : bool
        int64 distances.
    workers : Workers

    Notes
    -----
    Memory: 24 bytes an entry (by row and by column) and 20 a row, and 16 n a thread.
    """

    def __init__(self, rows: SparseRows, wide: bool, workers: Workers) -> None:
        self.n_rows = n = rows.n_rows
        self._workers = workers
        largest = float(np.abs(rows.values).max(initial=0.0))
        power = float(np.ldexp(1.0, int(np.frexp(largest)[1]) - 1)) if largest > 0 else 1.0
        self._rows = (rows.indptr, rows.indices, rows.values / power)
        by_column = np.argsort(rows.indices, kind="stable")
        owner = np.repeat(np.arange(n, dtype=np.int32), np.diff(rows.indptr))
        column_starts = np.concatenate([[0], np.cumsum(np.bincount(rows.indices, minlength=rows.n_columns))]).astype(np.int64)
        self._postings = (column_starts, owner[by_column], self._rows[2][by_column])
        self._squares = np.empty(n)
        sparse.squared_lengths(self._rows, self._squares)
        diameter = 2.0 * float(np.sqrt(self._squares.max()))
        self._scale = quantum(diameter, n, wide)
        self.unit = power / self._scale if self._scale > 0 else power
        self.phantom = int(diameter * self._scale) + 1
        self.rank = np.arange(n)
        self._nearest: NDArray[np.integer] = np.zeros(n, np.int64 if wide else np.int32)
        self._cluster = np.zeros(n, np.int32)
        self.reset()

    def reset(self) -> None:
        """Forget all picks: every row is at the phantom's distance."""
        self._nearest[:] = self.phantom
        self._cluster[:] = -1
        self._n_picks = 0

    def update_gains(self, candidates: NDArray[np.int64], gains: NDArray[np.int64], stamps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what each candidate would gain as the next pick: evaluated anew, whatever is known of it."""
        out = np.empty(len(candidates), np.int64)
        step = min(CANDIDATES_A_TASK, -(-len(candidates) // self._workers.n_threads))
        self._workers.map(
            lambda first, last: sparse.gains(
                self._rows, self._postings, self._squares, self._scale, self._nearest, candidates[first:last], out[first:last]
            ),
            ranges(len(candidates), step),
        )
        return out

    def first_gain_bounds(self) -> NDArray[np.int64]:
        """Return for each position no less than its gain as the first pick: nothing better is known here."""
        return np.full(self.n_rows, self.n_rows * self.phantom, np.int64)

    def absorb(self, picks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Make picks, in order: each takes the rows nearer to it than to any earlier one. Return what each gained."""
        gain = np.empty(len(picks), np.int64)
        for first, last in ranges(len(picks), CANDIDATES_A_TASK):
            sparse.absorb(
                self._rows, self._postings, self._squares, self._scale, self._nearest, self._cluster, picks[first:last], self._n_picks + first,
                gain[first:last],
            )  # fmt: skip
        self._n_picks += len(picks)
        return gain

    def absorb_one(self, pick: int) -> int:
        """Make a pick and return what it gained."""
        return int(self.absorb(np.array([pick]))[0])

    def neighbours(self, positions: NDArray[np.int64], capacity: int) -> Lists | None:
        """Return the lists of some positions; None if they would hold more than `capacity` pairs."""

        def list_some(first: int, last: int, starts: NDArray, columns: NDArray, distances: NDArray) -> int:
            return int(
                sparse.neighbours(
                    self._rows, self._postings, self._squares, self._scale, self._nearest, positions, first, last, starts, columns, distances
                )
            )

        return collect_lists(list_some, len(positions), self.n_rows, capacity, self._nearest.dtype, self._workers)

    def take_picks(self, lists: Lists, gain: NDArray[np.int64], n_picks: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Make up to `n_picks` greedy picks with gains kept up to date by the lists; return them and what each gained."""
        picks, gained = np.empty(n_picks, np.int64), np.empty(n_picks, np.int64)
        made = sparse.take_picks(self._rows, self._postings, self._squares, self._scale, self._nearest, *lists, gain, self.rank, picks, gained)
        return picks[:made], gained[:made]

    def nearest(self) -> NDArray[np.integer]:
        """Return each position's distance to its nearest pick."""
        return self._nearest

    def cluster(self) -> NDArray[np.int32]:
        """Return each position's nearest pick, as the number of the pick among those absorbed."""
        return self._cluster


def collect_lists(
    list_some: Callable[[int, int, NDArray, NDArray, NDArray], int],
    n_positions: int,
    n_candidates: int,
    capacity: int,
    dtype: np.dtype,
    workers: Workers,
) -> Lists | None:
    """Return `Lists` of ``0 ... n_positions``, made by ``list_some`` range by range; None if they would hold more than `capacity` pairs.

    The ranges' lists stand in the order in which they are finished; nothing depends on it. Memory: 4 + 4 (wide: 8) bytes a pair, and per
    thread as much for `n_candidates` + 2^18 pairs.
    """
    starts, ends = np.empty(n_positions, np.int64), np.empty(n_positions, np.int64)
    columns, distances = np.empty(capacity, np.int32), np.empty(capacity, dtype)
    filled = 0
    overflow = False

    def fill(first: int, last: int) -> None:
        nonlocal filled, overflow
        own_starts = np.empty(last - first + 1, np.int64)
        own_columns, own_distances = np.empty(n_candidates + (1 << 18), np.int32), np.empty(n_candidates + (1 << 18), dtype)
        while first < last and not overflow:
            done = list_some(first, last, own_starts, own_columns, own_distances)
            count = int(own_starts[done - first])
            with lock:
                place, filled = filled, filled + count
            if place + count > capacity:
                overflow = True
                return
            columns[place : place + count], distances[place : place + count] = own_columns[:count], own_distances[:count]
            starts[first:done], ends[first:done] = place + own_starts[: done - first], place + own_starts[1 : done - first + 1]
            first = done

    lock = threading.Lock()
    workers.map(fill, ranges(n_positions, ROWS_A_TASK))
    return None if overflow else Lists(starts, ends, columns[:filled], distances[:filled])


def make_group(points: NDArray[np.float64] | SparseRows, wide: bool, workers: Workers) -> Group:
    """Return the rows of a class laid out for selection."""
    assert shape_of(points)[0] > 0
    return SparseGroup(points, wide, workers) if isinstance(points, SparseRows) else DenseGroup(points, wide, workers)
