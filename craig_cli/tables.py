"""Tables of other packages (pandas, polars, pyarrow) as arrays, without importing any of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.errors import InputError, UsageError, printable
from craig_cli.readers.numbers import DIVIDE, TOO_LARGE, first_unusable


def is_table(value: object) -> bool:
    """Return whether a value is a table of named columns."""
    return column_getter(value) is not None


def column_getter(table: Any) -> Any:
    """Return what gives the column of a name, or None: of polars, pandas and pyarrow, in this
    order.
    """
    if hasattr(table, "get_column"):
        return table.get_column
    if hasattr(table, "columns") and hasattr(table, "iloc"):
        return table.__getitem__
    return table.column if hasattr(table, "column_names") and hasattr(table, "column") else None


def table_names(table: Any) -> list[Any]:
    """Return the names of all columns, each there once."""
    names = list(table.column_names if hasattr(table, "column_names") else table.columns)
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise UsageError(f"X: two columns are named '{printable(str(twice))}'.")
    return names


def split_table(table: Any, named: Mapping[str, str]) -> tuple[NDArray[Any], dict[str, Any]]:
    """Return the columns of a table as one array of floats, and those that are something else:
    `named` has the name of each, by what it is for.

    Raises
    ------
    UsageError
        A named column is not there, or another holds no numbers.
    InputError
        A cell is empty, not a number or not finite; says in which column.
    """
    names, get = table_names(table), column_getter(table)
    for purpose, wanted in named.items():
        if wanted not in names:
            listed = ", ".join(printable(str(name), 60) for name in names)
            raise UsageError(
                f"{purpose}: X has no column '{printable(wanted)}'. The columns are {listed}."
            )
        if list(named.values()).count(wanted) > 1:
            raise UsageError(
                f"{purpose}: column '{printable(wanted)}' is named for something else, too."
            )
    columns = {name: np.asarray(get(name)) for name in names if name not in named.values()}
    text = [str(name) for name, values in columns.items() if not is_numeric(values)]
    if text:
        raise UsageError(
            f"X: {', '.join(printable(name, 60) for name in text)}: not numbers. Drop "
            f"these columns, or encode them."
        )
    dtype = (
        np.float32
        if columns and all(values.dtype in (np.float32, np.float16) for values in columns.values())
        else np.float64
    )
    rows = np.empty((len(table), len(columns)), dtype)
    for place, (name, values) in enumerate(columns.items()):
        rows[:, place] = values.astype(dtype)
        if (found := first_unusable(rows[:, place])) is not None:
            row, problem = found
            called, value = f"column '{printable(str(name), 60)}'", str(values[row])
            if problem == TOO_LARGE:
                remedy = f"{DIVIDE}, or leave the row out."
                raise InputError("X", f"row {row}, {called}, {problem}", value=value, remedy=remedy)
            problem = f"{called} has a value that is missing or not finite in row {row}"
            raise InputError("X", problem, value=value, remedy="Fill it in or drop it first.")
    return rows, {purpose: get(wanted) for purpose, wanted in named.items()}


def is_numeric(values: NDArray[Any]) -> bool:
    """Return whether a column holds numbers or booleans; those with missing cells may come as
    objects.
    """
    if values.dtype != object:
        return values.dtype.kind in "fiub"
    return all(
        value is None or isinstance(value, (bool, int, float, np.number)) for value in values
    )
