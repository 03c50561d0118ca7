"""Selecting from more rows than memory holds: greedy in compact cells, as method ``cells`` does,
with the cells on disk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.selection.baselines import random_picks
from craig_cli.selection.budgets import budget_size, class_sizes
from craig_cli.selection.cells import (
    CellPicks,
    best_of_cells,
    cell_rows,
    kept_medoids,
    oversampled,
    pick_in_cell,
)
from craig_cli.selection.classes import FLOAT32_TOLERANCE, ClassPicks, ClassRows, split_classes
from craig_cli.selection.coreset import Coreset
from craig_cli.selection.disk_cells import DiskCells, DiskPoints, move_rows
from craig_cli.selection.fixed_point import make_fixed_point
from craig_cli.selection.scaling import make_features
from craig_cli.selection.selector import WEIGHTS, common_order, merge
from craig_cli.selection.tiles import compact_ranges
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
) -> Coreset:
    """Return the coreset of a data set whose rows are on disk.

    Parameters
    ----------
    dataset : Dataset
        Its rows are only sliced.
    rows : ScratchArray
        The same rows; given back to the disk as soon as they are sorted by class.
    settings : SelectionSettings
        Method ``cells``, ``random`` or ``auto`` (which takes cells), and a budget of rows.
    spill : Scratch
    progress : Progress
        Called with stages "sort", "pick" and "assign" and rows.

    Notes
    -----
    Each class of one cell has the coreset that `select` gives. Of others the medoid of a cluster is
    looked for within the cell only, so that picks can differ at the cells' borders; clusters,
    weights, gains and epsilon are over all rows, by the same whole-number distances. Disk: the rows
    as read, twice. Memory: `memory.disk_bytes`.
    """
    reason = ""
    if settings.method == "auto":
        settings, reason = replace(settings, method="cells"), "the rows do not fit the memory limit"
    classes = split_classes(dataset.labels, dataset.n_rows, settings.task)
    sizes = class_sizes(
        budget_size(settings.budget, dataset.n_rows, len(classes)),
        np.array([len(c.index) for c in classes]),
    )
    picks, first = [], 0
    with Workers(settings.n_threads) as workers:
        features = make_features(dataset, settings.scale, settings.metric, settings.task, workers)
        by_class = sort_by_class(rows, classes, spill, progress)
        for number, (members, size) in enumerate(zip(classes, sizes.tolist(), strict=True)):
            points = DiskPoints(by_class, first, len(members.index), features, features.target)
            report = partial(report_rows, progress, first, dataset.n_rows)
            picks.append(
                select_class(points, members, size, number, settings, spill, workers, report)
            )
            first += len(members.index)
    return merge(
        dataset,
        classes,
        picks,
        common_order(picks, WEIGHTS[settings.method]),
        settings,
        (NOTE, *features.notes),
        reason,
    )


Report = Callable[[str, int], None]
"""Called with a stage and the rows of the class that it is through with."""


def report_rows(progress: Progress, before: int, total: int, stage: str, done: int) -> None:
    """Report rows of one class after those of the classes before it."""
    progress(stage, before + done, total)


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


def select_class(
    points: DiskPoints,
    members: ClassRows,
    size: int,
    number: int,
    settings: SelectionSettings,
    spill: Spill,
    workers: Workers,
    report: Report,
) -> ClassPicks:
    """Return the measured picks of one class, in float32 where that resolves the distances, else in
    float64 (as `classes.with_enough_digits`).
    """
    for is_float64 in (False, True):
        cells = DiskCells(points, make_fixed_point(points, is_float64, workers), spill, workers)
        try:
            weight = None
            if settings.method == "random":
                chosen, weight = random_picks(
                    len(members.index), size, np.random.default_rng([settings.seed, number])
                )
            else:
                chosen = greedy_picks(cells, size, settings.cell_size, workers, report)
            measured, is_resolved = measure_class(cells, chosen, weight, workers, report)
        finally:
            cells.close()
        if is_resolved:
            break
    return replace(measured, rows=members.index[measured.rows])


def greedy_picks(
    cells: DiskCells, size: int, cell_size: int, workers: Workers, report: Report
) -> NDArray[np.int64]:
    """Return `size` rows of a class in greedy order, as `cells.cells_picks` does: greedy in compact
    parts of each cell, then medoids.
    """
    n = len(cells.order)
    largest = cell_rows(cell_size, n, size)
    parts = [
        (cell, *part)
        for cell, n_rows in enumerate(np.diff(cells.bounds).tolist())
        for part in compact_ranges(n_rows, largest)
    ]

    def find(wanted: list[tuple[int, int]]) -> list[CellPicks]:
        found: list[CellPicks] = []
        for cell, asked in groupby(wanted, key=lambda pair: parts[pair[0]][0]):
            group, start = cells.group(cell, workers), cells.bounds[cell]
            results = workers.map(
                pick_in_cell, [(group, np.arange(*parts[part][1:]), limit) for part, limit in asked]
            )
            found += [(start + picks, gained) for picks, gained in results]
            report("pick", int(cells.bounds[cell + 1]))
        return found

    places = best_of_cells([last - first for _, first, last in parts], oversampled(size, n), find)
    wanted = min(size, len(places))
    counts = np.histogram(places, cells.bounds)[0]
    kept = np.diff(np.concatenate([[0], np.cumsum(counts)]) * wanted // len(places))
    is_kept = np.ones(len(places), bool)
    for (start, group), n_kept in zip(cells.groups(workers), kept.tolist(), strict=True):
        own = np.flatnonzero((places >= start) & (places < start + group.n_rows))
        is_kept[own] = False
        if n_kept:
            own_kept, medoids = kept_medoids(group, places[own] - start, n_kept)
            is_kept[own[own_kept]] = True
            places[own[own_kept]] = start + medoids
    chosen = cells.order[places[is_kept]]
    if len(chosen) < size:  # all rows equal a pick: the lowest others follow
        others = np.ones(n, bool)
        others[chosen] = False
        chosen = np.concatenate([chosen, np.flatnonzero(others)[: size - len(chosen)]])
    return chosen


def measure_class(
    cells: DiskCells,
    chosen: NDArray[np.int64],
    weight: NDArray[np.float64] | None,
    workers: Workers,
    report: Report,
) -> tuple[ClassPicks, bool]:
    """Return the measured picks of one class, and whether the whole-number distances agree with
    float64 ones (as `classes.measure_class`).

    Parameters
    ----------
    cells : DiskCells
    chosen : ndarray of int64, shape (k,)
        Rows of the class, in the order picked.
    weight : ndarray of float64, shape (k,), or None
        None stands for the cluster sizes.

    Notes
    -----
    Time n k d at worst, far less by pruning; memory: a cell, 16 d bytes a pick, and 1 KB a pick.
    """
    fixed_point, n = cells.fixed_point, len(cells.order)
    places = cells.places(chosen)
    picks = cells.points.take(places)
    vectors = np.zeros((len(chosen), -(-picks.shape[1] // 4) * 4), fixed_point.real)
    vectors[:, : picks.shape[1]] = fixed_point.coordinates(picks)
    gained, sizes = np.zeros(len(chosen), np.int64), np.zeros(len(chosen), np.int64)
    total = error = 0.0
    for start, group in cells.groups(workers):
        stop = start + group.n_rows
        gained += group.absorb_vectors(vectors)
        cluster = group.cluster().astype(np.int64)
        own = np.flatnonzero((places >= start) & (places < stop))
        cluster[places[own] - start] = own  # a selected row stands for itself
        sizes += np.bincount(cluster, minlength=len(chosen))
        distances = cells.distances((start, stop), cluster, picks, workers)
        total += float(distances.sum())
        error += float(np.abs(distances - group.nearest() * group.unit).sum())
        report("assign", stop)
    remaining = n * fixed_point.auxiliary_distance - np.cumsum(gained)
    measured = ClassPicks(
        rows=chosen,
        gain=gained.astype(np.float64) * fixed_point.unit,
        epsilon=remaining.astype(np.float64) * fixed_point.unit,
        cluster_size=sizes,
        weight=sizes.astype(np.float64) if weight is None else weight,
        final_epsilon=total,
        medoid_epsilon=float(remaining[0] * fixed_point.unit),
    )
    return measured, error <= FLOAT32_TOLERANCE * total
