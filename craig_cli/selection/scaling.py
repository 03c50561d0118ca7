"""From rows as they were read to the coordinates whose distances count: scaling, metric, target,
and one group a class.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, SparseRows
from craig_cli.errors import UsageError
from craig_cli.threads import Workers, ranges

CHUNK_ROWS = 65_536
SPREAD_RATIO = 100.0
"""Column spreads that differ by more than this are reported: the widest columns decide the
distances.
"""
DENSIFY = 4
"""Sparse rows are laid out densely for the distances if that takes at most this many times their
memory: it is several times faster.
"""


@dataclass(frozen=True)
class Features:
    """Coordinates of the rows of a data set.

    Parameters
    ----------
    rows : Rows
        As read.
    divisors : ndarray of float64, shape (n_columns,), or None
        What each column is divided by.
    unit_rows : bool
        Whether each row is then divided by its length.
    target : ndarray of float64, shape (n_rows,), or None
        One more coordinate (regression).
    dense : bool
        Whether sparse rows are laid out densely at any rate.
    """

    rows: NDArray[np.float64] | NDArray[np.float32] | SparseRows
    divisors: NDArray[np.float64] | None
    unit_rows: bool
    target: NDArray[np.float64] | None
    notes: tuple[str, ...] = ()
    dense: bool = False

    def __len__(self) -> int:
        return int(self.rows.shape[0])

    @property
    def n_columns(self) -> int:
        """Columns of the coordinates; of sparse rows the entries of a row, on average, if there are
        fewer.
        """
        if isinstance(self.rows, SparseRows) and not (self.dense or is_better_dense(self.rows)):
            return -(-len(self.rows.values) // max(1, self.rows.n_rows))
        return int(self.rows.shape[1]) + (self.target is not None)

    def group(self, index: NDArray[np.int64]) -> NDArray[np.float64] | SparseRows:
        """Return the coordinates of some rows, scaled; sparse rows stay sparse where the dense form
        would take too much memory.

        Dense: float64 (m, d), a new array.
        """
        if isinstance(self.rows, SparseRows):
            return self._sparse_group(self.rows, index)
        taken = np.array(self.rows[index], dtype=np.float64)
        if self.divisors is not None:
            taken /= self.divisors
        if self.unit_rows:
            taken /= row_lengths(taken)[:, None]
        return taken if self.target is None else np.column_stack([taken, self.target[index]])

    def in_parts(
        self, index: NDArray[np.int64], workers: Workers
    ) -> NDArray[np.float64] | SparseRows:
        """Return what `group` does, dense rows taken by all threads."""
        if isinstance(self.rows, SparseRows):
            return self.group(index)
        out = np.empty((len(index), self.n_columns))

        def fill(start: int, stop: int) -> None:
            out[start:stop] = np.asarray(self.group(index[start:stop]))

        workers.map(fill, ranges(len(index), CHUNK_ROWS))
        return out

    def _sparse_group(
        self, rows: SparseRows, index: NDArray[np.int64]
    ) -> NDArray[np.float64] | SparseRows:
        taken = rows.take(index, axis=0)
        values = (
            taken.values if self.divisors is None else taken.values / self.divisors[taken.indices]
        )
        if self.unit_rows:
            owner = taken.owner
            largest = np.zeros(len(index))
            np.maximum.at(largest, owner, np.abs(values))
            largest[largest == 0] = 1
            values = values / largest[owner]
            lengths = np.sqrt(np.bincount(owner, values * values, len(index)))
            lengths[lengths == 0] = 1
            values = values / lengths[owner]
        taken = replace(taken, values=values)
        if self.target is not None:
            taken = append_column(taken, self.target[index])
        if self.dense or is_better_dense(taken):
            return taken.dense()
        return taken


def is_better_dense(rows: SparseRows) -> bool:
    """Return whether float32 columns take at most `DENSIFY` times the memory of the sparse form."""
    return 4 * rows.n_rows * rows.n_columns <= DENSIFY * 12 * len(rows.values)


def append_column(rows: SparseRows, column: NDArray[np.float64]) -> SparseRows:
    """Return the rows with one more column, in which every row has an entry."""
    ends = rows.indptr[1:]
    return SparseRows(
        rows.indptr + np.arange(rows.n_rows + 1),
        np.insert(rows.indices, ends, np.int32(rows.n_columns)),
        np.insert(rows.values, ends, column),
        rows.n_columns + 1,
    )


def row_lengths(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the length of each row, 1 for rows of zeros; the largest entry is taken out first, so
    that squares cannot overflow.
    """
    largest = np.abs(rows).max(axis=1, initial=0.0)
    largest[largest == 0] = 1.0
    lengths = largest * np.sqrt(np.square(rows / largest[:, None]).sum(axis=1))
    return np.where(lengths == 0, 1.0, lengths)


def column_statistics(
    dataset: Dataset, workers: Workers
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each column's range and standard deviation, in two passes over chunks of a fixed size."""
    rows, n, d = dataset.rows, dataset.n_rows, dataset.n_columns
    if isinstance(rows, SparseRows):
        counts = np.bincount(rows.indices, minlength=d)
        low: NDArray[np.float64] = np.where(counts < n, 0.0, np.inf)
        high: NDArray[np.float64] = np.where(counts < n, 0.0, -np.inf)
        np.minimum.at(low, rows.indices, rows.values)
        np.maximum.at(high, rows.indices, rows.values)
        mean = np.bincount(rows.indices, rows.values, d) / n
        deviations = np.bincount(rows.indices, np.square(rows.values - mean[rows.indices]), d) + (
            n - counts
        ) * np.square(mean)
        return high - low, np.sqrt(deviations / n)

    def extremes_and_total(start: int, stop: int) -> tuple[NDArray[np.float64], ...]:
        chunk = rows[start:stop]
        return chunk.min(axis=0), chunk.max(axis=0), chunk.sum(axis=0, dtype=np.float64)

    def squares(start: int, stop: int) -> NDArray[np.float64]:
        with np.errstate(over="ignore"):  # the span is checked afterwards
            total: NDArray[np.float64] = np.square(rows[start:stop] - mean).sum(axis=0)
        return total

    chunks = ranges(n, CHUNK_ROWS)
    lows, highs, totals = zip(*workers.map(extremes_and_total, chunks), strict=True)
    mean = np.sum(totals, axis=0) / n
    deviations = np.sqrt(np.sum(workers.map(squares, chunks), axis=0) / n)
    return np.max(highs, axis=0).astype(np.float64) - np.min(lows, axis=0), deviations


def make_features(
    dataset: Dataset, scale: str, metric: str, task: str, workers: Workers
) -> Features:
    """Return the coordinates that distances are measured in.

    Parameters
    ----------
    dataset : Dataset
    scale : {'none', 'standard', 'minmax', 'unit'}
        What columns (or rows, 'unit') are divided by; constant columns are left as they are.
        Nothing is shifted: distances would not change.
    metric : {'euclidean', 'cosine'}
        Cosine distances are the euclidean ones of rows of length one, ``sqrt(2 - 2 cos)``; a row of
        zeros stays at the origin.
    task : {'classification', 'regression'}
        For regression the target is one more coordinate, scaled like a column.
    workers : Workers
    """
    with np.errstate(over="ignore"):
        spans, deviations = column_statistics(dataset, workers)
    if not np.isfinite(spans).all():
        raise UsageError(
            "The values of a column span more than the largest number (1.8e308): "
            "divide the column by a constant first."
        )
    notes = []
    varying = deviations[deviations > 0]
    if (
        scale == "none"
        and metric == "euclidean"
        and len(varying)
        and varying.max() > SPREAD_RATIO * varying.min()
    ):
        ratio = varying.max() / varying.min()
        notes.append(
            f"Column spreads differ by a factor of {ratio:.3g}: the widest columns decide "
            f"the distances. Consider --scale standard."
        )
    divisors = {"standard": deviations, "minmax": spans}.get(scale)
    if divisors is not None:
        divisors = np.where(divisors > 0, divisors, 1.0)
    target = None
    if task == "regression":
        if dataset.labels is None or dataset.labels.dtype == object:
            raise UsageError("--task regression needs a numeric target.")
        target = dataset.labels.astype(np.float64)
        spread = {"standard": float(target.std()), "minmax": float(np.ptp(target))}.get(scale, 1.0)
        target = target / (spread or 1.0)
    return Features(
        dataset.rows, divisors, scale == "unit" or metric == "cosine", target, tuple(notes)
    )
