"""From rows as they were read to the coordinates whose distances count: scale, metric, target."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Labels, Rows, SparseRows
from craig_cli.errors import UsageError
from craig_cli.selection.column_summary import ColumnSummary, summarise
from craig_cli.selection.row_weights import uneven
from craig_cli.settings import SelectionSettings
from craig_cli.threads import Workers, ranges

ROWS_TAKEN = 1024
"""Rows that a thread takes out of all at a time."""
SPREAD_RATIO = 100.0
"""Column spreads that differ by more are reported: the widest columns decide the distances."""
TINY = 1e-200
"""Lengths of rows of smaller numbers are not told to all digits."""
DENSIFY = 4
"""Sparse rows are laid out densely for the distances if that takes at most this many times their
memory: it is several times faster.
"""


@dataclass(frozen=True)
class Scaling:
    """How rows as read become points whose distances count.

    Parameters
    ----------
    divisors : ndarray of float64, shape (d,), or None
        What each column is divided by.
    unit_rows : bool
        Whether each row is then divided by its length.
    target_divisor : float or None
        What the target is divided by, the last coordinate; None where there is none.
    """

    divisors: NDArray[np.float64] | None = None
    unit_rows: bool = False
    target_divisor: float | None = None

    @property
    def is_none(self) -> bool:
        """Whether rows are points as they were read."""
        return self.divisors is None and not self.unit_rows and self.target_divisor is None


@dataclass(frozen=True)
class Features:
    """Coordinates of the rows of a data set.

    Parameters
    ----------
    rows : Rows
        As read.
    scaling : Scaling
    target : ndarray of float64, shape (n_rows,), or None
        One more coordinate (regression), scaled.
    notes : tuple of str
    is_dense : bool
        Whether sparse rows are laid out densely at any rate.
    """

    rows: Rows
    scaling: Scaling = Scaling()
    target: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()
    is_dense: bool = False

    def __len__(self) -> int:
        return int(self.rows.shape[0])

    @property
    def n_columns(self) -> int:
        """Columns of the coordinates; of rows that stay sparse the mean entries of a row."""
        if isinstance(self.rows, SparseRows) and not (self.is_dense or is_better_dense(self.rows)):
            return -(-len(self.rows.values) // max(1, self.rows.n_rows))
        return int(self.rows.shape[1]) + (self.target is not None)

    def group(self, index: NDArray[np.int64]) -> NDArray[np.float64] | SparseRows:
        """Return the coordinates of some rows, scaled, a new array (m, d) of float64.

        Sparse rows stay sparse where the dense form would take too much memory.
        """
        if isinstance(self.rows, SparseRows):
            return self._sparse_group(self.rows, index)
        return self.scaled(self.rows[index], None if self.target is None else self.target[index])

    def scaled(self, rows: NDArray, target: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """Return the coordinates of dense rows as read, with their scaled target."""
        taken = np.array(rows, dtype=np.float64)
        if self.scaling.divisors is not None:
            taken /= self.scaling.divisors
        if self.scaling.unit_rows:
            taken *= raised(taken)[:, None]
            taken /= row_lengths(taken)[:, None]
        return taken if target is None else np.column_stack([taken, target])

    def in_parts(
        self, index: NDArray[np.int64], workers: Workers
    ) -> NDArray[np.float64] | SparseRows:
        """Return what `group` does, dense rows taken by all threads."""
        if isinstance(self.rows, SparseRows):
            return self.group(index)
        out = np.empty((len(index), self.n_columns))

        def fill(start: int, stop: int) -> None:
            out[start:stop] = np.asarray(self.group(index[start:stop]))

        workers.map(fill, ranges(len(index), ROWS_TAKEN))
        return out

    def points(
        self, index: NDArray[np.int64], workers: Workers
    ) -> NDArray[np.floating] | SparseRows:
        """Return what `in_parts` does, but float32 where rows are that and nothing scales them:
        the same numbers in half the memory; and the rows themselves where all of them are meant.
        """
        rows = self.rows
        if isinstance(rows, SparseRows) or rows.dtype != np.float32 or not self.scaling.is_none:
            return self.in_parts(index, workers)
        # Kernels are compiled for arrays in C order that may be written to.
        is_plain = rows.flags.c_contiguous and rows.flags.writeable and self.target is None
        if is_plain and np.array_equal(index, np.arange(len(rows))):
            return rows
        out = np.empty((len(index), self.n_columns), np.float32)

        def fill(start: int, stop: int) -> None:
            # Without mode="clip" numpy would fill an array of its own first.
            np.take(rows, index[start:stop], axis=0, out=out[start:stop], mode="clip")

        workers.map(fill, ranges(len(index), ROWS_TAKEN))
        return out

    def _sparse_group(
        self, rows: SparseRows, index: NDArray[np.int64]
    ) -> NDArray[np.float64] | SparseRows:
        taken, divisors = rows.take(index), self.scaling.divisors
        values = taken.values if divisors is None else taken.values / divisors[taken.indices]
        if self.scaling.unit_rows:
            largest = np.zeros(len(index))
            np.maximum.at(largest, taken.owner, np.abs(values))
            largest[largest == 0] = 1
            values = values / largest[taken.owner]
            lengths = np.sqrt(np.bincount(taken.owner, values * values, len(index)))
            lengths[lengths == 0] = 1
            values = values / lengths[taken.owner]
        taken = replace(taken, values=values)
        if self.target is not None:
            taken = append_column(taken, self.target[index])
        return taken.dense() if self.is_dense or is_better_dense(taken) else taken


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


def raised(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each row is multiplied by before it is divided by its length: 1, or a power of
    two that brings the smallest numbers to where float64 has all its digits.
    """
    return np.where(np.abs(rows).max(axis=1, initial=0.0) < TINY, 2.0**300, 1.0)


def row_lengths(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the length of each row, 1 for rows of zeros.

    The largest entry is taken out first, so that squares cannot overflow.
    """
    largest = np.abs(rows).max(axis=1, initial=0.0)
    largest[largest == 0] = 1.0
    lengths = largest * np.sqrt(np.square(rows / largest[:, None]).sum(axis=1))
    return np.where(lengths == 0, 1.0, lengths)


def make_scaling(columns: ColumnSummary, settings: SelectionSettings) -> Scaling:
    """Return the scaling that a summary of all rows gives; for regression its last column is the
    target.

    Constant columns are left as they are. Nothing is shifted: distances would not change. Cosine
    distances are the euclidean ones of rows of length one, ``sqrt(2 - 2 cos)``; a row of zeros
    stays at the origin.
    """
    spans = {"standard": columns.deviations, "minmax": columns.high - columns.low}.get(
        settings.scale
    )
    if spans is not None:
        spans = np.where(spans > 0, spans, 1.0)
    unit_rows = settings.scale == "unit" or settings.metric == "cosine"
    if settings.task != "regression":
        return Scaling(spans, unit_rows)
    if spans is None:
        return Scaling(None, unit_rows, 1.0)
    return Scaling(spans[:-1], unit_rows, float(spans[-1]))


def scaled_target(labels: Labels | None, scaling: Scaling) -> NDArray[np.float64] | None:
    """Return the targets as a coordinate; None where there is none."""
    if scaling.target_divisor is None or labels is None:
        return None
    return np.asarray(labels.astype(np.float64) / scaling.target_divisor)


def make_features(dataset: Dataset, settings: SelectionSettings, workers: Workers) -> Features:
    """Return the coordinates that distances are measured in, by scale, metric and task.

    Weights of rows count: a row of weight 3 is there three times, and one of weight 0 is not.

    Raises
    ------
    UsageError
        A regression has no numeric target.
    """
    weights = uneven(dataset.weights)
    columns = summarise(dataset.rows, workers, weights)
    notes = spread_notes(columns, settings)
    if settings.task == "regression":
        if dataset.labels is None or dataset.labels.dtype == object:
            raise UsageError("--task regression needs a numeric target.")
        columns = columns.with_column(target_summary(dataset.labels, workers, weights))
    scaling = make_scaling(columns, settings)
    return Features(dataset.rows, scaling, scaled_target(dataset.labels, scaling), notes)


def target_summary(
    labels: Labels,
    workers: Workers,
    weights: NDArray[np.float64] | None = None,
    *,
    with_middle: bool = False,
) -> ColumnSummary:
    """Return the summary of the targets as one column."""
    targets = labels.astype(np.float64)[:, None]
    return summarise(targets, workers, weights, with_middle=with_middle)


def spread_notes(columns: ColumnSummary, settings: SelectionSettings) -> tuple[str, ...]:
    """Return what the user should know of columns whose spreads differ widely."""
    varying = columns.deviations[columns.deviations > 0]
    is_plain = settings.scale == "none" and settings.metric == "euclidean"
    if not is_plain or not len(varying) or varying.max() <= SPREAD_RATIO * varying.min():
        return ()
    with np.errstate(over="ignore"):
        ratio = varying.max() / varying.min()
    factor = f"{ratio:.3g}" if np.isfinite(ratio) else "more than 1e308"
    return (
        f"Column spreads differ by a factor of {factor}: the widest "
        "columns decide the distances. Consider --scale standard.",
    )
