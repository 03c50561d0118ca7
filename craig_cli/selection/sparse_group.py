"""A class of sparse rows, laid out for selection."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import SparseRows
from craig_cli.kernels import sparse
from craig_cli.kernels.cells import sign_projection, split_rows
from craig_cli.kernels.reverse_greedy import K
from craig_cli.selection.fixed_point import power_of_two, quantum
from craig_cli.selection.neighbour_lists import CANDIDATES_A_TASK, Lists, collect_lists
from craig_cli.selection.row_weights import RowWeights
from craig_cli.threads import Workers, ranges

SKETCH_COLUMNS = 64


class SparseGroup:
    """Sparse rows with an inverted index.

    Parameters
    ----------
    rows : SparseRows
        Coordinates.
    is_float64 : bool
        int64 distances.
    workers : Workers
    unit : float
        What the rows have been divided by already.
    weights : RowWeights, optional
        Of the rows; default: all 1.

    Notes
    -----
    Memory: 24 bytes an entry (by row and by column) and 20 a row, and 16 n a thread.
    """

    def __init__(
        self,
        rows: SparseRows,
        is_float64: bool,
        workers: Workers,
        unit: float = 1.0,
        weights: RowWeights | None = None,
    ) -> None:
        self.n_rows = n = rows.n_rows
        self._workers = workers
        self.is_float64 = is_float64
        largest = float(np.abs(rows.values).max(initial=0.0))
        power = power_of_two(largest)
        self._power = power * unit
        self._rows = (rows.indptr, rows.indices, rows.values / power)
        by_column = np.argsort(rows.indices, kind="stable")
        owner = np.repeat(np.arange(n, dtype=np.int32), np.diff(rows.indptr))
        column_starts = np.concatenate(
            [[0], np.cumsum(np.bincount(rows.indices, minlength=rows.n_columns))]
        ).astype(np.int64)
        self._postings = (column_starts, owner[by_column], self._rows[2][by_column])
        self._squares = np.empty(n)
        sparse.squared_lengths(self._rows, self._squares)
        diameter = 2.0 * float(np.sqrt(self._squares.max()))
        self._row_weights = weights or RowWeights(None, 1.0, n)
        self.weights, self.total_weight = self._row_weights.whole, self._row_weights.total
        self._scale, self.auxiliary_distance = quantum(
            diameter, self.total_weight, rows.n_columns, is_float64
        )
        self.unit = self._power / self._scale if self._scale > 0 else self._power
        self.gain_unit = self.unit * self._row_weights.unit
        self.rank = np.arange(n)
        self._nearest: NDArray[np.integer] = np.zeros(n, np.int64 if is_float64 else np.int32)
        self._cluster = np.zeros(n, np.int32)
        self.reset()

    def reset(self) -> None:
        """Forget all picks: every row is at the phantom's distance."""
        self._nearest[:] = self.auxiliary_distance
        self._cluster[:] = -1
        self._n_picks = 0

    def gains(self, candidates: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what each candidate would gain as the next pick."""
        out = np.empty(len(candidates), np.int64)
        step = min(CANDIDATES_A_TASK, -(-len(candidates) // self._workers.n_threads))
        self._workers.map(
            lambda first, last: sparse.gains(
                self._rows,
                self._postings,
                self._squares,
                self._scale,
                self._nearest,
                candidates[first:last],
                out[first:last],
                self.weights,
            ),
            ranges(len(candidates), step),
        )
        return out

    def all_gains(self) -> NDArray[np.int64]:
        """Return what each position would gain as the next pick."""
        return self.gains(np.arange(self.n_rows))

    def first_gain_bounds(self) -> NDArray[np.int64]:
        """Return for each position no less than its gain as the first pick: nothing better is known
        here.
        """
        return np.full(self.n_rows, self.total_weight * self.auxiliary_distance, np.int64)

    def absorb(self, picks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Make picks, in order: each takes the rows nearer to it than to any earlier one. Return
        what each gained.
        """
        gain = np.empty(len(picks), np.int64)
        for first, last in ranges(len(picks), CANDIDATES_A_TASK):
            sparse.absorb(
                self._rows, self._postings, self._squares, self._scale, self._nearest, self._cluster, picks[first:last], self._n_picks + first,
                gain[first:last], self.weights,
            )  # fmt: skip
        self._n_picks += len(picks)
        return gain

    def near_picks(self, picks: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.integer]]:
        """Return the numbers and distances of the picks nearest to each position, shape (n_rows,
        K), nearest first.
        """
        near, distances = (
            np.full((self.n_rows, K), -1, np.int32),
            np.zeros((self.n_rows, K), self._nearest.dtype),
        )
        for first, last in ranges(len(picks), CANDIDATES_A_TASK):
            sparse.near_picks(
                self._rows,
                self._postings,
                self._squares,
                self._scale,
                picks[first:last],
                first,
                near,
                distances,
            )
        return near, distances

    def neighbours(self, positions: NDArray[np.int64], capacity: int) -> Lists | None:
        """Return the lists of some positions; None if they would hold more than `capacity` pairs."""

        def list_some(
            first: int, last: int, starts: NDArray, columns: NDArray, distances: NDArray
        ) -> int:
            return int(
                sparse.neighbours(
                    self._rows,
                    self._postings,
                    self._squares,
                    self._scale,
                    self._nearest,
                    positions,
                    first,
                    last,
                    starts,
                    columns,
                    distances,
                )
            )

        return collect_lists(
            list_some, len(positions), self.n_rows, capacity, self._nearest.dtype, self._workers
        )

    def take_picks(
        self, lists: Lists, gain: NDArray[np.int64], choices: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Make a pick a row of `choices` (no columns: of all rows), gains kept up to date by the
        lists; return them, and what each gained.
        """
        picks, gained = np.empty(len(choices), np.int64), np.empty(len(choices), np.int64)
        made = sparse.take_picks(
            self._rows,
            self._postings,
            self._squares,
            self._scale,
            self._nearest,
            *lists,
            gain,
            self.rank,
            choices,
            picks,
            gained,
            self.weights,
        )
        return picks[:made], gained[:made]

    def cut(self, cell_size: int) -> list[NDArray[np.int64]]:
        """Return the positions of each of some compact cells of at most `cell_size` rows, cut in a
        random projection to 64 columns.
        """
        sketch, order = np.zeros((self.n_rows, SKETCH_COLUMNS)), np.arange(self.n_rows)
        sign_projection(*self._rows, sketch)
        n_cells = -(-self.n_rows // cell_size)
        bounds = np.arange(n_cells + 1) * self.n_rows // n_cells
        split_rows(sketch, order, bounds)
        return np.split(order, bounds[1:-1])

    def part(self, positions: NDArray[np.int64]) -> SparseGroup:
        """Return some rows as a group of their own, for one thread."""
        rows = SparseRows(*self._rows, len(self._postings[0]) - 1)
        return SparseGroup(
            rows.take(positions, axis=0),
            self.is_float64,
            Workers(1),
            self._power,
            self._row_weights.take(positions),
        )

    def medoids(
        self, starts: NDArray[np.int64], members: NDArray[np.int64], limit: int
    ) -> NDArray[np.int64]:
        """Return the medoid of each cluster: cluster c's members are ``members[starts[c]:starts[c +
        1]]``, the first `limit` of them eligible.
        """
        medoids = np.empty(len(starts) - 1, np.int64)
        self._workers.map(
            lambda first, last: sparse.cluster_medoids(
                self._rows, starts, members, limit, first, last, medoids, self.weights
            ),
            ranges(len(medoids), max(1, len(medoids) // (16 * self._workers.n_threads))),
        )
        return medoids

    def nearest(self) -> NDArray[np.integer]:
        """Return each position's distance to its nearest pick."""
        return self._nearest

    def cluster(self) -> NDArray[np.int32]:
        """Return each position's nearest pick, as the number of the pick among those absorbed."""
        return self._cluster
