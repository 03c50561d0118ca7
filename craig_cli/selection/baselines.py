"""Methods without a greedy order: what a coreset must beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from craig_cli.blocks import SparseRows
from craig_cli.kernels.cells import sign_projection
from craig_cli.selection.budgets import class_sizes
from craig_cli.selection.classes import ClassRows
from craig_cli.selection.dense_group import compact_order
from craig_cli.selection.frames import make_frame
from craig_cli.selection.sparse_group import SKETCH_COLUMNS
from craig_cli.threads import Workers

UNIFORM_SHARE = 0.2
"""Of importance sampling, so that rows of small scores, too, have a bounded weight."""


def random_picks(n_rows: int, size: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return distinct rows drawn uniformly, in random order, and their weights, n / k each (paper, section 5: the random baseline)."""
    return rng.permutation(n_rows)[:size], np.full(size, n_rows / size)


def importance_picks(scores: NDArray[np.float64], size: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return distinct rows drawn by their scores, in random order, and weights in proportion to 1/probability that add up to n.

    Parameters
    ----------
    scores : ndarray of float64, shape (n,)
        Of at least 0, as the length of a row's gradient at a pilot model (OSMAC: Wang, Zhu and Ma 2018).
    size : int
    rng : numpy.random.Generator

    Notes
    -----
    Row i is drawn with probability min(1, t q_i), where q mixes the scores' shares with a fifth of uniform, and t makes `size` of the sum:
    systematically along a random order, which gives each row just this probability.
    """
    n = len(scores)
    total = float(scores.sum())
    mixed = np.full(n, 1.0 / n) if total == 0 else (1 - UNIFORM_SHARE) * scores / total + UNIFORM_SHARE / n
    probability = np.zeros(n)
    is_certain = np.zeros(n, bool)
    while True:
        left = ~is_certain
        probability[left] = (size - np.count_nonzero(is_certain)) * mixed[left] / mixed[left].sum() if left.any() else 1.0
        above = left & (probability >= 1)
        if not above.any():
            break
        is_certain |= above
        probability[above] = 1.0
    order = rng.permutation(n)
    ends = np.cumsum(probability[order])
    ends *= size / ends[-1]
    places = np.minimum(np.searchsorted(ends, rng.random() + np.arange(size), side="right"), n - 1)
    picks = rng.permutation(order[places])
    weights = 1 / probability[picks]
    return picks, weights * (n / weights.sum())


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


def importance_rows(
    classes: Sequence[ClassRows], scores: NDArray[np.float64], size: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return `size` rows by `importance_picks`, class by class, class ratios kept, and their weights."""
    sizes = class_sizes(size, np.array([len(c.index) for c in classes]))
    rows, weights = [], []
    for number, (members, share) in enumerate(zip(classes, sizes.tolist(), strict=True)):
        picks, weight = importance_picks(scores[members.index], share, np.random.default_rng([seed, number]))
        rows.append(members.index[picks])
        weights.append(weight)
    return np.concatenate(rows), np.concatenate(weights)
