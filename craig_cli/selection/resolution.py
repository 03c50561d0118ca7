"""Rows so far from the others that float64 does not tell the others apart: refused by name.

Distances of a class are measured in one fixed point, whose unit is a share of the extent of the
class. A value of 1e30 among values near 1 leaves all other rows at distance 0 from each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, SparseRows
from craig_cli.errors import InputError, printable
from craig_cli.selection.column_summary import Table

WRONG = 0.25
"""A distance that is wrong by more than this share of it is lost."""
LOST = 0.01
"""Rows are refused where more than this share of their distances is lost."""
ROUNDED = 1e-12
"""Rows that differ by less than this share of their largest coordinate differ by rounding only."""
PIECE = 1 << 12


class FarRow(Exception):
    """A row of the input, and the number of the column in which it is so far from the others."""

    def __init__(self, row: int, column: int) -> None:
        super().__init__(row, column)
        self.row, self.column = row, column


def count_lost(
    points: Table | SparseRows, distances: NDArray[np.float64], errors: NDArray[np.float64]
) -> int:
    """Return how many distances (m,) of the rows of `points` are lost. Time m, and d for each row
    that may be.
    """
    suspects = np.flatnonzero(errors > WRONG * distances)
    n_lost = 0
    for start in range(0, len(suspects), PIECE):
        rows = suspects[start : start + PIECE]
        sizes = largest_values(points, rows)[0]
        n_lost += int(np.count_nonzero(distances[rows] > ROUNDED * sizes))
    return n_lost


def largest_values(
    points: Table | SparseRows, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the largest absolute coordinate of some rows, ascending, and which it is."""
    if isinstance(points, SparseRows):
        own = points.take(rows)
        order = np.lexsort((np.abs(own.values), own.owner))
        last = own.indptr[1:] - 1
        filled = np.diff(own.indptr) > 0
        largest, column = np.zeros(len(rows)), np.zeros(len(rows), np.int64)
        largest[filled] = np.abs(own.values[order[last[filled]]])
        column[filled] = own.indices[order[last[filled]]]
        return largest, column
    first = int(rows[0])
    taken = np.abs(points[first : int(rows[-1]) + 1][rows - first])
    column = taken.argmax(axis=1)
    return taken[np.arange(len(rows)), column].astype(np.float64), column


def farthest(points: Table | SparseRows) -> tuple[float, int, int]:
    """Return the largest absolute coordinate of all rows, its row and its column."""
    best = (-1.0, 0, 0)
    for start in range(0, points.shape[0], PIECE):
        rows = np.arange(start, min(start + PIECE, points.shape[0]))
        largest, column = largest_values(points, rows)
        row = int(largest.argmax())
        if largest[row] > best[0]:
            best = float(largest[row]), start + row, int(column[row])
    return best


def refuse_lost(is_lost: bool, rows: NDArray[np.int64], points: Table | SparseRows) -> None:
    """Raise `FarRow`, of some rows of the input and their points, if distances are lost."""
    if is_lost:
        _, row, column = farthest(points)
        raise FarRow(int(rows[row]), column)


@contextmanager
def naming_far_rows(dataset: Dataset | None = None, firsts: Sequence[int] = ()) -> Iterator[None]:
    """Turn `FarRow` into the error that names file, row and column; without a data set, of rows in
    parts, it has their numbers only. `firsts` are the first rows of each file, where not 0.
    """
    try:
        yield
    except FarRow as far:
        source, row, column = "<parts>", far.row, str(far.column + 1)
        if dataset is not None:
            file = 0
            if len(dataset.files) > 1:
                file = int(np.searchsorted(dataset.file_starts, row, "right")) - 1
                row -= int(dataset.file_starts[file])
            row += firsts[file] if firsts else 0
            source, names = dataset.files[file], dataset.column_names
            if far.column >= dataset.n_columns:
                column = "of the target"
            elif names is not None:
                column = f"'{printable(names[far.column], 60)}'"
        raise InputError(
            source,
            f"row {row}, from 0, lies so far off in column {column} that distances of the other "
            "rows are lost beside it",
            remedy="Correct it, leave the row out, or use --scale minmax.",
        ) from None
