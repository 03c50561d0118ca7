"""The promises of a coreset, checked on every one before it is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np

from craig_cli.errors import ContractError
from craig_cli.selection.coreset import ClassSummary, Coreset

ROUNDING = 1e-9
"""Relative: of sums of weights and of costs."""

Promise: TypeAlias = tuple[bool | np.bool_, str]
"""Whether it holds, and what to say where it does not."""


def broken_promises(coreset: Coreset) -> list[str]:
    """Return the promises that a coreset breaks, a sentence each; none for a sound one.

    Time k log k.
    """
    promises = [
        *promises_of_rows(coreset),
        *promises_of_weights(coreset),
        *(promise for c in coreset.classes for promise in promises_of_class(coreset, c)),
    ]
    return [sentence for holds, sentence in promises if not holds]


def promises_of_rows(c: Coreset) -> Iterator[Promise]:
    """Yield the promises about which rows were picked, and their clusters."""
    k, n, n_input = len(c.index), c.n_rows, c.n_input_rows
    yield len(np.unique(c.index)) == k, "a row is selected twice"
    yield k > 0 and c.index.min() >= 0 and c.index.max() < n_input, "an index is out of range"
    yield np.array_equal(c.order, np.arange(k)), "order is not 0, 1, 2, ..."
    yield (c.cluster_size >= 1).all(), "a selected row does not stand for itself"
    yield int(c.cluster_size.sum()) == n, "cluster sizes do not add up to the number of rows"
    yield (
        (c.representative == "medoid") == (c.medoid is None),
        "representatives, and the medoids of their clusters, go together",
    )
    yield len(np.unique(c.picks)) == k, "a medoid is there twice"
    yield c.picks.min() >= 0 and c.picks.max() < n_input, "a medoid is out of range"
    counts = sum(s.n_rows for s in c.classes), sum(s.n_selected for s in c.classes)
    yield counts == (n, k), "class counts do not add up"


def promises_of_weights(c: Coreset) -> Iterator[Promise]:
    """Yield the promises about weights, and about what the picks cost."""
    base = c.weight if c.base_weight is None else c.base_weight
    yield (
        np.isfinite(c.weight).all() and (c.weight >= 0).all(),
        "a weight is not a number of at least 0",
    )
    is_positive = c.weights == "calibrated" or c.is_weighted or (c.weight > 0).all()
    yield is_positive, "a weight is not a positive number"
    yield (
        (c.weights == "calibrated") == (c.base_weight is not None),
        "calibrated weights, and those they were made of, go together",
    )
    if c.base_weight is not None:
        yield c.is_weighted or (base > 0).all(), "a base weight is not a positive number"
        yield (base >= 0).all(), "a base weight is below 0"
    if c.cost_budget is not None:
        spent = c.cost_spent
        yield spent is not None, "a budget of costs, and what was spent, go together"
        most = c.cost_budget * (1 + ROUNDING)
        yield spent is None or 0 < spent <= most, "the picks cost more than the budget"


def promises_of_class(c: Coreset, summary: ClassSummary) -> Iterator[Promise]:
    """Yield the promises about the picks of one class."""
    of_class = c.of_class(summary)
    name = "" if summary.label is None else f" of class {summary.label}"
    weight, epsilon, gain = c.weight[of_class], c.epsilon[of_class], c.gain[of_class]
    size, total = c.cluster_size[of_class], summary.total_weight
    chosen = c.gain[of_class & (np.arange(len(c.index)) >= c.n_given)]
    yield len(weight) == summary.n_selected, f"the picks{name} are not as many as stated"
    yield int(size.sum()) == summary.n_rows, f"cluster sizes{name} do not add up to its rows"
    has_weights = (summary.weight_sum is not None) == c.is_weighted
    yield has_weights and np.isfinite(total) and total > 0, f"rows{name} have no weights"
    yield (
        abs(float(weight.sum()) - total) <= ROUNDING * total,
        f"weights{name} do not add up to those of its rows",
    )
    if c.weights == "cluster" and not c.is_weighted:
        yield (weight == np.floor(weight)).all(), f"a weight{name} is not a whole number"
        yield (weight == size).all(), f"a weight{name} is not its cluster's size"
    yield (
        bool((epsilon[1:] <= epsilon[:-1]).all()) and (gain >= 0).all(),
        f"epsilon{name} rises along the order",
    )
    yield (
        np.isfinite(summary.epsilon) and summary.epsilon >= 0,
        f"epsilon{name} is not a number of at least 0",
    )
    if c.method == "exact" and c.sample_rows == 0 and not c.parts and c.cost_budget is None:
        yield (chosen[1:] <= chosen[:-1]).all(), f"gain{name} rises along the greedy order"


def check_coreset(coreset: Coreset) -> None:
    """Raise `ContractError` if a coreset breaks a promise: a defect of craig, not of the data."""
    broken = broken_promises(coreset)
    if broken:
        raise ContractError(
            f"the coreset breaks a promise: {'; '.join(broken)}. This is a defect of craig: please "
            "report it."
        )
