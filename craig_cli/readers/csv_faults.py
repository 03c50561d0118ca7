"""What is wrong with a row of delimited text, in words."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.errors import printable
from craig_cli.kernels import csv as kernels
from craig_cli.readers.columns import Columns, option_of
from craig_cli.readers.numbers import TOO_LARGE
from craig_cli.readers.texts import CORRECT, INFINITE, MISSING, NUMBER, SCALED

HEXADECIMAL = re.compile(r"[+-]?0x", re.IGNORECASE)


class Fault(NamedTuple):
    """A bad row: the byte and field (from 0) where it is bad, and the rest of its `InputError`."""

    at: int
    field: int | None
    problem: str
    value: str | None
    remedy: str
    can_skip: bool = True


class Layout(NamedTuple):
    """The columns of a file: all names, the kinds that the kernel knows, and which are read."""

    names: list[str]
    kinds: NDArray[np.int64]
    columns: Columns
    delimiter: str
    has_header: bool


def explain(layout: Layout, code: int, text: bytes, progress: NDArray[np.int64]) -> Fault:
    """Return what is wrong with the row where the kernel stopped."""
    at, field = int(progress[kernels.FAULT]), int(progress[kernels.FIELD])
    record = int(progress[kernels.RECORD])
    if code == kernels.UNCLOSED:
        remedy = "Close the quote; double the quotes within quoted fields."
        return Fault(at, field, "a quoted field is not closed", None, remedy, False)
    fields = split_record(text[record : int(progress[kernels.AT])], layout.delimiter)
    if code in (kernels.TOO_FEW, kernels.TOO_MANY):
        expected = f"{len(layout.names)} as the {'header' if layout.has_header else 'first row'}"
        problem = f"the row has {len(fields)} field{'s' if len(fields) > 1 else ''}, not {expected}"
        remedy = "Quote fields that hold delimiters, or drop the row with --on-error skip."
        return Fault(record, None, problem, None, remedy)
    problem, remedy = field_problem(layout, code, field, fields)
    return Fault(at, field, problem, fields[field] or None, remedy)


def field_problem(layout: Layout, code: int, field: int, fields: list[str]) -> tuple[str, str]:
    """Return what is wrong with a field, and what to do."""
    name, value = layout.names[field], fields[field]
    called = layout.columns.called(name)
    if code == kernels.AFTER_QUOTE:
        return (
            f"{called} goes on after its closing quote",
            "Double the quotes within quoted fields.",
        )
    if code == kernels.TOO_LARGE:
        return f"{called} {TOO_LARGE}", SCALED
    if code == kernels.EMPTY or MISSING.fullmatch(value):
        remedy = "Fill it in, or drop the row with --on-error skip."
        if name in layout.columns.features:
            remedy = (
                f"Fill it in, drop the row with --on-error skip, or the column with "
                f"{option_of('--drop', [name])}."
            )
        return f"{called} has no value in this row", remedy
    if INFINITE.fullmatch(value):
        return f"{called} is not finite", CORRECT
    if HEXADECIMAL.match(value):
        return f"{called} is a hexadecimal number", "Write decimal numbers."
    if "\0" in value:
        return f"{called} holds a NUL byte", "Check that the file is not damaged."
    wrong = [
        layout.names[k]
        for k in np.flatnonzero(layout.kinds == kernels.NUMERIC)
        if k >= field and not NUMBER.fullmatch(fields[k]) and not MISSING.fullmatch(fields[k])
    ]
    others = ", ".join(f"'{printable(other, 60)}'" for other in wrong)
    return (
        f"columns {others} hold text, not numbers"
        if len(wrong) > 1
        else f"{called} holds text, not a number",
        f"Use {option_of('--drop', wrong)} or {option_of('--one-hot', wrong)}, or drop "
        f"the row with --on-error skip.",
    )


def split_record(record: bytes, delimiter: str) -> list[str]:
    """Return the fields of one row, quotes taken off, as text to show."""
    characters, fields, at = np.frombuffer(record, np.uint8), [], 0
    while True:
        at = kernels.skip_blanks(characters, at, ord(delimiter))
        start, stop, _, at, state = kernels.scan_field(characters, at, ord(delimiter))
        while state == kernels.AFTER_QUOTE:
            _, stop, _, at, state = kernels.scan_field(characters, at, ord(delimiter))
        fields.append(record[start:stop].decode(errors="backslashreplace"))
        if record[at] != ord(delimiter):
            return fields
        at += 1
