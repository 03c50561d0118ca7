"""Compiled loops over arrays: no files, no objects, no random numbers, no errors raised.

Every kernel is decorated with `kernel`, releases the interpreter lock, and is run in slices short
enough for signals and progress.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from craig_cli.cache import prepare_cache

CACHE_FOLDER = prepare_cache()

import numba  # noqa: E402  (after the cache folder is chosen)
from numba.core.caching import FunctionCache  # noqa: E402
from numba.core.runtime.nrt import rtsys  # noqa: E402

NUMBAS_OWN = ("_load_overload", "_guard_against_spurious_io_errors")


class KernelCache(FunctionCache):
    """What numba keeps of a kernel on disk, loaded without getting ready to compile."""

    def load_overload(self, signature: Any, context: Any) -> Any:
        """Return a compiled kernel; None where it is not kept, and then the compiler gets ready.

        numba's own method gets ready first, each time: it imports whatever code may call, scipy's
        linear algebra too, which takes 0.3 s. What is compiled needs only the runtime.
        """
        rtsys.initialize(context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(signature, context)


IS_KNOWN = all(map(partial(hasattr, FunctionCache), NUMBAS_OWN))
"""Whether this numba has the methods that `KernelCache` calls, which are numba's own; if not, its
kernels load as numba has it.
"""


def kept(function: Callable[..., Any], **options: Any) -> Any:
    """Compile `function` on first call; kept on disk where a cache folder could be had."""
    is_kept = CACHE_FOLDER is not None
    dispatcher: Any = numba.njit(
        function, nogil=True, cache=is_kept, error_model="numpy", **options
    )
    if is_kept and IS_KNOWN:
        dispatcher._cache = KernelCache(function)
    return dispatcher


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` on first call; kept on disk where a cache folder could be had."""
    return kept(function)


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
    return kept(function, fastmath={"reassoc", "nsz", "contract"})
