"""What the greedy methods share: greedy on a sample of the rows, and swaps afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.errors import UsageError
from craig_cli.kernels.dense import ROWS_LISTED
from craig_cli.selection.constraints import constrained_greedy
from craig_cli.selection.dense_group import ROWS_ALL_DISTANCES, DenseGroup
from craig_cli.selection.fasterpam import fasterpam_picks
from craig_cli.selection.lazy_greedy import (
    LIST_PAIRS_A_ROW,
    LIST_PAIRS_MINIMUM,
    PICKS_A_STEP,
    Draw,
    LazyGreedy,
)
from craig_cli.selection.methods.base import ClassTask, Picked
from craig_cli.selection.row_groups import MemoryGroups
from craig_cli.selection.row_weights import row_weights
from craig_cli.settings import SelectionSettings

PASSES = 2.0
"""Passes over all pairs of a class that exact greedy takes: 0.8 for the first two picks, then less
and less, and up to one for the lists.
"""
FEW_PASSES = 0.7
"""The same where all distances are kept: half of them are measured, and then only looked up."""
PAIR_BYTES = 12
"""Of a pair on a list: its number, and its distance between float64 coordinates."""
DISTANCE_BYTES = 8
"""Of a pair of all distances: those of float64 coordinates."""


def lazy_pairs(settings: SelectionSettings, seen: NDArray[np.float64]) -> float:
    """Return the pairs of rows that lazy greedy looks at; twice as many under a budget of costs."""
    tries = 1 if settings.budget.budget_cost is None else 2
    passes = np.where(seen <= ROWS_ALL_DISTANCES, FEW_PASSES, PASSES)
    return tries * float((passes * np.square(seen)).sum())


def list_bytes(n_rows: int, n_threads: int) -> int:
    """Return the memory of the neighbour lists of a class, and of what threads list side by side,
    twice till it is handed over; or of all its distances, if that is more.
    """
    pairs = min(max(LIST_PAIRS_MINIMUM, LIST_PAIRS_A_ROW * n_rows), n_rows**2)
    listing = 2 * n_threads * ROWS_LISTED * n_rows
    lists = PAIR_BYTES * (pairs + listing)
    return max(lists, DISTANCE_BYTES * n_rows**2) if n_rows <= ROWS_ALL_DISTANCES else lists


def choose_greedily(task: ClassTask, pick: Callable[[ClassTask], NDArray[np.int64]]) -> Picked:
    """Return the rows of a class that `pick` gives, on a sample and with swaps where asked for.

    Raises
    ------
    UsageError
        Swaps are asked for, and the rows are sparse.
    """
    some = sampled_rows(task)
    if some is not None:
        is_float64 = task.groups.is_float64
        weights = row_weights(task.members.weights, task.n_rows, is_float64).take(some)
        members = replace(task.members, index=task.members.index[some], weights=None)
        groups = MemoryGroups(task.features, members, is_float64, task.workers, weights=weights)
        task = replace(task, groups=groups)
    rows = pick(task)
    if task.settings.refine:
        group = task.groups.group(0)
        if not isinstance(group, DenseGroup):
            raise UsageError("--refine: it needs dense rows, and these are sparse. Leave it out.")
        position = np.argsort(group.rank)
        rows = group.rank[fasterpam_picks(group, position[rows], task.workers, task.report)]
    return rows if some is None else some[rows], None


def sampled_rows(task: ClassTask) -> NDArray[np.int64] | None:
    """Return the rows of a class that greedy sees under ``--sample-rows``, ascending; None for all.

    They are the class's share of the sample, and at least as many as there are to pick.
    """
    sample_rows, n = task.settings.sample_rows, task.n_rows
    share = max(task.size, sample_rows * n // len(task.features))
    if sample_rows == 0 or share >= n:
        return None
    return np.sort(task.rng.choice(n, share, replace=False))


def lazy_picks(task: ClassTask, draw: Draw | None = None) -> NDArray[np.int64]:
    """Return the rows of a class that lazy greedy picks, among candidates of `draw` if given."""
    group, given = task.groups.group(0), task.constraints
    greedy = LazyGreedy(group, draw) if given is None else constrained_greedy(group, given, draw)
    while len(greedy.picks) < task.size:
        greedy.extend(min(PICKS_A_STEP, task.size - len(greedy.picks)))
        task.report(len(greedy.picks))
    return group.rank[np.array(greedy.picks, np.int64)]
