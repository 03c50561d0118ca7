"""Greedy in compact cells: near-linear, with one order over all cells.

A class is cut into compact cells; greedy runs in each as if the others were not there, which is
nearly true of all but the first picks; the picks of all cells are merged by what they gained, and
the best taken: `OVERSAMPLING` times as many as asked for, of which those are given up again that
are missed least in all the class. Then each pick gives way to the medoid of its cluster. That mends
what the cells' borders cost, and more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels.reverse_greedy import BLOCK, BLOCKS, WIDE_K, K
from craig_cli.kernels.squares import WIDE
from craig_cli.selection.dense_group import DenseGroup
from craig_cli.selection.groups import Group
from craig_cli.selection.lazy_greedy import LazyGreedy
from craig_cli.selection.methods.base import ClassTask, Picked
from craig_cli.selection.methods.greedy import choose_greedily
from craig_cli.selection.reverse_greedy import Weigh, clusters, reverse_greedy_picks
from craig_cli.selection.row_groups import Cell, RowGroups
from craig_cli.selection.sparse_group import SparseGroup
from craig_cli.settings import SelectionSettings

CELL_ROWS_AT_MOST = 4096
"""The distances within a cell take 4 m^2 bytes a thread: 64 MB."""
PICKS_A_CELL = 8
"""Cells are made larger until so many picks fall to each on average."""
OVERSAMPLING = 2.0
"""So many times the picks wanted are made, and given up again by reverse greedy."""
SLACK = 1.5
MEDOID_CANDIDATES = 256
"""Only so many members of a cluster, those nearest to its pick, may become its medoid: the time is
then linear in its size.
"""

PASSES = 1.5
"""What distances and greedy within a cell take, in passes over its pairs."""
NEAR_PICKS = BLOCK * BLOCKS
"""That each row is compared with while those are given up that are missed least."""
NEAR_PICK_BYTES = 16
"""Of each near pick that a row knows."""

CellPicks: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Picks, and what each gained."""
Find: TypeAlias = Callable[[list[tuple[int, int]]], list[CellPicks]]


def choose_by_cells(task: ClassTask) -> Picked:
    """Return the picks of a class by greedy within compact cells."""
    return choose_greedily(task, cells_picks)


def pairs_in_cells(settings: SelectionSettings, seen: NDArray[np.float64]) -> float:
    """Return the pairs of rows that are looked at within cells, and among near picks."""
    within = float((seen * np.minimum(seen, settings.cell_size)).sum())
    return PASSES * within + NEAR_PICKS * float(seen.sum())


def near_pick_bytes(n_rows: int, n_threads: int = 1, n_columns: int = 0) -> int:
    """Return the memory of the near picks of a class; that of a few, unless rows are said to be
    wide.
    """
    return n_rows * (4 + NEAR_PICK_BYTES * (WIDE_K if n_columns >= WIDE else K))


def cells_picks(task: ClassTask) -> NDArray[np.int64]:
    """Return `size` rows of a class, in greedy order over all cells.

    Where the rows lie in several groups (on disk), every group gives up the same share of its
    picks, and the medoid of a cluster is looked for within its group.

    Time n m d / threads for cells of m rows, and the assignment, n k d at worst and far less by
    pruning. Memory 4 m^2 a thread.
    """
    groups, size, n = task.groups, task.size, task.n_rows
    cells = groups.cut(cell_rows(task.settings.cell_size, n, size))

    def find(wanted: list[tuple[int, int]]) -> list[CellPicks]:
        found: list[CellPicks] = []
        for number, asked in groupby(wanted, key=lambda pair: cells[pair[0]][0]):
            group, start = groups.group(number, "pick"), groups.bounds[number]
            results = task.workers.map(
                pick_in_cell, [(group, cells[cell][1], limit) for cell, limit in asked]
            )
            found += [(start + picks, gained) for picks, gained in results]
        return found

    places = best_of_cells([len(cell) for _, cell in cells], oversampled(size, n), find)
    task.report(len(places))
    rows = groups.order[medoids_of_groups(groups, places, min(size, len(places)))]
    if len(rows) == size:
        return rows
    others = np.ones(n, bool)  # all rows equal a pick: the lowest others follow
    others[rows] = False
    return np.concatenate([rows, np.flatnonzero(others)[: size - len(rows)]])


def medoids_of_groups(groups: RowGroups, places: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return the medoids of the clusters of `size` of the picks, as places, in the picks' order.

    Each group keeps as many as its share of the picks is.
    """
    counts = np.histogram(places, groups.bounds)[0]
    shares = np.diff(np.concatenate([[0], np.cumsum(counts)]) * size // len(places))
    medoids, is_kept = places.copy(), np.zeros(len(places), bool)
    for number, n_kept in enumerate(shares.tolist()):
        if n_kept:
            start, stop = groups.bounds[number], groups.bounds[number + 1]
            own = np.flatnonzero((places >= start) & (places < stop))
            kept, found = kept_medoids(groups.group(number), places[own] - start, n_kept)
            is_kept[own[kept]], medoids[own[kept]] = True, start + found
    return medoids[is_kept]


def oversampled(size: int, n_rows: int) -> int:
    """Return how many picks to make of `n_rows` rows of which `size` are to be kept."""
    return min(n_rows, int(OVERSAMPLING * size) + 1)


def cell_rows(cell_size: int, n_rows: int, size: int) -> int:
    """Return the rows of a cell at most: `cell_size`, or more where picks are few."""
    return max(cell_size, min(CELL_ROWS_AT_MOST, PICKS_A_CELL * n_rows // size))


def best_of_cells(cell_sizes: Sequence[int], size: int, find: Find) -> NDArray[np.int64]:
    """Return up to `size` picks of greedy in each cell that gained most, in the order of what they
    gained (ties: the earlier cell first).

    Parameters
    ----------
    cell_sizes : sequence of int
        Rows of each cell.
    size : int
    find : callable
        ``find([(cell, n_picks), ...])`` returns, for each pair, the greedy picks in a cell and what
        each gained, up to so many of them.
    """
    n = sum(cell_sizes)
    limits = [min(rows, int(SLACK * size * rows / n) + PICKS_A_CELL) for rows in cell_sizes]
    found = find(list(enumerate(limits)))
    while True:
        picks, gained = (np.concatenate(parts) for parts in zip(*found, strict=True))
        taken = np.argsort(-gained, kind="stable")[:size]
        least = gained[taken[-1]] if len(taken) == size else 0.0
        short = [
            c
            for c, (_, own) in enumerate(found)
            if len(own) == limits[c] < cell_sizes[c] and own[-1] > least
        ]
        if not short:
            return picks[taken]
        for c in short:
            limits[c] = min(cell_sizes[c], 2 * limits[c])
        for c, result in zip(short, find([(c, limits[c]) for c in short]), strict=True):
            found[c] = result


def pick_in_cell(group: Group, cell: Cell, n_picks: int) -> CellPicks:
    """Return up to `n_picks` greedy picks among the rows of a cell, and what each gained; fewer if
    no other row gains anything.
    """
    if isinstance(group, DenseGroup):
        return group.greedy_in_cell(cell, n_picks)
    assert isinstance(group, SparseGroup) and isinstance(cell, np.ndarray)
    part = group.part(cell)
    greedy = LazyGreedy(part)
    while len(greedy.picks) < n_picks and (not greedy.gained or greedy.gained[-1] > 0):
        greedy.extend(n_picks - len(greedy.picks))
    gained = np.array(greedy.gained, np.float64) * part.gain_unit
    return cell[np.array(greedy.picks, np.int64)[gained > 0]], gained[gained > 0]


def kept_medoids(
    group: Group, picks: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which of the picks are kept, `size` of them, and the medoids of their clusters in the
    same order.
    """
    kept, cluster, nearest = reverse_greedy_picks(group, picks, size, weigher(group.weights))
    cluster[picks[kept]] = np.arange(len(kept))
    starts, members = clusters(cluster, group.rank, len(kept))
    for c in np.flatnonzero(np.diff(starts) > MEDOID_CANDIDATES).tolist():
        own = members[starts[c] : starts[c + 1]]
        members[starts[c] : starts[c + 1]] = own[np.argsort(nearest[own], kind="stable")]
    return kept, group.medoids(starts, members, MEDOID_CANDIDATES)


def weigher(weights: NDArray[np.int32] | None) -> Weigh | None:
    """Return what makes costs of distances by the weights of the rows (n_rows,); None where these
    are alike.
    """
    if weights is None:
        return None
    of_rows = weights[:, None].astype(np.int64)

    def weigh(distances: NDArray[np.integer]) -> NDArray[np.int64]:
        costs: NDArray[np.int64] = of_rows * distances
        return costs

    return weigh
