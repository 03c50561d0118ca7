"""Picks whose costs add up to a budget: greedy by gain and greedy by gain per unit of cost,
whichever leaves the smaller L.

For one class that is the rule of Khuller, Moss and Naor (1999) and of CELF (Leskovec et al. 2007):
at least (1 - 1/e) / 2 of what the best picks within the budget gain. With several classes the gains
of all compete, and so much is kept back that each class gets a pick.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Progress
from craig_cli.errors import UsageError
from craig_cli.selection.assignment import with_enough_digits
from craig_cli.selection.classes import ClassPicks, ClassRows
from craig_cli.selection.cover import laid_out, measured_all
from craig_cli.selection.groups import Group
from craig_cli.selection.lazy_greedy import FIRST_BATCH, LazyGreedy
from craig_cli.selection.row_groups import RowSource
from craig_cli.settings import SelectionSettings

ROUNDING = 1e-9
"""Of the budget: costs that exceed it by no more than this do so by the rounding of their sum."""

Spent: TypeAlias = tuple[list[ClassPicks], NDArray[np.int64]]


def knapsack_picks(
    source: RowSource, classes: Sequence[ClassRows], settings: SelectionSettings
) -> Spent:
    """Return the picks of each class, and the order of all of them, as places among them class by
    class.

    Raises
    ------
    UsageError
        The cheapest rows of all classes cost more than the budget.

    Notes
    -----
    Picks are made until no row that still fits gains anything. Time: twice that of exact greedy,
    and n for each pick.
    """
    budget = float(settings.budget.budget_cost or 0.0)
    least = sum(float(own_costs(c).min()) for c in classes)
    if least > budget * (1 + ROUNDING):
        raise UsageError(
            f"--budget-cost: the cheapest row of each class costs {least:.6g} in all, "
            f"above {budget:g}. Give {least:.6g} or more."
        )

    def attempt(flags: tuple[bool, ...]) -> tuple[Spent, tuple[bool, ...]]:
        groups, found = laid_out(source, classes, flags), []
        for per_cost in (True, False):
            for group in groups:
                group.reset()
            knapsack = Knapsack(groups, classes, budget, per_cost)
            knapsack.run(source.progress)
            found.append((knapsack.remaining, knapsack.chosen(), knapsack.order()))
        # Gain per cost where they do equally well.
        _, chosen, order = min(found, key=lambda rule: rule[0])
        picks, resolved = measured_all(source, classes, flags, chosen)
        return (picks, order), resolved

    return with_enough_digits(len(classes), attempt)


def own_costs(members: ClassRows) -> NDArray[np.float64]:
    """Return the costs of the rows of a class; raises `UsageError` if there are none."""
    if members.costs is None:
        raise UsageError(
            "--budget-cost: the rows have no costs. Name their column with --cost-column."
        )
    return members.costs


class Knapsack:
    """Greedy over several groups within one budget, by gain or by gain per cost.

    Parameters
    ----------
    groups : list of Group
    classes : sequence of ClassRows
        The same, with the costs of their rows.
    budget : float
    per_cost : bool
    """

    def __init__(
        self, groups: list[Group], classes: Sequence[ClassRows], budget: float, per_cost: bool
    ) -> None:
        self._groups = groups
        self._greedies = [
            CostGreedy(group, own_costs(c)[group.rank], per_cost)
            for group, c in zip(groups, classes, strict=True)
        ]
        self._left = budget * (1 + ROUNDING)
        self._cheapest = [float(own_costs(c).min()) for c in classes]
        self._sequence: list[int] = []

    def run(self, progress: Progress) -> None:
        """Make picks until none that fits gains anything; so much is left over meanwhile that every
        group gets one.
        """
        while True:
            waiting = [
                0.0 if greedy.picks else price
                for greedy, price in zip(self._greedies, self._cheapest, strict=True)
            ]
            best, best_value = -1, -1.0
            for c, (group, greedy) in enumerate(zip(self._groups, self._greedies, strict=True)):
                value = (
                    greedy.next_value(self._left - sum(waiting[:c] + waiting[c + 1 :]))
                    * group.gain_unit
                )
                if value > max(best_value, 0.0):
                    best, best_value = c, value
            if best < 0:
                return
            self._left -= self._greedies[best].take()
            self._sequence.append(best)
            progress("select", len(self._sequence), None)

    @property
    def remaining(self) -> float:
        """L(S) over all groups."""
        return sum(
            greedy.remaining * group.gain_unit
            for greedy, group in zip(self._greedies, self._groups, strict=True)
        )

    def chosen(self) -> list[NDArray[np.int64]]:
        """Return the picks of each group, as rows of the class, in order."""
        return [
            group.rank[np.array(greedy.picks, np.int64)]
            for group, greedy in zip(self._groups, self._greedies, strict=True)
        ]

    def order(self) -> NDArray[np.int64]:
        """Return the order in which all were picked, as places among them group by group."""
        by_group = np.argsort(self._sequence, kind="stable")
        return np.argsort(by_group, kind="stable")


class CostGreedy(LazyGreedy):
    """Greedy over one group whose rows have costs, a pick at a time, among those that fit.

    Parameters
    ----------
    group : Group
    costs : ndarray of float64, shape (n_rows,)
        At the positions of the group.
    per_cost : bool
        Whether the largest gain per unit of cost is picked, or the largest gain; of equal ones the
        larger gain, then the lowest row.
    """

    def __init__(self, group: Group, costs: NDArray[np.float64], per_cost: bool) -> None:
        super().__init__(group)
        self._costs, self._per_cost = costs, per_cost
        self._dearest = float(costs.max())
        self._is_stale = np.ones(group.n_rows, bool)
        self._next = -1

    def next_value(self, money: float) -> float:
        """Return what the next pick gains, or gains per unit of cost, among the rows that cost at
        most `money`; -1 if none gains anything.

        Money only gets less: rows that do not fit never will.
        """
        if money < self._dearest:
            self._dearest = money
            self._closed |= self._costs > money
            self._bounds[self._closed] = -1
        if self._next < 0 or self._closed[self._next]:
            self._next = self._best()
        return -1.0 if self._next < 0 else float(self._values(np.array([self._next]))[0])

    def take(self) -> float:
        """Make the pick that `next_value` was of, and return its cost."""
        pick, self._next = np.array([self._next]), -1
        if self._known is None:
            gained = self._group.absorb(pick)
            self._bounds[pick] = -1
            self._is_stale[:] = True
        else:
            _, gained = self._group.take_picks(self._known, self._bounds, pick[None])
        self.picks.append(int(pick[0]))
        self.gained.append(int(gained[0]))
        if self._known is None and len(self.picks) >= self._next_look:
            self._try_lists()
        return float(self._costs[pick[0]])

    def _values(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        bounds = self._bounds[rows].astype(np.float64)
        return bounds / self._costs[rows] if self._per_cost else bounds

    def _top(self, rows: NDArray[np.int64]) -> int:
        """Return the row of the largest value among some, as far as values are known."""
        values = self._values(rows)
        rows = rows[values == values.max()]
        rows = rows[self._bounds[rows] == self._bounds[rows].max()]
        return int(rows[np.argmin(self._group.rank[rows])])

    def _best(self) -> int:
        """Return the row to pick next, its gain in the bounds; -1 if no row that fits gains
        anything.
        """
        batch = FIRST_BATCH
        while True:
            hopeful = np.flatnonzero(self._bounds > 0)
            if len(hopeful) == 0:
                return -1
            top = self._top(hopeful)
            if self._known is not None or not self._is_stale[top]:
                return top
            known, unknown = hopeful[~self._is_stale[hopeful]], hopeful[self._is_stale[hopeful]]
            unknown = unknown[self._values(unknown) >= self._values(known).max(initial=0.0)]
            rows = self._evaluate(unknown, self._is_stale & (self._bounds > 0), batch)
            self._is_stale[rows] = False
            batch *= 2
