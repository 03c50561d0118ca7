"""Parquet tables with flat columns, to dense blocks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from craig_cli.dataset import Block, Labels
from craig_cli.errors import InputError, ResourceError, printable
from craig_cli.readers.amounts import first_unfit
from craig_cli.readers.columns import Columns, choose_columns, option_of
from craig_cli.readers.formats import Categories, Reader, Skipped
from craig_cli.readers.numbers import (
    BlockCheck,
    first_unusable,
    first_unusable_label,
    numeric_labels,
)
from craig_cli.readers.parquet_guard import check_stated, reading_limits
from craig_cli.readers.parquet_types import check_category_type, check_types, is_number
from craig_cli.readers.sources import Source
from craig_cli.settings import InputSettings

if TYPE_CHECKING:
    from craig_cli.readers.gather import Reading

MAGIC, ENCRYPTED_MAGIC = b"PAR1", b"PARE"
COPY_AGAIN = "Copy or write the file again."
COLUMN_BYTES = 3_000_000
"""Buffers, a page and a dictionary of each column while a file is read."""


def read_blocks(
    source: Source, file: int, settings: InputSettings, skipped: Skipped, categories: Categories
) -> Iterator[Block]:
    """Yield the rows of one Parquet file, in blocks of about ``settings.block_bytes``.

    Dense rows, float32 if every feature is a float of at most 32 bits, else float64. Labels are
    int64, float64 or str objects. A bad row is an error also under ``--on-error skip``, which is
    for rows of text. Uses label, no_label, task, drop, one_hot, weight_column, cost_column and
    block_bytes of `settings`.
    """
    with open_table(source) as table:
        reader = BatchReader(source.name, table.schema_arrow, settings, categories)
        groups, first_row = row_groups(table, source.rows)
        first, last = source.rows or (0, table.metadata.num_rows)
        for batch in reader.batches(table, settings.block_bytes, groups):
            start, stop = max(first - first_row, 0), min(last - first_row, batch.num_rows)
            if start < stop:
                yield reader.block(batch.slice(start, stop - start), first_row + start, file)
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


def count_rows(source: Source) -> int:
    """Return the rows that the file states."""
    with open_table(source) as table:
        return int(table.metadata.num_rows)


def column_names(
    source: Source, settings: InputSettings, categories: Categories
) -> tuple[str, ...]:
    """Return the names of the columns of the blocks that `read_blocks` would yield."""
    with open_table(source) as table:
        return choose_columns(source.name, table.schema_arrow.names, settings).expanded(categories)


def collect_categories(source: Source, settings: InputSettings) -> dict[str, set[str]]:
    """Return the different values of each ``--one-hot`` column, as text."""
    with open_table(source) as table:
        schema = table.schema_arrow
        columns = choose_columns(source.name, schema.names, settings)
        for name in columns.one_hot:
            check_category_type(source.name, name, schema.field(name).type)
        found: dict[str, set[str]] = {name: set() for name in columns.one_hot}
        if found:
            for batch in table.iter_batches(columns=list(found)):
                for name, values in found.items():
                    values.update(
                        as_text(source.name, name, batch.column(name).unique().drop_null())
                    )
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


@dataclass
class BatchReader:
    """Turns the batches of one file into blocks."""

    name: str
    schema: pa.Schema
    settings: InputSettings
    categories: Categories

    def __post_init__(self) -> None:
        self.columns: Columns = choose_columns(self.name, self.schema.names, self.settings)
        check_types(self.name, self.schema, self.columns, self.settings.task)
        self.wanted = [
            *self.columns.features,
            *([] if self.columns.label is None else [self.columns.label]),
            *self.columns.amounts,
        ]
        types = [self.schema.field(name).type for name in self.columns.features]
        is_single = (
            all(pa.types.is_float32(kind) or pa.types.is_float16(kind) for kind in types)
            and not self.columns.one_hot
        )
        self.dtype = np.dtype(np.float32 if is_single else np.float64)
        self.n_columns = len(self.columns.expanded(self.categories))

    def batches(
        self, table: pq.ParquetFile, size: int, groups: list[int] | None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the wanted columns of some row groups (None: all), about `size` bytes at a time."""
        n_rows = max(1, size // (self.dtype.itemsize * max(1, self.n_columns)))
        return (
            batch
            for batch in table.iter_batches(
                batch_size=n_rows, row_groups=groups, columns=self.wanted
            )
            if batch.num_rows
        )

    def block(self, batch: pa.RecordBatch, first_row: int, file: int) -> Block:
        """Return the rows and labels of a batch; raises `InputError` at the first bad row."""
        check = BlockCheck(self.name, first_row)
        for name in self.wanted:
            self.check_column(batch, name, check)
        check.raise_first()
        rows = np.zeros((batch.num_rows, self.n_columns), self.dtype)
        place = 0
        for name in self.columns.features:
            if name in self.columns.one_hot:
                rows[np.arange(batch.num_rows), place + self.codes(batch, name)] = 1
                place += len(self.categories[name])
            else:
                rows[:, place] = as_array(batch.column(name))
                place += 1
        amounts = {
            amount.field: as_array(batch.column(name)).astype(np.float64)
            for name, amount in self.columns.amounts.items()
        }
        return Block(rows, self.labels(batch), file, amounts.get("weights"), amounts.get("costs"))

    def codes(self, batch: pa.RecordBatch, name: str) -> NDArray[np.int64]:
        """Return the position of each value of a ``--one-hot`` column among its categories."""
        codes = pc.index_in(
            decoded(batch.column(name)).cast(pa.string()),
            value_set=pa.array(self.categories[name], pa.string()),
        )
        if codes.null_count:
            raise InputError(
                self.name,
                f"column '{printable(name)}' changed while it was read",
                remedy="Run the command again.",
            )
        return as_array(codes).astype(np.int64)

    def labels(self, batch: pa.RecordBatch) -> Labels | None:
        """Return the labels of a batch without faults."""
        if self.columns.label is None:
            return None
        values = decoded(batch.column(self.columns.label))
        if is_number(values.type):
            return numeric_labels(as_array(values), self.settings.task)
        labels = np.empty(len(values), object)
        labels[:] = as_text(self.name, self.columns.label, values)
        return labels

    def check_column(self, batch: pa.RecordBatch, name: str, check: BlockCheck) -> None:
        """Keep the fault of the first row of a column whose value is missing or cannot be used."""
        values, found = decoded(batch.column(name)), None
        n_present = int(np.argmax(as_array(values.is_null()))) if values.null_count else len(values)
        if is_number(values.type) and name not in self.columns.one_hot:
            numbers = as_array(values[:n_present])
            amount = self.columns.amounts.get(name)
            if amount is not None:
                found = first_unfit(numbers, amount)
            elif name == self.columns.label:
                found = first_unusable_label(numbers, self.settings.task)
            else:
                found = first_unusable(numbers)
        if found is not None:
            row, problem = found
            value, remedy = str(numbers[row]), "Correct it"
        elif n_present < len(values):
            row, problem, value, remedy = n_present, "has no value in this row", None, "Fill it in"
        else:
            return
        remedy += (
            f", remove the row, or drop the column with {option_of('--drop', [name])}."
            if name in self.columns.features
            else " or remove the row."
        )
        column = self.schema.names.index(name)
        check.add(f"{self.columns.called(name)} {problem}", row, value, column, remedy)


def decoded(values: pa.Array) -> pa.Array:
    """Return `values`, those of a dictionary written out."""
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def as_array(values: pa.Array) -> NDArray:
    """Return numbers or booleans without nulls as a numpy array."""
    array: NDArray = values.to_numpy(zero_copy_only=False)
    return array


def as_text(source_name: str, name: str, values: pa.Array) -> list[str]:
    """Return values without nulls as text."""
    try:
        texts: list[str] = decoded(values).cast(pa.string()).to_pylist()
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise InputError(
            source_name,
            f"column '{printable(name)}' holds text that is not UTF-8",
            remedy="Write it as UTF-8.",
        ) from error
    return texts


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
                    parts.append(batch.take(pa.array(index[first:last] - row)))
                row += batch.num_rows
        if row != file_starts[file + 1]:
            raise InputError(
                source.name, "it changed while it was read", remedy="Run the command again."
            )
    return pa.Table.from_batches(parts, schema)


READER = Reader(
    read_blocks,
    column_names=column_names,
    collect_categories=collect_categories,
    count_rows=count_rows,
    read_as_written=read_as_written,
    written_as="parquet",
    keeps_to_rows=True,
    column_bytes=COLUMN_BYTES,
)
