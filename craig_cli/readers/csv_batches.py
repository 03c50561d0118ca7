"""Delimited text as batches of text columns, for a look at what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import csv

from craig_cli.errors import InputError, printable
from craig_cli.readers.csv_head import read_head
from craig_cli.readers.csv_text import open_text
from craig_cli.readers.sources import Source
from craig_cli.readers.texts import TO_UTF8
from craig_cli.settings import InputSettings
from craig_cli.storage.remote import Wrapped

LEAST_BYTES = 16 << 20
"""Of text a batch: wide tables take long for each."""


class After(Wrapped):
    """Some bytes, and then those of a stream."""

    def __init__(self, first: bytes, stream: BinaryIO) -> None:
        super().__init__(stream)
        self.first = first

    def readinto(self, buffer: Any) -> int:
        data = self.first[: len(buffer)] or self.stream.read(len(buffer))
        self.first = self.first[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def read_batches(source: Source, settings: InputSettings) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file, every column as text; rows with too few or too many fields are
    passed over.
    """
    with open_text(source) as stream:
        head = read_head(stream, source, settings)
        try:
            with csv.open_csv(
                pa.PythonFile(After(head.unread, stream), mode="r"),
                read_options=csv.ReadOptions(
                    column_names=head.names,
                    block_size=max(settings.block_bytes, LEAST_BYTES),
                    use_threads=False,
                ),
                parse_options=csv.ParseOptions(
                    delimiter=head.delimiter,
                    newlines_in_values=True,
                    invalid_row_handler=lambda row: "skip",
                ),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(head.names, pa.string()), strings_can_be_null=False
                ),
            ) as batches:
                yield from batches
        except pa.ArrowInvalid as error:
            said = str(error)
            if "Empty CSV" in said:
                return
            if "UTF8" in said:
                raise InputError(source.name, "it is not UTF-8 text", remedy=TO_UTF8) from error
            problem = f"its rows cannot be told apart: {printable(said, 200).rstrip('.')}"
            raise InputError(source.name, problem, remedy="Check its quotes.") from error
