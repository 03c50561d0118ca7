"""Tables in memory (pandas, polars, Arrow), read as files of Arrow columns are.

None of the packages is imported: a table is known by what it can do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from craig_cli.dataset import Dataset, Encoding, no_progress
from craig_cli.errors import InputError, UsageError, printable
from craig_cli.readers.arrow import as_text, decoded
from craig_cli.readers.arrow_types import is_number, is_text
from craig_cli.readers.formats import Reader
from craig_cli.readers.gather import Reading
from craig_cli.readers.joined import join_ids
from craig_cli.readers.lists import as_array
from craig_cli.readers.sources import Source
from craig_cli.readers.table_files import table_reader
from craig_cli.settings import InputSettings
from craig_cli.storage.location import Location

NAME = "X"
"""What errors call the table: the argument."""
WHOLE = 1 << 62
"""Bytes of a block: the whole table is one, so that its rows are copied once."""
NOT_HERE = {
    "dask": "its rows are not in memory. Give X.compute(), or the names of its files",
    "xarray": "craig knows no xarray. Give its values, X.to_numpy()",
    "pyspark": "its rows are not in memory. Write them as Parquet, and name the files",
    "geopandas": "craig knows no geometry. Give a table of numbers",
}
"""What is said of objects of packages whose rows are not at hand."""


@dataclass(frozen=True)
class MemoryTable:
    """A table, as `table_files` reads it."""

    table: pa.Table

    @property
    def schema(self) -> pa.Schema:
        """Names and types of all columns."""
        return self.table.schema

    def count_rows(self) -> int:
        """Return the number of rows."""
        return int(self.table.num_rows)

    def batches(
        self, names: list[str] | None, n_rows: int, rows: tuple[int, int] | None = None
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yield the first row, and the rows, of batches."""
        chosen = self.table if names is None else self.table.select(names)
        first_row = 0
        for batch in chosen.combine_chunks().to_batches(max_chunksize=min(n_rows, WHOLE)):
            yield first_row, batch
            first_row += batch.num_rows


@dataclass(frozen=True, kw_only=True)
class MemorySource(Source):
    """A table in place of a file."""

    table: pa.Table

    @property
    def reader(self) -> Reader:
        """What reads it."""
        return READER


@contextmanager
def open_table(source: Source) -> Iterator[MemoryTable]:
    """Give the table of a source."""
    assert isinstance(source, MemorySource)
    yield MemoryTable(source.table)


READER = table_reader(open_table)


def read_table(
    table: pa.Table, settings: InputSettings, name: str = NAME, encoding: Encoding | None = None
) -> Dataset:
    """Return the rows of a table, read as those of a file are.

    Labels that are numbers are as the column holds them. `encoding` is that of another table, where
    its columns are to be taken in its order. Raises `UsageError` and `InputError` as
    for a file of this name.
    """
    source = MemorySource(
        name=name, format="parquet", compression=None, location=Location.of(name), table=table
    )
    settings = replace(settings, paths=(name,), block_bytes=WHOLE)
    reading = Reading(settings, no_progress, (source,), encoding)
    (block,) = reading.blocks()
    dataset = reading.dataset(block.rows, [block.labels])
    holds_text = block.labels is not None and block.labels.dtype == object
    return replace(
        dataset,
        files=Dataset(block.rows, None).files,
        labels=dataset.labels if holds_text else block.labels,
        weights=block.weights,
        costs=block.costs,
        ids=join_ids([block.ids]),
    )


def as_table(values: Any, argument: str = NAME) -> pa.Table | None:
    """Return a table of another package as one of Arrow, or a column of embeddings as a table.

    None for what is neither. No copy where columns are as Arrow has them. Raises `UsageError` for
    a table that is not in memory, and `InputError` for a column that Arrow cannot hold.
    """
    check_here(argument, values)
    if hasattr(values, "collect") and hasattr(values, "collect_schema"):  # polars' LazyFrame
        values = values.collect()
    if isinstance(values, pa.RecordBatch):
        return pa.Table.from_batches([values])
    if isinstance(values, pa.Table):
        return values
    if hasattr(values, "get_columns") and hasattr(values, "to_arrow"):  # polars
        columns = [(column.name, column) for column in values.get_columns()]
    elif hasattr(values, "iloc") and hasattr(values, "columns"):  # pandas
        columns = [(name, values.iloc[:, k]) for k, name in enumerate(values.columns)]
    elif is_series(values):
        name = getattr(values, "name", None)
        columns = [("X" if name in (None, "") else name, values)]
    elif hasattr(values, "__arrow_c_stream__"):
        return converted(argument, values, pa.table)
    else:
        return None
    arrays = [as_column(argument, str(name), column) for name, column in columns]
    return pa.Table.from_arrays(arrays, names=[str(name) for name, _ in columns])


def check_here(name: str, values: Any) -> None:
    """Raise `UsageError` for objects whose rows are not in memory."""
    kind = type(values)
    package = kind.__module__.partition(".")[0]
    if package in NOT_HERE:
        raise UsageError(
            f"{name}: is of type {kind.__name__} of {package}; {NOT_HERE[package]}.".replace(
                "X.", f"{name}."
            )
        )


def is_series(values: Any) -> bool:
    """Return whether a value is one column: of pandas, polars or Arrow."""
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return True
    is_polars = hasattr(values, "to_arrow") and not hasattr(values, "get_columns")
    return is_polars or (hasattr(values, "iloc") and not hasattr(values, "columns"))


def as_column(argument: str, name: str, values: Any) -> pa.Array | pa.ChunkedArray:
    """Return a column of pandas, polars or Arrow as one of Arrow."""
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    what = argument if name == "" else f"{argument}: column '{printable(name, 60)}'"
    if hasattr(values, "to_arrow"):
        return converted(what, values, lambda column: column.to_arrow())
    if hasattr(values, "sparse") and hasattr(values.dtype, "fill_value"):
        values = values.sparse.to_dense()
    return converted(what, values, pa.Array.from_pandas)


def converted(what: str, values: Any, convert: Any) -> Any:
    """Return what a conversion to Arrow gives; raises `InputError` where it cannot be done."""
    try:
        return convert(values)
    except MemoryError:
        raise
    except Exception as error:  # those of Arrow, pandas and polars have no base in common
        argument, _, column = what.partition(": ")
        kind = getattr(values, "dtype", type(values).__name__)
        raise InputError(
            argument,
            f"{column or 'it'} holds values of several kinds, or of one that is not known "
            f"({printable(str(kind), 60)})",
            remedy="Convert it to numbers or text first.",
        ) from error


def as_series(argument: str, values: Any) -> Any:
    """Return a column of pandas, polars or Arrow as an array of numpy; other values as they are.

    Raises `InputError` for a missing value, and `UsageError` for values that are neither numbers
    nor text.
    """
    check_here(argument, values)
    if not is_series(values):
        return values
    column = as_column(argument, "", values)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    column = decoded(column)
    if column.null_count:
        row = int(as_array(column.is_null()).argmax())
        raise InputError(
            argument,
            f"row {row}, counted from 0, has no value",
            remedy="Remove or fill it first.",
        )
    if is_number(column.type):
        return as_array(column)
    if not is_text(column.type):
        raise UsageError(
            f"{argument}: holds {printable(str(column.type), 60)}, not numbers or strings."
        )
    texts = np.empty(len(column), object)
    texts[:] = as_text(argument, argument, column)
    return texts
