"""The head of a delimited text: the names of its columns, and what cannot be one."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from craig_cli.errors import InputError, UsageError, printable
from craig_cli.readers.sources import Source
from craig_cli.readers.streams import line_end_of
from craig_cli.settings import InputSettings

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST_RECORD = 1 << 28
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
OTHER_DELIMITER = re.compile(r"[,;|\t]")
UNFIT_DELIMITERS = '0123456789+-.eE"\r\n\0'


class Head(NamedTuple):
    """The names of the columns, how many lines they take, the bytes read that hold rows, and how
    the line ends.
    """

    names: list[str]
    n_lines: int
    unread: bytes
    line_end: bytes


def delimiter_of(source: Source, settings: InputSettings) -> str:
    """Return the delimiter of a file.

    Raises `UsageError` for one that could be part of a number or of a quoted field.
    """
    delimiter = settings.delimiter or ("\t" if source.format == "tsv" else ",")
    if delimiter in UNFIT_DELIMITERS:
        raise UsageError(
            f"--delimiter: '{printable(delimiter)}' cannot separate numbers: use "
            f"another, such as ',' or ';'."
        )
    return delimiter


def read_head(stream: BinaryIO, name: str, delimiter: str, has_header: bool) -> Head:
    """Return the head of a table from the start of `stream`.

    Without a header the columns are named 1, 2, ... as the first row has fields.
    """
    lines: list[bytes] = []

    def decoded_lines() -> Iterator[str]:
        while line := stream.readline(LONGEST_RECORD):
            line = line if lines else line.removeprefix(BYTE_ORDER_MARK)
            lines.append(line)
            if CONTROL.search(line.replace(delimiter.encode(), b"")):
                raise not_text(name, len(lines), line)
            # Names are checked strictly; without a header only the fields are counted.
            yield line.decode(errors="strict" if has_header else "replace").replace("\r\n", "\n")

    try:
        for fields in csv.reader(
            decoded_lines(), delimiter=delimiter, skipinitialspace=True, strict=has_header
        ):
            names = [field.strip() for field in fields]
            if not any(names):
                continue
            check_names(name, names, delimiter, has_header, lines)
            if has_header:
                return Head(names, len(lines), b"", line_end_of(lines[-1]))
            unnamed, unread = [str(k + 1) for k in range(len(names))], b"".join(lines)
            return Head(unnamed, 0, unread, line_end_of(lines[-1]))
    except UnicodeDecodeError as error:
        raise not_text(name, len(lines), lines[-1]) from error
    except csv.Error as error:
        problem = f"the {'header' if has_header else 'first row'} cannot be read: {error}"
        remedy = "Check its quotes."
        if b"\r" in lines[-1].rstrip(b"\r\n"):
            problem = "bare carriage returns stand where lines should end"
            remedy = "Convert the line ends."
        raise InputError(name, problem, row=len(lines), remedy=remedy) from error
    raise InputError(name, "there are no rows", remedy="Give at least one row of data.")


def check_names(
    name: str, names: list[str], delimiter: str, has_header: bool, lines: list[bytes]
) -> None:
    """Raise `InputError` where the first fields are none, or are not those of a header."""
    problem, remedy = "", ""
    if len(names) == 1 and OTHER_DELIMITER.search(names[0]) and b'"' not in lines[-1]:
        problem = f"there is only one column, as no '{printable(delimiter)}' separates any"
        remedy = "Name the separator with --delimiter."
    elif (
        has_header
        and all(map(is_number, names))
        and not (len(set(names)) == len(names) and all(map(str.isdigit, names)))
    ):
        problem, remedy = "numbers stand where column names should", "Use --no-header."
    if problem:
        raise InputError(name, problem, row=len(lines), value=names[0], remedy=remedy)


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
        remedy="Check --format, or convert the file to UTF-8.",
    )
