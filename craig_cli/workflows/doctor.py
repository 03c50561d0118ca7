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
from craig_cli.compiling import COMPILING, HELPER_BYTES
from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.kernels import CACHE_FOLDER, SHIPPED_FOLDER, can_use_shipped, processor
from craig_cli.kernels.ahead import compile_missing, help_out, missing, roads
from craig_cli.platform import available_bytes, memory_bytes
from craig_cli.reports.doctor import DoctorReport
from craig_cli.selection import select
from craig_cli.selection.checks import broken_promises
from craig_cli.settings import Budget, SelectionSettings, usable_threads

NEEDED = ("click", "numpy", "scipy", "numba", "h5py", "pyarrow")
EXTRAS = ("matplotlib", "scikit-learn", "pandas", "polars")
SECONDS_BETWEEN = 0.2
NO_CACHE = (
    "No folder for compiled kernels can be written, so each start compiles them anew. Set "
    "CRAIG_CACHE_DIR to one that can."
)


def examine(is_warming: bool = False, progress: Progress = no_progress) -> DoctorReport:
    """Return what was found.

    Parameters
    ----------
    is_warming : bool
        Compile first what common runs need; else what a small selection does.
    progress : Progress
        Called as stage ``compile``.
    """
    warmed = warm(progress) if is_warming else None
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
        processor=processor(),
        memory_bytes=memory_bytes(),
        cache=None if CACHE_FOLDER is None else str(CACHE_FOLDER),
        cached_kernels=0 if CACHE_FOLDER is None else kernels_in(CACHE_FOLDER),
        shipped_kernels=kernels_in(SHIPPED_FOLDER) if can_use_shipped() else 0,
        warmed_seconds=warmed,
        temporary=tempfile.gettempdir(),
        temporary_free_bytes=shutil.disk_usage(tempfile.gettempdir()).free,
        selection=said,
        problems=tuple(problems),
    )


def kernels_in(folder: Path) -> int:
    """Return how many compiled kernels a folder has."""
    return sum(1 for _ in folder.rglob("*.nbi"))


def warm(progress: Progress) -> float:
    """Compile what common runs need and is not compiled yet, in as many processes as there are CPUs
    and memory for, and return the seconds that took.
    """
    begun, every = time.perf_counter(), roads()
    total = len(missing(every))
    if total:
        n_processes = max(1, min(usable_threads(), available_bytes() // HELPER_BYTES))
        slices = [(start, n_processes) for start in range(n_processes)]
        working = help_out(every, slices)
        COMPILING.helpers += working
        while any(process.poll() is None for process in working):
            progress("compile", total - len(missing(every)), total)
            time.sleep(SECONDS_BETWEEN)
        compile_missing(every)  # what two processes lost to each other, or none has done
    return time.perf_counter() - begun


def version_of(package: str) -> str | None:
    """Return the version of an installed package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def try_selection() -> tuple[str, list[str]]:
    """Return how a selection that a hand can check went, and what was wrong with it."""
    rows = np.array([0.0, 1, 2, 3, 10, 11, 12, 13])[:, None]
    begun, compiled = time.perf_counter(), COMPILING.seconds
    coreset = select(Dataset(rows, None), SelectionSettings(Budget(size=2), "exact"))
    seconds = time.perf_counter() - begun - (COMPILING.seconds - compiled)
    problems = [
        f"A small selection went wrong: {sentence}." for sentence in broken_promises(coreset)
    ]
    if coreset.epsilon_total != 4 + 6:
        problems.append(f"A small selection has epsilon {coreset.epsilon_total:g}, not 10.")
    return f"2 of 8 rows in {seconds:.2f} s", problems
