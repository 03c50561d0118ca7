"""Compiled loops over arrays: no files, no objects, no random numbers, no errors raised.

Every kernel is decorated with `kernel`, releases the interpreter lock, and is run in slices short
enough for signals and progress.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from craig_cli.cache import cache_name, prepare_cache

CACHE_FOLDER = prepare_cache()

import numba  # noqa: E402  (after the cache folder is chosen)
from numba.core import event  # noqa: E402
from numba.core.caching import FunctionCache, IndexDataCacheFile  # noqa: E402
from numba.core.registry import cpu_target  # noqa: E402
from numba.core.runtime.nrt import rtsys  # noqa: E402

from craig_cli.kernels.watching import Watcher  # noqa: E402

event.register("numba:compile", Watcher())
NUMBAS_OWN = ("_load_overload", "_guard_against_spurious_io_errors", "_index_key")
SHIPPED_FOLDER = Path(__file__).parent / "compiled" / f"{cache_name()}-{numba.__version__}"
"""What a wheel for one platform brings along, compiled from these very sources by this numba."""
BASELINE = (
    "x86-64-v3",
    "+avx,+avx2,+bmi,+bmi2,+cmov,+cx16,+cx8,+f16c,+fma,+fxsr,+lzcnt,+mmx,+movbe,+popcnt,+sahf,"
    "+sse,+sse2,+sse3,+sse4.1,+sse4.2,+ssse3,+xsave",
)
"""The processor that shipped kernels are compiled for, and what it can do, as LLVM names it."""


@cache
def can_use_shipped() -> bool:
    """Return whether compiled kernels came with this installation, for this kind of processor."""
    _, _, features = cpu_target.target_context.codegen().magic_tuple()
    return SHIPPED_FOLDER.is_dir() and set(BASELINE[1].split(",")) <= set(features.split(","))


def processor() -> str:
    """Return LLVM's name of the processor that kernels are compiled for: what is kept for one is of
    no use to another.
    """
    _, own, _ = cpu_target.target_context.codegen().magic_tuple()
    return BASELINE[0] if can_use_shipped() else own


class KernelCache(FunctionCache):
    """What numba keeps of a kernel on disk, loaded without getting ready to compile."""

    def load_overload(self, signature: Any, context: Any) -> Any:
        """Return a compiled kernel; None where it is not kept, and then the compiler gets ready.

        numba's own method gets ready first, each time: it imports whatever code may call, scipy's
        linear algebra too, which takes 0.3 s. What is compiled needs only the runtime.

        What is shipped goes before what was compiled here: sums, whose last bits hang on the
        processor compiled for, do not depend on what was run before.
        """
        rtsys.initialize(context)
        with self._guard_against_spurious_io_errors():
            data = self._shipped(signature, context)
            if data is not None:
                return self._impl.rebuild(context, data)
            return self._load_overload(signature, context)

    def _shipped(self, signature: Any, context: Any) -> Any:
        """Return what was shipped of a kernel; None where there is nothing for these types."""
        if not can_use_shipped():
            return None
        machine, _, _ = context.codegen().magic_tuple()
        stamp = self._impl.locator.get_source_stamp()
        file = IndexDataCacheFile(str(SHIPPED_FOLDER), self._impl.filename_base, stamp)
        _, _, code = self._index_key(signature, context.codegen())
        return file.load((signature, (machine, *BASELINE), code))

    def keeps(self, signature: Any, context: Any) -> bool:
        """Return whether a kernel needs no compiling."""
        key = self._index_key(signature, context.codegen())
        kept = self._cache_file._load_index()
        return key in kept or self._shipped(signature, context) is not None


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
