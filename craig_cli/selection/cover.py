"""Submodular cover: the smallest greedy prefix whose epsilon is small enough (paper, eq. 10 and
12).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Progress
from craig_cli.errors import UsageError
from craig_cli.selection.classes import ClassPicks, ClassRows, measure_class
from craig_cli.selection.constraints import PickConstraints, constrained_greedy
from craig_cli.selection.groups import Group
from craig_cli.selection.lazy_greedy import PICKS_A_STEP, LazyGreedy
from craig_cli.selection.scaling import Features
from craig_cli.settings import SelectionSettings
from craig_cli.threads import Workers


def cover(
    features: Features,
    classes: Sequence[ClassRows],
    settings: SelectionSettings,
    workers: Workers,
    progress: Progress,
    given: Sequence[PickConstraints] | None = None,
) -> list[ClassPicks]:
    """Return the smallest prefix of the greedy order over all classes with L(S) <= epsilon (paper,
    eq. 10 and 12), rows that are given before it.

    Raises
    ------
    UsageError
        The rows that may be picked do not reach the bound.
    """
    n = sum(len(c.index) for c in classes)
    total_weight = sum(
        len(c.index) if c.weights is None else float(c.weights.sum()) for c in classes
    )
    bound = (
        settings.budget.epsilon
        if settings.budget.epsilon is not None
        else total_weight * float(settings.budget.mean_epsilon or 0.0)
    )
    is_float64 = [False] * len(classes)
    while True:
        groups = [
            c.make_group(features.in_parts(c.index, workers), w, workers)
            for c, w in zip(classes, is_float64, strict=True)
        ]
        order = GreedyOrder(groups, given)
        target = bound
        while True:
            order.extend(target, progress)
            results = [
                measure_class(
                    features,
                    members,
                    members.make_group(features.in_parts(members.index, workers), w, workers),
                    chosen,
                    None,
                    workers,
                )
                for members, w, chosen in zip(classes, is_float64, order.chosen(), strict=True)
            ]
            total = sum(picks.final_epsilon for picks, _ in results)
            if total <= bound or order.n_taken == n:
                break
            if order.is_exhausted:
                problem = (
                    f"--exclude: epsilon is {total:.6g} with all rows that may be picked, "
                    f"above the {bound:.6g} asked for"
                )
                raise UsageError(f"{problem}. Exclude fewer.")
            target = float(
                np.nextafter(order.remaining, -np.inf)
            )  # whole-number distances were a hair too small: one more pick
        unresolved = [
            not is_resolved and not w
            for (_, is_resolved), w in zip(results, is_float64, strict=True)
        ]
        if not any(unresolved):
            return [picks for picks, _ in results]
        is_float64 = [w or u for w, u in zip(is_float64, unresolved, strict=True)]


class GreedyOrder:
    """The greedy order over several groups together: at each step the pick of the largest gain, of
    equal ones that of the earlier group.
    """

    def __init__(self, groups: list[Group], given: Sequence[PickConstraints] | None = None) -> None:
        self._groups = groups
        self._greedies = (
            [LazyGreedy(g) for g in groups]
            if given is None
            else [constrained_greedy(g, own, None) for g, own in zip(groups, given, strict=True)]
        )
        self._taken = [len(greedy.picks) for greedy in self._greedies]
        self._left = [greedy.remaining for greedy in self._greedies]
        self.is_exhausted = False

    @property
    def remaining(self) -> float:
        """L(S) over all groups; rows of a group without a pick are at the phantom's distance."""
        return sum(
            left * group.gain_unit for left, group in zip(self._left, self._groups, strict=True)
        )

    @property
    def n_taken(self) -> int:
        """Picks in all."""
        return sum(self._taken)

    def extend(self, bound: float, progress: Progress) -> None:
        """Take picks until every group has one and L(S) is at most `bound`, or no rows are left."""
        while min(self._taken) == 0 or self.remaining > bound:
            best, best_gain = -1, -1.0
            for c, (group, greedy, taken) in enumerate(
                zip(self._groups, self._greedies, self._taken, strict=True)
            ):
                if taken == len(greedy.picks) < greedy.n_rows:
                    greedy.extend(PICKS_A_STEP)
                if taken < len(greedy.picks) and greedy.gained[taken] * group.gain_unit > best_gain:
                    best, best_gain = c, greedy.gained[taken] * group.gain_unit
            if best < 0:
                self.is_exhausted = True
                return
            self._left[best] -= self._greedies[best].gained[self._taken[best]]
            self._taken[best] += 1
            progress("select", self.n_taken, None)

    def chosen(self) -> list[NDArray[np.int64]]:
        """Return the rows taken from each group, in order."""
        return [
            group.rank[np.array(e.picks[:t], np.int64)]
            for group, e, t in zip(self._groups, self._greedies, self._taken, strict=True)
        ]
