"""Selecting from more rows than memory holds: each class lies on disk, in compact cells."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.selection.classes import ClassRows, split_classes
from craig_cli.selection.coreset import Coreset
from craig_cli.selection.disk_cells import DiskCells, DiskPoints, move_rows
from craig_cli.selection.fixed_point import make_fixed_point
from craig_cli.selection.row_groups import RowGroups, RowSource
from craig_cli.selection.scaling import make_features
from craig_cli.selection.selector import select_from
from craig_cli.settings import SelectionSettings
from craig_cli.storage.spill import Spill, SpillArray
from craig_cli.threads import Workers

NOTE = "The rows did not fit the memory limit: they were selected from cells on disk."


def select_from_disk(
    dataset: Dataset,
    rows: SpillArray,
    settings: SelectionSettings,
    spill: Spill,
    progress: Progress = no_progress,
) -> tuple[Coreset, SpillArray]:
    """Return the coreset of a data set whose rows are on disk, and the rows in the order of
    `class_order`.

    Parameters
    ----------
    dataset : Dataset
        Its rows are only sliced.
    rows : SpillArray
        The same rows; given back to the disk as soon as they are sorted by class.
    settings : SelectionSettings
        Method ``cells``, ``random`` or ``auto`` (which takes cells), and a budget of rows.
    spill : Spill
    progress : Progress
        Called with stages "sort", "pick" and "assign" and rows.

    Notes
    -----
    Each class of one cell has the coreset that `select` gives. Of others the medoid of a cluster is
    looked for within the cell only, so that picks can differ at the cells' borders; clusters,
    weights, gains and epsilon are over all rows, by the same quantised distances. Disk: the rows as
    read, twice. Memory: `memory.on_disk_bytes`.
    """
    reason = ""
    if settings.method == "auto":
        settings, reason = replace(settings, method="cells"), "the rows do not fit the memory limit"
    classes = split_classes(dataset.labels, dataset.n_rows, settings.task)
    with Workers(settings.n_threads) as workers:
        features = make_features(dataset, settings, workers)
        by_class = sort_by_class(rows, classes, spill, progress)
        starts = np.cumsum([0, *(len(c.index) for c in classes)])
        source = DiskRows(features, workers, progress, rows=by_class, spill=spill, starts=starts)
        coreset = select_from(source, dataset, classes, settings)
    return replace(coreset, reason=reason), by_class


def class_order(dataset: Dataset, task: str) -> NDArray[np.int64]:
    """Return the rows of the first class, then those of the second, and so on (n,)."""
    classes = split_classes(dataset.labels, dataset.n_rows, task)
    return np.concatenate([members.index for members in classes])


@dataclass(frozen=True)
class DiskRows(RowSource):
    """Rows on disk, those of the first class first; a class at a time is laid out in cells."""

    rows: SpillArray = field(kw_only=True)
    spill: Spill = field(kw_only=True)
    starts: NDArray[np.int64] = field(kw_only=True)

    @property
    def notes(self) -> tuple[str, ...]:
        return (NOTE, *self.features.notes)

    def groups(self, number: int, members: ClassRows, is_float64: bool) -> RowGroups:
        first, n = int(self.starts[number]), len(members.index)
        target = self.features.target  # of a regression, which is one class
        points = DiskPoints(self.rows, first, n, self.features, target)
        fixed_point = make_fixed_point(points, is_float64, self.workers)

        def report(stage: str, done: int) -> None:
            self.progress(stage, first + done, self.rows.shape[0])

        return DiskCells(points, fixed_point, self.spill, self.workers, report)

    def report(self, before: int, total: int, made: int) -> None:
        """Say nothing of picks: rows are told of instead."""


def sort_by_class(
    rows: SpillArray, classes: list[ClassRows], spill: Spill, progress: Progress
) -> SpillArray:
    """Return the rows of the first class, then those of the second, and so on; `rows` is closed
    unless it is that already.
    """
    progress("sort", 0, rows.shape[0])
    if len(classes) == 1:
        return rows
    by_class = spill.array(rows.shape[1], rows.dtype)
    by_class.extend(rows.shape[0])
    move_rows(rows, 0, np.concatenate([c.index for c in classes]), by_class)
    rows.close()
    return by_class
