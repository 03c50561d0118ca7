"""Method ``stochastic``: greedy over random candidates a pick (Mirzasoleiman et al. 2015)."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from craig_cli.selection.methods.base import ClassTask, Picked
from craig_cli.selection.methods.greedy import choose_greedily, lazy_picks


def choose_stochastically(task: ClassTask) -> Picked:
    """Return the picks of a class, each the best of n / k ln(1 / delta) random rows."""
    return choose_greedily(task, stochastic_picks)


def stochastic_picks(task: ClassTask) -> NDArray[np.int64]:
    """Return the rows picked."""
    group = task.groups.group(0)
    wanted = math.ceil(group.n_rows / task.size * math.log(1 / task.settings.delta))
    draw = partial(draw_candidates, task.rng, np.argsort(group.rank), min(group.n_rows, wanted))
    return lazy_picks(task, draw)


def draw_candidates(
    rng: np.random.Generator, positions: NDArray[np.int64], n_candidates: int, n_picks: int
) -> NDArray[np.int64]:
    """Return `n_candidates` uniform rows for each of the next picks, as positions."""
    return positions[rng.integers(len(positions), size=(n_picks, n_candidates))]
