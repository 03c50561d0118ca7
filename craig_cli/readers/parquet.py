"""Parquet files: their batches, which `table_files` makes blocks of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from craig_cli.errors import InputError
from craig_cli.readers.parquet_guard import check_stated, reading_limits
from craig_cli.readers.sources import Source
from craig_cli.readers.table_files import naming_arrow_errors, table_reader

MAGIC, ENCRYPTED_MAGIC = b"PAR1", b"PARE"
COPY_AGAIN = "Copy or write the file again."
COLUMN_BYTES = 3_000_000
"""Buffers, a page and a dictionary of each column while a file is read."""


class ParquetTable:
    """A Parquet file that is open, as `table_files` reads it."""

    def __init__(self, file: pq.ParquetFile) -> None:
        self.file = file
        self.schema: pa.Schema = file.schema_arrow

    def count_rows(self) -> int:
        """Return the rows that the file states."""
        return int(self.file.metadata.num_rows)

    def batches(
        self, names: list[str] | None, n_rows: int, rows: tuple[int, int] | None = None
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yield the first row, and the rows, of batches, of the row groups that hold `rows`."""
        groups, first_row = row_groups(self.file, rows)
        for batch in self.file.iter_batches(batch_size=n_rows, row_groups=groups, columns=names):
            yield first_row, batch
            first_row += batch.num_rows


def row_groups(table: pq.ParquetFile, rows: tuple[int, int] | None) -> tuple[list[int] | None, int]:
    """Return the row groups that hold some rows (None: all), and the first row of these."""
    if rows is None:
        return None, 0
    starts = [0]
    for group in range(table.metadata.num_row_groups):
        starts.append(starts[-1] + table.metadata.row_group(group).num_rows)
    wanted = [g for g in range(len(starts) - 1) if starts[g] < rows[1] and starts[g + 1] > rows[0]]
    return wanted, starts[wanted[0]] if wanted else 0


@contextmanager
def open_table(source: Source) -> Iterator[ParquetTable]:
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
        problem = "the Parquet file is damaged or of an unknown kind"
        with (
            naming_arrow_errors(source.name, "Parquet", problem, COPY_AGAIN),
            pq.ParquetFile(
                stream, pre_buffer=False, page_checksum_verification=True, **limits
            ) as file,
        ):
            check_stated(source.name, file.metadata, stream)
            yield ParquetTable(file)


READER = table_reader(open_table, column_bytes=COLUMN_BYTES)
