"""Parquet files with anything in their Thrift: footers and headers of pages, changed and written
again.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Fields = list[list[Any]]
"""Of a struct: id, type, value. A list is [type of elements, length stated, elements]."""
BOOLEANS, WHOLE, DOUBLE, BINARY, LISTS, STRUCT = (1, 2), (4, 5, 6), 7, 8, (9, 10), 12
LONG_LIST = 15
MAGIC = b"PAR1"


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at, value, shift = at + 1, value | (byte & 127) << shift, shift + 7
        if byte < 128:
            return value, at


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def read_value(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in BOOLEANS:
        return kind == 1, at
    if kind in WHOLE:
        value, at = read_varint(data, at)
        return (value >> 1) ^ -(value & 1), at
    if kind == DOUBLE:
        return data[at : at + 8], at + 8
    if kind == BINARY:
        length, at = read_varint(data, at)
        return data[at : at + length], at + length
    if kind == STRUCT:
        return read_struct(data, at)
    assert kind in LISTS
    head, at = data[at], at + 1
    length, of, items = head >> 4, head & 15, []
    if length == LONG_LIST:
        length, at = read_varint(data, at)
    for _ in range(length):
        value, at = (data[at], at + 1) if of in BOOLEANS else read_value(data, at, of)
        items.append(value)
    return [of, length, items], at


def read_struct(data: bytes, at: int) -> tuple[Fields, int]:
    fields: Fields = []
    last = 0
    while (head := data[at]) != 0:
        at += 1
        last += head >> 4
        assert head >> 4
        value, at = read_value(data, at, head & 15)
        fields.append([last, head & 15, value])
    return fields, at + 1


def written_value(value: Any, kind: int) -> bytes:
    if kind in BOOLEANS:
        return b""
    if kind in WHOLE:
        return varint(((value << 1) ^ (value >> 63)) & (2**64 - 1))
    if kind == DOUBLE:
        return bytes(value)
    if kind == BINARY:
        return varint(len(value)) + value
    if kind == STRUCT:
        return written(value)
    of, length, items = value
    is_short = 0 <= length < LONG_LIST
    head = bytes([length << 4 | of]) if is_short else bytes([0xF0 | of]) + varint(length % 2**64)
    return head + b"".join(bytes([i]) if of in BOOLEANS else written_value(i, of) for i in items)


def written(fields: Fields) -> bytes:
    out, last = bytearray(), 0
    for number, kind, value in fields:
        out.append((number - last) << 4 | ((1 if value else 2) if kind in BOOLEANS else kind))
        out += written_value(value, kind)
        last = number
    return bytes([*out, 0])


def split(data: bytes) -> tuple[bytes, Fields]:
    """Return the pages of a file, and its footer."""
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    return data[:start], read_struct(data, start)[0]


def join(pages: bytes, footer: Fields) -> bytes:
    text = written(footer)
    return pages + text + len(text).to_bytes(4, "little") + MAGIC


def field(fields: Fields, number: int) -> list[Any]:
    """Return the entry of a field, whose last part is the value."""
    return next(entry for entry in fields if entry[0] == number)


def places(fields: Fields) -> Iterator[tuple[list[Any], int]]:
    """Yield where each whole number and each length of a list stands: a list, and a position."""
    for entry in fields:
        kind, value = entry[1], entry[2]
        if kind in WHOLE:
            yield entry, 2
        if kind == STRUCT:
            yield from places(value)
        if kind in LISTS:
            yield value, 1
            for at, item in enumerate(value[2]):
                if value[0] == STRUCT:
                    yield from places(item)
                if value[0] in WHOLE:
                    yield value[2], at


def small_file(table: pa.Table, **options: Any) -> bytes:
    """Return a table as a file with little in its footer."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, write_statistics=False, store_schema=False, **options)
    return buffer.getvalue()


def rows_of_one_value(n_rows: int, n_pages: int) -> bytes:
    """Return a whole file of one column ``x``: each page holds `n_rows` times 1.0."""
    data = small_file(pa.table({"x": [1.0] * 8}), compression="none")
    _, footer = split(data)
    (group,) = field(footer, 4)[2][2]
    (column,) = field(group, 1)[2][2]
    facts = field(column, 3)[2]
    dictionary, values = field(facts, 11)[2], field(facts, 9)[2]
    header, _ = read_struct(data, values)
    run = varint(n_rows << 1)
    body = (len(run) + 1).to_bytes(4, "little") + run + b"\1" + b"\1" + run + b"\0"
    for number in (2, 3):
        field(header, number)[2] = len(body)
    field(field(header, 5)[2], 1)[2] = n_rows
    pages = data[:values] + (written(header) + body) * n_pages
    for number in (6, 7):
        field(facts, number)[2] = len(pages) - dictionary
    for fields, number in ((facts, 5), (group, 3), (footer, 3)):
        field(fields, number)[2] = n_rows * n_pages
    return join(pages, footer)
