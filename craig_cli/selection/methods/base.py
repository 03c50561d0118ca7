"""What a method of selection is given, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.selection.classes import ClassRows
from craig_cli.selection.constraints import PickConstraints
from craig_cli.selection.row_groups import RowGroups
from craig_cli.selection.scaling import Features
from craig_cli.settings import SelectionSettings
from craig_cli.threads import Workers

Picked: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float64] | None]
"""Rows of a class in the order picked, and their weights; None for those of the clusters."""


@dataclass(frozen=True)
class ClassTask:
    """Rows to pick of one class.

    Parameters
    ----------
    members : ClassRows
    groups : RowGroups
        The rows, laid out; as one group unless the method can select from disk.
    size : int
        How many to pick.
    features : Features
        Coordinates of all rows of the data.
    settings : SelectionSettings
    rng : numpy.random.Generator
        Of the class: a second try, in float64, draws the same rows.
    workers : Workers
    report : callable
        Told the picks made so far.
    constraints : PickConstraints, optional
    """

    members: ClassRows
    groups: RowGroups
    size: int
    features: Features
    settings: SelectionSettings
    rng: np.random.Generator
    workers: Workers
    report: Callable[[int], None]
    constraints: PickConstraints | None = None

    @property
    def n_rows(self) -> int:
        """Rows of the class."""
        return len(self.members.index)


def no_pairs(settings: SelectionSettings, seen: NDArray[np.float64]) -> float:
    """Return no pairs."""
    return 0.0


def no_bytes(n_rows: int, n_threads: int) -> int:
    """Return no bytes."""
    return 0


@dataclass(frozen=True)
class Method:
    """A method of selection.

    Parameters
    ----------
    choose : callable
        ``choose(task)`` returns the picks of a class.
    weights : {'cluster', 'cell', 'uniform', 'inverse'}
        What its weights are; those of clusters go with a greedy order.
    pairs : callable
        ``pairs(settings, seen)`` returns the pairs of rows that are looked at besides those of an
        assignment, for classes of which greedy sees so many rows, float64 (n_classes,).
    row_bytes : callable
        ``row_bytes(n, n_threads)`` returns the memory that it takes for a class of n rows, besides
        the rows.
    has_trial : bool
        Whether it is so slow that an assignment to any picks tells first whether float32 will do.
    """

    choose: Callable[[ClassTask], Picked]
    weights: str
    pairs: Callable[[SelectionSettings, NDArray[np.float64]], float] = no_pairs
    row_bytes: Callable[[int, int], int] = no_bytes
    has_trial: bool = False

    @property
    def is_greedy(self) -> bool:
        """Whether picks come in a greedy order."""
        return self.weights == "cluster"
