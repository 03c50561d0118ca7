"""The second round of a selection in parts: picks among what all parts offer.

A candidate stands for the rows nearest to it in its part. What it costs to give one up is reckoned
from its own rows: they lie round it, at a known mean distance r, and about at right angles to the
way d to the next candidate, so that they lose sqrt(r^2 + d^2) - r each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Labels
from craig_cli.selection.budgets import budget_size, sizes_within
from craig_cli.selection.dense_group import DenseGroup
from craig_cli.selection.greedi import Candidates, Partial, resolved
from craig_cli.selection.groups import make_group
from craig_cli.selection.reverse_greedy import reverse_greedy_picks
from craig_cli.selection.shared_scaling import SharedScaling, share_scaling
from craig_cli.settings import SelectionSettings
from craig_cli.threads import Workers

LEVEL = 4
"""The picks are put in order by giving up more of them, to a quarter, a sixteenth, ...: what
stays longest comes first.
"""


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
