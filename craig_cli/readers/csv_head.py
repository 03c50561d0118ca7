"""The head of a delimited text: the names of its columns, and what cannot be one."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from craig_cli.errors import InputError, UsageError, printable
from craig_cli.readers.csv_text import open_text
from craig_cli.readers.sources import Source
from craig_cli.readers.streams import line_end_of
from craig_cli.readers.texts import CONVERT, LINE_ENDS
from craig_cli.settings import InputSettings

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST_RECORD = 1 << 28
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
OTHER_DELIMITER = re.compile(r"[,;|\t]")
TOLD_DELIMITER = re.compile(rb'"?sep=([\x01-\x7f])"?[,;\t| ]*\r?\n', re.IGNORECASE)
"""The first line that Excel takes for the delimiter, and for no row."""
UNFIT_DELIMITERS = '0123456789+-.eE"\r\n\0'


class Head(NamedTuple):
    """The names of the columns, how many lines they take, the bytes read that hold rows, what
    separates fields, and how the line ends.
    """

    names: list[str]
    n_lines: int
    unread: bytes
    delimiter: str
    line_end: bytes


def head_of(source: Source, settings: InputSettings) -> Head:
    """Return the head of a file."""
    with open_text(source) as stream:
        return read_head(stream, source, settings)


def read_head(stream: BinaryIO, source: Source, settings: InputSettings) -> Head:
    """Return the head of a table from the start of `stream`.

    Without a header the columns are named 1, 2, ... as the first row has fields. Raises
    `UsageError` for a delimiter that could be part of a number or of a quoted field.
    """
    name, has_header = source.name, settings.header
    if settings.delimiter is not None:
        check_delimiter(settings.delimiter)
    first = stream.readline(LONGEST_RECORD).removeprefix(BYTE_ORDER_MARK)
    told = TOLD_DELIMITER.match(first)
    n_told = 0 if told is None else 1
    if told is not None:
        first = stream.readline(LONGEST_RECORD)
    while first and not first.strip():
        n_told += 1
        first = stream.readline(LONGEST_RECORD)
    delimiter = settings.delimiter or (
        found_delimiter(first, source.format, settings.decimal)
        if told is None
        else check_delimiter(told[1].decode())
    )
    lines: list[bytes] = []

    def decoded_lines() -> Iterator[str]:
        while line := (stream.readline(LONGEST_RECORD) if lines else first):
            lines.append(line)
            if CONTROL.search(line.replace(delimiter.encode(), b"")):
                raise not_text(name, n_told + len(lines), line)
            # Names are checked strictly; without a header only the fields are counted.
            yield line.decode(errors="strict" if has_header else "replace").replace("\r\n", "\n")

    try:
        for fields in csv.reader(
            decoded_lines(), delimiter=delimiter, skipinitialspace=True, strict=has_header
        ):
            names = [field.strip() for field in fields]
            if not any(names):
                continue
            n_lines = n_told + len(lines)
            check_names(Place(name, n_lines, lines[-1]), names, delimiter, has_header)
            if has_header:
                return Head(names, n_lines, b"", delimiter, line_end_of(lines[-1]))
            names = [str(k + 1) for k in range(len(names))]
            return Head(names, n_told, b"".join(lines), delimiter, line_end_of(lines[-1]))
    except UnicodeDecodeError as error:
        raise not_text(name, n_told + len(lines), lines[-1]) from error
    except csv.Error as error:
        problem = f"the {'header' if has_header else 'first row'} cannot be read: {error}"
        remedy = "Check its quotes."
        if b"\r" in lines[-1].rstrip(b"\r\n"):
            problem = "bare carriage returns stand where lines should end"
            remedy = f"Convert the line ends: {LINE_ENDS}."
        raise InputError(name, problem, row=n_told + len(lines), remedy=remedy) from error
    raise InputError(name, "there are no rows", remedy="Give at least one row of data.")


def check_delimiter(delimiter: str) -> str:
    """Return a delimiter; raises `UsageError` for one that may be part of a number."""
    if delimiter in UNFIT_DELIMITERS:
        raise UsageError(
            f"--delimiter: '{printable(delimiter)}' cannot separate numbers: use "
            f"another, such as ',' or ';'."
        )
    return delimiter


def found_delimiter(line: bytes, format_name: str, decimal: str) -> str:
    """Return what separates the fields of a first line: the usual character, unless it is not there
    and just one other of the usual ones is.

    So a file with semicolons is read as one, and no file that was read before is read otherwise.
    """
    usual = "\t" if format_name == "tsv" else "," if decimal != "," else ";"
    outside = re.sub(r'"[^"]*("|$)', "", line.decode(errors="replace").strip("\r\n"))
    if usual in outside:
        return usual
    others = [c for c in ";\t|," if c in outside and c != decimal]
    return others[0] if len(others) == 1 else usual


class Place(NamedTuple):
    """Where the head of a file ends."""

    name: str
    line: int
    text: bytes


def check_names(place: Place, names: list[str], delimiter: str, has_header: bool) -> None:
    """Raise `InputError` where the first fields are none, or are not those of a header."""
    problem, remedy = "", ""
    if len(names) == 1 and OTHER_DELIMITER.search(names[0]) and b'"' not in place.text:
        problem = f"there is only one column, as no '{printable(delimiter)}' separates any"
        found = [c for c in ",;|" if c in names[0]] + ["$'\\t'"] * ("\t" in names[0])
        shown = [c if c.startswith("$") else f"'{c}'" for c in found]
        remedy = f"Name the separator, with --delimiter {' or '.join(shown)}."
    elif (
        has_header
        and all(map(is_number, names))
        and not (len(set(names)) == len(names) and all(map(str.isdigit, names)))
    ):
        problem, remedy = "numbers stand where column names should", "Use --no-header."
    if problem:
        raise InputError(place.name, problem, row=place.line, value=names[0], remedy=remedy)


def is_number(text: str) -> bool:
    """Return whether `text` is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def not_text(name: str, line: int, content: bytes) -> InputError:
    """Return the error of a file of another format, or of another encoding."""
    seen = content[:61].decode(errors="backslashreplace")
    return InputError(
        name,
        "this is not UTF-8 text",
        row=line,
        value=seen,
        remedy=f"Check --format, or convert the file to UTF-8: {CONVERT.format('WINDOWS-1252')}.",
    )
