"""The first picks of a coreset as a coreset of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset
from craig_cli.errors import UsageError
from craig_cli.selection.assembly import with_ids
from craig_cli.selection.coreset import Coreset
from craig_cli.selection.methods import METHODS
from craig_cli.selection.representatives import Exchanged
from craig_cli.selection.selector import measure
from craig_cli.settings import SelectionSettings


def first_picks(
    dataset: Dataset,
    settings: SelectionSettings,
    coreset: Coreset,
    first: int,
    exchanged: Exchanged | None = None,
) -> Coreset:
    """Return the coreset of the first picks: clusters, representatives, epsilons and weights anew.

    Weights are those of the clusters; for methods that draw their rows, the weights from before,
    scaled so that those of a class add up to those of its rows. Never calibrated. `settings` are
    those that the coreset was selected by.
    """
    if not 1 <= first <= len(coreset.index):
        raise UsageError(
            f"--first: {first} is not between 1 and {len(coreset.index)}, the picks that there are."
        )
    picks = coreset.picks[:first]
    if coreset.label is not None and coreset.task != "regression":
        present = set(coreset.label[:first].tolist())
        absent = [summary.label for summary in coreset.classes if summary.label not in present]
        if absent:
            raise UsageError(
                f"--first: among the first {first} picks there is none of class "
                f"'{absent[0]}'. Give a larger number."
            )
    settings = replace(settings, method=coreset.method)
    measured = with_ids(measure(dataset, settings, picks, exchanged=exchanged), dataset)
    if METHODS[coreset.method].is_greedy:
        return measured
    base = coreset.weight if coreset.base_weight is None else coreset.base_weight
    return replace(measured, weight=scaled_to_classes(measured, base[:first]))


def scaled_to_classes(coreset: Coreset, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights (k,), scaled so that those of each class add up to those of its rows."""
    scaled = weight.copy()
    for summary in coreset.classes:
        own = coreset.of_class(summary)
        scaled[own] *= summary.total_weight / weight[own].sum()
    return scaled
