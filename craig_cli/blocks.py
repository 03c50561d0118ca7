"""Rows in memory: what readers give and the core takes, whatever the file format was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Progress: TypeAlias = Callable[[str, int, int | None], None]
"""Called as ``progress(stage, done, total)``; `total` is None where it is not known."""

Labels: TypeAlias = NDArray[np.int64] | NDArray[np.float64] | NDArray[np.object_]


def no_progress(stage: str, done: int, total: int | None) -> None:
    """Ignore a progress report."""


class SparseRows(NamedTuple):
    """Rows in compressed sparse row form; column indices ascend within a row and no column is named twice.

    `indptr` int64 (n_rows + 1), `indices` int32 (nnz) from 0, `values` float64 (nnz), and the number of columns.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float64]
    n_columns: int

    @property
    def n_rows(self) -> int:
        return len(self.indptr) - 1


Rows: TypeAlias = NDArray[np.float64] | NDArray[np.float32] | SparseRows
"""Dense rows (n_rows, n_columns), C order, or sparse ones."""


def shape_of(rows: Rows) -> tuple[int, int]:
    """Return the number of rows and of columns."""
    if isinstance(rows, SparseRows):
        return rows.n_rows, rows.n_columns
    return rows.shape[0], rows.shape[1]


def cut_rows(rows: Rows, own: slice) -> Rows:
    """Return some consecutive rows; `own` has a start and a stop."""
    if not isinstance(rows, SparseRows):
        return rows[own]
    indptr = rows.indptr[own.start : own.stop + 1]
    entries = slice(int(indptr[0]), int(indptr[-1]))
    return SparseRows(indptr - indptr[0], rows.indices[entries], rows.values[entries], rows.n_columns)


@dataclass(frozen=True)
class Block:
    """Some consecutive rows of one file.

    Parameters
    ----------
    rows : Rows
        Finite numbers only: readers refuse the rest.
    labels : Labels or None
        One a row; None under ``--no-label``. Text formats may give strings (dtype object) that `unify_labels` turns into numbers once all are seen.
    file : int
        Position of the file in `Input.files`.
    weights, costs : ndarray of float64 or None
        One a row, where the input has columns of such.
    """

    rows: Rows
    labels: Labels | None
    file: int
    weights: NDArray[np.float64] | None = None
    costs: NDArray[np.float64] | None = None


def cut_block(block: Block, own: slice) -> Block:
    """Return some consecutive rows of a block; `own` has a start and a stop."""
    weights, costs = (None if values is None else values[own] for values in (block.weights, block.costs))
    return Block(cut_rows(block.rows, own), None if block.labels is None else block.labels[own], block.file, weights, costs)


@dataclass(frozen=True)
class Dataset:
    """A whole input in memory.

    Parameters
    ----------
    rows : Rows
        All rows, files one after the other.
    labels : Labels or None
        int64, float64 or str objects; None where there is none.
    files : tuple of str
        Names of the files as the user gave them.
    file_starts : ndarray of int64, shape (n_files + 1,)
        Row at which each file begins, then the number of rows.
    column_names : tuple of str or None
        Names of the columns of `rows`, where the format has them.
    skipped_rows : int
        Bad rows passed over under ``--on-error skip``.
    skipped_examples : tuple of str
        What was wrong with the first of them.
    weights : ndarray of float64, shape (n_rows,), or None
        How much each row counts, at least 0; None where all count alike.
    costs : ndarray of float64, shape (n_rows,), or None
        What it costs to pick each row, above 0; None where there are no costs.
    """

    rows: Rows
    labels: Labels | None
    files: tuple[str, ...] = ("<memory>",)
    file_starts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    column_names: tuple[str, ...] | None = None
    skipped_rows: int = 0
    skipped_examples: tuple[str, ...] = ()
    weights: NDArray[np.float64] | None = None
    costs: NDArray[np.float64] | None = None

    @property
    def n_rows(self) -> int:
        return shape_of(self.rows)[0]

    @property
    def n_columns(self) -> int:
        return shape_of(self.rows)[1]
