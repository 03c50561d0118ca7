"""What the columns of some rows are like, in all or part by part.

Summaries of parts are merged in the order of the parts: whoever has the same parts gets the same
numbers, to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Rows, SparseRows
from craig_cli.errors import UsageError
from craig_cli.threads import Workers, ranges

CHUNK_ROWS = 65_536
CENTRE_SAMPLE = 4096
"""A column's middle is the median of so many of its rows: outliers do not move it."""
FIELDS = ("low", "high", "mean", "squares", "middle")
TOO_WIDE = (
    "The values of a column span more than the largest number (1.8e308): divide the column by a "
    "constant first."
)

Vector = NDArray[np.float64]


class Table(Protocol):
    """Rows of numbers, in memory or not: slices of it are arrays."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __getitem__(self, rows: slice, /) -> NDArray: ...


@dataclass(frozen=True)
class ColumnSummary:
    """The columns of some rows.

    Parameters
    ----------
    n_rows : int
    low, high, mean : ndarray of float64, shape (d,)
    squares : ndarray of float64, shape (d,)
        Sums of squared deviations from the mean.
    middle : ndarray of float64, shape (d,)
        A value of the column near its median; the mean where nobody asked for it.
    """

    n_rows: int
    low: Vector
    high: Vector
    mean: Vector
    squares: Vector
    middle: Vector

    @property
    def n_columns(self) -> int:
        return len(self.low)

    @property
    def deviations(self) -> Vector:
        """Standard deviations."""
        return np.asarray(np.sqrt(self.squares / self.n_rows))

    def padded(self, n_columns: int) -> ColumnSummary:
        """Return the same with columns of zeros at the end."""
        more = (0, n_columns - self.n_columns)
        return ColumnSummary(self.n_rows, *(np.pad(getattr(self, name), more) for name in FIELDS))

    def with_column(self, other: ColumnSummary) -> ColumnSummary:
        """Return the same with the columns of `other`, of the same rows, after them."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in FIELDS)
        return ColumnSummary(self.n_rows, *(np.concatenate(pair) for pair in pairs))

    def check_span(self) -> None:
        """Raise `UsageError` if a column spans more than the largest number."""
        with np.errstate(over="ignore", invalid="ignore"):
            if not np.isfinite(self.high - self.low).all():
                raise UsageError(TOO_WIDE)


def summarise(rows: Rows, workers: Workers, *, with_middle: bool = False) -> ColumnSummary:
    """Return the summary of rows (n, d), n at least 1.

    Time 2 n d, in chunks of a fixed size, so that the sums are the same for any number of threads;
    `with_middle` n log n more for a sample of 4,096 rows a column.
    """
    if isinstance(rows, SparseRows):
        return summarise_sparse(rows)
    n = rows.shape[0]

    def extremes_and_total(start: int, stop: int) -> tuple[Vector, ...]:
        chunk = rows[start:stop]
        return chunk.min(axis=0), chunk.max(axis=0), chunk.sum(axis=0, dtype=np.float64)

    def squares(start: int, stop: int) -> Vector:
        with np.errstate(over="ignore", invalid="ignore"):  # the span is checked afterwards
            return np.asarray(np.square(rows[start:stop] - mean).sum(axis=0))

    chunks = ranges(n, CHUNK_ROWS)
    with np.errstate(over="ignore", invalid="ignore"):
        lows, highs, totals = zip(*workers.map(extremes_and_total, chunks), strict=True)
        mean = np.sum(totals, axis=0) / n
        total = np.sum(workers.map(squares, chunks), axis=0)
    low, high = (np.asarray(v, np.float64) for v in (np.min(lows, axis=0), np.max(highs, axis=0)))
    return ColumnSummary(n, low, high, mean, total, middles(rows) if with_middle else mean)


def middles(points: Table) -> Vector:
    """Return the median of each column over evenly spaced rows, a value of the data."""
    sample = points[:: max(1, points.shape[0] // CENTRE_SAMPLE)].astype(np.float64)
    return np.asarray(np.partition(sample, len(sample) // 2, axis=0)[len(sample) // 2])


def summarise_sparse(rows: SparseRows) -> ColumnSummary:
    """Return the summary of sparse rows from their entries alone; the middle of a column is 0."""
    n, d = rows.shape
    counts = np.bincount(rows.indices, minlength=d)
    low: Vector = np.where(counts < n, 0.0, np.inf)
    high: Vector = np.where(counts < n, 0.0, -np.inf)
    np.minimum.at(low, rows.indices, rows.values)
    np.maximum.at(high, rows.indices, rows.values)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.bincount(rows.indices, rows.values, d).astype(np.float64) / n
        deviations = np.square(rows.values - mean[rows.indices])
        squares: Vector = np.bincount(rows.indices, deviations, d).astype(np.float64)
        squares += (n - counts) * np.square(mean)
    return ColumnSummary(n, low, high, mean, squares, np.zeros(d))


def merged(parts: Sequence[ColumnSummary]) -> ColumnSummary:
    """Return the summary of the rows of all parts, which may lack columns of zeros at the end.

    Deviations are added up by the rule of Chan, Golub and LeVeque (1979); the middle is a weighted
    median of the parts'.

    Raises
    ------
    UsageError
        A column spans more than the largest number.
    """
    n_columns = max(part.n_columns for part in parts)
    parts = [part.padded(n_columns) for part in parts]
    counts = np.array([part.n_rows for part in parts], np.float64)[:, None]
    n = int(sum(part.n_rows for part in parts))
    low, high = np.min([p.low for p in parts], axis=0), np.max([p.high for p in parts], axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        means, middle = np.stack([p.mean for p in parts]), np.stack([p.middle for p in parts])
        mean = (counts / n * means).sum(axis=0)
        squares = np.sum([p.squares for p in parts], axis=0)
        squares += (counts * np.square(means - mean)).sum(axis=0)
    order = np.argsort(middle, axis=0, kind="stable")
    half = (np.cumsum(counts[:, 0][order], axis=0) * 2 > n).argmax(axis=0)
    every = np.arange(n_columns)
    summary = ColumnSummary(n, low, high, mean, squares, middle[order[half, every], every])
    summary.check_span()
    return summary
