"""What a selection costs, before it is made: which method ``auto`` takes, and how long and how much memory it will need.

The choice of ``auto`` rests on the shape of the data alone, never on a clock: the same input gives the same bytes on any machine.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.settings import SelectionSettings

EXACT_PASSES = 2.5
"""Passes over all pairs of a class that exact greedy takes: 1.3 for the first two picks, then less and less, and one for the lists."""
OVERHEAD_COLUMNS = 8
"""What a pair costs besides its coordinates, in coordinates."""
NOMINAL_RATE = 4e10
"""Coordinates of pairs a second, two cores of 2024: what ``auto`` reckons with."""
SHORT_SECONDS = 1.0


def exact_work(counts: NDArray[np.int64], n_columns: int) -> float:
    """Return the coordinates of pairs that exact greedy looks at."""
    return EXACT_PASSES * float(np.square(counts.astype(np.float64)).sum()) * (n_columns + OVERHEAD_COLUMNS)


def resolve_method(settings: SelectionSettings, counts: NDArray[np.int64], n_columns: int) -> tuple[SelectionSettings, str]:
    """Return the settings with a method in place of ``auto``, and why (empty if the user has chosen).

    Parameters
    ----------
    settings : SelectionSettings
    counts : ndarray of int64, shape (n_classes,)
        Rows of each class.
    n_columns : int
    """
    if settings.method != "auto":
        return settings, ""
    if settings.budget.is_cover:
        return replace(settings, method="exact"), "an epsilon budget needs its greedy order"
    if settings.sample_rows:
        total = int(counts.sum())
        counts = np.minimum(counts, -(-settings.sample_rows * counts // total))
    seconds = exact_work(counts, n_columns) / NOMINAL_RATE
    if seconds <= SHORT_SECONDS:
        return replace(settings, method="exact"), "it is quick on this many rows"
    return replace(settings, method="cells"), f"exact would take about {seconds:.0f} s on two cores"
