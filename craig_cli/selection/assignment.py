"""Rows assigned to picks: the one place that does it, that decides between float32 and float64, and
that measures picks.

Memory, disk and parts only supply pieces of rows (`row_groups.Piece`): one, many local ones, many
remote ones. What is known of a piece adds up: quantised gains to the last bit, sums of distances
in the order of the pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import SparseRows
from craig_cli.kernels import sparse, tiles
from craig_cli.selection.classes import ClassPicks, ClassRows
from craig_cli.selection.column_summary import Table
from craig_cli.selection.dense_group import DenseGroup
from craig_cli.selection.fixed_point import outer_of
from craig_cli.selection.resolution import LOST, FarRow, count_lost, farthest
from craig_cli.selection.row_groups import Picks, Piece, RowGroups, Units
from craig_cli.selection.scaling import Features
from craig_cli.threads import Workers, ranges

FLOAT32_TOLERANCE = 1e-3
"""Distances that float32 gets wrong by more than this share, added up over the final assignment,
are taken again in float64.
"""
NEAR_SHARE = 0.99
"""Share of the rows, the nearest to their picks, of which that must hold too: beside the distances
of a few far rows any error would be small.
"""
BINS_A_DOUBLING = 8
"""Rows are told near from far by bins of distances, so that pieces can add theirs up."""
ZERO_BIN = -(1 << 15)
"""Of distance 0, below that of any other."""
CHUNK_VALUES = 1 << 21
"""Coordinates that are looked at at a time, by all threads."""

T = TypeVar("T")


@dataclass(frozen=True)
class Errors:
    """How wrong quantised distances are, by the size of the distance: a row a bin, ascending.

    Parameters
    ----------
    bins : ndarray of int64, shape (b,)
    rows : ndarray of int64, shape (b,)
    distances, errors : ndarray of float64, shape (b,)
        Of the rows of each bin added up.
    """

    bins: NDArray[np.int64]
    rows: NDArray[np.int64]
    distances: NDArray[np.float64]
    errors: NDArray[np.float64]

    def are_small_near(self) -> bool:
        """Return whether errors are small against the distances of all rows but the farthest.

        The bin at the border counts as a whole: no more than it holds can differ between a cut of
        the rows and another.
        """
        border = NEAR_SHARE * (int(self.rows.sum()) - 1)
        last = int(np.searchsorted(np.cumsum(self.rows), border, side="right")) + 1
        return float(self.errors[:last].sum()) <= FLOAT32_TOLERANCE * float(
            self.distances[:last].sum()
        )

    def are_small(self) -> bool:
        """Return whether float32 resolves the distances: of all rows, and of the near ones."""
        whole = float(self.errors.sum()) <= FLOAT32_TOLERANCE * float(self.distances.sum())
        return whole and self.are_small_near()


def errors_of(distances: NDArray[np.float64], errors: NDArray[np.float64]) -> Errors:
    """Return the errors of rows (m,) in bins. Time m."""
    fractions, exponents = np.frexp(distances)
    steps = ((fractions - 0.5) * (2 * BINS_A_DOUBLING)).astype(np.int64)
    bins = np.where(distances > 0, BINS_A_DOUBLING * exponents + steps, ZERO_BIN)
    return added(bins, np.ones(len(bins), np.int64), distances, errors)


def added(
    bins: NDArray[np.int64],
    rows: NDArray[np.int64],
    distances: NDArray[np.float64],
    errors: NDArray[np.float64],
) -> Errors:
    """Return what falls into equal bins, added up."""
    place = bins - ZERO_BIN
    found = np.flatnonzero(np.bincount(place))
    n_rows = np.bincount(place, rows)[found].astype(np.int64)
    sums = (np.bincount(place, v)[found].astype(np.float64) for v in (distances, errors))
    return Errors(found + ZERO_BIN, n_rows, *sums)


@dataclass(frozen=True)
class Assigned:
    """The rows of a class, or of a piece of it, assigned to its picks.

    Parameters
    ----------
    gained, size : ndarray of int64, shape (k,)
        What each pick gained, quantised, and the rows that are its own.
    weight, spread : ndarray of float64, shape (k,)
        Of these rows: their weights added up, and their distances.
    epsilon : float
        The distances of all rows added up, by their weights, in float64.
    errors : Errors
    n_lost : int
        Distances that float64 has lost (`resolution`).
    """

    gained: NDArray[np.int64]
    size: NDArray[np.int64]
    weight: NDArray[np.float64]
    spread: NDArray[np.float64]
    epsilon: float
    errors: Errors
    n_lost: int = 0

    @property
    def is_lost(self) -> bool:
        """Return whether too many distances are lost for the picks to mean something."""
        return self.n_lost > LOST * int(self.size.sum())


def sum_of(parts: Sequence[Assigned]) -> Assigned:
    """Return the assignment of the rows of all pieces, added up in their order."""
    if len(parts) == 1:
        return parts[0]
    every = [part.errors for part in parts]
    names = ("bins", "rows", "distances", "errors")
    gained, size, weight, spread = (
        np.sum([getattr(part, name) for part in parts], axis=0)
        for name in ("gained", "size", "weight", "spread")
    )
    errors = added(*(np.concatenate([getattr(e, name) for e in every]) for name in names))
    n_lost, epsilon = sum(p.n_lost for p in parts), float(sum(p.epsilon for p in parts))
    return Assigned(gained, size, weight, spread, epsilon, errors, n_lost)


def assign_piece(
    piece: Piece, picks: Picks, workers: Workers
) -> tuple[NDArray[np.int64], Assigned]:
    """Return the number of each row's pick (m,), and what the rows of a piece come to.

    A selected row stands for itself; other ties go to the earlier pick. Time m k d at worst, far
    less by pruning; memory 40 m and the points.
    """
    group, k = piece.group, len(picks.rows)
    cluster, gained = nearest_picks(piece, picks)
    nearest = np.empty(group.n_rows)
    nearest[piece.local] = group.nearest() * group.unit
    distances = exact_distances(piece.points, picks, cluster, piece.outer, workers)
    size = np.bincount(cluster, minlength=k).astype(np.int64)
    own, errors = piece.weights, np.abs(distances - nearest)
    assigned = Assigned(
        gained=gained,
        size=size,
        weight=(size if own is None else np.bincount(cluster, own, k)).astype(np.float64),
        spread=np.bincount(cluster, distances, k).astype(np.float64),
        epsilon=float((distances if own is None else distances * own).sum()),
        errors=errors_of(distances, errors),
        n_lost=count_lost(piece.points, distances, errors) if group.is_float64 else 0,
    )
    return cluster, assigned


def nearest_picks(piece: Piece, picks: Picks) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pick that each row of a piece belongs to, and what each pick gained there.

    The group has the picks then, and no others.
    """
    group = piece.group
    group.reset()
    if picks.vectors is None:  # sparse rows: all of them are in one piece
        position = np.empty(group.n_rows, np.int64)
        position[piece.local] = np.arange(group.n_rows)
        gained = group.absorb(position[piece.own_local])
    else:
        assert isinstance(group, DenseGroup)
        gained = group.absorb_vectors(picks.vectors)
    cluster = np.empty(group.n_rows, np.int64)
    cluster[piece.local] = group.cluster()
    cluster[piece.own_local] = piece.own
    return cluster, gained


def exact_distances(
    points: Table | SparseRows,
    picks: Picks,
    cluster: NDArray[np.int64],
    outer: float,
    workers: Workers,
) -> NDArray[np.float64]:
    """Return the distance of each row to its pick in float64, by differences. Time m d."""
    out = np.empty(len(cluster))
    if isinstance(points, SparseRows):
        rows = points.indptr, points.indices, points.values / outer
        sparse.pair_distances(rows, np.arange(len(out)), picks.rows[cluster], out)
        return out * outer
    assert picks.points is not None
    targets = picks.points / outer

    def compute(start: int, stop: int) -> None:
        own = slice(start, stop)
        tiles.pair_distances(points[own], outer, targets, cluster[own], out[own])

    workers.map(compute, ranges(len(out), chunk_rows(points.shape[1], workers.n_threads)))
    return out * outer


def chunk_rows(n_columns: int, n_threads: int = 1) -> int:
    """Return how many rows each thread looks at at a time; whole tiles."""
    most = CHUNK_VALUES // (n_threads * max(1, n_columns))
    return max(tiles.TILE, most // tiles.TILE * tiles.TILE)


def distances_to_representatives(
    features: Features,
    members: ClassRows,
    local: NDArray[np.int64],
    cluster: NDArray[np.int64],
    workers: Workers,
) -> NDArray[np.float64]:
    """Return the distance of each row of a class to row ``local[cluster]`` of it, in float64."""
    points = features.in_parts(members.index, workers)
    picks = Picks(local) if isinstance(points, SparseRows) else Picks(local, points[local])
    return exact_distances(points, picks, cluster, outer_of(points), workers)


def measure_picks(
    groups: RowGroups,
    index: NDArray[np.int64],
    chosen: NDArray[np.int64],
    workers: Workers,
    weight: NDArray[np.float64] | None = None,
) -> tuple[ClassPicks, bool]:
    """Return the measured picks of a class, and whether its quantised distances resolve it.

    Parameters
    ----------
    groups : RowGroups
    index : ndarray of int64, shape (n_c,)
        Rows of the input, of the class.
    chosen : ndarray of int64, shape (k_c,)
        Rows of the class, in the order picked.
    workers : Workers
    weight : ndarray of float64, shape (k_c,), optional
        Default: those of the clusters.

    Raises `FarRow` where not even float64 tells the rows apart.
    """
    picks = groups.picks(chosen)
    found: list[Assigned] = []
    for piece in groups.pieces(picks):
        cluster, assigned = assign_piece(piece, picks, workers)
        found.append(assigned)
    assigned = sum_of(found)
    if assigned.is_lost:
        raise far_row(groups, index, picks)
    measured = as_picks(index[chosen], assigned, groups.units, groups.is_float64, weight)
    if len(found) == 1:
        measured = replace(measured, cluster=cluster)
    return measured, assigned.errors.are_small()


def far_row(groups: RowGroups, index: NDArray[np.int64], picks: Picks) -> FarRow:
    """Return the row with the largest coordinate, and the column of that. Time n d."""
    best, found = -1.0, FarRow(0, 0)
    for number, piece in enumerate(groups.pieces(picks)):
        largest, row, column = farthest(piece.points)
        if largest > best:
            place = int(groups.bounds[number] + np.flatnonzero(piece.local == row)[0])
            best, found = largest, FarRow(int(index[groups.order[place]]), column)
    return found


def as_picks(
    rows: NDArray[np.int64],
    assigned: Assigned,
    units: Units,
    is_float64: bool,
    weight: NDArray[np.float64] | None = None,
) -> ClassPicks:
    """Return the picks that an assignment of all rows of a class makes."""
    remaining = units.total_weight * units.auxiliary_distance - np.cumsum(assigned.gained)
    return ClassPicks(
        rows=rows,
        gain=assigned.gained.astype(np.float64) * units.gain_unit,
        epsilon=remaining.astype(np.float64) * units.gain_unit,
        cluster_size=assigned.size,
        spread=assigned.spread,
        weight=assigned.weight if weight is None else weight,
        final_epsilon=assigned.epsilon,
        medoid_epsilon=float(remaining[0] * units.gain_unit),
        is_float64=is_float64,
    )


def is_resolved_by_trial(groups: RowGroups, size: int, workers: Workers) -> bool:
    """Return whether quantised distances to `size` evenly spread rows are near enough.

    The rows are spread over the places, which lie cell by cell. Time and memory are those of an
    assignment.
    """
    chosen = groups.order[np.linspace(0, len(groups.order) - 1, size).astype(np.int64)]
    picks = groups.picks(chosen)
    found = [assign_piece(piece, picks, workers)[1] for piece in groups.pieces(picks)]
    return sum_of(found).errors.are_small_near()


def with_enough_digits(
    n_classes: int, attempt: Callable[[tuple[bool, ...]], tuple[T, Sequence[bool]]]
) -> T:
    """Return what `attempt` gives, in float32 where that resolves a class, else in float64.

    Parameters
    ----------
    n_classes : int
    attempt : callable
        Given whether each class takes float64, returns a result and whether each is resolved.
        Classes that float32 does not resolve take float64 in the next attempt.
    """
    is_float64 = (False,) * n_classes
    while True:
        result, resolved = attempt(is_float64)
        again = tuple(f or not r for f, r in zip(is_float64, resolved, strict=True))
        if again == is_float64:
            return result
        is_float64 = again
