"""Reverse greedy: more picks than wanted, those given up one by one that are missed least.

What greedy in cells picks twice, on both sides of a border, goes again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels import reverse_greedy
from craig_cli.selection.groups import Group

STUCK_SHARE = 0.02
"""Rows look for their near picks again when so many picks cannot go, since some row has no other on
its list: where many rows are crowded.
"""
ROUND_SHARE = 0.95
"""A round that leaves more is the last: stuck picks then stay."""


Weigh: TypeAlias = Callable[[NDArray[np.integer]], NDArray[np.int64]]
"""What near picks cost each row, from their distances, shape (n_rows, m): rising with them, in
whole numbers.
"""


def reverse_greedy_picks(
    group: Group, picks: NDArray[np.int64], size: int, weigh: Weigh | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.integer]]:
    """Return which of the picks are kept, `size` of them, and each row's nearest kept pick, or
    nearly, and the distance to it.

    Parameters
    ----------
    group : Group
    picks : ndarray of int64, shape (k,)
        Positions; at least `size`.
    size : int
    weigh : callable, optional
        Default: the distances count as they are.

    Returns
    -------
    kept : ndarray of int64, shape (size,)
        Places in `picks`, ascending.
    cluster : ndarray of int32, shape (n_rows,)
        A place in `kept` for each position; -1 where none of the near picks is kept.
    nearest : ndarray of int, shape (n_rows,)
        Quantised distances; of no meaning where the cluster is -1.

    Notes
    -----
    Greedy in reverse, by the nearest picks that each row knows. Time n d 768 at most / threads,
    less by early ends; memory 100 bytes a row, 200 of wide ones.
    """
    kept, stuck_at_most = np.arange(len(picks)), STUCK_SHARE
    while True:
        near, distances = group.near_picks(picks[kept])
        include_self(near, distances, picks[kept])
        costs = distances if weigh is None else weigh(distances)
        starts, rows = np.zeros(len(kept) + 2, np.int64), np.empty(near.size, np.int32)
        reverse_greedy.rows_of_picks(near, starts, rows)
        is_kept, first = np.ones(len(kept), bool), np.empty(group.n_rows, np.int8)
        n_left = reverse_greedy.drop_picks(
            (near, costs), starts, rows, size, int(stuck_at_most * len(kept)), is_kept, first
        )
        if n_left == size:
            break
        stuck_at_most = 1.0 if n_left > ROUND_SHARE * len(kept) else STUCK_SHARE
        kept = kept[is_kept]
    used_up = first == near.shape[1]
    first[used_up] = 0
    every = np.arange(group.n_rows)
    cluster = (np.cumsum(is_kept, dtype=np.int32) - np.int32(1))[near[every, first]]
    cluster[used_up] = -1
    return kept[is_kept], cluster, distances[every, first]


def include_self(
    near: NDArray[np.int32], distances: NDArray[np.integer], picks: NDArray[np.int64]
) -> None:
    """Put each pick first among the near picks of its own row, in place, where it is not among
    them: a far row may not have been shown its own.
    """
    numbers = np.arange(len(picks), dtype=near.dtype)
    strangers = ~(near[picks] == numbers[:, None]).any(axis=1)
    rows = picks[strangers]
    near[rows, 1:], distances[rows, 1:] = near[rows, :-1], distances[rows, :-1]
    near[rows, 0], distances[rows, 0] = numbers[strangers], 0


def clusters(
    cluster: NDArray[np.int32], rank: NDArray[np.int64], n_picks: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of each cluster, the lowest row first: those of cluster c are
    ``members[starts[c]:starts[c + 1]]``; -1 is none.
    """
    by_rank = np.argsort(rank)
    starts, rows = np.zeros(n_picks + 2, np.int64), np.empty(len(rank), np.int32)
    reverse_greedy.rows_of_picks(cluster[by_rank][:, None], starts, rows)
    return starts[:-1], by_rank[rows[: starts[n_picks]]]
