"""The quickest greedy selection: exact within compact groups of some dozens of rows. For coresets
that are made anew as training goes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels.in_groups import greedy_in_groups
from craig_cli.selection.budgets import budget_size, class_sizes
from craig_cli.selection.tiles import compact_order
from craig_cli.settings import Budget
from craig_cli.threads import Workers, ranges

GROUP_ROWS = 64
PICKS_A_GROUP = 8
"""Groups are larger where fewer picks would fall to one."""
LARGEST_GROUP = 2048
"""The distances within a group take 4 m^2 bytes a thread: 16 MB."""
GROUPS_A_TASK = 16


def grouped_rows(
    points: NDArray[np.float32], class_numbers: NDArray[np.int64], fraction: float, workers: Workers
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return rows of each class, and how many rows each stands for.

    Parameters
    ----------
    points : ndarray of float32, shape (n, d)
        What distances are taken among.
    class_numbers : ndarray of int64, shape (n,)
    fraction : float
        Of the rows; class ratios are kept, and each class has one row at least.
    workers : Workers

    Returns
    -------
    index : ndarray of int64, shape (k,)
        Class by class, group by group.
    weights : ndarray of float64, shape (k,)
        Rows of the group nearest to it: they add up to the rows of the class.

    Notes
    -----
    A class is cut across its widest directions into groups of equal size, and greedy (the paper's
    algorithm 1) runs within each for its share. Time n (m d + d log n) / threads for groups of m
    rows; memory n (4 d + 24) bytes.
    """
    by_class, sizes = class_members(class_numbers, fraction)
    tasks = list(zip(by_class, sizes.tolist(), strict=True))
    if len(tasks) < workers.n_threads:
        found = [group_picks(points[members], size, workers) for members, size in tasks]
    else:  # a thread for each class hands over less than threads that share one
        with Workers(1) as alone:
            found = workers.map(
                lambda members, size: group_picks(points[members], size, alone), tasks
            )
    index = np.concatenate(
        [members[picks] for members, (picks, _) in zip(by_class, found, strict=True)]
    )
    return index, np.concatenate([weights for _, weights in found])


def class_members(
    class_numbers: NDArray[np.int64], fraction: float
) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Return the rows of each class that has any, ascending, and how many of them to select."""
    by_class = np.split(
        np.argsort(class_numbers, kind="stable"), np.cumsum(np.bincount(class_numbers))[:-1]
    )
    members = [own for own in by_class if len(own)]
    size = budget_size(Budget(fraction=fraction), len(class_numbers), len(members))
    return members, class_sizes(size, np.array([len(own) for own in members]))


def group_picks(
    points: NDArray[np.float32], size: int, workers: Workers
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return `size` rows of one class and their weights."""
    n = len(points)
    wanted = min(LARGEST_GROUP, max(GROUP_ROWS, PICKS_A_GROUP * n // size))
    n_groups = max(1, min(n // wanted, size))
    bounds = np.arange(n_groups + 1) * n // n_groups
    places = bounds * size // n  # no group gives more than its rows, and each one at least
    order = compact_order(points, bounds, workers)
    for low, high in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        order[low:high].sort()
    picks, weights = np.empty(size, np.int64), np.empty(size)

    def fill(first: int, last: int) -> None:
        greedy_in_groups(points, order, bounds, places, first, last, picks, weights)

    workers.map(fill, ranges(n_groups, GROUPS_A_TASK))
    return picks, weights


def random_rows(
    class_numbers: NDArray[np.int64], fraction: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return uniform rows of each class and their weights, n_c / k_c: what `grouped_rows` must
    beat. Time n.
    """
    members, sizes = class_members(class_numbers, fraction)
    index = np.concatenate(
        [
            rng.choice(own, size, replace=False)
            for own, size in zip(members, sizes.tolist(), strict=True)
        ]
    )
    return index, np.concatenate(
        [np.full(size, len(own) / size) for own, size in zip(members, sizes.tolist(), strict=True)]
    )
