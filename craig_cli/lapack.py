"""The routines of LAPACK that are used, from the modules of scipy that hold them.

``import scipy.linalg`` takes longer than selecting from a small file. Its compiled modules need
nothing of it, so they are loaded by themselves.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:  # only then: `craig --help` must not load numpy
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]


def compiled_module(name: str) -> ModuleSpec | None:
    """Return where a compiled module of `scipy.linalg` is; None if it is not in its folder."""
    scipy = find_spec("scipy")
    folders = scipy and scipy.submodule_search_locations
    paths = [f"{folder}/linalg" for folder in folders or ()]
    return PathFinder.find_spec(f"scipy.linalg.{name}", paths)


@cache
def routines() -> Any:
    """Return the module of scipy that has the routines, by their names in LAPACK.

    It is the package's own where that is imported already, or where the folder is not as expected.
    """
    spec = None if "scipy.linalg" in sys.modules else compiled_module("_flapack")
    if spec is None or spec.loader is None:
        return importlib.import_module("scipy.linalg.lapack")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    # Left to scipy, which will import it as a part of its package.
    sys.modules.pop(spec.name, None)
    return module


def cholesky(matrix: Array) -> Array | None:
    """Return the lower factor of a symmetric matrix (q, q); None where it is not positive definite.

    Only the lower triangle counts, in the matrix and in the factor.
    """
    if not matrix.size:
        return matrix.copy()
    factor, info = routines().dpotrf(matrix, lower=True, clean=False)
    return factor if info == 0 else None


def pivoted_cholesky(matrix: Array, tolerance: float) -> tuple[Array, NDArray[np.int64], int]:
    """Return the lower factor with the largest pivots first, the rows in their order, and how many
    pivots are above a tolerance.
    """
    factor, order, rank, _ = routines().dpstrf(matrix, tol=tolerance, lower=True)
    return factor, order.astype("int64") - 1, int(rank)


def solve_by_factor(factor: Array, right: Array) -> Array:
    """Return x of L L^T x = `right`, (q,) or (q, m), by the lower factor L."""
    if not right.size:
        return right.copy()
    x: Array = routines().dpotrs(factor, right, lower=True)[0]
    return x


def solve_lower(factor: Array, right: Array) -> Array:
    """Return x of L x = `right`, (q, m), by the lower factor L; no pivot of it is 0."""
    if not right.size:
        return right.copy()
    x: Array = routines().dtrtrs(factor, right, lower=True)[0]
    return x
