"""Methods without a greedy order: what a coreset must beat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import SparseRows
from craig_cli.kernels.cells import sign_projection
from craig_cli.selection.budgets import class_sizes
from craig_cli.selection.classes import ClassRows
from craig_cli.selection.fixed_point import make_fixed_point
from craig_cli.selection.row_weights import drawn_by_weight, uneven
from craig_cli.selection.sparse_group import SKETCH_COLUMNS
from craig_cli.selection.tiles import compact_order
from craig_cli.threads import Workers

UNIFORM_SHARE = 0.2
"""Of importance sampling, so that rows of small scores, too, have a bounded weight."""
ROUNDING = 1e-12


Drawn: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Places of picks, and their weights."""
Draw: TypeAlias = Callable[[NDArray[np.int64], int, NDArray[np.float64] | None], Drawn]


def weighted_picks(
    weights: NDArray[np.float64] | None, n_rows: int, size: int, draw: Draw
) -> Drawn:
    """Return distinct rows that `draw` takes, and weights that add up to those of all rows.

    Parameters
    ----------
    weights : ndarray of float64, shape (n,), or None
        Of the rows, not all of them 0; None for all 1.
    n_rows, size : int
    draw : callable
        ``draw(rows, k, own)`` returns k places in `rows` and their weights, up to a factor, for
        rows of the weights `own`; None for equal ones.

    Notes
    -----
    Only rows of a weight above 0 are drawn; where these are too few, the lowest of the others
    follow, of weight 0.
    """
    if uneven(weights) is None:
        places, drawn = draw(np.arange(n_rows), size, None)
        return places, drawn if weights is None else drawn * weights[0]
    assert weights is not None
    counting, idle = np.flatnonzero(weights > 0), np.flatnonzero(weights == 0)
    n_drawn = min(size, len(counting))
    places, drawn = draw(counting, n_drawn, weights[counting])
    picks = np.concatenate([counting[places], idle[: size - n_drawn]])
    return picks, np.concatenate([drawn * (weights.sum() / drawn.sum()), np.zeros(size - n_drawn)])


def random_picks(
    n_rows: int, size: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return distinct rows drawn uniformly, in random order, and their weights, n / k each (paper,
    section 5: the random baseline).
    """
    return rng.permutation(n_rows)[:size], np.full(size, n_rows / size)


def importance_picks(
    scores: NDArray[np.float64], size: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return distinct rows drawn by their scores, in random order, and weights in proportion to
    1/probability that add up to n.

    Parameters
    ----------
    scores : ndarray of float64, shape (n,)
        Of at least 0, as the length of a row's gradient at a pilot model (OSMAC: Wang, Zhu and Ma
        2018).
    size : int
        At most n.
    rng : numpy.random.Generator

    Notes
    -----
    Systematic sampling of the rows in random order: exactly `size` of them, each with exactly its
    probability. Time n log n.
    """
    chances = inclusion_chances(scores, size)
    shuffled = rng.permutation(len(scores))
    ends = np.cumsum(chances[shuffled])
    ends *= size / ends[-1]
    places = np.minimum(
        np.searchsorted(ends, np.arange(size) + rng.random(), side="right"), len(scores) - 1
    )
    picks = rng.permutation(shuffled[places])
    weights = 1 / chances[picks]
    return picks, weights * (len(scores) / weights.sum())


def draw_by_importance(
    scores: NDArray[np.float64],
    rng: np.random.Generator,
    rows: NDArray[np.int64],
    size: int,
    own: NDArray[np.float64] | None,
) -> Drawn:
    """Return `importance_picks` of some rows: those that have weights are drawn by weight times
    score, and stand for weight over probability.
    """
    if own is None:
        return importance_picks(scores[rows], size, rng)
    places, drawn = importance_picks(scores[rows] * own, size, rng)
    return places, drawn * own[places]


def draw_at_random(
    rng: np.random.Generator, rows: NDArray[np.int64], size: int, own: NDArray[np.float64] | None
) -> Drawn:
    """Return `random_picks` of some rows; those that have weights stand for them over the
    probability (Horvitz and Thompson).
    """
    places, drawn = random_picks(len(rows), size, rng)
    return places, drawn if own is None else drawn * own[places]


def inclusion_chances(scores: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return the probability of each row to be among `size` that are drawn; those that would exceed
    1 are 1, and the others share the rest.
    """
    n, total = len(scores), scores.sum()
    drawn_by = scores / total if total > 0 else np.full(n, 1 / n)
    shares = UNIFORM_SHARE / n + (1 - UNIFORM_SHARE) * drawn_by
    chances: NDArray[np.float64] = size * shares
    while (chances > 1 + ROUNDING).any():
        certain = chances >= 1
        chances = np.where(
            certain, 1.0, shares * (size - np.count_nonzero(certain)) / shares[~certain].sum()
        )
    return np.minimum(chances, 1.0)


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


def importance_rows(
    classes: Sequence[ClassRows], scores: NDArray[np.float64], size: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return `size` rows by `importance_picks`, class by class, class ratios kept, and their
    weights; the rows count by their own weights, too.
    """
    sizes = class_sizes(size, np.array([len(c.index) for c in classes]))
    rows, weights = [], []
    for number, (members, share) in enumerate(zip(classes, sizes.tolist(), strict=True)):
        draw = partial(
            draw_by_importance, scores[members.index], np.random.default_rng([seed, number])
        )
        picks, weight = weighted_picks(members.weights, len(members.index), share, draw)
        rows.append(members.index[picks])
        weights.append(weight)
    return np.concatenate(rows), np.concatenate(weights)
