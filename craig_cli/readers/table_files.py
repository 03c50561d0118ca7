"""Files of Arrow columns (Parquet, Arrow IPC): one road from their batches to blocks.

A format gives `Open`, which opens a file as a `Table`; all else is here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from craig_cli.dataset import Block, Encoding
from craig_cli.errors import InputError, ResourceError, printable
from craig_cli.readers.arrow import BatchReader, as_text
from craig_cli.readers.arrow_types import check_category_type
from craig_cli.readers.categories import check_categories
from craig_cli.readers.columns import Columns
from craig_cli.readers.folders import partition_read, with_partition
from craig_cli.readers.formats import Reader
from craig_cli.readers.lists import choose_table_columns
from craig_cli.readers.skipped import Skipped
from craig_cli.readers.sources import Source
from craig_cli.settings import InputSettings
from craig_cli.settings.inputs import fills_missing

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


@contextmanager
def naming_arrow_errors(name: str, kind: str, problem: str, remedy: str) -> Iterator[None]:
    """Turn errors that Arrow meets in a file of some kind into those that name it."""
    try:
        yield
    except MemoryError as error:
        raise ResourceError(
            f"{printable(name)}: memory does not suffice to read this {kind} file: "
            f"{printable(str(error), 200)}"
        ) from error
    except (pa.ArrowException, OSError, ValueError) as error:
        told = f"{problem}: {printable(str(error), 200).rstrip('.')}"
        raise InputError(name, told, remedy=remedy) from error


Open: TypeAlias = Callable[[Source], AbstractContextManager[Table]]


def columns_of(
    table: Table, source: Source, settings: InputSettings, encoding: Encoding | None = None
) -> Columns:
    """Return the columns to read of a file, those of its folders among them."""

    def first_rows(names: list[str]) -> pa.RecordBatch | None:
        return next((batch for _, batch in table.batches(names, FIRST_ROWS)), None)

    partition = partition_read(source, settings)
    schema = with_partition(table.schema.empty_table(), partition, settings.one_hot).schema
    schema = schema.with_metadata(table.schema.metadata)
    return choose_table_columns(source.name, schema, settings, encoding, first_rows)


def batch_reader(
    table: Table, source: Source, settings: InputSettings, encoding: Encoding | None
) -> BatchReader:
    """Return what makes blocks of the batches of a file."""
    columns, partition = (
        columns_of(table, source, settings, encoding),
        partition_read(source, settings),
    )
    return BatchReader(source.name, table.schema, settings, columns, encoding, partition)


def read_blocks(
    open_table: Open,
    source: Source,
    file: int,
    settings: InputSettings,
    skipped: Skipped,
    encoding: Encoding | None,
) -> Iterator[Block]:
    """Yield the rows of one file, in blocks of about ``settings.block_bytes``.

    Dense rows, float32 if every feature is a float of at most 32 bits, else float64. Labels are
    int64, float64 or str objects. Uses label, no_label, task, drop, one_hot, features, missing,
    id_column, weight_column, cost_column, on_error and block_bytes of `settings`.
    """
    with open_table(source) as table:
        reader = batch_reader(table, source, settings, encoding)
        n_rows = reader.batch_rows(settings.block_bytes)
        for first_row, batch in table.batches(reader.stored, n_rows, source.rows):
            first, last = source.rows or (0, first_row + batch.num_rows)
            start, stop = max(first - first_row, 0), min(last - first_row, batch.num_rows)
            if start < stop:
                own = batch.slice(start, stop - start)
                good = reader.good_rows(own, first_row + start, skipped)
                if good.num_rows:
                    yield reader.block(good, file)


def count_rows(open_table: Open, source: Source) -> int:
    """Return the rows of a file."""
    with open_table(source) as table:
        return table.count_rows()


def choose(
    open_table: Open, source: Source, settings: InputSettings, encoding: Encoding | None
) -> Columns:
    """Return the columns to read of a file."""
    with open_table(source) as table:
        return columns_of(table, source, settings, encoding)


def read_columns(
    open_table: Open, source: Source, settings: InputSettings
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file with all their columns."""
    with open_table(source) as table:
        n_rows = max(1, settings.block_bytes // (8 * max(1, len(table.schema))))
        for _, batch in table.batches(None, n_rows):
            yield batch


def collect_categories(
    open_table: Open, source: Source, settings: InputSettings, encoding: Encoding
) -> dict[str, set[str]]:
    """Return the different values of each ``--one-hot`` column, as text."""
    by_folder = {entry.name: {entry.text} for entry in partition_read(source, settings)}
    found: dict[str, set[str]] = {n: by_folder.get(n, set()) for n in encoding.categories}
    stored = [name for name in found if name not in by_folder]
    if not stored:
        return found
    with open_table(source) as table:
        for name in stored:
            check_category_type(source.name, name, table.schema.field(name).type)
        for batch in category_batches(table, source, settings, encoding, stored):
            for name in stored:
                values = batch.column(name)
                texts = as_text(source.name, name, values.unique().drop_null())
                found[name].update(texts)
                if fills_missing(settings) and values.null_count:
                    found[name].add("")
            check_categories(source.name, found, is_complete=False)
    return found


def category_batches(
    table: Table, source: Source, settings: InputSettings, encoding: Encoding, stored: list[str]
) -> Iterator[pa.RecordBatch]:
    """Yield some columns of the rows that are read, but for those that are skipped."""
    if settings.on_error != "skip" and settings.missing != "skip":
        for _, batch in table.batches(stored, 1 << 16):
            yield batch
        return
    reader = batch_reader(table, source, settings, encoding)
    reader.is_collecting = True
    for _, batch in table.batches(reader.stored, reader.batch_rows(settings.block_bytes)):
        yield reader.good_rows(batch, 0, lambda row: None)


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
                    taken = batch.take(pa.array(index[first:last] - row))
                    parts.append(with_partition(taken, partition_read(source, reading.settings)))
                row += batch.num_rows
        if row != file_starts[file + 1]:
            raise InputError(
                source.name, "it changed while it was read", remedy="Run the command again."
            )
    return pa.Table.from_batches(parts, None if parts else schema)


def rows_of_width(reading: Reading, table: Table) -> int:
    """Return how many rows with all their columns take about a block, if text is short."""
    names = () if reading.encoding is None else reading.encoding.column_names
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
        choose_columns=partial(choose, open_table),
        collect_categories=partial(collect_categories, open_table),
        count_rows=partial(count_rows, open_table),
        read_as_written=partial(read_as_written, open_table),
        written_as="table",
        read_columns=partial(read_columns, open_table),
        keeps_to_rows=True,
        buffer_bytes=partial(buffer_bytes, open_table, column_bytes),
    )
