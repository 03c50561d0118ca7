"""What a Parquet file may ask for by what its footer states: checked before a page is read.

A footer of a few bytes can state lists of millions, and a page of thirty bytes billions of values.
"""

from __future__ import annotations

import os
from typing import BinaryIO

import pyarrow.parquet as pq

from craig_cli.errors import InputError
from craig_cli.platform import available_bytes
from craig_cli.readers.thrift import values_stated
from craig_cli.settings import size_in_words

LEAST_BYTES = 2 << 30
"""Rows of up to this are read whatever is stored of them."""
MOST_EXPANSION = 2000
"""A column of one value is stored in next to nothing; all columns together hardly are."""
VALUE_BYTES = 8
TRAILER_BYTES = 8
FEWEST, LONGEST_TEXT = 1000, 1 << 20
LARGEST_FOOTER = 4 << 20
"""Of a file with lists: one that is larger is not looked through, which would take seconds."""
SMALL_BYTES, BUFFER_BYTES = 32 << 20, 1 << 20


def reading_limits(stream: BinaryIO) -> dict[str, int]:
    """Return arguments of ``ParquetFile`` that bound what sizes in the file make it ask for.

    No list has more elements than the footer has bytes. Leaves `stream` at its beginning.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - TRAILER_BYTES))
    footer = min(int.from_bytes(stream.read(4), "little"), size)
    stream.seek(0)
    return {
        "thrift_string_size_limit": max(footer, LONGEST_TEXT),
        "thrift_container_size_limit": max(footer, FEWEST),
        # A buffered stream makes room for what the header of a page states; a whole column does
        # not, and is small where the file is.
        "buffer_size": BUFFER_BYTES if size > SMALL_BYTES else 0,
    }


def check_stated(name: str, metadata: pq.FileMetaData, stream: BinaryIO) -> None:
    """Raise `InputError` for rows that the file cannot reasonably hold and memory does not."""
    file_bytes = stream.seek(0, os.SEEK_END)
    n_groups, stated = metadata.num_row_groups, metadata.num_rows
    if not 0 <= stated == sum(metadata.row_group(g).num_rows for g in range(n_groups)):
        raise InputError(
            name,
            "the Parquet file states other numbers of rows than its row groups",
            value=str(stated),
            remedy="Copy or write the file again.",
        )
    columns = range(metadata.num_columns)
    lists = [c for c in columns if metadata.schema.column(c).max_repetition_level > 0]
    n_values = stated * (metadata.num_columns - len(lists))
    if lists and metadata.serialized_size <= LARGEST_FOOTER:
        stream.seek(file_bytes - TRAILER_BYTES - metadata.serialized_size)
        groups = values_stated(stream.read(metadata.serialized_size))
        n_values += sum(sum(group[c] for c in lists if c < len(group)) for group in groups)
    n_bytes = VALUE_BYTES * n_values
    if n_bytes <= max(LEAST_BYTES, MOST_EXPANSION * file_bytes):
        return
    if n_bytes > (memory := available_bytes()):
        raise InputError(
            name,
            f"the Parquet file states {stated:,} rows, {size_in_words(n_bytes)} as numbers, but "
            f"stores {size_in_words(file_bytes)}, and memory is {size_in_words(memory)}",
            remedy="Check that the file is not damaged or made to do harm.",
        )
