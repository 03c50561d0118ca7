"""Arrow record batches to dense blocks: Parquet files, and every table that Arrow can hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from craig_cli.dataset import Block, Labels
from craig_cli.errors import InputError, printable
from craig_cli.readers.amounts import first_unfit
from craig_cli.readers.arrow_types import check_types, is_list, is_number, storage_of
from craig_cli.readers.columns import Columns, option_of
from craig_cli.readers.formats import Categories
from craig_cli.readers.lists import first_bad_list, list_rows
from craig_cli.readers.numbers import (
    BlockCheck,
    first_unusable,
    first_unusable_label,
    numeric_labels,
)
from craig_cli.settings import InputSettings


@dataclass
class BatchReader:
    """Turns the batches of one file into blocks."""

    name: str
    schema: pa.Schema
    settings: InputSettings
    categories: Categories
    columns: Columns

    def __post_init__(self) -> None:
        check_types(self.name, self.schema, self.columns, self.settings.task)
        self.wanted = [
            *self.columns.features,
            *([] if self.columns.label is None else [self.columns.label]),
            *self.columns.amounts,
        ]
        kinds = [self.schema.field(name).type for name in self.columns.features]
        types = [storage_of(kind).value_type if is_list(kind) else kind for kind in kinds]
        is_single = (
            all(pa.types.is_float32(kind) or pa.types.is_float16(kind) for kind in types)
            and not self.columns.one_hot
        )
        self.dtype = np.dtype(np.float32 if is_single else np.float64)
        self.n_columns = len(self.columns.expanded(self.categories))

    def batch_rows(self, size: int) -> int:
        """Return how many rows take about `size` bytes as a block."""
        return max(1, size // (self.dtype.itemsize * max(1, self.n_columns)))

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
            elif name in self.columns.widths:
                width = self.columns.widths[name]
                rows[:, place : place + width] = list_rows(batch.column(name), width)
                place += width
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
        if name in self.columns.widths:
            bad = first_bad_list(batch.column(name), self.columns.widths[name])
            if bad is not None:
                self.add_fault(name, check, *bad)
            return
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
            self.add_fault(name, check, row, problem, str(numbers[row]))
        elif n_present < len(values):
            self.add_fault(name, check, n_present, "has no value in this row", None)

    def add_fault(
        self, name: str, check: BlockCheck, row: int, problem: str, value: str | None
    ) -> None:
        """Keep what is wrong with a value of a column, or, of None, with a row that has none."""
        remedy = "Fill it in" if value is None else "Correct it"
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
