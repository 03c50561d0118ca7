"""Files of row numbers: one a line, from 0; blank lines and what follows a # do not count."""

from __future__ import annotations

import re

from craig_cli.errors import InputError
from craig_cli.readers.streams import read_whole
from craig_cli.storage.location import Location

NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


def read_row_numbers(path: str) -> tuple[int, ...]:
    """Return the row numbers in a file; ``-`` reads stdin.

    Raises `InputError` for a line that is none, or one that is there twice.
    """
    location = Location.of(path)
    source, data = location.source, read_whole(location)
    rows: dict[int, int] = {}
    for number, line in enumerate(data.decode(errors="backslashreplace").split("\n"), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        if not NUMBER.fullmatch(text):
            raise InputError(
                source,
                "this is not a row number",
                row=number,
                value=text,
                remedy="Write one whole number a line, counted from 0.",
            )
        if int(text) in rows:
            raise InputError(
                source,
                f"the row stands on line {rows[int(text)]} already",
                row=number,
                value=text,
                remedy="Name each row once.",
            )
        rows[int(text)] = number
    if not rows:
        raise InputError(
            source,
            "there are no row numbers",
            remedy="Write one whole number a line, or leave the option out.",
        )
    return tuple(rows)
