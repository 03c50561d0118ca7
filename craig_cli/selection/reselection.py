"""Rows chosen anew as training goes, by the gradients there are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset
from craig_cli.selection.budgets import budget_size
from craig_cli.selection.grouped import grouped_rows, random_rows
from craig_cli.selection.methods.importance import inclusion_chances, systematic_picks
from craig_cli.selection.selector import select
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.settings.network import NetworkSettings
from craig_cli.threads import Workers

UNIFORM_HALF = 0.5
"""Of the chances of importance, as lengths are some epochs old: it bounds the weights."""


def reselected_rows(
    proxy: NDArray[np.float32] | NDArray[np.float64] | None,
    class_numbers: NDArray[np.int64],
    settings: NetworkSettings,
    epoch: int,
    workers: Workers,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the rows to train on from an epoch on, and their weights.

    Parameters
    ----------
    proxy : ndarray, shape (n, q), or None
        Gradients that rows are selected by; None where rows are drawn at random. NaN for rows
        whose gradient is not known, which only method importance takes.
    class_numbers : ndarray of int64, shape (n,)
    settings : NetworkSettings
        Its fraction, method and seed.
    epoch : int
        Methods that draw rows draw others in each.
    workers : Workers
    """
    assert settings.fraction is not None
    if proxy is None:
        rng = np.random.default_rng([settings.seed, epoch])
        return random_rows(class_numbers, settings.fraction, rng)
    if settings.method == "importance":
        rng = np.random.default_rng([settings.seed, epoch])
        return rows_by_length(proxy, class_numbers, settings.fraction, rng)
    if settings.method == "groups":
        coarse = np.asarray(proxy, np.float32)
        return grouped_rows(coarse, class_numbers, settings.fraction, workers)
    selection = SelectionSettings(
        Budget(fraction=settings.fraction),
        method=settings.method,
        seed=(settings.seed + epoch) % 2**63,
        threads=workers.n_threads,
    )
    coreset = select(Dataset(proxy, class_numbers), selection)
    return coreset.index, coreset.weight


def rows_by_length(
    gradients: NDArray[np.float32] | NDArray[np.float64],
    class_numbers: NDArray[np.int64],
    fraction: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return distinct rows drawn by the lengths of their gradients, in random order, and weights in
    proportion to 1/probability that add up to n.

    Parameters
    ----------
    gradients : ndarray, shape (n, q)
        As last known, NaN where never: such rows are drawn as rows of the mean length are.
    class_numbers : ndarray of int64, shape (n,)
        They fix the least number of rows; class ratios are not kept.
    fraction : float
    rng : numpy.random.Generator

    Notes
    -----
    The length of p - y bounds that of a row's whole gradient up to a constant, and draws in
    proportion to it vary the least (Katharopoulos and Fleuret, Not All Samples Are Created Equal,
    ICML 2018). Half of the chances are uniform. Weighted so, the mean gradient of the rows drawn is
    that of all rows on average, however old the lengths are. Time n (q + log n).
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", gradients, gradients, dtype=np.float64))
    known = np.isfinite(lengths)
    lengths[~known] = lengths[known].mean() if known.any() else 1.0
    n_classes = int(np.count_nonzero(np.bincount(class_numbers)))
    size = budget_size(Budget(fraction=fraction), len(lengths), n_classes)
    chances = inclusion_chances(lengths, size, UNIFORM_HALF)
    index = systematic_picks(chances, size, rng)
    weights = 1 / chances[index]
    return index, weights * (len(lengths) / weights.sum())
