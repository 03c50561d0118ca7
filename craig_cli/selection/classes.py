"""One class at a time: its rows, and what was picked of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Labels
from craig_cli.errors import InputError, printable
from craig_cli.selection.fixed_point import FixedPoint

Label: TypeAlias = int | float | str | None


@dataclass(frozen=True)
class ClassRows:
    """The rows of one class.

    Parameters
    ----------
    label : int, float, str or None
        None for a single group.
    index : ndarray of int64, shape (n_c,)
        Rows of the input, ascending.
    scores : ndarray of float64, shape (n_c,), or None
        What rows are drawn by, where they are drawn by such.
    fixed_points : (FixedPoint, FixedPoint) or None
        Of float32 and of float64 coordinates, where the parts of the data share them.
    weights, costs : ndarray of float64, shape (n_c,), or None
    """

    label: Label
    index: NDArray[np.int64]
    scores: NDArray[np.float64] | None = None
    fixed_points: tuple[FixedPoint, FixedPoint] | None = None
    weights: NDArray[np.float64] | None = None
    costs: NDArray[np.float64] | None = None

    @property
    def total_weight(self) -> float:
        """The weights of the rows added up; their number where all count alike."""
        return len(self.index) if self.weights is None else float(self.weights.sum())


@dataclass(frozen=True)
class ClassPicks:
    """The picks of one class, measured: arrays of shape (k_c,), in the order picked.

    Parameters
    ----------
    rows : ndarray of int64
        Rows of the input.
    gain, epsilon : ndarray of float64
    cluster_size : ndarray of int64
    spread : ndarray of float64
        The distances of the rows of each cluster added up.
    weight : ndarray of float64
    final_epsilon, medoid_epsilon : float
    cluster : ndarray of int64, shape (n_c,), or None
        The pick of each row of the class, by its number; None where the rows are not in memory.
    medoid : ndarray of int64, or None
        The picks whose clusters `rows` represent, if these are other rows.
    is_float64 : bool
        Whether distances took float64.
    """

    rows: NDArray[np.int64]
    gain: NDArray[np.float64]
    epsilon: NDArray[np.float64]
    cluster_size: NDArray[np.int64]
    spread: NDArray[np.float64]
    weight: NDArray[np.float64]
    final_epsilon: float
    medoid_epsilon: float
    cluster: NDArray[np.int64] | None = None
    medoid: NDArray[np.int64] | None = None
    is_float64: bool = False

    @property
    def picks(self) -> NDArray[np.int64]:
        """The medoids of the clusters, whichever rows represent these."""
        return self.rows if self.medoid is None else self.medoid


def split_classes(labels: Labels | None, n_rows: int, task: str) -> list[ClassRows]:
    """Return the classes by their sorted labels; one group without labels, or for regression."""
    if labels is None or task == "regression":
        return [ClassRows(None, np.arange(n_rows))]
    values, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    by_class = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
    return [ClassRows(value, index) for value, index in zip(values.tolist(), by_class, strict=True)]


def classes_of(
    dataset: Dataset, task: str, scores: NDArray[np.float64] | None = None
) -> list[ClassRows]:
    """Return the classes of a data set, with the scores, weights and costs of their rows.

    Raises
    ------
    InputError
        All rows of a class have zero weight.
    """
    columns = {"scores": scores, "weights": dataset.weights, "costs": dataset.costs}
    given: dict[str, Any] = {n: values for n, values in columns.items() if values is not None}
    classes = [
        replace(c, **{name: values[c.index] for name, values in given.items()})
        for c in split_classes(dataset.labels, dataset.n_rows, task)
    ]
    for c in classes:
        if c.weights is not None and not c.weights.any():
            of_class = "" if c.label is None else f" of class '{printable(str(c.label), 60)}'"
            raise InputError(
                dataset.files[0],
                f"all rows{of_class} have zero weight",
                remedy="Give a row of each class a weight above 0, or leave the class out.",
            )
    return classes
