"""The rows of one class as selection sees them, wherever they are.

In memory they are one group; on disk many, one at a time (`disk_cells`). In parts every part has a
group of its own, elsewhere. Whoever selects from rows or assigns them sees `RowGroups` only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Progress, SparseRows, no_progress
from craig_cli.selection.classes import ClassRows
from craig_cli.selection.column_summary import Table
from craig_cli.selection.fixed_point import FixedPoint, make_fixed_point, outer_of
from craig_cli.selection.groups import Group, make_group
from craig_cli.selection.row_weights import RowWeights, row_weights
from craig_cli.selection.scaling import Features
from craig_cli.threads import Workers

Cell: TypeAlias = NDArray[np.int64] | range
"""Positions of a compact cell within its group."""


class Units(NamedTuple):
    """What quantised sums over the rows of a class are worth.

    `total_weight` are the weights of its rows as whole numbers, `auxiliary_distance` is that of
    every row before the first pick, and a gain of 1 is worth `gain_unit`.
    """

    total_weight: int
    auxiliary_distance: int
    gain_unit: float


@dataclass(frozen=True)
class Picks:
    """Picks of a class, in order, as rows are assigned to them.

    Parameters
    ----------
    rows : ndarray of int64, shape (k,)
        Rows of the class; where parts have been given numbers, by these.
    points, vectors : ndarray, shape (k, d), or None
        Scaled in float64, and as coordinates of the fixed point; None for rows that stay sparse.
    """

    rows: NDArray[np.int64]
    points: NDArray[np.float64] | None = None
    vectors: NDArray[np.floating] | None = None


def picks_at(
    rows: NDArray[np.int64], points: NDArray[np.float64], fixed_point: FixedPoint
) -> Picks:
    """Return picks given by their scaled points (k, d), as coordinates of a fixed point too."""
    vectors = np.zeros((len(rows), -(-points.shape[1] // 4) * 4), fixed_point.real)
    vectors[:, : points.shape[1]] = fixed_point.coordinates(points)
    return Picks(rows, points, vectors)


@dataclass(frozen=True)
class Piece:
    """Some rows of a class, laid out for selection.

    Parameters
    ----------
    group : Group
    points : table of float64 or float32, shape (m, d), or SparseRows
        The rows as they are scaled.
    local : ndarray of int64, shape (m,)
        The row of `points` at each position of the group.
    own, own_local : ndarray of int64
        The numbers of the picks that are rows of this piece, and which of `points` they are.
    outer : float
        A power of two above all values: squares of what is divided by it cannot overflow.
    weights : ndarray of float64, shape (m,), or None
        Of the rows of `points`.
    """

    group: Group
    points: Table | SparseRows
    local: NDArray[np.int64]
    own: NDArray[np.int64]
    own_local: NDArray[np.int64]
    outer: float = 1.0
    weights: NDArray[np.float64] | None = None


class RowGroups(Protocol):
    """The rows of a class in one group or more; a place is where a row stands among them all.

    Group g has the places ``bounds[g]`` to ``bounds[g + 1]``, and `order` tells the row of the
    class at each place.
    """

    is_float64: bool
    units: Units
    bounds: NDArray[np.int64]
    order: NDArray[np.int64]

    def group(self, number: int, stage: str = "") -> Group: ...
    def cut(self, cell_size: int) -> list[tuple[int, Cell]]: ...
    def picks(self, rows: NDArray[np.int64]) -> Picks: ...
    def pieces(self, picks: Picks) -> Iterator[Piece]: ...
    def close(self) -> None: ...


class MemoryGroups:
    """The rows of a class in memory, as one group.

    Parameters
    ----------
    features : Features
    members : ClassRows
    is_float64 : bool
    workers : Workers
    numbers : ndarray of int64, shape (n_c,), optional
        What picks call the rows, ascending; default: 0, 1, ...
    weights : RowWeights, optional
        As whole numbers; default: made of those of the rows.

    Notes
    -----
    Memory: the group, and the rows once more while they are laid out or assigned: in float64, or
    as they were read if that is float32 and nothing scales them.
    """

    def __init__(
        self,
        features: Features,
        members: ClassRows,
        is_float64: bool,
        workers: Workers,
        numbers: NDArray[np.int64] | None = None,
        weights: RowWeights | None = None,
    ) -> None:
        self.is_float64 = is_float64
        self._features, self._members, self._workers = features, members, workers
        self._numbers = np.arange(len(members.index)) if numbers is None else numbers
        weights = weights or row_weights(members.weights, len(members.index), is_float64)
        points = features.points(members.index, workers)
        self.fixed_point = None
        if isinstance(points, np.ndarray):
            shared = members.fixed_points
            self.fixed_point = (
                make_fixed_point(points, is_float64, workers, weights.total)
                if shared is None
                else shared[is_float64]
            )
        self.outer = self.fixed_point.outer if self.fixed_point else outer_of(points)
        self.only = make_group(points, is_float64, workers, self.fixed_point, weights)
        self.units = Units(
            self.only.total_weight, self.only.auxiliary_distance, self.only.gain_unit
        )
        self.bounds, self.order = np.array([0, self.only.n_rows]), self.only.rank

    def group(self, number: int, stage: str = "") -> Group:
        """Return the only group."""
        return self.only

    def cut(self, cell_size: int) -> list[tuple[int, Cell]]:
        """Return the positions of each compact cell, with the number of its group, 0."""
        return [(0, cell) for cell in self.only.cut(cell_size)]

    def picks(self, rows: NDArray[np.int64]) -> Picks:
        """Return some rows of the class as picks."""
        if self.fixed_point is None:
            return Picks(rows)
        dense = replace(self._features, is_dense=True)  # as the class is, whatever these few are
        points = dense.in_parts(self._members.index[rows], self._workers)
        assert isinstance(points, np.ndarray)
        return picks_at(rows, points, self.fixed_point)

    def pieces(self, picks: Picks) -> Iterator[Piece]:
        """Yield all rows."""
        place = np.minimum(np.searchsorted(self._numbers, picks.rows), len(self._numbers) - 1)
        own = np.flatnonzero(self._numbers[place] == picks.rows)
        yield Piece(
            group=self.only,
            points=self._features.points(self._members.index, self._workers),
            local=self.only.rank,
            own=own,
            own_local=place[own],
            outer=self.outer,
            weights=self._members.weights,
        )

    def close(self) -> None:
        """Hold nothing that needs giving back."""


@dataclass(frozen=True)
class RowSource:
    """Where the rows of a data set are: it lays out one class at a time; these are in memory.

    Parameters
    ----------
    features : Features
        How rows are scaled.
    workers : Workers
    progress : Progress
    """

    features: Features
    workers: Workers
    progress: Progress = no_progress

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know."""
        return self.features.notes

    def groups(self, number: int, members: ClassRows, is_float64: bool) -> RowGroups:
        """Return the rows of a class, the `number`-th, laid out; they are to be closed."""
        return MemoryGroups(self.features, members, is_float64, self.workers)

    def report(self, before: int, total: int, made: int) -> None:
        """Tell of picks made of one class, after those of the classes before it."""
        self.progress("select", before + made, total)
