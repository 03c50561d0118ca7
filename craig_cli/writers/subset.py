"""Chosen rows with their weights, as numbers, and what all writers of them share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Labels, Rows, SparseRows, as_matrix
from craig_cli.errors import UsageError, printable

WIDEST_TABLE = 10_000
"""Columns up to which sparse rows are written as a table, zeros and all."""


@dataclass(frozen=True)
class Subset:
    """Chosen rows, in the order they are to be written.

    Parameters
    ----------
    index : ndarray of int64, shape (k,)
        Row in the whole input, from 0.
    weight : ndarray of float64, shape (k,)
    rows : Rows
    labels : Labels or None
    names : tuple of str or None
        Of the columns, where the input has them.
    label_name : str
    is_regression : bool
    ids : ndarray of int64 or object, shape (k,), or None
        What names each row, and `id_name` is what that is called.
    """

    index: NDArray[np.int64]
    weight: NDArray[np.float64]
    rows: Rows
    labels: Labels | None
    names: tuple[str, ...] | None
    label_name: str
    is_regression: bool
    ids: NDArray[Any] | None = None
    id_name: str = "id"

    def column_names(self) -> tuple[str, ...]:
        """Return a name for each column: those of the input, else x1, x2, ..."""
        return self.names or tuple(f"x{column + 1}" for column in range(self.rows.shape[1]))


def number_text(value: float) -> str:
    """Return a number in the fewest digits that give it back; whole ones without a point."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def entries(rows: Rows) -> Iterator[list[tuple[int, float]]]:
    """Yield the columns, from 0, and values of the entries of each row that are not zero."""
    for row in range(rows.shape[0]):
        if isinstance(rows, SparseRows):
            span = slice(int(rows.indptr[row]), int(rows.indptr[row + 1]))
            yield list(zip(rows.indices[span].tolist(), rows.values[span].tolist(), strict=True))
        else:
            columns = np.flatnonzero(rows[row])
            yield list(zip(columns.tolist(), rows[row, columns].tolist(), strict=True))


def check_width(rows: Rows, format_name: str) -> None:
    """Raise `UsageError` for sparse rows that would make a table of very many columns."""
    if isinstance(rows, SparseRows) and rows.n_columns > WIDEST_TABLE:
        problem = f"--to {format_name}: {rows.n_columns:,} columns of sparse rows make no table"
        raise UsageError(f"{problem}. Choose libsvm, hdf5 or vw, which stay sparse.")


def dense_columns(rows: Rows) -> Iterator[NDArray[Any]]:
    """Yield each column, zeros and all."""
    if isinstance(rows, SparseRows):
        sparse = as_matrix(rows).tocsc()
        yield from (sparse[:, [column]].toarray()[:, 0] for column in range(rows.n_columns))
    else:
        yield from (np.ascontiguousarray(rows[:, column]) for column in range(rows.shape[1]))


def with_weight_name(names: Sequence[str], weight_name: str | None) -> list[str]:
    """Return the names of the columns and the weight; raises `UsageError` if that is taken."""
    if weight_name is None:
        return list(names)
    if weight_name in names:
        raise UsageError(
            f"--weight-name: there is a column '{printable(weight_name)}' already. "
            f"Choose another name, or --weight-as none."
        )
    return [*names, weight_name]
