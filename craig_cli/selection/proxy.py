"""Selection by a proxy: distances among rows of numbers that stand for the gradients, labels from
the data.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Rows, SparseRows
from craig_cli.selection.coreset import Coreset
from craig_cli.selection.scaling import row_lengths
from craig_cli.settings import SelectionSettings


def proxied(
    dataset: Dataset, proxy: Rows, settings: SelectionSettings
) -> tuple[Dataset, SelectionSettings]:
    """Return what to select from: the proxy's rows with the labels of the data.

    For regression the rows are one group, and the target is no coordinate of its own: it is in the
    gradients.
    """
    if settings.task == "regression":
        return replace(dataset, rows=proxy, labels=None), replace(settings, task="classification")
    return replace(dataset, rows=proxy), settings


def unproxied(coreset: Coreset, dataset: Dataset, task: str) -> Coreset:
    """Return a coreset of the proxy's rows as one of the data."""
    label = None if dataset.labels is None else dataset.labels[coreset.index]
    return replace(coreset, n_columns=dataset.n_columns, task=task, label=label)


def proxy_scores(proxy: Rows) -> NDArray[np.float64]:
    """Return the length of each row, which is what rows are drawn by in importance sampling. Time:
    n d.
    """
    if isinstance(proxy, SparseRows):
        lengths: NDArray[np.float64] = np.sqrt(
            np.bincount(proxy.owner, np.square(proxy.values), proxy.n_rows)
        )
        return lengths
    return row_lengths(proxy.astype(np.float64))
