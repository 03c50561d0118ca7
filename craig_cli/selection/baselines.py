"""Methods without a greedy order: what a coreset must beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.blocks import SparseRows
from craig_cli.kernels.cells import sign_projection
from craig_cli.selection.dense_group import compact_order
from craig_cli.selection.frames import make_frame
from craig_cli.selection.sparse_group import SKETCH_COLUMNS
from craig_cli.threads import Workers


def random_picks(n_rows: int, size: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return distinct rows drawn uniformly, in random order, and their weights, n / k each (paper, section 5: the random baseline)."""
    return rng.permutation(n_rows)[:size], np.full(size, n_rows / size)


def stratified_picks(
    points: NDArray[np.float64] | SparseRows, size: int, rng: np.random.Generator, workers: Workers
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return one random row of each of `size` balanced, compact cells, in random order, and the cells' sizes as weights.

    Unbiased given the cells: the weighted sum over the picks of any function of a row has the sum over all rows as its mean.
    Time n d log2(size) / threads; memory 4 d n, or 768 n for sparse rows, whose cells are cut in a random projection to 64 columns.
    """
    if isinstance(points, SparseRows):
        flat = np.zeros((points.n_rows, SKETCH_COLUMNS))
        sign_projection(points.indptr, points.indices, points.values, flat)
        points = flat
    bounds = np.arange(size + 1) * len(points) // size
    order = compact_order(make_frame(points, False, workers).coordinates(points), bounds, workers)
    sizes = np.diff(bounds)
    picks = order[bounds[:-1] + rng.integers(sizes)]
    shuffled = rng.permutation(size)
    return picks[shuffled], sizes[shuffled].astype(np.float64)
