"""Methods without a greedy order: what a coreset must beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.blocks import SparseRows
from craig_cli.kernels.cells import sign_projection, split_rows
from craig_cli.selection.frames import make_frame
from craig_cli.selection.sparse_group import SKETCH_COLUMNS


def random_picks(n_rows: int, size: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return distinct rows drawn uniformly, in random order, and their weights, n / k each (paper, section 5: the random baseline)."""
    return rng.permutation(n_rows)[:size], np.full(size, n_rows / size)


def stratified_picks(points: NDArray[np.float64] | SparseRows, size: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return one random row of each of `size` balanced, compact cells, in random order, and the cells' sizes as weights.

    Unbiased given the cells: the weighted sum over the picks of any function of a row has the sum over all rows as its mean.
    Time n d log2(size); memory 8 d n, or 512 n for sparse rows, whose cells are cut in a random projection to 64 columns.
    """
    if isinstance(points, SparseRows):
        flat = np.zeros((points.n_rows, SKETCH_COLUMNS))
        sign_projection(points.indptr, points.indices, points.values, flat)
        points = flat
    coordinates = make_frame(points, True).coordinates(points)
    order, bounds = np.arange(len(points)), np.empty(size + 1, np.int64)
    split_rows(coordinates, order, size, 0, bounds)
    sizes = np.diff(bounds)
    picks = order[bounds[:-1] + rng.integers(sizes)]
    shuffled = rng.permutation(size)
    return picks[shuffled], sizes[shuffled].astype(np.float64)
