"""Running kernels and BLAS side by side: both release the interpreter lock, and their results do
not depend on how the work was cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, TypeAlias

from craig_cli.lapack import compiled_module

NUMPY_BLAS_USER = "numpy._core._multiarray_umath"
SCIPY_BLAS_USER = "cython_blas"
OPENBLAS_NAMES = (
    "scipy_openblas_{}_num_threads64_",
    "scipy_openblas_{}_num_threads",
    "openblas_{}_num_threads64_",
    "openblas_{}_num_threads",
)
"""In the wheels of numpy, in those of scipy, and in the packages of distributions."""

GetAndSet: TypeAlias = tuple[Callable[[], int], Callable[[int], object]]


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


@cache
def openblas_functions() -> Sequence[GetAndSet]:
    """Return what gets and what sets the number of threads, for the OpenBLAS of numpy and of scipy.

    In their wheels these are two. Looked up through modules that are linked to it, as the library's
    own name and place differ from build to build; that of scipy is not imported, which would take
    long. Another BLAS is left as it is: its results may then depend on its own number of threads,
    but not on ours.
    """
    of_numpy, of_scipy = import_module(NUMPY_BLAS_USER), compiled_module(SCIPY_BLAS_USER)
    found: list[GetAndSet] = []
    for path in (of_numpy.__file__, of_scipy and of_scipy.origin):
        if path:
            found += functions_in([path]) or functions_in(openblas_beside(path))
    return found


def functions_in(paths: Sequence[str]) -> list[GetAndSet]:
    """Return what gets and what sets the number of threads, as far as libraries have it."""
    import ctypes  # here, as this module is on the way of every command

    found: list[GetAndSet] = []
    for library in map(ctypes.CDLL, paths):
        for symbol in OPENBLAS_NAMES:
            if hasattr(library, symbol.format("set")):
                get, change = (library[symbol.format(verb)] for verb in ("get", "set"))
                found.append((get, change))
    return found


def openblas_beside(module: str) -> list[str]:
    """Return the OpenBLAS libraries that the wheel of a compiled module brings along.

    Linux and macOS find what is linked to a module through it; Windows must be told the file.
    """
    package = Path(module).parents[1]
    return sorted(map(str, package.with_name(f"{package.name}.libs").glob("*openblas*")))


LOCK = Lock()
BEFORE: list[list[int]] = []
"""The numbers that the blocks under way have found: only the first has found others than one."""


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Run a block, or a function that this decorates, with one thread of BLAS in each of ours.

    Sums that BLAS splits among threads of its own would differ in the last bits from one machine
    to another; and where ours call it side by side, more threads than processors are in each
    other's way. The number is one of the whole process: blocks may overlap on several threads, and
    the last to be left sets it to what the first has found.
    """
    with LOCK:
        BEFORE.append([get() for get, _ in openblas_functions()])
        for _, change in openblas_functions():
            change(1)
    try:
        yield
    finally:
        with LOCK:
            for (_, change), number in zip(openblas_functions(), BEFORE.pop(), strict=True):
                change(number)
