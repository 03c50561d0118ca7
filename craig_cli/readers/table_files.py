"""Files of Arrow columns (Parquet, Arrow IPC): one road from their batches to blocks.

A format gives `Open`, which opens a file as a `Table`; all else is here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from craig_cli.dataset import Block
from craig_cli.errors import InputError
from craig_cli.readers.arrow import BatchReader, as_text
from craig_cli.readers.arrow_types import check_category_type
from craig_cli.readers.columns import Columns
from craig_cli.readers.formats import Categories, Reader, Skipped
from craig_cli.readers.lists import choose_table_columns, left_out_note
from craig_cli.readers.sources import Source
from craig_cli.settings import InputSettings

if TYPE_CHECKING:
    from craig_cli.readers.gather import Reading

FIRST_ROWS = 64
"""Rows that tell how long the lists of a column are."""


class Table(Protocol):
    """A file that is open."""

    @property
    def schema(self) -> pa.Schema:
        """Names and types of all columns."""

    def count_rows(self) -> int:
        """Return the number of rows."""

    def batches(
        self, names: list[str] | None, n_rows: int, rows: tuple[int, int] | None = None
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yield the first row, and the rows, of batches of at most `n_rows`, with some columns.

        Batches that hold none of `rows` may be left out.
        """


Open: TypeAlias = Callable[[Source], AbstractContextManager[Table]]


def columns_of(table: Table, source: Source, settings: InputSettings) -> Columns:
    """Return the columns to read of a file."""

    def first_rows(names: list[str]) -> pa.RecordBatch | None:
        return next((batch for _, batch in table.batches(names, FIRST_ROWS)), None)

    return choose_table_columns(source.name, table.schema, settings, first_rows)


def read_blocks(
    open_table: Open,
    source: Source,
    file: int,
    settings: InputSettings,
    skipped: Skipped,
    categories: Categories,
) -> Iterator[Block]:
    """Yield the rows of one file, in blocks of about ``settings.block_bytes``.

    Dense rows, float32 if every feature is a float of at most 32 bits, else float64. Labels are
    int64, float64 or str objects. A bad row is an error also under ``--on-error skip``, which is
    for rows of text. Uses label, no_label, task, drop, one_hot, features, weight_column,
    cost_column and block_bytes of `settings`.
    """
    with open_table(source) as table:
        columns = columns_of(table, source, settings)
        reader = BatchReader(source.name, table.schema, settings, categories, columns)
        n_rows = reader.batch_rows(settings.block_bytes)
        for first_row, batch in table.batches(reader.wanted, n_rows, source.rows):
            first, last = source.rows or (0, first_row + batch.num_rows)
            start, stop = max(first - first_row, 0), min(last - first_row, batch.num_rows)
            if start < stop:
                yield reader.block(batch.slice(start, stop - start), first_row + start, file)


def count_rows(open_table: Open, source: Source) -> int:
    """Return the rows of a file."""
    with open_table(source) as table:
        return table.count_rows()


def column_names(
    open_table: Open, source: Source, settings: InputSettings, categories: Categories
) -> tuple[str, ...]:
    """Return the names of the columns of the blocks that `read_blocks` would yield."""
    with open_table(source) as table:
        return columns_of(table, source, settings).expanded(categories)


def notes(open_table: Open, source: Source, settings: InputSettings) -> tuple[str, ...]:
    """Return what the user should know of the columns that are read."""
    with open_table(source) as table:
        return left_out_note(columns_of(table, source, settings))


def collect_categories(
    open_table: Open, source: Source, settings: InputSettings
) -> dict[str, set[str]]:
    """Return the different values of each ``--one-hot`` column, as text."""
    with open_table(source) as table:
        columns = columns_of(table, source, settings)
        for name in columns.one_hot:
            check_category_type(source.name, name, table.schema.field(name).type)
        found: dict[str, set[str]] = {name: set() for name in columns.one_hot}
        if found:
            for _, batch in table.batches(list(found), 1 << 16):
                for name, values in found.items():
                    values.update(
                        as_text(source.name, name, batch.column(name).unique().drop_null())
                    )
        return found


def read_as_written(
    open_table: Open, reading: Reading, index: NDArray[np.int64], records: list[bytes]
) -> pa.Table:
    """Return some rows, ascending, with all their columns, types and metadata.

    Memory: a block and the rows. Raises `InputError` where a file has changed since it was read,
    or two have other columns.
    """
    parts, schema, first_source = [], None, reading.sources[0]
    file_starts = reading.file_starts
    for file, source in enumerate(reading.sources):
        with open_table(source) as table:
            schema = table.schema if schema is None else schema
            if not table.schema.equals(schema):
                problem = f"its columns or their types differ from those of {first_source.name}"
                raise InputError(
                    source.name,
                    problem,
                    remedy="Write another format with --to, which takes the rows as numbers.",
                )
            row = start = int(file_starts[file])
            for first_row, batch in table.batches(None, rows_of_width(reading, table)):
                row = start + first_row
                first, last = np.searchsorted(index, [row, row + batch.num_rows])
                if first < last:
                    parts.append(batch.take(pa.array(index[first:last] - row)))
                row += batch.num_rows
        if row != file_starts[file + 1]:
            raise InputError(
                source.name, "it changed while it was read", remedy="Run the command again."
            )
    return pa.Table.from_batches(parts, schema)


def rows_of_width(reading: Reading, table: Table) -> int:
    """Return how many rows with all their columns take about a block, if text is short."""
    names: tuple[str, ...] = reading.column_names or ()
    return max(1, reading.settings.block_bytes // (8 * max(1, len(table.schema), len(names))))


def buffer_bytes(
    open_table: Open, column_bytes: int, source: Source, settings: InputSettings
) -> int:
    """Return the memory that the columns take while a file is read."""
    with open_table(source) as table:
        return column_bytes * len(columns_of(table, source, settings).features)


def table_reader(open_table: Open, column_bytes: int = 0) -> Reader:
    """Return the reader of a format whose files `open_table` opens.

    `column_bytes` is the memory that each column takes while a file is read.
    """
    return Reader(
        partial(read_blocks, open_table),
        column_names=partial(column_names, open_table),
        collect_categories=partial(collect_categories, open_table),
        count_rows=partial(count_rows, open_table),
        read_as_written=partial(read_as_written, open_table),
        notes=partial(notes, open_table),
        written_as="table",
        keeps_to_rows=True,
        buffer_bytes=partial(buffer_bytes, open_table, column_bytes),
    )
