"""Which row of a cluster stands for it: the pick itself, or one drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import SparseRows
from craig_cli.errors import InputError
from craig_cli.selection.assignment import distances_to_representatives
from craig_cli.selection.classes import ClassPicks, ClassRows
from craig_cli.selection.constraints import PickConstraints
from craig_cli.selection.row_weights import drawn_by_weight, uneven
from craig_cli.selection.scaling import Features
from craig_cli.settings import SelectionSettings
from craig_cli.threads import Workers

MOST_EXCHANGED, FEW_EXCHANGED = 0.05, 4
"""Of the representatives of a class, this share may be exchanged for rows of rare values, or so few
(but half of them at most): more do harm.
"""
SEED_PART = 1
"""Third part of the seed of these draws, so that they are not those of the picks."""


@dataclass(frozen=True)
class Standing:
    """The picks of all classes, and what may stand for their clusters in place of each.

    Parameters
    ----------
    rows : ndarray of int64, shape (k,)
        The picks, rows of the input.
    weight : ndarray of float64, shape (k,)
        Of their clusters.
    cluster : ndarray of int64, shape (n,)
        The number of each row's cluster.
    is_allowed : ndarray of bool, shape (n,), or None
        The rows that may stand for their cluster; None for all.
    is_fixed : ndarray of bool, shape (k,)
        The clusters whose pick stays.
    varied : callable
        Gives a random row of each cluster (k,), or a varied one.
    """

    rows: NDArray[np.int64]
    weight: NDArray[np.float64]
    cluster: NDArray[np.int64]
    is_allowed: NDArray[np.bool_] | None
    is_fixed: NDArray[np.bool_]
    varied: Callable[[], NDArray[np.int64]]


Exchanged: TypeAlias = Callable[[Standing], NDArray[np.int64]]
"""Gives the row (k,) that is to stand for each cluster."""


def with_other_rows(
    features: Features,
    classes: Sequence[ClassRows],
    picks: Sequence[ClassPicks],
    settings: SelectionSettings,
    workers: Workers,
    given: Sequence[PickConstraints] | None = None,
    exchanged: Exchanged | None = None,
) -> list[ClassPicks]:
    """Return the picks with a random row of each cluster in place of the pick, or varied ones, or
    what `exchanged` gives (by default: the picks).

    Rows to include stay, those to exclude are not drawn.
    """
    draws = [
        ClassDraw(number, members, own, settings, None if given is None else given[number])
        for number, (members, own) in enumerate(zip(classes, picks, strict=True))
    ]
    if settings.representative == "exchanged":
        rows = exchanged_members(draws, features, workers, exchanged)
    else:
        rows = [draw.rows(features, workers) for draw in draws]
    return [
        represented(features, members, own, local, workers)
        for members, own, local in zip(classes, picks, rows, strict=True)
    ]


@dataclass(frozen=True)
class ClassDraw:
    """The rows of the class `number` that may stand for its clusters, and the draw among them."""

    number: int
    members: ClassRows
    picks: ClassPicks
    settings: SelectionSettings
    given: PickConstraints | None

    @property
    def cluster(self) -> NDArray[np.int64]:
        """The cluster of each row of the class (n_c,)."""
        assert self.picks.cluster is not None
        return self.picks.cluster

    @cached_property
    def is_allowed(self) -> NDArray[np.bool_] | None:
        """The rows of the class that are not excluded (n_c,); None for all."""
        return None if self.given is None else self.given.is_allowed(len(self.members.index))

    @cached_property
    def included(self) -> slice:
        """The clusters whose picks were to be included, and stay."""
        if self.given is None:
            return slice(0, 0)
        return slice(self.given.n_extended, len(self.given.first))

    @cached_property
    def may_enter(self) -> NDArray[np.bool_] | None:
        """The rows that may take the place of another (n_c,): of weight, and not excluded; None for
        all.
        """
        weights = uneven(self.members.weights)
        if (
            self.is_allowed is None
            and weights is None
            and self.included.start == self.included.stop
        ):
            return None
        stays = np.zeros(len(self.picks.rows), bool)
        stays[self.included] = True
        allowed = ~stays[self.cluster]
        if self.is_allowed is not None:
            allowed &= self.is_allowed
        return allowed if weights is None else allowed & (weights > 0)

    def rows(self, features: Features, workers: Workers) -> NDArray[np.int64]:
        """Return the rows drawn (k_c,), varied if that is asked for."""
        rng = np.random.default_rng([self.settings.seed, self.number, SEED_PART])
        weights = uneven(self.members.weights)
        local = random_members(self.cluster, self.picks.cluster_size, rng, self.is_allowed, weights)
        if self.given is not None:
            local[self.included] = self.given.first[self.included]
        if self.settings.representative == "random":
            return local
        points = features.in_parts(self.members.index, workers)
        return varied_members(points, self.cluster, local, rng, self.may_enter)


def exchanged_members(
    draws: Sequence[ClassDraw],
    features: Features,
    workers: Workers,
    exchanged: Exchanged | None,
) -> list[NDArray[np.int64]]:
    """Return the rows of each class that stand for its clusters."""
    sizes = [len(draw.picks.rows) for draw in draws]
    starts = np.cumsum([0, *sizes])
    n_rows = sum(len(draw.members.index) for draw in draws)
    cluster, place = np.empty(n_rows, np.int64), np.empty(n_rows, np.int64)
    allowed, is_fixed = np.ones(n_rows, bool), np.zeros(starts[-1], bool)
    for draw, start in zip(draws, starts.tolist(), strict=False):
        index = draw.members.index
        cluster[index], place[index] = draw.cluster + start, np.arange(len(index))
        if draw.may_enter is not None:
            allowed[index] = draw.may_enter
        is_fixed[start : start + len(draw.picks.rows)][draw.included] = True
    rows = np.concatenate([draw.picks.rows for draw in draws])

    def varied() -> NDArray[np.int64]:
        return np.concatenate([draw.members.index[draw.rows(features, workers)] for draw in draws])

    if exchanged is not None:
        weight = np.concatenate([draw.picks.weight for draw in draws])
        may_enter = None if allowed.all() else allowed
        rows = exchanged(Standing(rows, weight, cluster, may_enter, is_fixed, varied))
    return np.split(place[rows], starts[1:-1])


def random_members(
    cluster: NDArray[np.int64],
    sizes: NDArray[np.int64],
    rng: np.random.Generator,
    is_allowed: NDArray[np.bool_] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.int64]:
    """Return one row of each cluster, each of its rows as likely, or in proportion to `weights`;
    the draws are made in the order of the clusters.

    Rows that are not allowed are never drawn; each cluster has one that is.

    Unbiased given the clusters: with their sizes (or the weights of their rows added up) as
    weights, the sum of any function of a row over the representatives has the sum over all rows as
    its mean.
    """
    if is_allowed is not None:
        rows = np.flatnonzero(is_allowed)
        of_allowed = None if weights is None else weights[rows]
        own = np.bincount(cluster[rows], minlength=len(sizes))
        return rows[random_members(cluster[rows], own, rng, None, of_allowed)]
    starts = np.cumsum(sizes) - sizes
    if weights is not None:
        order = np.argsort(cluster, kind="stable")
        return order[drawn_by_weight(weights[order], np.append(starts, len(cluster)), rng)]
    drawn: NDArray[np.int64] = np.argsort(cluster, kind="stable")[starts + rng.integers(sizes)]
    return drawn


def varied_members(
    points: NDArray[np.float64] | SparseRows,
    cluster: NDArray[np.int64],
    drawn: NDArray[np.int64],
    rng: np.random.Generator,
    is_allowed: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """Return representatives (k_c,) of which some are exchanged, so that columns that vary within
    the class vary among them, too.

    For each column of one value among them (sparse rows: of zeros), the columns that vary in most
    rows first, a random row of another value takes the place of the representative of its cluster,
    if that has not been exchanged yet. A model can then learn that column.

    Parameters
    ----------
    points : ndarray, shape (n_c, d), or SparseRows
        All rows of the class.
    cluster : ndarray of int64, shape (n_c,)
        The number of each row's cluster.
    drawn : ndarray of int64, shape (k_c,)
        A row of each cluster.
    rng : numpy.random.Generator
    is_allowed : ndarray of bool, shape (n_c,), optional
        The rows that may take a place; default: all.
    """
    chosen, exchanged = drawn.copy(), np.zeros(len(drawn), bool)
    most = min(max(FEW_EXCHANGED, MOST_EXCHANGED * len(drawn)), len(drawn) / 2)
    for others in rows_of_missing_values(points, drawn):
        if np.count_nonzero(exchanged) >= most:
            break
        if np.isin(
            others, chosen[cluster[others]]
        ).any():  # an exchange for another column has brought this one in
            continue
        others = others[
            ~exchanged[cluster[others]] & (True if is_allowed is None else is_allowed[others])
        ]
        if len(others):
            row = others[rng.integers(len(others))]
            chosen[cluster[row]], exchanged[cluster[row]] = row, True
    return chosen


def rows_of_missing_values(
    points: NDArray[np.float64] | SparseRows, chosen: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """Return, for each column that has one value in the chosen rows, the rows of the class where it
    has another; the longest list first.
    """
    found: list[NDArray[np.int64]]
    if isinstance(points, SparseRows):
        found = sparse_rows_of_missing_values(points, chosen)
    else:
        fixed = np.flatnonzero(np.ptp(points[chosen], axis=0) == 0)
        found = [np.flatnonzero(points[:, column] != points[chosen[0], column]) for column in fixed]
    return sorted((others for others in found if len(others)), key=len, reverse=True)


def sparse_rows_of_missing_values(
    points: SparseRows, chosen: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """Return what `rows_of_missing_values` does, unsorted, column by column. Time nnz log nnz."""
    row_of_entry = points.owner
    by_column = np.argsort(points.indices, kind="stable")
    is_chosen = np.zeros(points.n_rows, bool)
    is_chosen[chosen] = True
    found = []
    for entries in np.split(by_column, np.flatnonzero(np.diff(points.indices[by_column])) + 1):
        rows, values = row_of_entry[entries], points.values[entries]
        among = values[is_chosen[rows]]
        if len(among) == 0:
            found.append(rows)
        elif len(among) == len(chosen) and (among == among[0]).all():
            same = np.zeros(points.n_rows, bool)
            same[rows[values == among[0]]] = True
            found.append(np.flatnonzero(~same))
    return found


def represented(
    features: Features,
    members: ClassRows,
    picks: ClassPicks,
    local: NDArray[np.int64],
    workers: Workers,
) -> ClassPicks:
    """Return the picks of one class with other rows to represent their clusters, and epsilon by the
    distances to these.

    Parameters
    ----------
    features : Features
    members : ClassRows
    picks : ClassPicks
        Gains and epsilons on the way stay those of the picks, by which the clusters were made.
    local : ndarray of int64, shape (k_c,)
        Rows of the class, one of each cluster.
    workers : Workers

    Raises
    ------
    InputError
        A row is not of the cluster it is to represent.
    """
    assert picks.cluster is not None
    strange = picks.cluster[local] != np.arange(len(local))
    if strange.any():
        row = int(members.index[local[np.argmax(strange)]])
        raise InputError(
            "<representatives>",
            f"row {row} is not in the cluster that it represents",
            remedy="They do not belong to this data.",
        )
    distances = distances_to_representatives(features, members, local, picks.cluster, workers)
    weighted = distances if members.weights is None else distances * members.weights
    return replace(
        picks, rows=members.index[local], medoid=picks.rows, final_epsilon=float(weighted.sum())
    )
