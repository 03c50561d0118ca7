"""Swaps after greedy (``--refine``), and the greedy order among the picks that come out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels import fasterpam as kernels
from craig_cli.kernels.tiles import TILE
from craig_cli.selection.dense_group import DenseGroup
from craig_cli.selection.lazy_greedy import PICKS_A_STEP, LazyGreedy
from craig_cli.selection.tiles import side_by_side
from craig_cli.threads import Workers, ranges

ROWS_A_STEP = 512
PASSES = 20
"""Passes over the rows at most; two to five are usual."""


def fasterpam_picks(
    group: DenseGroup, picks: NDArray[np.int64], workers: Workers, progress: Callable[[int], None]
) -> NDArray[np.int64]:
    """Return as many picks with an L no larger, which no single swap lowers, in greedy order among
    themselves.

    Parameters
    ----------
    group : DenseGroup
        Its assignment is lost.
    picks : ndarray of int64, shape (k,)
        Positions.
    workers : Workers
    progress : callable

    Notes
    -----
    Swaps as FasterPAM makes them (Schubert and Rousseeuw 2021, algorithm 3), the rows tried in the
    order of their positions, again and again until a whole round brings nothing. Time n k d /
    threads to start, then the tiles in reach of each row tried; memory 24 n.
    """
    if len(picks) < 2 or len(picks) == group.n_rows:
        return picks
    swapped = swap(group, picks.copy(), workers, progress)
    group.reset()
    greedy = LazyGreedy(group, only=swapped)
    while len(greedy.picks) < len(picks):
        greedy.extend(min(PICKS_A_STEP, len(picks) - len(greedy.picks)))
    return np.array(greedy.picks, np.int64)


def swap(
    group: DenseGroup, picks: NDArray[np.int64], workers: Workers, progress: Callable[[int], None]
) -> NDArray[np.int64]:
    """Swap until nothing is gained; changes `picks` in place and returns them."""
    n, k, layout = group.n_rows, len(picks), group.layout
    pick_lanes = side_by_side(group.vectors(picks))
    is_pick = np.zeros(n, bool)
    is_pick[picks] = True
    nearest, number = np.empty((n, 2), group.nearest().dtype), np.empty((n, 2), np.int32)
    farthest, loss = np.empty(len(layout.tiles), np.int64), np.zeros(k, np.int64)
    swaps = kernels.Swaps(picks, pick_lanes, is_pick, nearest, number, farthest, loss)
    workers.map(
        lambda first, last: kernels.start_swaps(layout, swaps, (first, last)),
        ranges(n, ROWS_A_STEP),
    )
    np.add.at(loss, number[:, 0], nearest[:, 1].astype(np.int64) - nearest[:, 0])
    for _ in range(PASSES):
        # Within a round `farthest` only rises, which leaves it an upper bound, but a loose one.
        farthest[:] = np.maximum.reduceat(nearest[:, 1], np.arange(0, n, TILE))
        n_swaps = 0
        for first, last in ranges(n, ROWS_A_STEP):
            n_swaps += kernels.try_swaps(layout, swaps, (first, last))
            progress(k)
        if n_swaps == 0:
            break
    return picks
