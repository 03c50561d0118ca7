"""Compiled loops over arrays: no files, no objects, no random numbers, no errors raised.

Every kernel is decorated with `kernel`, releases the interpreter lock, and is run in slices short
enough for signals and progress.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from craig_cli.cache import prepare_cache

CACHE_FOLDER = prepare_cache()

import numba  # noqa: E402  (after the cache folder is chosen)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` on first call; kept on disk where a cache folder could be had."""
    return numba.njit(function, nogil=True, cache=CACHE_FOLDER is not None, error_model="numpy")


def inlined(function: Callable[..., Any]) -> Any:
    """Compile `function` into each kernel that calls it: there the compiler sees which arrays
    cannot overlap, and loops run up to twice as fast.
    """
    return numba.njit(function, inline="always", error_model="numpy")


def summing_kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` as `kernel` does, its sums regrouped for vector units: equal bits on equal
    processors, equal up to rounding on others.

    A loop that sums must write to no array: else the vectors are taken only where the arrays lie
    far enough apart in memory, and the last bits depend on where that happens to be.
    """
    return numba.njit(
        function,
        nogil=True,
        cache=CACHE_FOLDER is not None,
        error_model="numpy",
        fastmath={"reassoc", "nsz", "contract"},
    )
