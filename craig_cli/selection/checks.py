"""The promises of a coreset, checked on every one before it is written."""

from __future__ import annotations

import numpy as np

from craig_cli.errors import ContractError
from craig_cli.selection.coreset import Coreset

ROUNDING = 1e-9
"""Relative: of sums of weights and of costs."""


def broken_promises(coreset: Coreset) -> list[str]:
    """Return the promises that a coreset breaks, a sentence each; none for a sound one. Time k log
    k.
    """
    c, k = coreset, len(coreset.index)
    broken = []

    def promise(holds: bool | np.bool_, sentence: str) -> None:
        if not holds:
            broken.append(sentence)

    promise(len(np.unique(c.index)) == k, "a row is selected twice")
    promise(k > 0 and c.index.min() >= 0 and c.index.max() < c.n_rows, "an index is out of range")
    promise(np.array_equal(c.order, np.arange(k)), "order is not 0, 1, 2, ...")
    promise((c.cluster_size >= 1).all(), "a selected row does not stand for itself")
    promise(
        int(c.cluster_size.sum()) == c.n_rows, "cluster sizes do not add up to the number of rows"
    )
    promise(
        np.isfinite(c.weight).all() and (c.weight >= 0).all(),
        "a weight is not a number of at least 0",
    )
    promise(
        c.weights == "calibrated" or c.is_weighted or (c.weight > 0).all(),
        "a weight is not a positive number",
    )
    promise(
        (c.weights == "calibrated") == (c.base_weight is not None),
        "calibrated weights, and those they were made of, go together",
    )
    promise(
        c.base_weight is None or c.is_weighted or (c.base_weight > 0).all(),
        "a base weight is not a positive number",
    )
    promise(
        (c.representative == "medoid") == (c.medoid is None),
        "representatives, and the medoids of their clusters, go together",
    )
    promise(c.medoid is None or len(np.unique(c.medoid)) == k, "a medoid is there twice")
    promise(
        c.medoid is None or (c.medoid.min() >= 0 and c.medoid.max() < c.n_rows),
        "a medoid is out of range",
    )
    promise(c.base_weight is None or (c.base_weight >= 0).all(), "a base weight is below 0")
    promise(
        c.cost_budget is None or c.cost_spent is not None,
        "a budget of costs, and what was spent, go together",
    )
    if c.cost_budget is not None and c.cost_spent is not None:
        promise(
            0 < c.cost_spent <= c.cost_budget * (1 + ROUNDING),
            "the picks cost more than the budget",
        )
    promise(
        sum(s.n_rows for s in c.classes) == c.n_rows and sum(s.n_selected for s in c.classes) == k,
        "class counts do not add up",
    )
    for summary in c.classes:
        of_class = (
            np.ones(k, bool)
            if summary.label is None or c.label is None
            else c.label == summary.label
        )
        name = "" if summary.label is None else f" of class {summary.label}"
        weight, epsilon, gain = c.weight[of_class], c.epsilon[of_class], c.gain[of_class]
        chosen = c.gain[of_class & (np.arange(k) >= c.n_given)]
        promise(
            np.count_nonzero(of_class) == summary.n_selected,
            f"the picks{name} are not as many as stated",
        )
        promise(
            int(c.cluster_size[of_class].sum()) == summary.n_rows,
            f"cluster sizes{name} do not add up to its rows",
        )
        total = summary.total_weight
        promise(
            (summary.weight_sum is not None) == c.is_weighted and np.isfinite(total) and total > 0,
            f"rows{name} have no weights",
        )
        promise(
            abs(float(weight.sum()) - total) <= ROUNDING * total,
            f"weights{name} do not add up to those of its rows",
        )
        if c.weights == "cluster" and not c.is_weighted:
            promise((weight == np.floor(weight)).all(), f"a weight{name} is not a whole number")
        promise(
            bool((epsilon[1:] <= epsilon[:-1]).all()) and (gain >= 0).all(),
            f"epsilon{name} rises along the order",
        )
        promise(
            np.isfinite(summary.epsilon) and summary.epsilon >= 0,
            f"epsilon{name} is not a number of at least 0",
        )
        if c.method == "exact" and c.sample_rows == 0 and not c.parts and c.cost_budget is None:
            promise(
                bool((chosen[1:] <= chosen[:-1]).all()), f"gain{name} rises along the greedy order"
            )
        if c.weights == "cluster" and not c.is_weighted:
            promise(
                bool((c.weight == c.cluster_size).all()),
                f"a weight{name} is not its cluster's size",
            )
    return broken


def check_coreset(coreset: Coreset) -> None:
    """Raise `ContractError` if a coreset breaks a promise: that would be a defect of craig, not of
    the data.
    """
    broken = broken_promises(coreset)
    if broken:
        raise ContractError(
            f"the coreset breaks a promise: {'; '.join(broken)}. This is a defect "
            f"of craig: please report it."
        )
