"""Running kernels side by side. Kernels release the interpreter lock, and their results do not
depend on how the work was cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Workers:
    """A fixed number of threads, closed by leaving the ``with`` block."""

    def __init__(self, n_threads: int) -> None:
        self.n_threads = n_threads
        self._pool = ThreadPoolExecutor(n_threads) if n_threads > 1 else None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def map(self, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]) -> list[Any]:
        """Return ``function(*task)`` for each task, in order."""
        if self._pool is None:
            return [function(*task) for task in tasks]
        futures = [self._pool.submit(function, *task) for task in tasks]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()


def ranges(n: int, step: int) -> list[tuple[int, int]]:
    """Return ``(first, last)`` pairs that cut 0 ... n into pieces of `step`."""
    return [(first, min(first + step, n)) for first in range(0, n, step)]
