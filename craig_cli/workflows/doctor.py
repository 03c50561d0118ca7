"""``craig doctor``: what this installation runs on, and whether a small selection works."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from craig_cli import __version__
from craig_cli.dataset import Dataset
from craig_cli.kernels import CACHE_FOLDER
from craig_cli.platform import memory_bytes
from craig_cli.reports.doctor import DoctorReport
from craig_cli.selection import select
from craig_cli.selection.checks import broken_promises
from craig_cli.settings import Budget, SelectionSettings, usable_threads

NEEDED = ("click", "numpy", "scipy", "numba", "h5py", "pyarrow")
EXTRAS = ("matplotlib", "scikit-learn", "pandas", "polars")
NO_CACHE = (
    "No folder for compiled kernels can be written, so each start compiles them anew. Set "
    "CRAIG_CACHE_DIR to one that can."
)


def examine() -> DoctorReport:
    """Return what was found; a small selection also compiles the kernels it needs."""
    packages = {name: version_of(name) for name in (*NEEDED, *EXTRAS)}
    said, problems = try_selection()
    problems += [f"{name} is not installed." for name in NEEDED if packages[name] is None]
    if CACHE_FOLDER is None:
        problems.append(NO_CACHE)
    return DoctorReport(
        version=__version__,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        packages=packages,
        needed=NEEDED,
        threads=usable_threads(),
        cpus=os.cpu_count() or 1,
        memory_bytes=memory_bytes(),
        cache=None if CACHE_FOLDER is None else str(CACHE_FOLDER),
        cached_kernels=0
        if CACHE_FOLDER is None
        else sum(1 for _ in Path(CACHE_FOLDER).rglob("*.nbi")),
        temporary=tempfile.gettempdir(),
        temporary_free_bytes=shutil.disk_usage(tempfile.gettempdir()).free,
        selection=said,
        problems=tuple(problems),
    )


def version_of(package: str) -> str | None:
    """Return the version of an installed package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def try_selection() -> tuple[str, list[str]]:
    """Return how a selection that a hand can check went, and what was wrong with it."""
    rows = np.array([0.0, 1, 2, 3, 10, 11, 12, 13])[:, None]
    begun = time.perf_counter()
    coreset = select(Dataset(rows, None), SelectionSettings(Budget(size=2), "exact"))
    seconds = time.perf_counter() - begun
    problems = [
        f"A small selection went wrong: {sentence}." for sentence in broken_promises(coreset)
    ]
    if coreset.epsilon_total != 4 + 6:
        problems.append(f"A small selection has epsilon {coreset.epsilon_total:g}, not 10.")
    return f"2 of 8 rows in {seconds:.2f} s", problems
