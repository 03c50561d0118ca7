"""A class of sparse rows, laid out for selection."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import SparseRows
from craig_cli.kernels import sparse
from craig_cli.kernels.cells import sign_projection, split_rows
from craig_cli.kernels.lists import State
from craig_cli.kernels.reverse_greedy import K
from craig_cli.selection.base_group import Group, GroupKernels
from craig_cli.selection.fixed_point import power_of_two, quantum
from craig_cli.selection.row_weights import RowWeights
from craig_cli.threads import Workers, ranges

SKETCH_COLUMNS = 64
CANDIDATES_A_TASK = 256


class SparseGroup(Group):
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

    layout: sparse.InvertedIndex
    kernels = GroupKernels(sparse.neighbours, sparse.take_picks, sparse.cluster_medoids)

    def __init__(
        self,
        rows: SparseRows,
        is_float64: bool,
        workers: Workers,
        unit: float = 1.0,
        weights: RowWeights | None = None,
    ) -> None:
        n = rows.n_rows
        power = power_of_two(float(np.abs(rows.values).max(initial=0.0)))
        values, owner = rows.values / power, rows.owner
        by_column = np.argsort(rows.indices, kind="stable")
        column_starts = np.zeros(rows.n_columns + 1, np.int64)
        np.cumsum(np.bincount(rows.indices, minlength=rows.n_columns), out=column_starts[1:])
        postings = (column_starts, owner[by_column].astype(np.int32), values[by_column])
        # Added up in column order, as dot products are: a row is at distance 0 from an equal one.
        squares = np.asarray(np.bincount(owner, values * values, minlength=n), np.float64)
        row_weights = weights or RowWeights(None, 1.0, n)
        scale, auxiliary_distance = quantum(
            2.0 * float(np.sqrt(squares.max())), row_weights.total, rows.n_columns, is_float64
        )
        self._power = power * unit
        unit = self._power / scale if scale > 0 else self._power
        super().__init__(np.arange(n), unit, auxiliary_distance, row_weights, workers)
        self.layout = sparse.InvertedIndex(
            (rows.indptr, rows.indices, values), postings, squares, scale
        )
        self._list_room = n
        self.state = State(
            nearest=np.zeros(n, np.int64 if is_float64 else np.int32),
            farthest=np.zeros(0, np.int64),
            cluster=np.zeros(n, np.int32),
        )
        self.reset()

    def gains(self, candidates: NDArray[np.int64]) -> NDArray[np.int64]:
        out = np.empty(len(candidates), np.int64)
        step = min(CANDIDATES_A_TASK, -(-len(candidates) // self._workers.n_threads))
        self._workers.map(
            lambda first, last: sparse.gains(
                self.layout, self.state, candidates[first:last], out[first:last], self.weights
            ),
            ranges(len(candidates), step),
        )
        return out

    def absorb(self, picks: NDArray[np.int64]) -> NDArray[np.int64]:
        gain = np.empty(len(picks), np.int64)
        for first, last in ranges(len(picks), CANDIDATES_A_TASK):
            number, own = self._n_picks + first, gain[first:last]
            sparse.absorb(self.layout, self.state, picks[first:last], number, own, self.weights)
        self._n_picks += len(picks)
        return gain

    def near_picks(self, picks: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.integer]]:
        near = np.full((self.n_rows, K), -1, np.int32)
        distances = np.zeros((self.n_rows, K), self.state.nearest.dtype)
        for first, last in ranges(len(picks), CANDIDATES_A_TASK):
            sparse.near_picks(self.layout, picks[first:last], first, near, distances)
        return near, distances

    def cut(self, cell_size: int) -> list[NDArray[np.int64]]:
        """Return the positions of each of some compact cells of at most `cell_size` rows, cut in a
        random projection to 64 columns.
        """
        sketch, order = np.zeros((self.n_rows, SKETCH_COLUMNS)), np.arange(self.n_rows)
        sign_projection(*self.layout.rows, sketch)
        n_cells = -(-self.n_rows // cell_size)
        bounds = np.arange(n_cells + 1) * self.n_rows // n_cells
        split_rows(sketch, order, bounds)
        return np.split(order, bounds[1:-1])

    def part(self, positions: NDArray[np.int64]) -> SparseGroup:
        """Return some rows as a group of their own, for one thread."""
        rows = SparseRows(*self.layout.rows, len(self.layout.postings[0]) - 1)
        return SparseGroup(
            rows.take(positions, axis=0),
            self.is_float64,
            Workers(1),
            self._power,
            self._row_weights.take(positions),
        )
