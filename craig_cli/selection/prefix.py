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
from craig_cli.selection.numbering import constraints_by_position
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
    those that the coreset was selected by, given rows by their numbers in the input: those to
    include stay, those to exclude stay out.
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
    settings = with_given_of(picks, replace(settings, method=coreset.method), dataset)
    measured = with_ids(measure(dataset, settings, picks, exchanged=exchanged), dataset)
    if METHODS[coreset.method].is_greedy:
        return measured
    base = coreset.weight if coreset.base_weight is None else coreset.base_weight
    return replace(measured, weight=scaled_to_classes(measured, base[:first]))


def with_given_of(
    picks: NDArray[np.int64], settings: SelectionSettings, dataset: Dataset
) -> SelectionSettings:
    """Return settings whose given rows are positions, those that must be there being among the
    first picks.
    """
    settings, held = constraints_by_position(settings, dataset), set(picks.tolist())
    extend, include = (
        tuple(row for row in rows if row in held) for rows in (settings.extend, settings.include)
    )
    return replace(settings, extend=extend, include=include)


def scaled_to_classes(coreset: Coreset, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights (k,), scaled so that those of each class add up to those of its rows."""
    scaled = weight.copy()
    for summary in coreset.classes:
        own = coreset.of_class(summary)
        scaled[own] *= summary.total_weight / weight[own].sum()
    return scaled
