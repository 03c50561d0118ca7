"""Rows sent to compact cells, which are the parts of a selection then: a sample grows a tree for
each class, and every part splits its rows by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Labels
from craig_cli.kernels.tree import grow_tree, route
from craig_cli.selection.budgets import budget_size, class_sizes
from craig_cli.selection.classes import Label, split_classes
from craig_cli.selection.greedi import Candidates, select_part
from craig_cli.selection.resolution import FarRow
from craig_cli.selection.shared_scaling import (
    SharedScaling,
    Summary,
    as_read,
    share_scaling,
    summary_of,
    with_agreed_labels,
)
from craig_cli.settings import Budget, SelectionSettings

SAMPLE_A_CELL = 1024
"""Rows of the sample for each cell: cells differ from their mean size by some 3 %."""


@dataclass(frozen=True)
class Sample:
    """The summary of a part, and evenly spaced rows of each class, as read: their places among the
    rows of the class in the part, and points.
    """

    summary: Summary
    places: tuple[NDArray[np.int64], ...]
    points: tuple[NDArray[np.float64], ...]
    labels: tuple[Labels | None, ...]


@dataclass(frozen=True)
class ClassTree:
    """The splits of one class (see `kernels.tree`), and the number of its first cell."""

    directions: NDArray[np.float64]
    keys: NDArray[np.float64]
    tie_rows: NDArray[np.int64]
    first_cell: int = 0

    @property
    def n_leaves(self) -> int:
        return len(self.keys)

    def route(self, points: NDArray[np.floating], first_row: int) -> NDArray[np.int32]:
        """Return the leaf of each of consecutive rows from `first_row` on; n d log2(leaves)."""
        leaves = np.zeros(len(points), np.int32)
        route(points, first_row, self.directions, self.keys, self.tie_rows, leaves)
        return leaves


def class_tree(
    points: NDArray[np.floating], rows: NDArray[np.int64], n_leaves: int, first_cell: int = 0
) -> ClassTree:
    """Return the tree of a sample: its coordinates (m, d), and the numbers of its rows (m,)."""
    d = points.shape[1]
    tree = ClassTree(
        np.empty((n_leaves, d)), np.empty(n_leaves), np.empty(n_leaves, np.int64), first_cell
    )
    grow_tree(points, rows, n_leaves, tree.directions, tree.keys, tree.tie_rows)
    return tree


@dataclass(frozen=True)
class PartitionTree:
    """A tree for each class; cells are numbered through all of them.

    Parameters
    ----------
    shared : SharedScaling
    trees : tuple of Tree
    before : ndarray of int64, shape (n_parts, n_classes)
        Rows of each class in the parts before.
    n_cells : int
    """

    shared: SharedScaling
    trees: tuple[ClassTree, ...]
    before: NDArray[np.int64]
    n_cells: int


@dataclass(frozen=True)
class CellRows:
    """The rows of one part that go to one cell, as read, with their numbers among all rows, and the
    share of the rows of their class that is to be picked, unless it is that of all rows.
    """

    index: NDArray[np.int64]
    points: NDArray[np.floating]
    labels: Labels | None
    fraction: float | None = None


def sample_part(dataset: Dataset, settings: SelectionSettings, n_rows: int) -> Sample:
    """Return the summary of a part, and a sample of about `n_rows` of its rows."""
    classes = split_classes(dataset.labels, dataset.n_rows, settings.task)
    places = []
    for c in classes:
        n = len(c.index)
        n_sample = min(n, -(-n_rows * n // dataset.n_rows))
        places.append(np.arange(n_sample) * n // n_sample)
    taken = [c.index[own] for c, own in zip(classes, places, strict=True)]
    points = tuple(as_read(dataset, own) for own in taken)
    labels = tuple(None if dataset.labels is None else dataset.labels[own] for own in taken)
    return Sample(summary_of(dataset, classes, settings.task), tuple(places), points, labels)


def grow_partition_tree(
    samples: Sequence[Sample], settings: SelectionSettings, n_cells: int
) -> PartitionTree:
    """Return the trees that send every row to one of about `n_cells` cells, at least one a class.

    The samples of the parts are cut down to the rate of the sparsest, so that parts of any size
    count by their rows.
    """
    summaries = with_agreed_labels([sample.summary for sample in samples])
    shared = share_scaling(summaries, settings)
    counts = np.array(
        [[counts_of(s).get(label, 0) for label in shared.labels] for s in summaries], np.int64
    )
    before = np.cumsum(counts, axis=0) - counts
    trees: list[ClassTree] = []
    first_cell = 0
    for c, label in enumerate(shared.labels):
        own = [(p, s.labels.index(label)) for p, s in enumerate(summaries) if label in s.labels]
        rate = min(len(samples[p].places[place]) / counts[p, c] for p, place in own)
        rows, points = [], []
        for p, place in own:
            sample, labels = samples[p].places[place], samples[p].labels[place]
            n_kept = max(1, round(rate * counts[p, c]))
            kept = np.unique(np.arange(n_kept) * len(sample) // n_kept)
            rows.append(before[p, c] + sample[kept])
            taken = samples[p].points[place][kept]
            points.append(coordinates(shared, c, taken, part_of(labels, kept)))
        wanted = max(1, round(n_cells * int(shared.counts[c]) / shared.n_rows))
        n_leaves = max(1, min(wanted, sum(map(len, rows)) // 2))
        trees.append(class_tree(np.concatenate(points), np.concatenate(rows), n_leaves, first_cell))
        first_cell += n_leaves
    return PartitionTree(shared, tuple(trees), before, first_cell)


def counts_of(summary: Summary) -> dict[Label, int]:
    """Return the rows of each class."""
    return {c: int(own.n_rows) for c, own in zip(summary.labels, summary.columns, strict=True)}


def part_of(labels: Labels | None, places: NDArray[np.int64]) -> Labels | None:
    """Return some labels, if there are any."""
    return None if labels is None else labels[places]


def coordinates(
    shared: SharedScaling, number: int, rows: NDArray[np.floating], labels: Labels | None
) -> NDArray[np.floating]:
    """Return rows of the `number`-th class, as read, as coordinates in float32."""
    points = shared.features(rows, labels).group(np.arange(len(rows)))
    assert isinstance(points, np.ndarray)
    return shared.fixed_points[number][0].coordinates(points)


def route_part(
    dataset: Dataset, number: int, partition_tree: PartitionTree, settings: SelectionSettings
) -> list[CellRows]:
    """Return the rows of the `number`-th part, cell by cell.

    Time n d log2(cells); memory: the rows twice, and 12 d bytes a row of the largest class.
    """
    shared, shares = partition_tree.shared, shares_by_cell(partition_tree, settings)
    dataset = replace(dataset, labels=shared.labelled(dataset.labels))
    leaves = np.empty(dataset.n_rows, np.int64)
    for members in split_classes(dataset.labels, dataset.n_rows, settings.task):
        c = shared.labels.index(members.label)
        rows, labels = as_read(dataset, members.index), part_of(dataset.labels, members.index)
        tree, before = partition_tree.trees[c], int(partition_tree.before[number, c])
        own = tree.route(coordinates(shared, c, rows, labels), before)
        leaves[members.index] = tree.first_cell + own
    order = np.argsort(leaves, kind="stable")
    ends = np.cumsum(np.bincount(leaves, minlength=partition_tree.n_cells))[:-1]
    start = int(shared.starts[number])
    return [
        CellRows(
            start + own,
            as_read(dataset, own).astype(dataset.rows.dtype),
            part_of(dataset.labels, own),
            share,
        )
        for own, share in zip(np.split(order, ends), shares, strict=True)
    ]


def shares_by_cell(
    partition_tree: PartitionTree, settings: SelectionSettings
) -> list[float | None]:
    """Return the share of its rows that is to be picked of each cell's class; None where it is that
    of all rows, or where a number of rows is asked for.
    """
    if settings.budget.fraction is None or settings.allocation == "proportional":
        return [None] * partition_tree.n_cells
    shared = partition_tree.shared
    size = budget_size(settings.budget, shared.n_rows, len(shared.labels))
    shares = class_sizes(size, shared.counts, settings.allocation) / shared.counts
    by_class = zip(partition_tree.trees, shares.tolist(), strict=True)
    return [share for tree, share in by_class for _ in range(tree.n_leaves)]


def select_cell(
    pieces: Sequence[CellRows], settings: SelectionSettings, oversampling: float
) -> tuple[Candidates, ...]:
    """Return what a cell offers, given its rows from all parts in their order; `rows` are numbers
    among all rows.
    """
    pieces = [piece for piece in pieces if len(piece.index)]
    if not pieces:
        return ()
    n_columns = max(piece.points.shape[1] for piece in pieces)
    rows = np.concatenate(
        [np.pad(piece.points, ((0, 0), (0, n_columns - piece.points.shape[1]))) for piece in pieces]
    )
    labels = (
        None
        if pieces[0].labels is None
        else np.concatenate([piece.labels for piece in pieces if piece.labels is not None])
    )
    index = np.concatenate([piece.index for piece in pieces])
    if pieces[0].fraction is not None:
        settings = replace(settings, budget=Budget(fraction=pieces[0].fraction))
    try:
        candidate_sets = select_part(Dataset(rows, labels), settings, oversampling).candidate_sets
    except FarRow as far:
        raise FarRow(int(index[far.row]), far.column) from None
    return tuple(replace(candidates, rows=index[candidates.rows]) for candidates in candidate_sets)
