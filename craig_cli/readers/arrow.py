"""Arrow record batches to dense blocks: Parquet files, and every table that Arrow can hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from craig_cli.dataset import Block, Encoding, Labels
from craig_cli.errors import InputError, printable
from craig_cli.readers.amounts import first_unfit
from craig_cli.readers.arrow_types import check_types, is_number
from craig_cli.readers.columns import UNSEEN_REMEDY, Columns, Header, choose_columns, option_of
from craig_cli.readers.folders import Partition, with_partition
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
    encoding: Encoding | None = None
    partition: Sequence[Partition] = ()

    def __post_init__(self) -> None:
        stored = set(self.schema.names)
        one_hot = self.settings.one_hot
        empty = with_partition(self.schema.empty_table(), self.partition, one_hot)
        self.schema = empty.schema
        self.columns: Columns = choose_columns(
            self.name, header_of(self.schema), self.settings, self.encoding
        )
        self.categories = {} if self.encoding is None else self.encoding.categories
        check_types(self.name, self.schema, self.columns, self.settings.task)
        self.wanted = [
            *self.columns.features,
            *([] if self.columns.label is None else [self.columns.label]),
            *([] if self.columns.id is None else [self.columns.id]),
            *self.columns.amounts,
        ]
        self.stored = [name for name in self.wanted if name in stored]
        types = [self.schema.field(name).type for name in self.columns.features]
        is_single = (
            all(pa.types.is_float32(kind) or pa.types.is_float16(kind) for kind in types)
            and not self.columns.one_hot
        )
        self.dtype = np.dtype(np.float32 if is_single else np.float64)
        self.n_columns = sum(
            len(self.categories.get(name, (name,))) for name in self.columns.features
        )

    def batch_rows(self, size: int) -> int:
        """Return how many rows take about `size` bytes as a block."""
        return max(1, size // (self.dtype.itemsize * max(1, self.n_columns)))

    def block(self, batch: pa.RecordBatch, first_row: int, file: int) -> Block:
        """Return the rows and labels of a batch; raises `InputError` at the first bad row."""
        batch = with_partition(batch, self.partition, self.columns.one_hot)
        check = BlockCheck(self.name, first_row)
        for name in self.wanted:
            if name != self.columns.id:
                self.check_column(batch, name, check)
        check.raise_first()
        rows = np.zeros((batch.num_rows, self.n_columns), self.dtype)
        place, unseen = 0, {}
        for name in self.columns.features:
            if name in self.columns.one_hot:
                codes, unseen[name] = self.codes(batch, name)
                known = np.flatnonzero(codes >= 0)
                rows[known, place + codes[known]] = 1
                place += len(self.categories[name])
            else:
                rows[:, place] = as_array(batch.column(name))
                place += 1
        beside: dict[str, Any] = {
            amount.field: as_array(batch.column(name)).astype(np.float64)
            for name, amount in self.columns.amounts.items()
        }
        beside["ids"] = self.ids(batch)
        return Block(rows, self.labels(batch), file, **beside, unseen=unseen)

    def ids(self, batch: pa.RecordBatch) -> pa.Array | None:
        """Return the ids of a batch: whole numbers, or text."""
        if self.columns.id is None:
            return None
        values = decoded(batch.column(self.columns.id))
        if pa.types.is_integer(values.type) and not values.null_count:
            return values.cast(pa.int64())
        return pa.array(as_text(self.name, self.columns.id, values.cast(pa.string()).fill_null("")))

    def codes(self, batch: pa.RecordBatch, name: str) -> tuple[NDArray[np.int64], dict[str, int]]:
        """Return the position of each value of a ``--one-hot`` column among its categories, -1 for
        one that is not there, and such values with how often each occurs.
        """
        values = decoded(batch.column(name)).cast(pa.string())
        codes = pc.index_in(values, value_set=pa.array(self.categories[name], pa.string()))
        counts = pc.value_counts(values.filter(codes.is_null()))
        unseen = dict(
            zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True)
        )
        return as_array(codes.fill_null(-1)).astype(np.int64), unseen

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
        present, remedy = values[:n_present], "Correct it"
        if name in self.columns.one_hot:
            found, remedy = self.first_unseen(present, name), UNSEEN_REMEDY
        elif is_number(values.type):
            present = as_array(present)
            amount = self.columns.amounts.get(name)
            if amount is not None:
                found = first_unfit(present, amount)
            elif name == self.columns.label:
                found = first_unusable_label(present, self.settings.task)
            else:
                found = first_unusable(present)
        if found is not None:
            row, problem = found
            value: str | None = str(present[row])
        elif n_present < len(values):
            row, problem, value, remedy = n_present, "has no value in this row", None, "Fill it in"
        else:
            return
        if remedy != UNSEEN_REMEDY:
            remedy += (
                f", remove the row, or drop the column with {option_of('--drop', [name])}."
                if name in self.columns.features
                else " or remove the row."
            )
        column = self.schema.names.index(name)
        check.add(f"{self.columns.called(name)} {problem}", row, value, column, remedy)

    def first_unseen(self, values: pa.Array, name: str) -> tuple[int, str] | None:
        """Return the first value of a ``--one-hot`` column that is not to be there, and why."""
        if self.settings.unseen == "zeros" or self.encoding is None:
            return None
        known = pa.array(self.categories[name], pa.string())
        is_new = as_array(pc.invert(pc.is_in(values.cast(pa.string()), value_set=known)))
        if not is_new.any():
            return None
        return int(
            is_new.argmax()
        ), f"holds a value that {printable(self.encoding.origin)} does not know"


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
