"""Method ``random``: uniform rows of each class (paper, section 5: the random baseline)."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from craig_cli.selection.methods.base import ClassTask, Picked
from craig_cli.selection.methods.drawn import Drawn, weighted_picks


def choose_at_random(task: ClassTask) -> Picked:
    """Return uniform rows of a class."""
    draw = partial(draw_at_random, task.rng)
    return weighted_picks(task.members.weights, task.n_rows, task.size, draw)


def random_picks(
    n_rows: int, size: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return distinct rows drawn uniformly, in random order, and their weights, n / k each (paper,
    section 5: the random baseline).
    """
    return rng.permutation(n_rows)[:size], np.full(size, n_rows / size)


def draw_at_random(
    rng: np.random.Generator, rows: NDArray[np.int64], size: int, own: NDArray[np.float64] | None
) -> Drawn:
    """Return `random_picks` of some rows; those that have weights stand for them over the
    probability (Horvitz and Thompson).
    """
    places, drawn = random_picks(len(rows), size, rng)
    return places, drawn if own is None else drawn * own[places]
