"""One class at a time: its rows, its picks, and what the picks are worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Labels, SparseRows
from craig_cli.errors import InputError, printable
from craig_cli.kernels import sparse, tiles
from craig_cli.selection.fixed_point import FixedPoint, power_of_two
from craig_cli.selection.groups import Group, make_group
from craig_cli.selection.row_weights import row_weights
from craig_cli.selection.scaling import CHUNK_ROWS, Features
from craig_cli.threads import Workers, ranges

FLOAT32_TOLERANCE = 1e-3
"""Distances that float32 gets wrong by more than this, added up over the final assignment, are
computed again in float64.
"""
NEAR_SHARE = 0.99
"""Share of the rows, the nearest to their picks, of which that must hold too."""


@dataclass(frozen=True)
class ClassRows:
    """One class: its label (None for a single group), its rows in the input, ascending, and the
    scores of these, if rows are drawn by such.

    `fixed_points` are the narrow and the wide frame of the class, where its parts have agreed on
    them; `weights` and `costs` are those of its rows.
    """

    label: int | float | str | None
    index: NDArray[np.int64]
    scores: NDArray[np.float64] | None = None
    fixed_points: tuple[FixedPoint, FixedPoint] | None = None
    weights: NDArray[np.float64] | None = None
    costs: NDArray[np.float64] | None = None

    def make_group(
        self, points: NDArray[np.float64] | SparseRows, is_float64: bool, workers: Workers
    ) -> Group:
        """Return the rows of the class, all of them in `points`, laid out for selection."""
        return make_group(
            points,
            is_float64,
            workers,
            self.fixed_points and self.fixed_points[is_float64],
            row_weights(self.weights, len(self.index), is_float64),
        )


@dataclass(frozen=True)
class ClassPicks:
    """The picks of one class, measured: arrays of shape (k_c,), in the order picked.

    `cluster` (n_c,) is the pick of each row of the class, by its number, `reach` is no smaller than
    any distance: neither is there for rows on disk. `medoid` are the picks whose clusters `rows`
    represent, if these are other rows. `is_float64`: distances took float64.
    """

    rows: NDArray[np.int64]
    gain: NDArray[np.float64]
    epsilon: NDArray[np.float64]
    cluster_size: NDArray[np.int64]
    weight: NDArray[np.float64]
    final_epsilon: float
    medoid_epsilon: float
    cluster: NDArray[np.int64] | None = None
    reach: float = 0.0
    medoid: NDArray[np.int64] | None = None
    is_float64: bool = False


def split_classes(labels: Labels | None, n_rows: int, task: str) -> list[ClassRows]:
    """Return the classes in the order of their sorted labels; one group without labels, or for
    regression.
    """
    if labels is None or task == "regression":
        return [ClassRows(None, np.arange(n_rows))]
    values, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    by_class = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
    return [ClassRows(value, index) for value, index in zip(values.tolist(), by_class, strict=True)]


def classes_of(dataset: Dataset, task: str) -> list[ClassRows]:
    """Return the classes of a data set, with the weights and costs of their rows.

    Raises
    ------
    InputError
        All rows of a class have zero weight.
    """
    classes = split_classes(dataset.labels, dataset.n_rows, task)
    weights, costs = dataset.weights, dataset.costs
    if weights is not None:
        classes = [replace(c, weights=weights[c.index]) for c in classes]
    for c in classes:
        if c.weights is not None and not c.weights.any():
            name = (
                "all rows"
                if c.label is None
                else (f"all rows of class '{printable(str(c.label), 60)}'")
            )
            remedy = "Give a row of each class a weight above 0, or leave the class out."
            raise InputError(dataset.files[0], f"{name} have zero weight", remedy=remedy)
    return classes if costs is None else [replace(c, costs=costs[c.index]) for c in classes]


Choose: TypeAlias = Callable[[Group], tuple[NDArray[np.int64], NDArray[np.float64] | None]]
"""Picks of a class (rows of the class, in order) and their weights; None for those of the clusters.
"""


def with_enough_digits(
    features: Features, members: ClassRows, workers: Workers, choose: Choose, size_of_trial: int = 0
) -> ClassPicks:
    """Return the measured picks that `choose` makes, in float32 where that resolves the distances,
    else in float64.

    The final distances are computed in float64 in any case. If they tell that the float32 ones were
    off by more than `FLOAT32_TOLERANCE` in total, or over all rows but the farthest, most lie too
    close together, against the extent of their class: all is done again in float64. Where choosing
    is slow, `size_of_trial` picks made at no cost tell beforehand.
    """
    for is_float64 in (False, True):
        group = members.make_group(features.in_parts(members.index, workers), is_float64, workers)
        if (
            size_of_trial > 0
            and not is_float64
            and not is_resolved_by_trial(features, members, group, size_of_trial, workers)
        ):
            continue
        chosen, weight = choose(group)
        measured, is_resolved = measure_class(features, members, group, chosen, weight, workers)
        if is_resolved:
            break
    return measured


def measure_class(
    features: Features,
    members: ClassRows,
    group: Group,
    chosen: NDArray[np.int64],
    weight: NDArray[np.float64] | None,
    workers: Workers,
) -> tuple[ClassPicks, bool]:
    """Return the measured picks of one class, and whether the group's distances agree with float64
    ones.

    A selected row stands for itself; other ties go to the earlier pick.
    """
    own = members.weights
    cluster, gained = absorb_picks(group, chosen)
    distances, errors = checked_distances(features, members, group, chosen, cluster, workers)
    remaining = group.total_weight * group.auxiliary_distance - np.cumsum(gained)
    sizes = np.bincount(cluster, minlength=len(chosen)).astype(np.int64)
    of_clusters = sizes if own is None else np.bincount(cluster, own, len(chosen))
    measured = ClassPicks(
        rows=members.index[chosen],
        gain=gained.astype(np.float64) * group.gain_unit,
        epsilon=remaining.astype(np.float64) * group.gain_unit,
        cluster_size=sizes,
        weight=of_clusters.astype(np.float64) if weight is None else weight,
        final_epsilon=float((distances if own is None else distances * own).sum()),
        medoid_epsilon=float(remaining[0] * group.gain_unit),
        cluster=cluster,
        reach=group.auxiliary_distance * group.unit,
        is_float64=group.is_float64,
    )
    return measured, float(errors.sum()) <= FLOAT32_TOLERANCE * float(
        distances.sum()
    ) and are_resolved(distances, errors)


def is_resolved_by_trial(
    features: Features, members: ClassRows, group: Group, size: int, workers: Workers
) -> bool:
    """Return whether the group resolves the distances to `size` rows spread evenly over its
    positions, which lie cell by cell.

    Time and memory are those of an assignment.
    """
    chosen = group.rank[np.linspace(0, group.n_rows - 1, size).astype(np.int64)]
    cluster, _ = absorb_picks(group, chosen)
    distances, errors = checked_distances(features, members, group, chosen, cluster, workers)
    group.reset()
    return are_resolved(distances, errors)


def are_resolved(distances: NDArray[np.float64], errors: NDArray[np.float64]) -> bool:
    """Return whether errors are small against the distances to the nearest pick, but for the
    farthest rows, beside which any would be.
    """
    near = distances <= np.quantile(distances, NEAR_SHARE)
    return float(errors[near].sum()) <= FLOAT32_TOLERANCE * float(distances[near].sum())


def checked_distances(
    features: Features,
    members: ClassRows,
    group: Group,
    chosen: NDArray[np.int64],
    cluster: NDArray[np.int64],
    workers: Workers,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distance of each row of a class to its pick, computed in float64, and by how much
    the group's own differs.
    """
    nearest = np.empty(len(members.index))
    nearest[group.rank] = group.nearest() * group.unit
    distances = distances_to_picks(
        features,
        members,
        chosen,
        cluster,
        power_of_two(group.auxiliary_distance * group.unit),
        workers,
    )
    return distances, np.abs(distances - nearest)


def absorb_picks(
    group: Group, chosen: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pick that each row of a class belongs to, as a position in `chosen`, and what each
    pick gained; the group has them then.
    """
    position = np.empty(group.n_rows, np.int64)
    position[group.rank] = np.arange(group.n_rows)
    group.reset()
    gained = group.absorb(position[chosen])
    cluster = np.empty(group.n_rows, np.int64)
    cluster[group.rank] = group.cluster()
    cluster[chosen] = np.arange(len(chosen))
    return cluster, gained


def distances_to_picks(
    features: Features,
    members: ClassRows,
    chosen: NDArray[np.int64],
    cluster: NDArray[np.int64],
    power: float,
    workers: Workers,
) -> NDArray[np.float64]:
    """Return the distance of each row to its pick, row ``chosen[cluster]`` of the class, in
    float64, by differences; `power` keeps squares small.
    """
    out = np.empty(len(members.index))
    points = features.in_parts(members.index, workers)
    if isinstance(points, SparseRows):
        sparse.pair_distances(
            (points.indptr, points.indices, points.values),
            np.arange(len(out)),
            chosen[cluster],
            out,
        )
        return out
    picks = points[chosen] / power

    def compute(start: int, stop: int) -> None:
        tiles.pair_distances(
            points[start:stop] / power, picks, cluster[start:stop], out[start:stop]
        )

    workers.map(compute, ranges(len(out), CHUNK_ROWS))
    return out * power
