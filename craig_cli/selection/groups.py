"""The two kinds of groups, and how the rows of a class become one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import SparseRows
from craig_cli.selection.base_group import Group
from craig_cli.selection.dense_group import DenseGroup
from craig_cli.selection.fixed_point import FixedPoint, make_fixed_point
from craig_cli.selection.row_weights import RowWeights
from craig_cli.selection.sparse_group import SparseGroup
from craig_cli.selection.tiles import tile_rows
from craig_cli.threads import Workers

__all__ = ["Group", "make_group"]


def make_group(
    points: NDArray[np.floating] | SparseRows,
    is_float64: bool,
    workers: Workers,
    fixed_point: FixedPoint | None = None,
    weights: RowWeights | None = None,
) -> Group:
    """Return the rows of a class laid out for selection, with their weights.

    Dense ones are in a fixed point of their own if none is given.
    """
    if isinstance(points, SparseRows):
        return SparseGroup(points, is_float64, workers, weights=weights)
    fixed_point = fixed_point or make_fixed_point(
        points, is_float64, workers, None if weights is None else weights.total
    )
    return DenseGroup(*tile_rows(points, fixed_point, workers), fixed_point, workers, weights)
