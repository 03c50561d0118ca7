"""Parquet tables with flat columns, to dense blocks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from craig_cli.dataset import Block, Encoding
from craig_cli.errors import InputError, ResourceError, printable
from craig_cli.readers.arrow import BatchReader, as_text, header_of
from craig_cli.readers.arrow_types import check_category_type
from craig_cli.readers.categories import check_categories
from craig_cli.readers.columns import Header
from craig_cli.readers.folders import partition_read, with_partition
from craig_cli.readers.formats import Reader
from craig_cli.readers.parquet_guard import check_stated, reading_limits
from craig_cli.readers.skipped import Skipped
from craig_cli.readers.sources import Source
from craig_cli.settings import InputSettings
from craig_cli.settings.inputs import fills_missing

if TYPE_CHECKING:
    from craig_cli.readers.gather import Reading

MAGIC, ENCRYPTED_MAGIC = b"PAR1", b"PARE"
COPY_AGAIN = "Copy or write the file again."
COLUMN_BYTES = 3_000_000
"""Buffers, a page and a dictionary of each column while a file is read."""


def read_blocks(
    source: Source, file: int, settings: InputSettings, skipped: Skipped, encoding: Encoding | None
) -> Iterator[Block]:
    """Yield the rows of one Parquet file, in blocks of about ``settings.block_bytes``.

    Dense rows, float32 if every feature is a float of at most 32 bits, else float64. Labels are
    int64, float64 or str objects. Uses label, no_label, task, drop, one_hot, weight_column,
    cost_column, on_error and block_bytes of `settings`.
    """
    with open_table(source) as table:
        partition = partition_read(source, settings)
        reader = BatchReader(source.name, table.schema_arrow, settings, encoding, partition)
        groups, first_row = row_groups(table, source.rows)
        first, last = source.rows or (0, table.metadata.num_rows)
        for batch in table.iter_batches(
            batch_size=reader.batch_rows(settings.block_bytes),
            row_groups=groups,
            columns=reader.stored,
        ):
            start, stop = max(first - first_row, 0), min(last - first_row, batch.num_rows)
            if start < stop:
                good = reader.good_rows(
                    batch.slice(start, stop - start), first_row + start, skipped
                )
                if good.num_rows:
                    yield reader.block(good, file)
            first_row += batch.num_rows


def read_columns(source: Source, settings: InputSettings) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file with all their columns."""
    with open_table(source) as table:
        n_columns = max(1, len(table.schema_arrow))
        yield from table.iter_batches(max(1, settings.block_bytes // (8 * n_columns)))


def row_groups(table: pq.ParquetFile, rows: tuple[int, int] | None) -> tuple[list[int] | None, int]:
    """Return the row groups that hold some rows (None: all), and the first row of these."""
    if rows is None:
        return None, 0
    starts = [0]
    for group in range(table.metadata.num_row_groups):
        starts.append(starts[-1] + table.metadata.row_group(group).num_rows)
    wanted = [g for g in range(len(starts) - 1) if starts[g] < rows[1] and starts[g + 1] > rows[0]]
    return wanted, starts[wanted[0]] if wanted else 0


def count_rows(source: Source) -> int:
    """Return the rows that the file states."""
    with open_table(source) as table:
        return int(table.metadata.num_rows)


def read_header(source: Source, settings: InputSettings) -> Header:
    """Return the names of the columns of a file, and those that are an index."""
    with open_table(source) as table:
        names, index_names = header_of(table.schema_arrow)
        partition = partition_read(source, settings)
        return Header([*names, *(entry.name for entry in partition)], index_names)


def collect_categories(
    source: Source, settings: InputSettings, encoding: Encoding
) -> dict[str, set[str]]:
    """Return the different values of each ``--one-hot`` column, as text."""
    with open_table(source) as table:
        partition = partition_read(source, settings)
        found = {
            name: {e.text for e in partition if e.name == name} for name in encoding.categories
        }
        stored = [name for name in found if not found[name]]
        for name in stored:
            check_category_type(source.name, name, table.schema_arrow.field(name).type)
        batches: Iterator[pa.RecordBatch] = iter(())
        if stored and (settings.on_error == "skip" or settings.missing == "skip"):
            reader = BatchReader(source.name, table.schema_arrow, settings, encoding, partition)
            reader.is_collecting = True
            n_rows = reader.batch_rows(settings.block_bytes)
            batches = (
                reader.good_rows(batch, 0, lambda row: None)
                for batch in table.iter_batches(batch_size=n_rows, columns=reader.stored)
            )
        elif stored:
            batches = table.iter_batches(columns=stored)
        for batch in batches:
            for name in stored:
                values = batch.column(name).unique().drop_null()
                found[name].update(as_text(source.name, name, values))
                if fills_missing(settings) and batch.column(name).null_count:
                    found[name].add("")
            check_categories(source.name, found, is_complete=False)
        return found


@contextmanager
def open_table(source: Source) -> Iterator[pq.ParquetFile]:
    """Give the file, opened; what goes wrong in reading it becomes an error that names it."""
    with source.open_raw() as stream:
        head = stream.read(len(MAGIC))
        stream.seek(0, os.SEEK_END)
        stream.seek(max(0, stream.tell() - len(MAGIC)))
        tail = stream.read()
        if ENCRYPTED_MAGIC in (head, tail):
            raise InputError(
                source.name, "the Parquet file is encrypted", remedy="Decrypt it first."
            )
        if head != MAGIC:
            raise InputError(
                source.name, "this is not a Parquet file", remedy="Give its format with --format."
            )
        if tail != MAGIC:
            raise InputError(source.name, "the Parquet file is truncated", remedy=COPY_AGAIN)
        limits = reading_limits(stream)
        try:
            with pq.ParquetFile(
                stream,
                pre_buffer=False,
                page_checksum_verification=True,
                **limits,
            ) as table:
                check_stated(source.name, table.metadata, stream)
                yield table
        except MemoryError as error:
            raise ResourceError(
                f"{printable(source.name)}: memory does not suffice to read this Parquet file: "
                f"{printable(str(error), 200)}"
            ) from error
        except (pa.ArrowException, OSError, ValueError) as error:
            problem = (
                f"the Parquet file is damaged or of an unknown kind: "
                f"{printable(str(error), 200).rstrip('.')}"
            )
            raise InputError(source.name, problem, remedy=COPY_AGAIN) from error


def read_as_written(reading: Reading, index: NDArray[np.int64], records: list[bytes]) -> pa.Table:
    """Return some rows, ascending, with all their columns, types and metadata.

    Memory: a block and the rows. Raises `InputError` where a file has changed since it was read,
    or two have other columns.
    """
    parts, schema, first_source = [], None, reading.sources[0]
    file_starts = reading.file_starts
    for file, source in enumerate(reading.sources):
        with open_table(source) as table:
            schema = table.schema_arrow if schema is None else schema
            if not table.schema_arrow.equals(schema):
                problem = f"its columns or their types differ from those of {first_source.name}"
                raise InputError(
                    source.name,
                    problem,
                    remedy="Write another format with --to, which takes the rows as numbers.",
                )
            row = int(file_starts[file])
            n_rows = max(1, reading.settings.block_bytes // (8 * max(1, len(schema))))
            for batch in table.iter_batches(batch_size=n_rows):
                first, last = np.searchsorted(index, [row, row + batch.num_rows])
                if first < last:
                    taken = batch.take(pa.array(index[first:last] - row))
                    partition = partition_read(source, reading.settings)
                    parts.append(with_partition(taken, partition))
                row += batch.num_rows
        if row != file_starts[file + 1]:
            raise InputError(
                source.name, "it changed while it was read", remedy="Run the command again."
            )
    return pa.Table.from_batches(parts, None if parts else schema)


READER = Reader(
    read_blocks,
    read_header=read_header,
    collect_categories=collect_categories,
    count_rows=count_rows,
    read_as_written=read_as_written,
    written_as="parquet",
    read_columns=read_columns,
    keeps_to_rows=True,
    column_bytes=COLUMN_BYTES,
)
