"""Lists of near candidates, made by several threads."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels.lists import Lists
from craig_cli.threads import Workers, ranges

ROWS_A_TASK = 256
LEAST_PAIRS = 1 << 18
"""Pairs that a thread lists, besides those it needs room for, before it hands them over."""


def collect_lists(
    list_some: Callable[[tuple[int, int], tuple[NDArray, NDArray, NDArray]], int],
    n_positions: int,
    room: int,
    capacity: int,
    dtype: np.dtype,
    workers: Workers,
) -> Lists | None:
    """Return `Lists` of ``0 ... n_positions``, None if they would hold more than `capacity` pairs.

    ``list_some`` lists a range, as far as its arrays have room for `room` pairs more, and returns
    how far. The ranges' lists stand in the order in which they are finished; nothing depends on it.
    Memory: 8 bytes a pair (float64: 12), and per thread as much for `room` + 2^18 pairs.
    """
    starts, ends = np.empty(n_positions, np.int64), np.empty(n_positions, np.int64)
    columns, distances = np.empty(capacity, np.int32), np.empty(capacity, dtype)
    lock = threading.Lock()
    filled = 0

    def fill(first: int, last: int) -> None:
        nonlocal filled
        own_starts = np.empty(last - first + 1, np.int64)
        own_columns = np.empty(room + LEAST_PAIRS, np.int32)
        own_distances = np.empty(room + LEAST_PAIRS, dtype)
        # Once there is too much it stays too much: then every thread may stop.
        while first < last and filled <= capacity:
            done = list_some((first, last), (own_starts, own_columns, own_distances))
            count = int(own_starts[done - first])
            with lock:
                place, filled = filled, filled + count
            if place + count > capacity:
                return
            columns[place : place + count] = own_columns[:count]
            distances[place : place + count] = own_distances[:count]
            starts[first:done] = place + own_starts[: done - first]
            ends[first:done] = place + own_starts[1 : done - first + 1]
            first = done

    workers.map(fill, ranges(n_positions, ROWS_A_TASK))
    if filled > capacity:
        return None
    return Lists(starts, ends, columns[:filled], distances[:filled])
