"""Thrift's compact protocol, as far as it is needed to look into the footer of a Parquet file.

pyarrow ends the whole process where a footer's histograms do not fit its columns and somebody asks
for the facts of a column (26.0.1): so they are not asked for.
"""

from __future__ import annotations

from typing import Any

BOOLEANS, BYTE, WHOLE, DOUBLE, BINARY, LISTS, STRUCT = (1, 2), 3, (4, 5, 6), 7, 8, (9, 10), 12
LONG = 15
ROW_GROUPS, COLUMNS, FACTS, N_VALUES = 4, 1, 3, 5
"""Fields of the footer, of a row group, of a column in it, and of its facts."""


class Compact:
    """Bytes that are read from the front; what ends too early is an `IndexError`."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def byte(self) -> int:
        """Return the next byte."""
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        """Return the next whole number of any length."""
        value = shift = 0
        while (byte := self.byte()) > 127:
            value, shift = value | (byte & 127) << shift, shift + 7
        return value | byte << shift

    def value(self, kind: int) -> Any:
        """Return the next value; of texts and floats, which nobody needs, None."""
        if kind in WHOLE:
            value = self.varint()
            return (value >> 1) ^ -(value & 1)
        if kind == STRUCT:
            return self.struct()
        if kind in LISTS:
            head = self.byte()
            length = self.varint() if head >> 4 == LONG else head >> 4
            of = BYTE if head & 15 in BOOLEANS else head & 15
            return [self.value(of) for _ in range(length)]
        if kind not in BOOLEANS:
            size = self.varint() if kind == BINARY else {BYTE: 1, DOUBLE: 8}[kind]
            self.at += size
        return None

    def struct(self) -> dict[int, Any]:
        """Return the fields of a struct, by their numbers."""
        fields: dict[int, Any] = {}
        number = 0
        while head := self.byte():
            number = number + (head >> 4) if head >> 4 else self.value(WHOLE[0])
            fields[number] = self.value(head & 15)
        return fields


def values_stated(footer: bytes) -> list[list[int]]:
    """Return the number of values of each column, in each row group, that a footer states.

    Raises `ValueError` where it is none.
    """
    try:
        return [
            [column.get(FACTS, {}).get(N_VALUES, 0) for column in group.get(COLUMNS, ())]
            for group in Compact(footer).struct().get(ROW_GROUPS, ())
        ]
    except (LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("its footer is no Thrift") from error
