"""What a selection costs, before it is made: which method ``auto`` takes, and how long and how much
memory it will need.

The choice of ``auto`` rests on the shape of the data alone, never on a clock: the same input gives
the same bytes on any machine.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.selection.groups import make_group
from craig_cli.selection.methods import METHODS
from craig_cli.settings import SelectionSettings
from craig_cli.threads import Workers

OVERHEAD_COLUMNS = 8
"""What a pair costs besides its coordinates, in coordinates."""
NOMINAL_RATE = 4e10
"""Coordinates of pairs a second, two cores of 2024: what ``auto`` reckons with."""
SHORT_SECONDS = 1.0
ASSIGNED_SHARE = 0.08
"""Share of the pairs of rows and picks that an assignment looks at, the rest being pruned."""


def predicted_work(
    settings: SelectionSettings, counts: NDArray[np.int64], sizes: NDArray[np.int64], n_columns: int
) -> float:
    """Return the coordinates of pairs that a selection looks at; `sizes` are the picks of each
    class. `settings` name no ``auto``.
    """
    seen = counts.astype(np.float64)
    if settings.sample_rows:
        seen = np.minimum(seen, np.maximum(sizes, settings.sample_rows * seen / seen.sum()))
    pairs = ASSIGNED_SHARE * float((counts * sizes.astype(np.float64)).sum())
    pairs += METHODS[settings.method].pairs(settings, seen)
    return pairs * (n_columns + OVERHEAD_COLUMNS)


def measured_rate(n_threads: int) -> float:
    """Return the coordinates of pairs a second that this machine looks at now; takes some
    milliseconds.
    """
    points = np.random.default_rng(0).random((4096, 16))
    with Workers(n_threads) as workers:
        group = make_group(points, False, workers)
        candidates = np.arange(256)
        group.gains(candidates)
        begun = time.perf_counter()
        group.gains(candidates)
        return 256 * 4096 * (16 + OVERHEAD_COLUMNS) / (time.perf_counter() - begun)


def resolve_method(
    settings: SelectionSettings, counts: NDArray[np.int64], n_columns: int
) -> tuple[SelectionSettings, str]:
    """Return the settings with a method in place of ``auto``, and why (empty if the user has
    chosen).

    Parameters
    ----------
    settings : SelectionSettings
    counts : ndarray of int64, shape (n_classes,)
        Rows of each class.
    n_columns : int
    """
    if settings.method != "auto":
        return settings, ""
    if settings.is_constrained:
        return replace(settings, method="exact"), "it goes on from given rows"
    if settings.budget.budget_cost is not None:
        return replace(settings, method="exact"), "a budget of costs needs its greedy order"
    if settings.budget.is_cover:
        return replace(settings, method="exact"), "an epsilon budget needs its greedy order"
    if settings.sample_rows:
        total = int(counts.sum())
        counts = np.minimum(counts, -(-settings.sample_rows * counts // total))
    pairs = METHODS["exact"].pairs(settings, counts.astype(np.float64))
    seconds = pairs * (n_columns + OVERHEAD_COLUMNS) / NOMINAL_RATE
    if seconds <= SHORT_SECONDS:
        return replace(settings, method="exact"), "it is quick on this many rows"
    return replace(settings, method="cells"), f"exact would take about {seconds:.0f} s on two cores"
