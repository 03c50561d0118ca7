"""The last round of a selection in parts: all rows are assigned to the merged picks, part by part,
and what all parts found is one coreset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from craig_cli.dataset import Dataset
from craig_cli.selection.assembly import assemble, common_order
from craig_cli.selection.assignment import Assigned, as_picks, assign_piece, sum_of
from craig_cli.selection.classes import ClassPicks, split_classes
from craig_cli.selection.coreset import ClassSummary, Coreset
from craig_cli.selection.greedi_merge import Plan
from craig_cli.selection.resolution import refuse_lost
from craig_cli.selection.row_groups import MemoryGroups, Units, picks_at
from craig_cli.threads import Workers

BOUND_NOTE = (
    "The rows were not assigned (--no-assign): weights are those of the shards, and "
    "epsilon is an upper bound."
)
PartAssignment: TypeAlias = tuple[Assigned | None, ...]
"""The rows of one part, assigned to the picks of each class; None where it has none of a class."""


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
