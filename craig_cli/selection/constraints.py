"""Rows that must be picked, that must not, and picks to go on from, by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from craig_cli.errors import UsageError
from craig_cli.selection.budgets import sizes_within
from craig_cli.selection.classes import ClassPicks, ClassRows
from craig_cli.selection.groups import Group
from craig_cli.selection.lazy_greedy import Draw, LazyGreedy
from craig_cli.settings import Budget, SelectionSettings


@dataclass(frozen=True)
class PickConstraints:
    """Of one class, as rows of the class.

    Parameters
    ----------
    first : ndarray of int64
        The first picks, in their order: those to go on from, then those that must be there.
    n_extended : int
        How many of `first` are picks to go on from.
    allowed : ndarray of int64 or None
        Rows that may be picked, ascending; None for all.
    """

    first: NDArray[np.int64]
    n_extended: int
    allowed: NDArray[np.int64] | None

    def is_allowed(self, n_rows: int) -> NDArray[np.bool_] | None:
        """Return a mask of the rows that may be picked; None for all."""
        if self.allowed is None:
            return None
        mask = np.zeros(n_rows, bool)
        mask[self.allowed] = True
        return mask


def given_rows(
    settings: SelectionSettings, classes: Sequence[ClassRows], n_rows: int
) -> list[PickConstraints] | None:
    """Return what `pick_constraints` does; None where the settings name no row."""
    return pick_constraints(settings, classes, n_rows) if settings.is_constrained else None


def pick_constraints(
    settings: SelectionSettings, classes: Sequence[ClassRows], n_rows: int
) -> list[PickConstraints]:
    """Return what of the settings falls to each class; raises `UsageError` for rows that are not
    there.
    """
    for option, rows in (
        ("--include", settings.include),
        ("--exclude", settings.exclude),
        ("--extend", settings.extend),
    ):
        outside = next((row for row in rows if row >= n_rows), None)
        if outside is not None:
            raise UsageError(
                f"{option}: there is no row {outside}, counted from 0, but {n_rows} in all."
            )
    place = np.empty(n_rows, np.int64)
    class_of = np.empty(n_rows, np.int64)
    for number, members in enumerate(classes):
        place[members.index], class_of[members.index] = np.arange(len(members.index)), number
    extended, excluded = np.array(settings.extend, np.int64), np.array(settings.exclude, np.int64)
    included = np.array(
        [row for row in settings.include if row not in set(settings.extend)], np.int64
    )
    found = []
    for number, members in enumerate(classes):
        own, more, out = (
            place[rows[class_of[rows] == number]] for rows in (extended, included, excluded)
        )
        allowed = None if len(excluded) == 0 else np.setdiff1d(np.arange(len(members.index)), out)
        if allowed is not None and len(allowed) == 0:
            name = "any row" if members.label is None else f"any row of class '{members.label}'"
            raise UsageError(
                f"--exclude: it does not leave {name} to pick, and each class needs one."
            )
        found.append(PickConstraints(np.concatenate([own, more]), len(own), allowed))
    return found


def sizes_with(
    given: Sequence[PickConstraints],
    size: int,
    counts: NDArray[np.int64],
    budget: Budget,
    allocation: str = "proportional",
) -> NDArray[np.int64]:
    """Return how many rows each class gives: no fewer than are given, and no more than may be
    picked, else by `class_sizes`; adds up to `size`.
    """
    least = np.array([max(1, len(g.first)) for g in given])
    most = np.array(
        [
            n if g.allowed is None else len(g.allowed)
            for g, n in zip(given, counts.tolist(), strict=True)
        ]
    )
    asked = f"--size {budget.size}" if budget.size is not None else f"--fraction {budget.fraction}"
    if least.sum() > size:
        raise UsageError(
            f"{asked}: {size} rows are fewer than the {least.sum()} that must be "
            f"there, with at least one of each class. Ask for more."
        )
    if most.sum() < size:
        raise UsageError(
            f"{asked}: {size} rows are more than the {most.sum()} that may be picked. "
            f"Ask for fewer, or --exclude fewer."
        )
    return sizes_within(size, counts, allocation, least, most)


def constrained_greedy(group: Group, given: PickConstraints, draw: Draw | None) -> LazyGreedy:
    """Return greedy that has made the given picks of a class, and goes on among the rows that may
    be picked.
    """
    position = np.empty(group.n_rows, np.int64)
    position[group.rank] = np.arange(group.n_rows)
    greedy = LazyGreedy(group, draw, None if given.allowed is None else position[given.allowed])
    greedy.go_on_from(position[given.first])
    return greedy


def constrained_first(
    picks: Sequence[ClassPicks], order: NDArray[np.int64], settings: SelectionSettings
) -> NDArray[np.int64]:
    """Return `order` with the picks to go on from first, then those to include, each as they were
    given.
    """
    rank = {
        row: place for place, row in enumerate(dict.fromkeys((*settings.extend, *settings.include)))
    }
    medoids = np.concatenate([p.picks for p in picks])[order].tolist()
    return order[np.argsort([rank.get(row, len(rank)) for row in medoids], kind="stable")]
