"""Arrow record batches to dense blocks: Parquet files, and every table that Arrow can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from craig_cli.dataset import Block, Encoding, Labels
from craig_cli.errors import InputError, printable
from craig_cli.readers.amounts import unfit
from craig_cli.readers.arrow_types import check_types, is_list, is_number, storage_of
from craig_cli.readers.columns import UNSEEN_REMEDY, Columns, option_of
from craig_cli.readers.folders import Partition, with_partition
from craig_cli.readers.lists import as_array, bad_lists, list_rows
from craig_cli.readers.numbers import (
    BlockCheck,
    numeric_labels,
    unusable,
    unusable_labels,
)
from craig_cli.readers.skipped import Skipped
from craig_cli.settings import InputSettings
from craig_cli.settings.inputs import fills_missing

ROWS_WORTHWHILE = 4096
"""A batch of fewer costs more by the number of its columns than by that of its values."""


@dataclass
class BatchReader:
    """Turns the batches of one file into blocks."""

    name: str
    schema: pa.Schema
    settings: InputSettings
    columns: Columns
    encoding: Encoding | None = None
    partition: Sequence[Partition] = ()
    is_collecting: bool = False

    def __post_init__(self) -> None:
        stored = set(self.schema.names)
        one_hot = self.columns.one_hot
        empty = with_partition(self.schema.empty_table(), self.partition, one_hot)
        self.schema = empty.schema
        self.categories = {} if self.encoding is None else self.encoding.categories
        self.fills = {} if self.encoding is None else self.encoding.fills
        check_types(self.name, self.schema, self.columns, self.settings.task)
        self.wanted = [
            *self.columns.features,
            *([] if self.columns.label is None else [self.columns.label]),
            *([] if self.columns.id is None else [self.columns.id]),
            *self.columns.amounts,
        ]
        self.n_filled: dict[str, int] = {}
        self.stored = [name for name in self.wanted if name in stored]
        kinds = [self.schema.field(name).type for name in self.columns.features]
        types = [storage_of(kind).value_type if is_list(kind) else kind for kind in kinds]
        is_single = (
            all(pa.types.is_float32(kind) or pa.types.is_float16(kind) for kind in types)
            and not self.columns.one_hot
        )
        self.dtype = np.dtype(np.float32 if is_single else np.float64)
        self._last: tuple[pa.RecordBatch | None, NDArray[np.floating] | None] = None, None
        self._is_matrix = (
            kinds[:1] in ([pa.float32()], [pa.float64()])
            and kinds.count(kinds[0]) == len(kinds)
            and stored.issuperset(self.columns.features)
        )
        widths = self.columns.widths
        self.n_columns = sum(
            widths[name] if name in widths else len(self.categories.get(name, (name,)))
            for name in self.columns.features
        )

    def batch_rows(self, size: int) -> int:
        """Return how many rows take about `size` bytes as a block; of many columns, which each cost
        something a batch, up to four times as many.
        """
        width = self.dtype.itemsize * max(1, self.n_columns)
        return max(1, min(max(size // width, ROWS_WORTHWHILE), 4 * size // width))

    def good_rows(self, batch: pa.RecordBatch, first_row: int, skipped: Skipped) -> pa.RecordBatch:
        """Return the rows of a batch that can be used, with the columns of the folders.

        Raises `InputError` at the first bad row unless those are skipped.
        """
        batch = with_partition(batch, self.partition, self.columns.one_hot)
        check, missing = BlockCheck(self.name, first_row), BlockCheck(self.name, first_row)
        features = self.matrix(batch)
        is_sound = features is not None and not unusable(features)
        for name in self.wanted[len(self.columns.features) if is_sound else 0 :]:
            if name != self.columns.id:
                may_miss = self.settings.missing == "skip" and name in self.columns.features
                self.check_column(batch, name, check, missing if may_miss else check)
        if self.settings.on_error == "stop":
            check.raise_first()
        check.faults += missing.faults
        kept = check.settle(batch.num_rows, "skip", skipped)
        filled, self.n_filled = self.filled(batch if kept is None else batch.take(pa.array(kept)))
        return filled

    def filled(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, dict[str, int]]:
        """Return a batch with numbers in place of those that are missing, and texts in place of
        missing categories, as the encoding says; and how many numbers those are, by column.
        """
        counts = {}
        for name in filter(self.is_filled, self.columns.features):
            values = decoded(batch.column(name))
            place = batch.schema.names.index(name)
            if name in self.columns.one_hot:
                texts = values.cast(pa.string()).fill_null("")
                batch = batch.set_column(place, name, texts)
            else:
                lacks = lacking(values)
                if lacks.any():
                    kind = values.type if pa.types.is_floating(values.type) else pa.float64()
                    numbers = as_array(values.cast(kind).fill_null(0)).copy()
                    numbers[lacks] = self.fills[name]
                    counts[name] = int(lacks.sum())
                    batch = batch.set_column(place, name, pa.array(numbers))
        return batch, counts

    def matrix(self, batch: pa.RecordBatch) -> NDArray[np.floating] | None:
        """Return the features of a batch, (n, d), where all are floats of one type and none is
        null; else None. So many columns are taken at once, faster than one by one.
        """
        if self._last[0] is not batch:
            self._last = batch, None
            if self._is_matrix and batch.num_rows:
                own = batch.select(self.columns.features)
                if not any(column.null_count for column in own.columns):
                    rows = np.require(own.to_tensor().to_numpy(), self.dtype, ("C", "W"))
                    self._last = batch, rows
        return self._last[1]

    def block(self, batch: pa.RecordBatch, file: int) -> Block:
        """Return the rows and labels of a batch without faults."""
        place, unseen, whole = 0, {}, self.matrix(batch)
        if whole is None:
            new = np.zeros if self.columns.one_hot else np.empty
            rows = new((batch.num_rows, self.n_columns), self.dtype)
        else:
            rows = whole
        for name in self.columns.features if whole is None else ():
            if name in self.columns.one_hot:
                codes, unseen[name] = self.codes(batch, name)
                known = np.flatnonzero(codes >= 0)
                rows[known, place + codes[known]] = 1
                place += len(self.categories[name])
            elif name in self.columns.widths:
                width = self.columns.widths[name]
                rows[:, place : place + width] = list_rows(batch.column(name), width)
                place += width
            else:
                rows[:, place] = as_array(batch.column(name))
                place += 1
        beside: dict[str, Any] = {
            amount.field: as_array(batch.column(name)).astype(np.float64)
            for name, amount in self.columns.amounts.items()
        }
        beside["ids"] = self.ids(batch)
        return Block(rows, self.labels(batch), file, **beside, unseen=unseen, filled=self.n_filled)

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

    def is_filled(self, name: str) -> bool:
        """Return whether something stands for what is missing in a column."""
        if name in self.columns.one_hot:
            return fills_missing(self.settings)
        return name in self.fills

    def check_column(
        self, batch: pa.RecordBatch, name: str, check: BlockCheck, missing: BlockCheck
    ) -> None:
        """Keep the faults of the rows whose value of a column cannot be used, or is missing."""
        if name in self.columns.widths:
            faults = bad_lists(batch.column(name), self.columns.widths[name])
            for rows, problem, shown, is_missing in faults:
                self.add_faults(missing if is_missing else check, name, problem, rows, shown)
            return
        values = decoded(batch.column(name))
        present = np.arange(len(values))
        is_filled = self.is_filled(name)
        takes_nan = is_filled or missing is not check
        lacks = lacking(values) if takes_nan else as_array(values.is_null())
        if lacks.any():
            present, without = np.flatnonzero(~lacks), np.flatnonzero(lacks)
            if not is_filled:
                self.add_faults(missing, name, "has no value in this row", without, None)
            values = values.filter(pa.array(~lacks))
        if name in self.columns.one_hot:
            self.check_categories(values, name, present, check)
        elif is_number(values.type):
            numbers = as_array(values)
            amount = self.columns.amounts.get(name)
            if amount is not None:
                found = unfit(numbers, amount)
            elif name == self.columns.label:
                found = unusable_labels(numbers, self.settings.task)
            else:
                found = unusable(numbers)
            for bad, problem in found:
                self.add_faults(check, name, problem, present[bad], numbers[bad])

    def check_categories(
        self, values: pa.Array, name: str, present: NDArray[np.int64], check: BlockCheck
    ) -> None:
        """Keep the faults of the rows whose category the encoding does not know."""
        if self.settings.unseen == "zeros" or self.encoding is None or self.is_collecting:
            return
        known = pa.array(self.categories[name], pa.string())
        texts = values.cast(pa.string())
        is_new = as_array(pc.invert(pc.is_in(texts, value_set=known)))
        if is_new.any():
            problem = f"holds a value that {printable(self.encoding.origin)} does not know"
            shown = np.array(texts.filter(pa.array(is_new)).to_pylist(), object)
            self.add_faults(check, name, problem, present[is_new], shown, UNSEEN_REMEDY)

    def add_faults(
        self,
        check: BlockCheck,
        name: str,
        problem: str,
        rows: NDArray[np.int64],
        values: NDArray | None,
        remedy: str = "",
    ) -> None:
        """Keep the faults of some rows in a column; values of None are missing."""
        usual = ("Fill it in" if values is None else "Correct it") + (
            f", remove the row, or drop the column with {option_of('--drop', [name])}."
            if name in self.columns.features
            else " or remove the row."
        )
        columns = np.full(len(rows), self.schema.names.index(name))
        called = self.columns.called(name)
        check.add(f"{called} {problem}", rows, values, columns, remedy or usual, called=name)


def lacking(values: pa.Array) -> NDArray[np.bool_]:
    """Return whether each value is missing: null, or a NaN."""
    lacks: NDArray[np.bool_] = as_array(values.is_null())
    if pa.types.is_floating(values.type):
        lacks = lacks | as_array(pc.is_nan(values).fill_null(False))
    return lacks


def decoded(values: pa.Array) -> pa.Array:
    """Return `values`, those of a dictionary written out."""
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


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
