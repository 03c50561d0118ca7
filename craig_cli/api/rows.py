"""Some rows of whatever holds them in memory."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from craig_cli.errors import UsageError
from craig_cli.readers.memory import check_here

NOT_INDEXED = ("bsr", "coo", "dia")
"""Formats of scipy's matrices that give no single rows."""


def take(values: Any, index: NDArray[np.int64]) -> Any:
    """Return the rows `index` (k,) of an array, a sparse matrix, a table, a column or a list, of
    the same kind.
    """
    if isinstance(values, (list, tuple)):
        return [values[row] for row in index.tolist()]
    if sp.issparse(values):
        return (values.tocsr() if values.format in NOT_INDEXED else values)[index]
    if hasattr(values, "iloc"):
        return values.iloc[index]
    if hasattr(values, "column_names") or hasattr(values, "combine_chunks"):  # Arrow
        return values.take(index)
    return values[index] if hasattr(values, "shape") else np.asarray(values)[index]


def count_rows(values: Any) -> int:
    """Return how many rows there are."""
    return int(values.shape[0]) if hasattr(values, "shape") else len(values)


def at_hand(name: str, values: Any) -> Any:
    """Return what rows can be taken of: a lazy table of polars is collected.

    Raises `UsageError` for names of files, and for rows that are not in memory.
    """
    if isinstance(values, (str, os.PathLike)):
        raise UsageError(
            f"{name}: it names a file. Give its rows, or write them with the command craig apply."
        )
    check_here(name, values)
    if hasattr(values, "collect") and hasattr(values, "collect_schema"):
        values = values.collect()
    return values


def without_column(table: Any, name: str) -> tuple[Any, Any]:
    """Return a table of pandas, polars or Arrow without one of its columns, and that column."""
    if not hasattr(table, "drop") or name not in getattr(table, "column_names", table.columns):
        raise UsageError(f"y: X has no column '{name}'.")
    rest = table.drop(columns=name) if hasattr(table, "iloc") else table.drop([name])
    return rest, table[name]
