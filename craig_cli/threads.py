"""Running kernels and BLAS side by side: both release the interpreter lock, and their results do
not depend on how the work was cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from threading import Lock
from typing import Any

BLAS_USERS = ("numpy._core._multiarray_umath", "scipy.linalg.cython_blas")
"""Modules linked to the BLAS of numpy and to that of scipy: in their wheels these are two."""
OPENBLAS_NAMES = (
    "scipy_openblas_{}_num_threads64_",
    "scipy_openblas_{}_num_threads",
    "openblas_{}_num_threads64_",
    "openblas_{}_num_threads",
)
"""In the wheels of numpy, in those of scipy, and in the packages of distributions."""


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


class BlasThreads:
    """The threads of BLAS, set to one while anybody asks for it and then to what they were.

    Their number is one of the whole process, and calibrations may run side by side: so the blocks
    are counted.
    """

    def __init__(self) -> None:
        self._lock, self._blocks = Lock(), 0
        self._before: list[int] = []

    def enter(self) -> None:
        """Set the numbers to one, if this is the first block."""
        with self._lock:
            if self._blocks == 0:
                self._before = [get() for get, _ in openblas_functions()]
                for _, change in openblas_functions():
                    change(1)
            self._blocks += 1

    def leave(self) -> None:
        """Set the numbers to what they were, if this is the last block."""
        with self._lock:
            self._blocks -= 1
            if self._blocks == 0:
                for (_, change), before in zip(openblas_functions(), self._before, strict=True):
                    change(before)


@cache
def openblas_functions() -> Sequence[tuple[Callable[[], int], Callable[[int], object]]]:
    """Return what gets and what sets the number of threads, for the OpenBLAS of numpy and of scipy.

    Looked up through modules that are linked to it, as the library's own name and place differ from
    build to build. Another BLAS is left as it is: its results may then depend on its own number of
    threads, but not on ours.
    """
    import ctypes  # here, as this module is on the way of every command

    found = []
    for name in BLAS_USERS:
        with suppress(ImportError):
            library = ctypes.CDLL(import_module(name).__file__)
            for symbol in OPENBLAS_NAMES:
                if hasattr(library, symbol.format("set")):
                    get, change = (library[symbol.format(verb)] for verb in ("get", "set"))
                    found.append((get, change))
    return found


BLAS = BlasThreads()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Run a block, or a function that this decorates, with one thread of BLAS in each of ours.

    Sums that BLAS splits among threads of its own would differ in the last bits from one machine
    to another; and where ours call it side by side, more threads than processors are in each
    other's way.
    """
    BLAS.enter()
    try:
        yield
    finally:
        BLAS.leave()
