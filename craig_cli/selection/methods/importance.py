"""Method ``importance``: rows drawn by the length of their gradient at a pilot model (OSMAC)."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from craig_cli.selection.methods.base import ClassTask, Picked
from craig_cli.selection.methods.drawn import Drawn, weighted_picks

UNIFORM_SHARE = 0.2
"""Of importance sampling, so that rows of small scores, too, have a bounded weight."""
ROUNDING = 1e-12


def choose_by_importance(task: ClassTask) -> Picked:
    """Return rows of a class drawn by their scores; all alike where there are none."""
    scores = np.ones(task.n_rows) if task.members.scores is None else task.members.scores
    draw = partial(draw_by_importance, scores, task.rng)
    return weighted_picks(task.members.weights, task.n_rows, task.size, draw)


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
    By `systematic_picks`: exactly `size` rows, each with exactly its probability. Time n log n.
    """
    chances = inclusion_chances(scores, size)
    picks = systematic_picks(chances, size, rng)
    weights = 1 / chances[picks]
    return picks, weights * (len(scores) / weights.sum())


def systematic_picks(
    chances: NDArray[np.float64], size: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return `size` distinct rows, in random order, each drawn with its probability of `chances`
    (n,), which add up to `size`: systematic sampling of the rows in random order.
    """
    shuffled = rng.permutation(len(chances))
    ends = np.cumsum(chances[shuffled])
    ends *= size / ends[-1]
    places = np.minimum(
        np.searchsorted(ends, np.arange(size) + rng.random(), side="right"), len(chances) - 1
    )
    return rng.permutation(shuffled[places])


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


def inclusion_chances(
    scores: NDArray[np.float64], size: int, uniform_share: float = UNIFORM_SHARE
) -> NDArray[np.float64]:
    """Return the probability of each row to be among `size` that are drawn, in proportion to the
    scores but for a share drawn evenly; those that would exceed 1 are 1, and the others share the
    rest.
    """
    n, total = len(scores), scores.sum()
    drawn_by = scores / total if total > 0 else np.full(n, 1 / n)
    shares = uniform_share / n + (1 - uniform_share) * drawn_by
    chances: NDArray[np.float64] = size * shares
    while (chances > 1 + ROUNDING).any():
        certain = chances >= 1
        chances = np.where(
            certain, 1.0, shares * (size - np.count_nonzero(certain)) / shares[~certain].sum()
        )
    return np.minimum(chances, 1.0)
