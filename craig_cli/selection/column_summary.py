"""What the columns of some rows are like, in all or part by part.

Summaries of parts are merged in the order of the parts: whoever has the same parts gets the same
numbers, to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Rows, SparseRows
from craig_cli.kernels import columns as passes
from craig_cli.threads import Workers, ranges

CHUNK_ROWS = 65_536
CENTRE_SAMPLE = 4096
"""A column's middle is the median of so many of its rows: outliers do not move it."""
LEAST_COLUMNS = 16
"""No thread is given fewer columns than lie side by side in a line of memory."""
MIDDLE_COLUMNS = 64
"""Columns that a median is looked for in at a time."""
FIELDS = ("low", "high", "mean", "squares", "middle")
NARROW = 1e-100
"""Columns that span less are squared in units of their own: their squares would become 0."""

Vector = NDArray[np.float64]


class Table(Protocol):
    """Rows of numbers, in memory or not: slices of it are arrays."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __getitem__(self, rows: slice, /) -> NDArray: ...


class Share(NamedTuple):
    """What one of several threads sees to in a chunk of rows: some columns, or some of the rows.

    Parameters
    ----------
    span : (int, int)
        The first column, and that after the last.
    number, n_shares : int
    """

    span: tuple[int, int]
    number: int
    n_shares: int

    def rows(self, n_rows: int) -> slice:
        """Return which of the rows of the chunk."""
        return slice(
            n_rows * self.number // self.n_shares, n_rows * (self.number + 1) // self.n_shares
        )


@dataclass(frozen=True)
class ColumnSummary:
    """The columns of some rows.

    Parameters
    ----------
    n_rows : int or float
        Where rows have weights, these added up, times a power of two.
    low, high, mean : ndarray of float64, shape (d,)
    squares : ndarray of float64, shape (d,)
        Sums of squared deviations from the mean, in squares of the `units`.
    middle : ndarray of float64, shape (d,)
        A value of the column near its median; the mean where nobody asked for it.
    """

    n_rows: float
    low: Vector
    high: Vector
    mean: Vector
    squares: Vector
    middle: Vector

    @property
    def n_columns(self) -> int:
        return len(self.low)

    @property
    def units(self) -> Vector:
        """1; of a narrow column a power of two near its span."""
        return units_of(self.low, self.high)

    @property
    def lengths(self) -> Vector:
        """Roots of the sums of squared deviations."""
        return np.asarray(np.sqrt(self.squares) * self.units)

    @property
    def deviations(self) -> Vector:
        """Standard deviations."""
        return np.asarray(np.sqrt(self.squares / self.n_rows) * self.units)

    def padded(self, n_columns: int) -> ColumnSummary:
        """Return the same with columns of zeros at the end."""
        more = (0, n_columns - self.n_columns)
        return ColumnSummary(self.n_rows, *(np.pad(getattr(self, name), more) for name in FIELDS))

    def with_column(self, other: ColumnSummary) -> ColumnSummary:
        """Return the same with the columns of `other`, of the same rows, after them."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in FIELDS)
        return ColumnSummary(self.n_rows, *(np.concatenate(pair) for pair in pairs))


def units_of(low: Vector, high: Vector) -> Vector:
    """Return what the columns between `low` and `high` are divided by before they are squared."""
    spans = high - low
    narrow = (spans > 0) & (spans < NARROW)
    return np.where(narrow, np.ldexp(1.0, np.frexp(spans)[1]), 1.0)


def squares_in(columns: ColumnSummary, units: Vector) -> Vector:
    """Return the squares of a summary in squares of other units."""
    ratios = np.where(columns.squares > 0, columns.units, units) / units
    return np.asarray(columns.squares * np.square(ratios))


def summarise(
    rows: Rows, workers: Workers, weights: Vector | None = None, *, with_middle: bool = False
) -> ColumnSummary:
    """Return the summary of rows (n, d), n at least 1.

    By `weights` (n,) of at least 0 and not all 0, a row of weight 3 counts as three rows, and one
    of weight 0 not at all; equal ones are those of no weights. Time 2 n d, in chunks of a fixed
    size, so that the sums are the same for any number of threads; `with_middle` n log n more for a
    sample of 4,096 rows a column.
    """
    if weights is not None:
        # At most 1, so that they can be multiplied by squares of the largest numbers.
        weights = np.ldexp(weights, -np.frexp(weights.max())[1])
    if isinstance(rows, SparseRows):
        return summarise_sparse(rows, weights)
    found = None
    if weights is None and rows.shape[1] > 1:
        found = summarise_plain(rows, workers)
    if found is None:
        found = summarise_counted(rows, workers, weights)
    return replace(found, middle=middles(rows, workers)) if with_middle else found


def summarise_plain(rows: Table, workers: Workers) -> ColumnSummary | None:
    """Return the summary of dense rows of two columns or more; None where a column is so narrow
    that nothing can be multiplied by the inverse of its unit.
    """
    n, d = rows.shape
    tasks = column_tasks(rows, CHUNK_ROWS, workers)

    def total(chunk: slice, share: Share) -> Vector:
        out = np.zeros(d)
        passes.add_values(rows[chunk], share.span, out)
        return out

    def squares(chunk: slice, share: Share) -> Vector:
        out = np.zeros(d)
        passes.add_deviations(rows[chunk], mean, by_units, share.span, out)
        return out

    low, high = extremes_of(rows, tasks, workers)
    with np.errstate(over="ignore", divide="ignore"):
        by_units = 1.0 / units_of(low, high)
    if not np.isfinite(by_units).all():
        return None
    mean = np.sum(workers.map(total, tasks), axis=0) / n
    return ColumnSummary(n, low, high, mean, np.sum(workers.map(squares, tasks), axis=0), mean)


def summarise_counted(rows: Table, workers: Workers, weights: Vector | None) -> ColumnSummary:
    """Return the summary of dense rows that have weights, or a single column, which numpy adds up
    by halves.
    """
    n = rows.shape[0]

    def counting(start: int, stop: int) -> tuple[NDArray, Vector | None]:
        chunk, own = rows[start:stop], None if weights is None else weights[start:stop]
        if own is not None and not own.all():
            chunk, own = chunk[own > 0], own[own > 0]
        return chunk, None if own is None else own[:, None]

    def extremes_and_total(start: int, stop: int) -> tuple[Vector, ...]:
        chunk, own = counting(start, stop)
        low, high = chunk.min(axis=0, initial=np.inf), chunk.max(axis=0, initial=-np.inf)
        return low, high, (chunk if own is None else chunk * own).sum(axis=0, dtype=np.float64)

    def squares(start: int, stop: int) -> Vector:
        chunk, own = counting(start, stop)
        out = np.square((chunk - mean) / units if is_narrow else chunk - mean)
        return np.asarray((out if own is None else out * own).sum(axis=0))

    chunks = ranges(n, CHUNK_ROWS)
    lows, highs, totals = zip(*workers.map(extremes_and_total, chunks), strict=True)
    count = n if weights is None else float(weights.sum())
    mean = np.sum(totals, axis=0) / count
    low, high = (np.asarray(v, np.float64) for v in (np.min(lows, axis=0), np.max(highs, axis=0)))
    units = units_of(low, high)
    is_narrow = (units != 1).any()
    total = np.sum(workers.map(squares, chunks), axis=0)
    return ColumnSummary(count, low, high, mean, total, mean)


def column_tasks(points: Table, chunk_rows: int, workers: Workers) -> list[tuple[slice, Share]]:
    """Return the chunks of rows to pass over, and the shares of each.

    Rows in memory that make few chunks are shared out by columns too: a column is added up by one
    thread alone, so that its sums are the same for any number of them.
    """
    n, d = points.shape
    chunks = [slice(start, min(start + chunk_rows, n)) for start in range(0, n, chunk_rows)]
    wanted = -(-2 * workers.n_threads // max(1, len(chunks)))
    if not isinstance(points, np.ndarray) or workers.n_threads == 1:
        wanted = 1
    step = max(LEAST_COLUMNS, -(-d // wanted))
    spans = ranges(d, step) or [(0, 0)]
    return [
        (chunk, Share(span, number, len(spans)))
        for chunk in chunks
        for number, span in enumerate(spans)
    ]


def extremes_of(
    points: Table, tasks: Sequence[tuple[slice, Share]], workers: Workers
) -> tuple[Vector, Vector]:
    """Return the least and the largest value of each column."""

    def extremes(chunk: slice, share: Share) -> tuple[NDArray, NDArray]:
        rows = points[chunk]
        low, high = (np.full(rows.shape[1], v, rows.dtype) for v in (np.inf, -np.inf))
        passes.extremes(rows, share.span, low, high)
        return low, high

    lows, highs = zip(*workers.map(extremes, tasks), strict=True)
    return np.min(lows, axis=0).astype(np.float64), np.max(highs, axis=0).astype(np.float64)


def middles(points: Table, workers: Workers) -> Vector:
    """Return the median of each column over evenly spaced rows, a value of the data."""
    sample = points[:: max(1, points.shape[0] // CENTRE_SAMPLE)]
    half, out = len(sample) // 2, np.empty(sample.shape[1])

    def find(first: int, last: int) -> None:
        columns = np.ascontiguousarray(sample[:, first:last].T)
        low = columns.min(axis=1)
        # Of counts, pixels and categories most are the least value: then that is the median.
        rest = np.count_nonzero(columns == low[:, None], axis=1) <= half
        out[first:last] = low
        found = np.partition(columns[rest], half, axis=1)[:, half]
        out[first:last][rest] = found

    workers.map(find, ranges(sample.shape[1], MIDDLE_COLUMNS))
    return out


def summarise_sparse(rows: SparseRows, weights: Vector | None = None) -> ColumnSummary:
    """Return the summary of sparse rows from their entries alone; the middle of a column is 0."""
    if weights is not None and not weights.all():
        rows, weights = rows.take(np.flatnonzero(weights)), weights[weights > 0]
    n, d = rows.shape
    counts = np.bincount(rows.indices, minlength=d)
    low: Vector = np.where(counts < n, 0.0, np.inf)
    high: Vector = np.where(counts < n, 0.0, -np.inf)
    np.minimum.at(low, rows.indices, rows.values)
    np.maximum.at(high, rows.indices, rows.values)
    own = None if weights is None else weights[rows.owner]
    total = n if weights is None else float(weights.sum())
    filled = counts if own is None else np.bincount(rows.indices, own, d)
    units = units_of(low, high)

    def added(values: Vector) -> Vector:
        values = values if own is None else values * own
        return np.bincount(rows.indices, values, d).astype(np.float64)

    mean = added(rows.values) / total
    squares = added(np.square((rows.values - mean[rows.indices]) / units[rows.indices]))
    # Of columns without zeros, rounding may leave weights over.
    squares += np.where(counts < n, total - filled, 0) * np.square(mean / units)
    return ColumnSummary(total, low, high, mean, squares, np.zeros(d))


def merged(parts: Sequence[ColumnSummary]) -> ColumnSummary:
    """Return the summary of the rows of all parts, which may lack columns of zeros at the end.

    Deviations are added up by the rule of Chan, Golub and LeVeque (1979); the middle is a weighted
    median of the parts'.
    """
    n_columns = max(part.n_columns for part in parts)
    parts = [part.padded(n_columns) for part in parts]
    counts = np.array([part.n_rows for part in parts], np.float64)[:, None]
    n = int(sum(part.n_rows for part in parts))
    low, high = np.min([p.low for p in parts], axis=0), np.max([p.high for p in parts], axis=0)
    units = units_of(low, high)
    means, middle = np.stack([p.mean for p in parts]), np.stack([p.middle for p in parts])
    mean = (counts / n * means).sum(axis=0)
    squares = np.sum([squares_in(p, units) for p in parts], axis=0)
    squares += (counts * np.square((means - mean) / units)).sum(axis=0)
    order = np.argsort(middle, axis=0, kind="stable")
    half = (np.cumsum(counts[:, 0][order], axis=0) * 2 > n).argmax(axis=0)
    every = np.arange(n_columns)
    return ColumnSummary(n, low, high, mean, squares, middle[order[half, every], every])
