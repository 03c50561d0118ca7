"""The rows of one class, laid out for selection: whole-number distances, gains, and who is nearest
to which pick.

Positions within a group are internal: `rank` gives the row of the class (in input order) that
stands at each. All sums are sums of whole numbers, so that nothing here depends on the number of
threads or on the order of the rows.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import SparseRows
from craig_cli.selection.dense_group import DenseGroup, tile_rows
from craig_cli.selection.fixed_point import CHUNK_ROWS, FixedPoint, make_fixed_point
from craig_cli.selection.neighbour_lists import Lists
from craig_cli.selection.row_weights import RowWeights
from craig_cli.selection.sparse_group import SparseGroup
from craig_cli.threads import Workers, ranges


class Group(Protocol):
    """What a selection method may ask of a class.

    `weights` (n_rows,) are the whole-number weights at the positions, None for all 1; a gain of 1
    is worth `gain_unit`.
    """

    n_rows: int
    rank: NDArray[np.int64]
    unit: float
    auxiliary_distance: int
    is_float64: bool
    weights: NDArray[np.int32] | None
    total_weight: int
    gain_unit: float

    def reset(self) -> None: ...
    def gains(self, candidates: NDArray[np.int64]) -> NDArray[np.int64]: ...
    def all_gains(self) -> NDArray[np.int64]: ...
    def first_gain_bounds(self) -> NDArray[np.int64]: ...
    def absorb(self, picks: NDArray[np.int64]) -> NDArray[np.int64]: ...
    def neighbours(self, positions: NDArray[np.int64], capacity: int) -> Lists | None: ...
    def take_picks(
        self, lists: Lists, gain: NDArray[np.int64], choices: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]: ...
    def near_picks(
        self, picks: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.integer]]: ...
    def cut(self, cell_size: int) -> list[NDArray[np.int64]]: ...
    def medoids(
        self, starts: NDArray[np.int64], members: NDArray[np.int64], limit: int
    ) -> NDArray[np.int64]: ...
    def nearest(self) -> NDArray[np.integer]: ...
    def cluster(self) -> NDArray[np.int32]: ...


def make_group(
    points: NDArray[np.float64] | SparseRows,
    is_float64: bool,
    workers: Workers,
    fixed_point: FixedPoint | None = None,
    weights: RowWeights | None = None,
) -> Group:
    """Return the rows of a class laid out for selection, dense ones in a frame of their own if none
    is given, with their weights.
    """
    if isinstance(points, SparseRows):
        return SparseGroup(points, is_float64, workers, weights=weights)
    fixed_point = fixed_point or make_fixed_point(
        points, is_float64, workers, None if weights is None else weights.total
    )
    coordinates = np.empty(points.shape, fixed_point.real)

    def fill(start: int, stop: int) -> None:
        coordinates[start:stop] = fixed_point.coordinates(points[start:stop])

    workers.map(fill, ranges(len(points), CHUNK_ROWS))
    return DenseGroup(*tile_rows(coordinates, workers), fixed_point, workers, weights)
