"""Method ``stratified``: one random row of each of as many balanced, compact cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import SparseRows
from craig_cli.kernels.cells import sign_projection
from craig_cli.selection.fixed_point import make_fixed_point
from craig_cli.selection.methods.base import ClassTask, Picked
from craig_cli.selection.methods.drawn import Drawn, weighted_picks
from craig_cli.selection.row_weights import drawn_by_weight
from craig_cli.selection.sparse_group import SKETCH_COLUMNS
from craig_cli.selection.tiles import compact_order
from craig_cli.threads import Workers


def choose_stratified(task: ClassTask) -> Picked:
    """Return a random row of each of `size` cells of a class."""

    def draw(rows: NDArray[np.int64], size: int, own: NDArray[np.float64] | None) -> Drawn:
        points = task.features.in_parts(task.members.index[rows], task.workers)
        return stratified_picks(points, size, task.rng, task.workers, own)

    return weighted_picks(task.members.weights, task.n_rows, task.size, draw)


def stratified_picks(
    points: NDArray[np.float64] | SparseRows,
    size: int,
    rng: np.random.Generator,
    workers: Workers,
    weights: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return one random row of each of `size` balanced, compact cells, in random order, and the
    cells' sizes as weights.

    With `weights` (n,) a row is drawn in proportion to them, and stands for those of its cell added
    up.

    Unbiased given the cells: the weighted sum over the picks of any function of a row has the sum
    over all rows as its mean. Time n d log2(size) / threads; memory 4 d n, or 768 n for sparse
    rows, whose cells are cut in a random projection to 64 columns.
    """
    if isinstance(points, SparseRows):
        flat = np.zeros((points.n_rows, SKETCH_COLUMNS))
        sign_projection(points.indptr, points.indices, points.values, flat)
        points = flat
    bounds = np.arange(size + 1) * len(points) // size
    order = compact_order(
        make_fixed_point(points, False, workers).coordinates(points), bounds, workers
    )
    sizes = (
        np.diff(bounds).astype(np.float64)
        if weights is None
        else np.add.reduceat(weights[order], bounds[:-1])
    )
    picks = order[
        bounds[:-1] + rng.integers(np.diff(bounds))
        if weights is None
        else drawn_by_weight(weights[order], bounds, rng)
    ]
    shuffled = rng.permutation(size)
    return picks[shuffled], sizes[shuffled]
