"""The result of a selection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Labels

REPRESENTATIVE_DEFINITION = (
    "sum over rows of the distance to the row that represents its "
    "cluster; "
    "clusters are the rows nearest to each medoid"
)
BOUND_DEFINITION = (
    "an upper bound of L(S), the sum over rows of the distance to the nearest "
    "selected row of its class: the rows were not assigned"
)
EPSILON_DEFINITION = "L(S) = sum over rows of the distance to the nearest selected row of its class"


@dataclass(frozen=True)
class ClassSummary:
    """What was selected from one class.

    Parameters
    ----------
    label : int, float, str or None
        The user's own value; None where there is one group only (``--no-label``, regression).
    n_rows, n_selected : int
        Rows of the class, and how many of them were picked.
    epsilon : float
        L(S) of the class, recomputed in float64 from the final assignment, in units of the (scaled)
        features.
    medoid_epsilon : float
        The same with the class medoid as the only pick; NaN for methods that do not compute it.
    weight_sum : float or None
        The weights of its rows added up; None where all rows count alike.
    """

    label: int | float | str | None
    n_rows: int
    n_selected: int
    epsilon: float
    medoid_epsilon: float
    weight_sum: float | None = None

    @property
    def total_weight(self) -> float:
        """What the weights of its picks add up to."""
        return float(self.n_rows) if self.weight_sum is None else self.weight_sum


@dataclass(frozen=True, kw_only=True, eq=False)
class Coreset:
    """Selected rows, the first pick first.

    Parameters
    ----------
    index : ndarray of int64, shape (k,)
        Row in the whole input, from 0.
    order : ndarray of int32, shape (k,)
        0 ... k - 1: the rank of the pick. For a greedy method picks of all classes are merged by
        falling gain, so every prefix is the greedy choice of that size under the class quotas; for
        the others, so that every prefix keeps the classes' shares of the picks.
    weight : ndarray of float64, shape (k,)
        How many rows the pick stands for; of rows that have weights, these added up.
    cluster_size : ndarray of int64, shape (k,)
        Rows whose nearest pick this is (or is the one it represents).
    label : Labels or None
        Label of each pick, the user's own values.
    gain : ndarray of float64, shape (k,)
        Fall of its class's L at this pick; the first of a class counts from an auxiliary element
        farther than any two rows are.
    epsilon : ndarray of float64, shape (k,)
        L of the pick's class after this pick.
    classes : tuple of ClassSummary
        In the order of the sorted labels.
    n_rows, n_columns : int
        Shape of the input.
    method, metric, scale, task : str
    weights : {'cluster', 'uniform', 'cell', 'inverse', 'calibrated', 'shard'}
        What `weight` is: the rows nearest to the pick (paper, algorithm 1), n_c / k_c alike for a
        class, the rows of the pick's cell, in proportion to 1/probability, or calibrated; 'shard':
        the rows of the candidates nearest to the pick, each counted in its shard, and epsilons that
        are upper bounds.
    seed : int
    sample_rows : int
        Rows that greedy saw, about; 0 for all.
    reason : str
        Why ``auto`` took the method; empty if the user chose it.
    notes : tuple of str
        Sentences for the summary, for example that column spreads differ widely.
    representative : {'medoid', 'random', 'varied'}
        What `index` is: the picks, or another row of the cluster of each.
    medoid : ndarray of int64, shape (k,), or None
        The picks, where `index` is not.
    base_weight : ndarray of float64, shape (k,), or None
        The weights that the calibrated ones were made of.
    calibration : mapping or None
        What was calibrated, in JSON types; also where it did not help.
    n_given : int
        How many of the first picks were given (rows to include, or a coreset that was extended),
        and not chosen.
    parts : tuple of int
        Rows of each part that the data was selected in; empty where that was in one piece.
    cost_budget, cost_spent : float or None
        What the picks were to cost at most, and what they cost; None where there was no such
        budget.
    ids : ndarray of int64 or object, shape (k,), or None
        What names each pick, where rows have ids.
    skipped_rows, skipped_mark : int, str
        Bad rows of the input that were skipped, and digits that tell which (`SkippedRows.mark`).
        `n_rows` leaves them out, row numbers count them.
    allocation : {'proportional', 'power', 'equal'}
        How the picks were shared out among the classes.
    """

    index: NDArray[np.int64]
    order: NDArray[np.int32]
    weight: NDArray[np.float64]
    cluster_size: NDArray[np.int64]
    label: Labels | None
    gain: NDArray[np.float64]
    epsilon: NDArray[np.float64]
    classes: tuple[ClassSummary, ...]
    n_rows: int
    n_columns: int
    method: str
    metric: str
    scale: str
    task: str
    weights: str
    seed: int
    sample_rows: int = 0
    reason: str = ""
    notes: tuple[str, ...] = ()
    representative: str = "medoid"
    medoid: NDArray[np.int64] | None = None
    base_weight: NDArray[np.float64] | None = None
    calibration: Mapping[str, Any] | None = None
    n_given: int = 0
    parts: tuple[int, ...] = ()
    cost_budget: float | None = None
    cost_spent: float | None = None
    ids: NDArray[Any] | None = None
    skipped_rows: int = 0
    skipped_mark: str = ""
    allocation: str = "proportional"

    @property
    def n_input_rows(self) -> int:
        """Rows of the input as it lies, skipped ones included."""
        return self.n_rows + self.skipped_rows

    @property
    def picks(self) -> NDArray[np.int64]:
        """The medoids of the clusters, whichever rows represent these, int64 (k,)."""
        return self.index if self.medoid is None else self.medoid

    def of_class(self, summary: ClassSummary) -> NDArray[np.bool_]:
        """Return a mask (k,) of the picks of a class; of all where there is one group."""
        if summary.label is None or self.label is None:
            return np.ones(len(self.index), bool)
        return np.asarray(self.label == summary.label)

    @property
    def is_weighted(self) -> bool:
        """Whether the rows have weights."""
        return any(c.weight_sum is not None for c in self.classes)

    @property
    def total_weight(self) -> float:
        """What the weights add up to: the number of rows, or the sum of their weights."""
        return sum(c.total_weight for c in self.classes)

    @property
    def epsilon_total(self) -> float:
        """L(S) over all classes."""
        return float(sum(c.epsilon for c in self.classes))

    @property
    def epsilon_definition(self) -> str:
        """What epsilon is, in words."""
        if self.weights == "shard":
            return BOUND_DEFINITION
        definition = EPSILON_DEFINITION if self.medoid is None else REPRESENTATIVE_DEFINITION
        return (
            definition.replace("of the distance", "of weight times the distance")
            if self.is_weighted
            else definition
        )

    @property
    def epsilon_mean(self) -> float:
        """L(S) / n: the mean distance of a row to the pick that stands for it; by the weights of
        the rows, where they have such.
        """
        return self.epsilon_total / self.total_weight
