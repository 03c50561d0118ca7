"""Selection by a proxy: distances among rows of numbers that stand for the gradients, labels from
the data.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Progress, Rows, SparseRows, no_progress
from craig_cli.selection.coreset import Coreset
from craig_cli.selection.representatives import Exchanged
from craig_cli.selection.scaling import row_lengths
from craig_cli.selection.selector import select
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


def select_by(
    dataset: Dataset,
    proxy: Rows | None,
    settings: SelectionSettings,
    progress: Progress = no_progress,
    scores: NDArray[np.float64] | None = None,
    exchanged: Exchanged | None = None,
) -> Coreset:
    """Return the coreset of a data set by distances among its own rows or those of a proxy."""
    if proxy is None:
        return select(dataset, settings, progress, scores, exchanged)
    if settings.method == "importance":
        scores = proxy_scores(proxy)
    coreset = select(*proxied(dataset, proxy, settings), progress, scores, exchanged)
    columns = f"{proxy.shape[1]:,} column{'' if proxy.shape[1] == 1 else 's'}"
    return replace(
        coreset,
        n_columns=dataset.n_columns,
        task=settings.task,
        label=None if dataset.labels is None else dataset.labels[coreset.index],
        notes=(*coreset.notes, f"Distances are among the rows of the proxy, {columns}."),
    )


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
