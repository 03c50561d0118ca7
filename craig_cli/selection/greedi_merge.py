"""The second round of a selection in parts: picks among what all parts offer, then one assignment
of all rows, part by part.

A candidate stands for the rows nearest to it in its part. What it costs to give one up is reckoned
from its own rows: they lie round it, at a known mean distance r, and about at right angles to the
way d to the next candidate, so that they lose sqrt(r^2 + d^2) - r each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Labels
from craig_cli.selection.assembly import assemble, common_order
from craig_cli.selection.assignment import Assigned, as_picks, assign_piece, sum_of
from craig_cli.selection.budgets import budget_size, sizes_within
from craig_cli.selection.classes import ClassPicks, split_classes
from craig_cli.selection.coreset import ClassSummary, Coreset
from craig_cli.selection.dense_group import DenseGroup
from craig_cli.selection.greedi import Candidates, Partial, resolved
from craig_cli.selection.groups import make_group
from craig_cli.selection.resolution import refuse_lost
from craig_cli.selection.reverse_greedy import reverse_greedy_picks
from craig_cli.selection.row_groups import MemoryGroups, Units, picks_at
from craig_cli.selection.shared_scaling import SharedScaling, share_scaling
from craig_cli.settings import SelectionSettings
from craig_cli.threads import Workers

LEVEL = 4
"""The picks are put in order by giving up more of them, to a quarter, a sixteenth, ...: what
stays longest comes first.
"""
BOUND_NOTE = (
    "The rows were not assigned (--no-assign): weights are those of the shards, and "
    "epsilon is an upper bound."
)


class Bounds(NamedTuple):
    """What is known of the picks of one class before any row is assigned to them.

    Parameters
    ----------
    cluster_size : ndarray of int64, shape (k,)
        Rows of the candidates that are nearest to each pick, in their parts.
    epsilon, gain : ndarray of float64, shape (k,)
        No less than L of the class after each pick; and what each pick takes off that.
    """

    cluster_size: NDArray[np.int64]
    epsilon: NDArray[np.float64]
    gain: NDArray[np.float64]


@dataclass(frozen=True)
class MergedClass:
    """The picks of one class, in order.

    Parameters
    ----------
    rows : ndarray of int64, shape (k,)
        The picks, by their numbers among all rows.
    points : ndarray of float64, shape (k, d)
        The same, scaled.
    labels : Labels or None
    bounds : Bounds or None
        None if rows are going to be assigned.
    """

    rows: NDArray[np.int64]
    points: NDArray[np.float64]
    labels: Labels | None
    bounds: Bounds | None


@dataclass(frozen=True)
class Plan:
    """The picks of all classes, and all that the parts need to assign their rows.

    Parameters
    ----------
    shared : SharedScaling
    classes : tuple of MergedClass
        In the order of the sorted labels.
    settings : SelectionSettings
        With the method that parts selected by.
    n_candidates : int
        That the parts offered.
    """

    shared: SharedScaling
    classes: tuple[MergedClass, ...]
    settings: SelectionSettings
    n_candidates: int


PartAssignment: TypeAlias = tuple[Assigned | None, ...]
"""The rows of one part, assigned to the picks of each class; None where it has none of a class."""


def merge_partials(
    partials: Sequence[Partial], settings: SelectionSettings, is_bounded: bool = False
) -> Plan:
    """Return the picks among what all parts offer, in the order of the parts; `settings` are those
    by which the partials were made, `is_bounded` as for `merge_offers`.
    """
    shared = share_scaling([part.summary for part in partials], settings)
    candidate_sets = [
        replace(candidates, rows=start + candidates.rows)
        for start, part in zip(shared.starts.tolist(), partials, strict=False)
        for candidates in part.candidate_sets
    ]
    return merge_offers(shared, candidate_sets, settings, is_bounded)


def merge_offers(
    shared: SharedScaling,
    candidate_sets: Sequence[Candidates],
    settings: SelectionSettings,
    is_bounded: bool = False,
) -> Plan:
    """Return the picks among all candidates.

    Parameters
    ----------
    shared : SharedScaling
        By all parts.
    candidate_sets : sequence of Candidates
        Of all parts or cells, their rows numbered among all rows.
    settings : SelectionSettings
    is_bounded : bool
        Find the bounds that stand where no row is going to be assigned.

    Raises
    ------
    UsageError
        The budget does not fit the rows.

    Notes
    -----
    Time m d 768 and less for the m candidates of a class, a third more for their order; with bounds
    m k d at worst, for k picks. Memory 24 d m, and 200 bytes a candidate.
    """
    size = budget_size(settings.budget, shared.n_rows, len(shared.labels))
    candidate_sets = [candidates.labelled(shared) for candidates in candidate_sets]
    by_class = [[own for own in candidate_sets if own.label == label] for label in shared.labels]
    offered = np.array([sum(len(own.rows) for own in sets) for sets in by_class])
    least = np.ones_like(offered)
    sizes = sizes_within(size, shared.counts, settings.allocation, least, offered)
    with Workers(settings.n_threads) as workers:
        classes = [
            merge_class(shared, number, sets, k, workers, is_bounded)
            for number, (sets, k) in enumerate(zip(by_class, sizes.tolist(), strict=True))
        ]
    return Plan(
        shared,
        tuple(classes),
        resolved(settings),
        sum(len(candidates.rows) for candidates in candidate_sets),
    )


def merge_class(
    shared: SharedScaling,
    number: int,
    candidate_sets: Sequence[Candidates],
    size: int,
    workers: Workers,
    is_bounded: bool,
) -> MergedClass:
    """Return `size` picks among the candidates of the `number`-th class."""
    by = np.argsort(
        -np.concatenate([candidates.gain for candidates in candidate_sets]), kind="stable"
    )
    rows, weight, spread = (
        np.concatenate([getattr(candidates, name) for candidates in candidate_sets])[by]
        for name in ("rows", "size", "spread")
    )
    labels = (
        None
        if any(o.labels is None for o in candidate_sets)
        else np.concatenate([o.labels for o in candidate_sets if o.labels is not None])[by]
    )
    read = np.concatenate(
        [
            np.pad(o.points, ((0, 0), (0, shared.n_columns - o.points.shape[1])))
            for o in candidate_sets
        ]
    )[by]
    points = shared.features(read, labels).in_parts(np.arange(len(read)), workers)
    assert isinstance(points, np.ndarray)
    is_float64 = any(candidates.is_float64 for candidates in candidate_sets)
    group = make_group(points, is_float64, workers, shared.fixed_points[number][is_float64])
    assert isinstance(group, DenseGroup)
    position = np.empty(len(read), np.int64)
    position[group.rank] = np.arange(len(read))
    chosen = chosen_candidates(group, position, weight, spread, size)
    return MergedClass(
        rows[chosen],
        points[chosen],
        None if labels is None else labels[chosen],
        bounds_of(group, position[chosen], weight, spread) if is_bounded else None,
    )


def chosen_candidates(
    group: DenseGroup,
    position: NDArray[np.int64],
    weight: NDArray[np.int64],
    spread: NDArray[np.float64],
    size: int,
) -> NDArray[np.int64]:
    """Return `size` of the candidates, those that stay longest as others are given up first;
    `position` are their places in the group.
    """
    own, mean = np.empty(len(position), np.int64), np.empty(len(position))
    own[position], mean[position] = weight, spread / np.maximum(weight, 1) / group.unit

    def weigh(distances: NDArray[np.integer]) -> NDArray[np.int64]:
        costs: NDArray[np.int64] = own[:, None] * np.rint(
            np.hypot(mean[:, None], distances) - mean[:, None]
        ).astype(np.int64)
        return costs

    kept = np.arange(len(position))
    levels = [kept]
    while size >= 1:
        if size < len(kept):
            kept = kept[reverse_greedy_picks(group, position[kept], size, weigh)[0]]
        levels.append(kept)
        size //= LEVEL
    later = [
        kept[~np.isin(kept, longer)]
        for kept, longer in zip(levels[-2:0:-1], levels[:1:-1], strict=True)
    ]
    return np.concatenate([levels[-1], *later])


def bounds_of(
    group: DenseGroup,
    picks: NDArray[np.int64],
    weight: NDArray[np.int64],
    spread: NDArray[np.float64],
) -> Bounds:
    """Return what the candidates tell of the picks.

    A row is no farther from a pick than its candidate is, and it from the candidate. Picks are made
    1, 1, 2, 4, ... at a time, and a candidate counts for the pick that has it in the end.
    """
    own = np.empty(group.n_rows, np.int64)
    own[np.argsort(group.rank)] = weight  # positions of the candidates in their order
    group.reset()
    fall = np.zeros(len(picks), np.int64)
    before = group.nearest().astype(np.int64)
    done = 0
    while done < len(picks):
        step = max(1, done)
        group.absorb(picks[done : done + step])
        after = group.nearest().astype(np.int64)
        np.add.at(fall, group.cluster(), own * (before - after))
        before, done = after, done + step
    cluster = group.cluster().astype(np.int64)
    cluster[picks] = np.arange(len(picks))
    remaining = (
        int(weight.sum()) * group.auxiliary_distance - np.cumsum(fall)
    ) * group.unit + float(spread.sum())
    sizes = np.bincount(cluster, own, len(picks)).astype(np.int64)
    return Bounds(
        sizes,
        np.minimum.accumulate(remaining).astype(np.float64),
        fall.astype(np.float64) * group.unit,
    )


def assign_part(
    dataset: Dataset, number: int, plan: Plan, is_float64: Sequence[bool]
) -> PartAssignment:
    """Return the rows of one part, the `number`-th, assigned to the picks.

    `is_float64` says which classes take float64. Time n k d at worst, far less by pruning; memory
    16 d bytes a row of the largest class, and the rows as read.
    """
    shared, settings = plan.shared, plan.settings
    members = {c.label: c for c in split_classes(dataset.labels, dataset.n_rows, settings.task)}
    found: list[Assigned | None] = []
    with Workers(settings.n_threads) as workers:
        features = shared.features(dataset.rows, dataset.labels)
        for c, (label, picked) in enumerate(zip(shared.labels, plan.classes, strict=True)):
            if label not in members:
                found.append(None)
                continue
            own = replace(members[label], fixed_points=shared.fixed_points[c])
            numbers = shared.starts[number] + own.index
            groups = MemoryGroups(features, own, is_float64[c], workers, numbers)
            picks = picks_at(picked.rows, picked.points, shared.fixed_points[c][is_float64[c]])
            (piece,) = groups.pieces(picks)
            found.append(assign_piece(piece, picks, workers)[1])
    return tuple(found)


def over_all(parts: Sequence[PartAssignment]) -> list[Assigned]:
    """Return what the rows of all parts come to, a class each, in the order of the parts."""
    return [sum_of([own for own in c if own is not None]) for c in zip(*parts, strict=True)]


def resolved_classes(parts: Sequence[PartAssignment]) -> tuple[bool, ...]:
    """Return which classes float32 resolves over all parts; the others go to float64."""
    return tuple(assigned.errors.are_small() for assigned in over_all(parts))


def merged_coreset(
    plan: Plan, parts: Sequence[PartAssignment] | None, is_float64: Sequence[bool]
) -> Coreset:
    """Return the coreset by the assignment of all rows; without one, by the bounds of the plan."""
    shared, counts = plan.shared, plan.shared.counts.tolist()
    assigned, picks = [] if parts is None else over_all(parts), []
    for c, picked in enumerate(plan.classes):
        if parts is None:
            assert picked.bounds is not None
            sizes, epsilon, gain = picked.bounds
            picks.append(
                ClassPicks(
                    rows=picked.rows,
                    gain=gain,
                    epsilon=epsilon,
                    cluster_size=sizes,
                    spread=np.zeros(len(picked.rows)),
                    weight=sizes.astype(np.float64),
                    final_epsilon=float(epsilon[-1]),
                    medoid_epsilon=float("nan"),
                )
            )
            continue
        refuse_lost(assigned[c].is_lost, picked.rows, picked.points)
        fixed_point = shared.fixed_points[c][is_float64[c]]
        units = Units(counts[c], fixed_point.auxiliary_distance, fixed_point.unit)
        picks.append(as_picks(picked.rows, assigned[c], units, is_float64[c]))
    summaries = [
        ClassSummary(label, n, len(p.rows), p.final_epsilon, float("nan"))
        for label, n, p in zip(shared.labels, counts, picks, strict=True)
    ]
    labels: Any = [c.labels for c in plan.classes if c.labels is not None]
    return assemble(
        picks,
        summaries,
        np.concatenate(labels) if labels else None,
        common_order(picks, is_greedy=True),
        plan.settings,
        n_rows=shared.n_rows,
        n_columns=shared.n_columns,
        weights="shard" if parts is None else "cluster",
        notes=(BOUND_NOTE,) if parts is None else (),
        parts=tuple(np.diff(shared.starts).tolist()),
    )
