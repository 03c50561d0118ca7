"""A class of more rows than memory holds: cut into compact cells on disk, each of which is laid out
in memory alone.

A sample of the rows grows a tree of splits; every row is sent down it to its cell, and within each
cell the rows are put in the order of tiles once, so that a cell is read back ready for use. How the
rows are cut depends on the rows alone, not on the memory there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from craig_cli.selection.assignment import chunk_rows
from craig_cli.selection.dense_group import DenseGroup
from craig_cli.selection.fixed_point import FixedPoint
from craig_cli.selection.partition_tree import SAMPLE_A_CELL, class_tree
from craig_cli.selection.row_groups import Cell, Picks, Piece, Units, picks_at
from craig_cli.selection.scaling import Features
from craig_cli.selection.tiles import compact_ranges, empty_tiles, fill_tiles, tile_order
from craig_cli.storage.spill import Spill, SpillArray
from craig_cli.threads import Workers, ranges

CELL_BYTES = 64 << 20
"""Coordinates of a cell, as float32."""
CELL_ROWS_AT_LEAST = 8192


def rows_of_cell(n_columns: int) -> int:
    """Return how many rows of so many coordinates a cell is to hold."""
    return max(CELL_ROWS_AT_LEAST, CELL_BYTES // (4 * max(1, n_columns)))


Report = Callable[[str, int], None]
"""Called with a stage and the rows of the class that it is through with."""


def unheard(stage: str, done: int) -> None:
    """Ignore a report."""


@dataclass(frozen=True)
class DiskPoints:
    """Rows on disk as coordinates; a table that can be sliced.

    Parameters
    ----------
    rows : SpillArray
        Rows as read.
    first, n_rows : int
        Which of them.
    features : Features
        How they are scaled; its own rows are not looked at.
    target : ndarray of float64, shape (n_rows,), or None
        Their last coordinate (regression).
    """

    rows: SpillArray
    first: int
    n_rows: int
    features: Features
    target: NDArray[np.float64] | None

    @property
    def shape(self) -> tuple[int, int]:
        return self.n_rows, self.rows.shape[1] + (self.target is not None)

    def __getitem__(self, rows: slice) -> NDArray[np.float64]:
        """Return the coordinates of some rows, float64, a new array."""
        start, stop, step = rows.indices(self.n_rows)
        target = None if self.target is None else self.target[rows]
        return self.features.scaled(
            self.rows[self.first + start : self.first + stop : step], target
        )

    def take(self, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the coordinates of some rows, in the order given."""
        target = None if self.target is None else self.target[places]
        return self.features.scaled(self.rows.take(self.first + places), target)

    def part(self, start: int, stop: int) -> DiskPoints:
        """Return some consecutive rows."""
        target = None if self.target is None else self.target[start:stop]
        return replace(self, first=self.first + start, n_rows=stop - start, target=target)


class DiskCells:
    """The rows of a class in compact cells on disk, each of them a group.

    A place is where a row stands among all cells, one after the other.

    Parameters
    ----------
    points : DiskPoints
        The class, in the order of the input.
    fixed_point : FixedPoint
        Of the class.
    spill : Spill
    workers : Workers
    report : callable, optional
        Called with a stage, "pick" or "assign", and the rows of the class that it is through with.

    Attributes
    ----------
    bounds : ndarray of int64, shape (n_cells + 1,)
        Cell c has the places ``bounds[c]`` to ``bounds[c + 1]``.
    order : ndarray of int64, shape (n_rows,)
        The row of the class at each place.
    points : DiskPoints
        The coordinates of the rows at each place.

    Notes
    -----
    Time n d log2(n / 128); memory 36 bytes a row, and a cell for each thread: 4 d bytes a row for
    its coordinates (8 in float64) and twice its rows as read. Disk: the rows as read.
    """

    def __init__(
        self,
        points: DiskPoints,
        fixed_point: FixedPoint,
        spill: Spill,
        workers: Workers,
        report: Report = unheard,
    ) -> None:
        n, d = points.shape
        self.fixed_point, self.is_float64 = fixed_point, fixed_point.is_float64
        self.units = Units(n, fixed_point.auxiliary_distance, fixed_point.unit)
        self._workers, self._report = workers, report
        leaves = leaf_of_rows(points, fixed_point, -(-n // rows_of_cell(d)), workers)
        self.bounds = np.concatenate([[0], np.cumsum(np.bincount(leaves))])
        self.order = np.argsort(leaves, kind="stable")
        del leaves
        self._rows = spill.array(points.rows.shape[1], points.rows.dtype)
        self._rows.extend(n)
        move_rows(points.rows, points.first, self.order, self._rows)
        self.points = replace(
            points,
            rows=self._rows,
            first=0,
            target=None if points.target is None else points.target[self.order],
        )
        workers.map(self._lay_out, [(cell,) for cell in range(len(self.bounds) - 1)])

    def _lay_out(self, cell: int) -> None:
        """Put the rows of a cell in the order of tiles."""
        first, last = int(self.bounds[cell]), int(self.bounds[cell + 1])
        coordinates = np.empty((last - first, self.points.shape[1]), self.fixed_point.real)
        for start, stop in ranges(last - first, chunk_rows(self.points.shape[1])):
            coordinates[start:stop] = self.fixed_point.coordinates(
                self.points[first + start : first + stop]
            )
        rank = tile_order(coordinates, Workers(1))
        del coordinates
        self._rows.write(first, self._rows[first:last][rank])
        self.order[first:last] = self.order[first:last][rank]
        if self.points.target is not None:
            self.points.target[first:last] = self.points.target[first:last][rank]

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def group(self, number: int, stage: str = "") -> DenseGroup:
        """Return a cell, laid out for selection; its `rank` are rows of the class.

        Memory: 4 d bytes a row (8 for float64 coordinates), and a chunk.
        """
        first, last = int(self.bounds[number]), int(self.bounds[number + 1])
        tiles = empty_tiles((last - first, self.points.shape[1]), np.dtype(self.fixed_point.real))

        def fill(start: int, stop: int) -> None:
            points = self.points[first + start : first + stop]
            fill_tiles(tiles, start, self.fixed_point.coordinates(points))

        step = chunk_rows(self.points.shape[1], self._workers.n_threads)
        self._workers.map(fill, ranges(last - first, step))
        if stage:
            self._report(stage, last)
        return DenseGroup(self.order[first:last], tiles, self.fixed_point, self._workers)

    def cut(self, cell_size: int) -> list[tuple[int, Cell]]:
        """Return the positions of compact cells of at most `cell_size` rows within each cell."""
        return [
            (number, range(*part))
            for number, n_rows in enumerate(np.diff(self.bounds).tolist())
            for part in compact_ranges(n_rows, cell_size)
        ]

    def picks(self, rows: NDArray[np.int64]) -> Picks:
        """Return some rows of the class as picks. Memory 8 n."""
        places = np.empty(len(self.order), np.int64)
        places[self.order] = np.arange(len(self.order))
        return picks_at(places[rows], self.points.take(places[rows]), self.fixed_point)

    def pieces(self, picks: Picks) -> Iterator[Piece]:
        """Yield the rows cell by cell; picks go by their places here."""
        for number, (start, stop) in enumerate(pairwise(self.bounds.tolist())):
            own = np.flatnonzero((picks.rows >= start) & (picks.rows < stop))
            yield Piece(
                group=self.group(number),
                points=self.points.part(start, stop),
                local=np.arange(stop - start),
                own=own,
                own_local=picks.rows[own] - start,
                outer=self.fixed_point.outer,
            )
            self._report("assign", stop)

    def close(self) -> None:
        """Give the disk space back."""
        self._rows.close()


def leaf_of_rows(
    points: DiskPoints, fixed_point: FixedPoint, n_leaves: int, workers: Workers
) -> NDArray[np.int32]:
    """Return the compact cell of each row, 0 ... n_leaves - 1, none of them empty."""
    n, d = points.shape
    leaves = np.zeros(n, np.int32)
    if n_leaves == 1:
        return leaves
    n_sample = SAMPLE_A_CELL * n_leaves
    sample = np.arange(n_sample) * n // n_sample
    tree = class_tree(fixed_point.coordinates(points.take(sample)), sample, n_leaves)

    def fill(start: int, stop: int) -> None:
        leaves[start:stop] = tree.route(fixed_point.coordinates(points[start:stop]), start)

    workers.map(fill, ranges(n, chunk_rows(d, workers.n_threads)))
    return leaves


def move_rows(source: SpillArray, first: int, order: NDArray[np.int64], target: SpillArray) -> None:
    """Write row ``first + order[place]`` of `source` to each place of `target`, reading in
    sequence. Memory 8 n, and a chunk three times.
    """
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    for start, stop in ranges(len(order), chunk_rows(source.shape[1])):
        target.put(places[start:stop], source[first + start : first + stop])
