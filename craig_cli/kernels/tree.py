"""A tree of splits: made from a sample, it sends every row to one of some compact cells."""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import kernel
from craig_cli.kernels.cells import projection, split_rows


@kernel
def grow_tree(points, rows, n_leaves, directions, keys, tie_rows):
    """Split a sample of rows recursively in two, as `cells.split_rows` does, and keep the splits.

    Parameters
    ----------
    points : float (m, d)
        The sample; at least `n_leaves` rows.
    rows : int64 (m,)
        The row that each is a sample of, ascending: of equal projections the lower row goes left,
        so that equal rows are shared out too.
    n_leaves : int
    directions : float64 (n_leaves, d)
    keys : float64 (n_leaves,)
    tie_rows : int64 (n_leaves,)
        Filled in: a row goes to the right of split s, which parts leaf s - 1 from leaf s, if its
        projection on ``directions[s]`` is above ``keys[s]``, or equal and the row not below
        ``tie_rows[s]``. Entry 0 is not used.
    """
    m = points.shape[0]
    bounds = np.arange(n_leaves + 1) * m // n_leaves
    split_rows(points, np.arange(m), bounds, (directions, keys, tie_rows))
    # The rows of the sample are numbered in the order of those they stand for: ties among them go
    # the same way.
    for split in range(1, n_leaves):
        tie_rows[split] = rows[tie_rows[split]]


@kernel
def route(points, first_row, directions, keys, tie_rows, leaves):
    """Write the leaf of each row into `leaves` (int32). `points` (m, d) are the rows from
    `first_row` on; time m d log2(number of leaves).
    """
    for i in range(points.shape[0]):
        first, count = 0, keys.shape[0]
        while count > 1:
            half = count // 2
            split = first + half
            key = projection(points, i, directions[split])
            if key > keys[split] or (key == keys[split] and first_row + i >= tie_rows[split]):
                first, count = split, count - half
            else:
                count = half
        leaves[i] = first
