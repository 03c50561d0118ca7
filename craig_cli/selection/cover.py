"""Submodular cover: the smallest greedy prefix whose epsilon is small enough (paper, eq. 10 and
12).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Progress
from craig_cli.errors import UsageError
from craig_cli.selection.assignment import measure_picks, with_enough_digits
from craig_cli.selection.classes import ClassPicks, ClassRows
from craig_cli.selection.constraints import PickConstraints, constrained_greedy
from craig_cli.selection.dense_group import PAIRS_TOGETHER
from craig_cli.selection.groups import Group
from craig_cli.selection.lazy_greedy import PICKS_A_STEP, LazyGreedy
from craig_cli.selection.row_groups import RowSource
from craig_cli.settings import SelectionSettings


def cover(
    source: RowSource,
    classes: Sequence[ClassRows],
    settings: SelectionSettings,
    given: Sequence[PickConstraints] | None = None,
) -> list[ClassPicks]:
    """Return the smallest prefix of the greedy order over all classes with L(S) <= epsilon (paper,
    eq. 10 and 12), rows that are given before it.

    Raises
    ------
    UsageError
        The rows that may be picked do not reach the bound.
    """
    n, budget = sum(len(c.index) for c in classes), settings.budget
    total_weight = sum(c.total_weight for c in classes)
    mean = float(budget.mean_epsilon or 0.0)
    bound = budget.epsilon if budget.epsilon is not None else total_weight * mean

    def attempt(flags: tuple[bool, ...]) -> tuple[list[ClassPicks], tuple[bool, ...]]:
        order = GreedyOrder(laid_out(source, classes, flags), given)
        target = bound
        while True:
            order.extend(target, source.progress)
            picks, resolved = measured_all(source, classes, flags, order.chosen())
            total = sum(p.final_epsilon for p in picks)
            is_passing = not all(f or r for f, r in zip(flags, resolved, strict=True))
            if total <= bound or order.n_taken == n or is_passing:  # float64 comes next
                return picks, resolved
            if order.is_exhausted:
                raise UsageError(
                    f"--exclude: epsilon is {total:.6g} with all rows that may be picked, above "
                    f"the {bound:.6g} asked for. Exclude fewer."
                )
            # Quantised distances were a hair too small: one more pick.
            target = float(np.nextafter(order.remaining, -np.inf))

    return with_enough_digits(len(classes), attempt)


def laid_out(source: RowSource, classes: Sequence[ClassRows], flags: Sequence[bool]) -> list[Group]:
    """Return the rows of each class as one group, those flagged in float64; all are held together,
    and keep their distances only if these are few in all.
    """
    numbered = enumerate(zip(classes, flags, strict=True))
    groups = [source.groups(number, c, flag).group(0) for number, (c, flag) in numbered]
    are_few = sum(group.n_rows**2 for group in groups) <= PAIRS_TOGETHER
    for group in groups:
        group.may_keep_distances = are_few
    return groups


def measured_all(
    source: RowSource,
    classes: Sequence[ClassRows],
    flags: Sequence[bool],
    chosen: Sequence[NDArray[np.int64]],
) -> tuple[list[ClassPicks], tuple[bool, ...]]:
    """Return the measured picks of each class, and whether float32 resolves it where it is used.

    Groups are laid out anew: those that greedy goes on in keep their state.
    """
    found = [
        measure_picks(source.groups(number, c, flag), c.index, rows, source.workers)
        for number, (c, flag, rows) in enumerate(zip(classes, flags, chosen, strict=True))
    ]
    return [picks for picks, _ in found], tuple(is_resolved for _, is_resolved in found)


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
        """L(S) over all groups; of a group without a pick that of the auxiliary element."""
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
