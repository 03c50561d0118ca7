"""Times that are too short to be told by one look."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

SHORT_SECONDS = 0.3
"""What has taken less in all is done again ..."""
MOST_TIMES = 3
"""... but no more often than this."""

T = TypeVar("T")


def quickest(work: Callable[[], tuple[T, float]]) -> tuple[T, float]:
    """Return what the quickest of a few runs of `work` gave, and its seconds; work that takes
    `SHORT_SECONDS` or more is done once.

    Parameters
    ----------
    work : callable
        Returns a result and the seconds that count.
    """
    runs = [work()]
    while len(runs) < MOST_TIMES and sum(seconds for _, seconds in runs) < SHORT_SECONDS:
        runs.append(work())
    return min(runs, key=lambda run: run[1])


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return what `work` gives, and its wall-clock seconds, the shortest if they are few."""

    def once() -> tuple[T, float]:
        begun = time.perf_counter()
        result = work()
        return result, time.perf_counter() - begun

    return quickest(once)
