"""The picks of all classes as one coreset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Labels
from craig_cli.selection.classes import ClassPicks
from craig_cli.selection.coreset import ClassSummary, Coreset
from craig_cli.selection.lookalikes import notes_on_classes
from craig_cli.settings import SelectionSettings


def common_order(picks: Sequence[ClassPicks], is_greedy: bool) -> NDArray[np.int64]:
    """Return the order of the picks of all classes, as places among them class by class.

    Greedy picks are merged by falling gain (the greedy order for all classes together, under the
    class quotas); picks of other methods so that every prefix keeps their shares of
    the picks.
    """
    if is_greedy:  # not all greedy methods have gains that never rise
        falling = np.concatenate([np.minimum.accumulate(p.gain) for p in picks])
        return np.argsort(-falling, kind="stable")
    shares = [(np.arange(len(p.rows)) + 0.5) / len(p.rows) for p in picks]
    return np.argsort(np.concatenate(shares), kind="stable")


def with_ids(coreset: Coreset, dataset: Dataset) -> Coreset:
    """Return a coreset with the ids of its picks, where the rows have such."""
    if dataset.ids is None:
        return coreset
    ids = dataset.ids.take(coreset.index).to_numpy(zero_copy_only=False)
    return replace(coreset, ids=ids)


def assemble(
    picks: Sequence[ClassPicks],
    classes: Sequence[ClassSummary],
    labels: Labels | None,
    by: NDArray[np.int64],
    settings: SelectionSettings,
    notes: tuple[str, ...] = (),
    **facts: Any,
) -> Coreset:
    """Return the coreset of the picks of all classes.

    Parameters
    ----------
    picks : sequence of ClassPicks
    classes : sequence of ClassSummary
    labels : Labels, shape (k,), or None
        Of the picks, class by class.
    by : ndarray of int64, shape (k,)
        The order, as places among the picks class by class.
    settings : SelectionSettings
        With the method that was taken.
    notes : tuple of str
        To which those on the labels are added.
    facts
        The fields of `Coreset` that follow from the data and not from the picks.
    """
    columns = ("rows", "weight", "cluster_size", "gain", "epsilon", "picks")
    rows, weight, size, gain, epsilon, medoid = (
        np.concatenate([getattr(p, name) for p in picks])[by] for name in columns
    )
    return Coreset(
        index=rows,
        order=np.arange(len(rows), dtype=np.int32),
        weight=weight,
        cluster_size=size,
        label=None if labels is None else labels[by],
        gain=gain,
        epsilon=epsilon,
        classes=tuple(classes),
        method=settings.method,
        metric=settings.metric,
        scale=settings.scale,
        task=settings.task,
        seed=settings.seed,
        representative=settings.representative,
        allocation=settings.allocation,
        medoid=None if settings.representative == "medoid" else medoid,
        notes=(*notes, *notes_on_classes(classes)),
        **facts,
    )
