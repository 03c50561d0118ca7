"""Rows of text as they stand in their files, so that every column and every digit stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.errors import InputError
from craig_cli.readers.sources import Source
from craig_cli.settings import InputSettings

if TYPE_CHECKING:
    from craig_cli.readers.gather import Reading


class Records(NamedTuple):
    """Some rows of a text.

    The text, where each row starts and stops in it, and the line of the file that the text starts
    with (from 1).
    """

    text: bytes
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    line: int


def picked_records(
    reading: Reading,
    read_records: Callable[[Source, InputSettings], Iterator[Records]],
    index: NDArray[np.int64],
) -> list[bytes]:
    """Return the lines of some rows, each with its newline, as they stand in the files.

    Parameters
    ----------
    reading : Reading
        Done, so that it has told of the bad rows that are skipped.
    read_records : callable
        Yields the rows of one file, bad ones too.
    index : ndarray of int64
        Ascending.

    Raises
    ------
    InputError
        A file has changed since it was read.

    Notes
    -----
    Memory: a block and the rows.
    """
    records: list[bytes] = []
    file_starts = reading.file_starts
    for file, source in enumerate(reading.sources):
        bad = np.array(
            sorted({e.row for e in reading.skipped if e.source == source.name and e.row}), np.int64
        )
        row = int(file_starts[file])
        for part in read_records(source, reading.settings):
            part = without_bad_rows(part, bad)
            first, last = np.searchsorted(index, [row, row + len(part.starts)])
            local = index[first:last] - row
            records += [
                part.text[a:b]
                for a, b in zip(
                    part.starts[local].tolist(), part.stops[local].tolist(), strict=True
                )
            ]
            row += len(part.starts)
        check_unchanged(source, row, int(file_starts[file + 1]))
    return records


def without_bad_rows(part: Records, bad_lines: NDArray[np.int64]) -> Records:
    """Return the rows that have none of the lines named, ascending."""
    if len(bad_lines) == 0:
        return part
    newlines = np.flatnonzero(np.frombuffer(part.text, np.uint8) == ord("\n"))
    first, last = (
        part.line + np.searchsorted(newlines, places) for places in (part.starts, part.stops - 1)
    )
    is_good = np.searchsorted(bad_lines, first) == np.searchsorted(bad_lines, last, side="right")
    return part._replace(starts=part.starts[is_good], stops=part.stops[is_good])


def places(text: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return room for the places of all rows of a text."""
    n_lines = text.count(b"\n")
    return np.empty(n_lines, np.int64), np.empty(n_lines, np.int64)


def check_unchanged(source: Source, stop: int, expected: int) -> None:
    """Raise `InputError` unless a file has ended at the row at which it did before."""
    if stop != expected:
        raise InputError(
            source.name, "it changed while it was read", remedy="Run the command again."
        )
