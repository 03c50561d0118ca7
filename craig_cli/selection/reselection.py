"""Rows chosen anew as training goes, by the gradients there are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset
from craig_cli.selection.grouped import grouped_rows, random_rows
from craig_cli.selection.selector import select
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.settings.network import NetworkSettings
from craig_cli.threads import Workers


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
        What distances are taken among; None where rows are drawn at random.
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
