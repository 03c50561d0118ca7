"""A tree of splits: made from a sample, it sends every row to one of some compact cells."""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import kernel
from craig_cli.kernels.cells import part_at, principal_direction, projection


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
    m, d = points.shape
    order = np.arange(m)
    projections = np.empty(m)
    direction = np.empty(d)
    stack = np.empty(
        (64, 2), np.int64
    )  # (first leaf, number of leaves) of the halves still to do: one a level
    stack[0, 0], stack[0, 1] = 0, n_leaves
    depth = 1
    while depth > 0:
        depth -= 1
        first, count = stack[depth, 0], stack[depth, 1]
        while count > 1:
            low, high, half = first * m // n_leaves, (first + count) * m // n_leaves, count // 2
            split = first + half
            middle = split * m // n_leaves
            principal_direction(points, order, low, high, direction)
            for i in range(low, high):
                projections[i] = projection(points, order[i], direction)
            part_at(projections, order, low, high, middle)
            least = middle
            for i in range(middle + 1, high):
                if projections[i] < projections[least] or (
                    projections[i] == projections[least] and order[i] < order[least]
                ):
                    least = i
            directions[split] = direction
            keys[split], tie_rows[split] = projections[least], rows[order[least]]
            stack[depth, 0], stack[depth, 1] = split, count - half
            depth += 1
            count = half


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
