"""Columns of lists of numbers, as embeddings are held: which are features, and their values."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from craig_cli.dataset import Encoding
from craig_cli.errors import InputError, printable
from craig_cli.readers.arrow_types import is_list, is_number, storage_of
from craig_cli.readers.columns import Columns, Header, choose_columns, listed, option_of
from craig_cli.readers.numbers import unusable
from craig_cli.settings import InputSettings

SAME_LENGTH = "Write lists of one length, without empty places"


def choose_table_columns(
    source_name: str,
    schema: pa.Schema,
    settings: InputSettings,
    encoding: Encoding | None,
    first_rows: Callable[[list[str]], pa.RecordBatch | None],
) -> Columns:
    """Return the columns to read of a table, by their names and their types.

    Where nobody names features, and one column holds lists of numbers and no other is a number,
    that one column is the features, and the rest is left out.

    Parameters
    ----------
    source_name : str
    schema : pa.Schema
    settings : InputSettings
    encoding : Encoding or None
        One that is known: its columns are taken.
    first_rows : callable
        Given names of columns, some first rows of these; None where there are no rows.

    Raises
    ------
    InputError
        Lists stand beside numbers, or beside other lists, and nobody says which are features.
    """
    columns = choose_columns(source_name, header_of(schema), settings, encoding)
    if encoding is not None:
        is_chosen = bool(encoding.widths) and not settings.features
        extra = () if is_chosen else columns.extra
        return replace(columns, widths=encoding.widths, extra=extra)
    kinds = {name: schema.field(name).type for name in columns.features}
    lists = [name for name in columns.features if is_list(kinds[name])]
    if not lists:
        return columns
    if not settings.features:
        columns = only_list(source_name, columns, kinds, lists)
    first = None
    if any(width_of(kinds[name]) is None for name in lists):
        first = first_rows(lists)
    widths = {
        name: fixed
        if (fixed := width_of(kinds[name])) is not None
        else 0
        if first is None
        else first_length(first.column(name))
        for name in lists
    }
    return replace(columns, widths=widths)


def only_list(
    source_name: str, columns: Columns, kinds: dict[str, pa.DataType], lists: Sequence[str]
) -> Columns:
    """Return the columns with the one of lists for features; `InputError` where that is unclear."""
    numbers = [
        name for name in columns.features if is_number(kinds[name]) and name not in columns.one_hot
    ]
    if len(lists) > 1:
        raise InputError(
            source_name,
            f"columns {listed(lists)} each hold lists of numbers, and one is to be the features",
            remedy=f"Name it, as {option_of('--features', lists[:1])}.",
        )
    if numbers:
        what = "is a number" if len(numbers) == 1 else "are numbers"
        raise InputError(
            source_name,
            f"column '{printable(lists[0])}' holds lists of numbers, and beside it "
            f"{listed(numbers)} {what}: which are the features is not clear",
            remedy=f"Use {option_of('--features', lists)} for the lists alone, or "
            f"{option_of('--features', [*lists, *numbers])} for all.",
        )
    kept = tuple(name for name in columns.features if name in lists or name in columns.one_hot)
    left_out = tuple(name for name in columns.features if name not in kept)
    return replace(columns, features=kept, left_out=left_out)


def width_of(kind: pa.DataType) -> int | None:
    """Return how many numbers a row has, where the type of a column of lists tells."""
    kind = storage_of(kind)
    return int(kind.list_size) if pa.types.is_fixed_size_list(kind) else None


def lists_in(values: pa.Array) -> pa.Array:
    """Return a column of lists as Arrow's own type."""
    return values.storage if isinstance(values, pa.ExtensionArray) else values


def lengths_of(lists: pa.Array) -> pa.Array:
    """Return the length of each list, null where there is none."""
    if isinstance(lists, (pa.ListViewArray, pa.LargeListViewArray)):
        # Arrow 26 casts views wrong, and `list_value_length` knows only some of them.
        return pc.if_else(lists.is_valid(), lists.sizes, pa.scalar(None, lists.sizes.type))
    return pc.list_value_length(lists)


def first_length(values: pa.Array) -> int:
    """Return the length of the first list that holds something; 0 where none does."""
    lengths = pc.fill_null(lengths_of(lists_in(values)), 0)
    filled = lengths.filter(pc.greater(lengths, 0))
    return int(filled[0].as_py()) if len(filled) else 0


def list_rows(values: pa.Array, width: int) -> NDArray:
    """Return a column of lists without faults as an array (n_rows, width); no copy."""
    array: NDArray = lists_in(values).flatten().to_numpy(zero_copy_only=False)
    return array.reshape(len(values), width)


def bad_lists(
    values: pa.Array, width: int
) -> Iterator[tuple[NDArray[np.int64], str, NDArray | None, bool]]:
    """Yield rows of a column of lists that cannot be used, what is wrong, the values if there are
    such, and whether something is missing.

    None are if each has `width` numbers that can be used.
    """
    lists = lists_in(values)
    lengths = as_array(pc.fill_null(lengths_of(lists), width))
    missing = as_array(lists.is_null())
    is_odd = ((lengths != width) | (width == 0)) & ~missing
    if missing.any():
        yield np.flatnonzero(missing), "has no value in this row", None, True
    for length in np.unique(lengths[is_odd]).tolist():
        rows = np.flatnonzero(is_odd & (lengths == length))
        problem = f"holds {length} numbers in this row"
        problem += f", not {width} as other rows" if width else ""
        yield rows, problem, None, False
    whole = np.flatnonzero(~missing & ~is_odd)
    flat = (lists if len(whole) == len(lists) else lists.take(pa.array(whole))).flatten()
    if flat.null_count:
        rows, places = first_of_rows(as_array(flat.is_null()), width)
        for place in np.unique(places).tolist():
            own = whole[rows[places == place]]
            yield own, f"has no value at place {place} of its list", None, True
    numbers = as_array(flat.fill_null(0))
    for bad, problem in unusable(numbers):
        rows, places = first_of_rows(bad, width)
        for place in np.unique(places).tolist():
            own = rows[places == place]
            told = f"{problem} at place {place} of its list"
            yield whole[own], told, numbers[own * width + place], False


def first_of_rows(bad: NDArray[np.bool_], width: int) -> tuple[NDArray[np.int64], NDArray]:
    """Return the rows in which something is bad, and the first place of each."""
    table = bad.reshape(-1, width)
    rows = np.flatnonzero(table.any(axis=1))
    return rows, table[rows].argmax(axis=1)


def as_array(values: pa.Array) -> NDArray:
    """Return numbers or booleans without nulls as a numpy array."""
    array: NDArray = values.to_numpy(zero_copy_only=False)
    return array


def header_of(schema: pa.Schema) -> Header:
    """Return the names of the columns of a table, and those that pandas wrote as its index."""
    stated = (schema.metadata or {}).get(b"pandas")
    if stated is None:
        return Header(schema.names)
    try:
        index = json.loads(stated)["index_columns"]
        return Header(schema.names, tuple(name for name in index if isinstance(name, str)))
    except (ValueError, KeyError, TypeError, RecursionError):
        return Header(schema.names)
