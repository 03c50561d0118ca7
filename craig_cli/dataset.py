"""Rows in memory: what readers give and the core takes, whatever the file format was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.skipped import SkippedRows

Progress: TypeAlias = Callable[[str, int, int | None], None]
"""Called as ``progress(stage, done, total)``; `total` is None where it is not known.

The stage ``wait NAME`` says that nothing has come from a pipe for some seconds; it is waited on.
"""

Labels: TypeAlias = NDArray[np.int64] | NDArray[np.float64] | NDArray[np.object_]


def no_progress(stage: str, done: int, total: int | None) -> None:
    """Ignore a progress report."""


@dataclass(frozen=True, eq=False)
class SparseRows:
    """Rows in compressed sparse row form; within a row columns ascend, each named once.

    What both kinds of rows can do is spelled alike: `shape`, ``rows[start:stop]`` and
    ``rows.take(index, axis=0)``.

    Parameters
    ----------
    indptr : ndarray of int64, shape (n_rows + 1,)
    indices : ndarray of int32, shape (nnz,)
        From 0.
    values : ndarray of float64, shape (nnz,)
    n_columns : int
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float64]
    n_columns: int

    @property
    def n_rows(self) -> int:
        return len(self.indptr) - 1

    @property
    def shape(self) -> tuple[int, int]:
        return self.n_rows, self.n_columns

    @property
    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
        """The rows as kernels take them."""
        return self.indptr, self.indices, self.values

    @property
    def dtype(self) -> np.dtype:
        return self.values.dtype

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self.arrays)

    @property
    def owner(self) -> NDArray[np.int64]:
        """The row of each entry, int64 (nnz,)."""
        return np.repeat(np.arange(self.n_rows), np.diff(self.indptr))

    def __len__(self) -> int:
        return self.n_rows

    def __getitem__(self, own: slice) -> SparseRows:
        """Return some consecutive rows; the entries are not copied."""
        start, stop, _ = own.indices(self.n_rows)
        indptr = self.indptr[start : stop + 1]
        entries = slice(int(indptr[0]), int(indptr[-1]))
        return SparseRows(
            indptr - indptr[0], self.indices[entries], self.values[entries], self.n_columns
        )

    def take(self, index: NDArray[np.int64], axis: int = 0) -> SparseRows:
        """Return a copy of some rows, in the order of `index`."""
        assert axis == 0
        counts = np.diff(self.indptr)[index]
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        entries = np.arange(indptr[-1]) + np.repeat(self.indptr[index] - indptr[:-1], counts)
        return SparseRows(indptr, self.indices[entries], self.values[entries], self.n_columns)

    def dense(self, dtype: type[np.floating] = np.float64) -> NDArray[Any]:
        """Return the rows with their zeros, shape (n_rows, n_columns), a new array."""
        out = np.zeros(self.shape, dtype)
        out[self.owner, self.indices] = self.values
        return out


Rows: TypeAlias = NDArray[np.float64] | NDArray[np.float32] | SparseRows
"""Dense rows (n_rows, n_columns), C order, or sparse ones."""


def as_dense(rows: Rows, dtype: type[np.floating] = np.float64) -> NDArray[Any]:
    """Return rows as a dense array in C order; no copy of what is one already."""
    if isinstance(rows, SparseRows):
        return rows.dense(dtype)
    return np.ascontiguousarray(rows, dtype)


def widened(rows: Rows, n_columns: int) -> Rows:
    """Return rows of at least so many columns: those that are missing are zeros at the end."""
    missing = n_columns - rows.shape[1]
    if missing <= 0:
        return rows
    if isinstance(rows, SparseRows):
        return replace(rows, n_columns=n_columns)
    wide: NDArray[np.float64] = np.pad(rows, ((0, 0), (0, missing)))
    return wide


def as_matrix(rows: Rows) -> Any:
    """Return rows as what can be multiplied: the array itself, or one of scipy.sparse, no copy."""
    if not isinstance(rows, SparseRows):
        return rows
    from scipy.sparse import csr_array

    return csr_array((rows.values, rows.indices, rows.indptr), shape=rows.shape)


@dataclass(frozen=True)
class Encoding:
    """How the columns of a table become those of the rows; a model keeps it for later tables.

    Parameters
    ----------
    features : tuple of str
        The columns of the table that are features, in the order of the rows' columns.
    categories : mapping of str to tuple of str
        All values of each ``--one-hot`` column, in the order of the new columns.
    widths : mapping of str to int
        Numbers in a row of each feature that holds lists.
    fills : mapping of str to float
        What stands for a missing number (``--missing``), by column.
    origin : str
        What errors call the table, or the model, that it is of.
    """

    features: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    widths: Mapping[str, int] = field(default_factory=dict)
    fills: Mapping[str, float] = field(default_factory=dict)
    origin: str = field(default="", compare=False)

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns of the rows.

        Of one-hot columns ``column=value``, of columns of lists ``column[0]``, ``column[1]``, ...
        """
        return tuple(name for feature in self.features for name in self.names_of(feature))

    def names_of(self, feature: str) -> list[str]:
        """Return the names of the columns that a feature becomes."""
        if feature in self.categories:
            return [f"{feature}={value}" for value in self.categories[feature]]
        if feature in self.widths:
            return [f"{feature}[{place}]" for place in range(self.widths[feature])]
        return [feature]


class RowTexts(NamedTuple):
    """A text, and where each row stands in it, int64 (n, 2): its start and the end of its line."""

    text: bytes
    places: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> list[bytes]:
        """Return some rows as they stand, each with its newline."""
        return [self.text[start:stop] for start, stop in self.places[rows].tolist()]


@dataclass(frozen=True)
class Block:
    """Some consecutive rows of one file.

    Parameters
    ----------
    rows : Rows
        Finite numbers only: readers refuse the rest.
    labels : Labels or None
        One a row; None under ``--no-label``. Text formats may give strings (dtype object) that
        `unify_labels` turns into numbers once all are seen.
    file : int
        Position of the file in `Input.files`.
    weights, costs : ndarray of float64 or None
        One a row, where the input has columns of such.
    texts : RowTexts or None
        Of text formats.
    ids : pyarrow.Array or None
        What ``--id`` names, one a row: whole numbers or text.
    unseen : mapping of str to mapping of str to int, or None
        By ``--one-hot`` column, values that the encoding does not know, and how often each occurs.
    filled : mapping of str to int, or None
        By column, how many missing cells the encoding has filled.
    queries : ndarray of int64 or None
        The qid of each row, -1 where it has none, if some row of LIBSVM text has one.
    has_index_0 : bool or None
        Whether index 0 occurs; columns then count from 0 as they stand, until it is known which is
        the first (`Reading.settled`). None: columns are as they should be.
    """

    rows: Rows
    labels: Labels | None
    file: int
    weights: NDArray[np.float64] | None = None
    costs: NDArray[np.float64] | None = None
    texts: RowTexts | None = None
    ids: Any = None
    unseen: Mapping[str, Mapping[str, int]] | None = None
    filled: Mapping[str, int] | None = None
    queries: NDArray[np.int64] | None = None
    has_index_0: bool | None = None


def cut_block(block: Block, own: slice) -> Block:
    """Return some consecutive rows of a block; `own` has a start and a stop."""
    weights, costs = (
        None if values is None else values[own] for values in (block.weights, block.costs)
    )
    return Block(
        block.rows[own],
        None if block.labels is None else block.labels[own],
        block.file,
        weights,
        costs,
        ids=None if block.ids is None else block.ids[own],
        queries=None if block.queries is None else block.queries[own],
        has_index_0=block.has_index_0,
    )


def take_from_block(block: Block, kept: NDArray[np.int64] | None) -> Block:
    """Return some rows of a block without their texts; the block itself if `kept` is None."""
    if kept is None:
        return block
    weights, costs = (
        None if values is None else values[kept] for values in (block.weights, block.costs)
    )
    labels = None if block.labels is None else block.labels[kept]
    return Block(block.rows.take(kept, axis=0), labels, block.file, weights, costs)


class Lines(NamedTuple):
    """Rows of text as they stand in their files, each with its newline.

    Of delimited text also the names of all columns, where there is a header, the delimiter, and how
    the first line ends; of LIBSVM text whether every row starts with a label.
    """

    records: list[bytes]
    format: str
    names: list[str] | None = None
    delimiter: str = ""
    line_end: bytes = b"\n"
    has_labels: bool = True


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
        Row at which each file begins, then the number of rows; skipped ones count.
    encoding : Encoding or None
        How the columns of a table became those of `rows`, where the format has names.
    skipped : SkippedRows
        Bad rows of the input that are not among `rows`.
    weights : ndarray of float64, shape (n_rows,), or None
        How much each row counts, at least 0; None where all count alike.
    costs : ndarray of float64, shape (n_rows,), or None
        What it costs to pick each row, above 0; None where there are no costs.
    ids : pyarrow.ChunkedArray or None
        What ``--id`` names, one a row.
    index_base : int
        The first column of LIBSVM text, 0 or 1: as asked for, or found.
    notes : tuple of str
        What the user should know of how the rows were read.
    """

    rows: Rows
    labels: Labels | None
    files: tuple[str, ...] = ("<memory>",)
    file_starts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    encoding: Encoding | None = None
    skipped: SkippedRows = field(default_factory=SkippedRows)
    weights: NDArray[np.float64] | None = None
    costs: NDArray[np.float64] | None = None
    ids: Any = None
    index_base: int = 1
    notes: tuple[str, ...] = ()

    @property
    def column_names(self) -> tuple[str, ...] | None:
        """Names of the columns of `rows`, where the format has them."""
        return None if self.encoding is None else self.encoding.column_names

    @property
    def n_rows(self) -> int:
        return int(self.rows.shape[0])

    @property
    def n_columns(self) -> int:
        return int(self.rows.shape[1])

    @property
    def skipped_rows(self) -> int:
        """How many bad rows were skipped."""
        return len(self.skipped)

    @property
    def n_input_rows(self) -> int:
        """Rows of the input as it lies, skipped ones included."""
        return self.n_rows + self.skipped_rows
