"""Lists of near candidates: what dense and sparse groups share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.threads import Workers, ranges

ROWS_A_TASK = 256
CANDIDATES_A_TASK = 256


class Lists(NamedTuple):
    """For each position the candidates nearer than its nearest pick: those of position p stand at
    ``starts[p]:ends[p]``.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    columns: NDArray[np.int32]
    distances: NDArray[np.integer]


def collect_lists(
    list_some: Callable[[int, int, NDArray, NDArray, NDArray], int],
    n_positions: int,
    n_candidates: int,
    capacity: int,
    dtype: np.dtype,
    workers: Workers,
) -> Lists | None:
    """Return `Lists` of ``0 ... n_positions``, made by ``list_some`` range by range; None if they
    would hold more than `capacity` pairs.

    The ranges' lists stand in the order in which they are finished; nothing depends on it. Memory:
    4 + 4 (wide: 8) bytes a pair, and per thread as much for `n_candidates` + 2^18 pairs.
    """
    starts, ends = np.empty(n_positions, np.int64), np.empty(n_positions, np.int64)
    columns, distances = np.empty(capacity, np.int32), np.empty(capacity, dtype)
    filled = 0
    overflow = False

    def fill(first: int, last: int) -> None:
        nonlocal filled, overflow
        own_starts = np.empty(last - first + 1, np.int64)
        own_columns, own_distances = (
            np.empty(n_candidates + (1 << 18), np.int32),
            np.empty(n_candidates + (1 << 18), dtype),
        )
        while first < last and not overflow:
            done = list_some(first, last, own_starts, own_columns, own_distances)
            count = int(own_starts[done - first])
            with lock:
                place, filled = filled, filled + count
            if place + count > capacity:
                overflow = True
                return
            columns[place : place + count], distances[place : place + count] = (
                own_columns[:count],
                own_distances[:count],
            )
            starts[first:done], ends[first:done] = (
                place + own_starts[: done - first],
                place + own_starts[1 : done - first + 1],
            )
            first = done

    lock = threading.Lock()
    workers.map(fill, ranges(n_positions, ROWS_A_TASK))
    return None if overflow else Lists(starts, ends, columns[:filled], distances[:filled])
