"""What is wrong with a row of delimited text, in words."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.errors import printable
from craig_cli.kernels import csv as kernels
from craig_cli.readers.columns import Columns, option_of
from craig_cli.readers.csv_lexis import MISSING, MIXED, ODD, PYTHON, WORDS, Lexis, kind_of_text
from craig_cli.readers.numbers import TOO_LARGE
from craig_cli.readers.texts import CORRECT, INFINITE, LINE_ENDS, SCALED

HEXADECIMAL = re.compile(r"[+-]?0x", re.IGNORECASE)


class Fault(NamedTuple):
    """A bad row: the byte and field (from 0) where it is bad, and the rest of its `InputError`."""

    at: int
    field: int | None
    problem: str
    value: str | None
    remedy: str
    can_skip: bool = True
    is_missing: bool = False


class Layout(NamedTuple):
    """The columns of a file: all names, the kinds that the kernel knows, and which are read."""

    names: list[str]
    kinds: NDArray[np.int64]
    columns: Columns
    delimiter: str
    has_header: bool
    lexis: Lexis = PYTHON


def explain(layout: Layout, code: int, text: bytes, progress: NDArray[np.int64]) -> Fault:
    """Return what is wrong with the row where the kernel stopped."""
    at, field = int(progress[kernels.FAULT]), int(progress[kernels.FIELD])
    record = int(progress[kernels.RECORD])
    if code == kernels.UNCLOSED:
        remedy = "Close the quote; double the quotes within quoted fields."
        return Fault(at, field, "a quoted field is not closed", None, remedy, False)
    row = text[record : int(progress[kernels.AT])]
    fields = split_record(row, layout.delimiter)
    if code in (kernels.TOO_FEW, kernels.TOO_MANY):
        expected = f"{len(layout.names)} as the {'header' if layout.has_header else 'first row'}"
        problem = f"the row has {len(fields)} field{'s' if len(fields) > 1 else ''}, not {expected}"
        remedy = "Quote fields that hold delimiters, or drop the row with --on-error skip."
        if b"\r" in row.rstrip(b"\r\n"):
            problem = "bare carriage returns stand where lines should end"
            remedy = f"Convert the line ends: {LINE_ENDS}."
        return Fault(record, None, problem, None, remedy)
    called = layout.columns.called(layout.names[field])
    problem, remedy = {
        kernels.AFTER_QUOTE: (
            f"{called} goes on after its closing quote",
            "Double the quotes within quoted fields.",
        ),
        kernels.TOO_LARGE: (f"{called} {TOO_LARGE}", SCALED),
        kernels.EMPTY: no_value(layout, field),
    }[code]
    is_missing = code == kernels.EMPTY and layout.names[field] in layout.columns.features
    return Fault(at, field, problem, fields[field] or None, remedy, is_missing=is_missing)


def explain_cell(layout: Layout, kind: int, text: bytes, record: slice, field: int) -> Fault:
    """Return what is wrong with a row, given a field of a column of numbers that is none."""
    row = text[record]
    places = field_places(row, layout.delimiter)
    fields = [row[own].decode(errors="backslashreplace") for own in places]
    problem, remedy = field_problem(layout, kind, field, fields)
    at, value = record.start + places[field].start, fields[field] or None
    return Fault(at, field, problem, value, remedy, is_missing=kind == MISSING)


def field_problem(layout: Layout, kind: int, field: int, fields: list[str]) -> tuple[str, str]:
    """Return what is wrong with such a field, and what to do."""
    name, value, lexis = layout.names[field], fields[field], layout.lexis
    called = layout.columns.called(name)
    if kind == MISSING:
        return no_value(layout, field)
    if INFINITE.fullmatch(value):
        return f"{called} is not finite", CORRECT
    if lexis.plain(value) is not None and kind == ODD:
        return f"{called} {TOO_LARGE}", SCALED
    if HEXADECIMAL.match(value):
        return f"{called} is a hexadecimal number", "Write decimal numbers."
    if "\0" in value:
        return f"{called} holds a NUL byte", "Check that the file is not damaged."
    found = kind_of_text(value, lexis, layout.delimiter)
    if found is not None and kind == ODD:
        drop, one_hot = option_of("--drop", [name]), option_of("--one-hot", [name])
        return f"{called} {found[0]}", found[1].format(drop=drop, one_hot=one_hot)
    wrong = [
        layout.names[k]
        for k in np.flatnonzero(layout.kinds == kernels.NUMERIC)
        if k == field or (k > field and lexis.is_text(fields[k]))
    ]
    others = ", ".join(f"'{printable(other, 60)}'" for other in wrong)
    problem = f"{called} holds text, not a number"
    if len(wrong) > 1:
        problem = f"columns {others} hold text, not numbers"
    elif kind == MIXED and value.lower() not in WORDS:
        problem = f"{called} holds words for true and false above, and something else here"
    elif kind == MIXED:
        problem = f"{called} holds a word, and something else above"
    return problem, (
        f"Use {option_of('--drop', wrong)} or {option_of('--one-hot', wrong)}, or drop "
        f"the row with --on-error skip."
    )


def no_value(layout: Layout, field: int) -> tuple[str, str]:
    """Return what to say of a field without a value."""
    name = layout.names[field]
    remedy = "Fill it in, or drop the row with --on-error skip."
    if name in layout.columns.features:
        remedy = (
            f"Fill it in, say with --missing what stands for it, or drop the column with "
            f"{option_of('--drop', [name])}."
        )
    return f"{layout.columns.called(name)} has no value in this row", remedy


def split_record(record: bytes, delimiter: str) -> list[str]:
    """Return the fields of one row, quotes taken off, as text to show."""
    return [
        record[own].decode(errors="backslashreplace") for own in field_places(record, delimiter)
    ]


def field_places(record: bytes, delimiter: str) -> list[slice]:
    """Return where the fields of one row stand in it, without their quotes."""
    characters, places, at = np.frombuffer(record, np.uint8), [], 0
    while True:
        at = kernels.skip_blanks(characters, at, ord(delimiter))
        start, stop, _, at, state = kernels.scan_field(characters, at, ord(delimiter))
        while state == kernels.AFTER_QUOTE:
            _, stop, _, at, state = kernels.scan_field(characters, at, ord(delimiter))
        places.append(slice(start, stop))
        if record[at] != ord(delimiter):
            return places
        at += 1
