"""Rows of text and of Parquet tables as they stand: nothing of them is parsed, so that every column
and every digit stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.errors import InputError
from craig_cli.kernels.bounds import line_bounds, record_bounds
from craig_cli.readers.csv import delimiter_of, read_head
from craig_cli.readers.gather import Reading
from craig_cli.readers.libsvm import whole_lines
from craig_cli.readers.sources import Source
from craig_cli.settings import InputSettings

if TYPE_CHECKING:
    import pyarrow as pa


class Records(NamedTuple):
    """Some rows of a text: the text, where each row starts and stops in it, and the line of the
    file that the text starts with (from 1).
    """

    text: bytes
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    line: int


def picked_records(
    reading: Reading,
    settings: InputSettings,
    index: NDArray[np.int64],
    file_starts: NDArray[np.int64],
) -> list[bytes]:
    """Return the lines of some rows, each with its newline, as they stand in the files of a reading
    that has been read to its end.

    Parameters
    ----------
    reading : Reading
        Of LIBSVM files only, or of delimited ones only; has told of the bad rows that are skipped.
    settings : InputSettings
        Those of the reading.
    index : ndarray of int64
        Ascending.
    file_starts : ndarray of int64, shape (n_files + 1,)

    Raises
    ------
    InputError
        A file has changed since it was read.

    Notes
    -----
    Memory: a block and the rows.
    """
    records: list[bytes] = []
    for file, source in enumerate(reading.sources):
        bad = np.array(
            sorted(
                {
                    error.row
                    for error in reading.skipped
                    if error.source == source.name and error.row is not None
                }
            ),
            np.int64,
        )
        row = int(file_starts[file])
        for part in read_records(source, settings):
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
        if row != file_starts[file + 1]:
            raise InputError(
                source.name, "it changed while it was read", remedy="Run the command again."
            )
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


def read_records(source: Source, settings: InputSettings) -> Iterator[Records]:
    """Yield the rows of a text file in blocks of about ``settings.block_bytes``, bad ones too."""
    with source.open() as stream:
        if source.format == "libsvm":
            line = 1
            for text in whole_lines(stream, settings.block_bytes, source.name):
                starts, stops = places(text)
                n = line_bounds(np.frombuffer(text, np.uint8), starts, stops)
                yield Records(text, starts[:n], stops[:n], line)
                line += text.count(b"\n")
            return
        delimiter = delimiter_of(source, settings)
        head = read_head(stream, source.name, delimiter, settings.header)
        line, tail = head.n_lines + 1, head.unread
        for piece in chain(iter(partial(stream.read, settings.block_bytes), b""), [None]):
            tail += (b"" if tail.endswith(b"\n") or not tail else b"\n") if piece is None else piece
            text = tail[: tail.rfind(b"\n") + 1]
            starts, stops = places(text)
            n, n_used = record_bounds(np.frombuffer(text, np.uint8), ord(delimiter), starts, stops)
            if n:
                yield Records(text, starts[:n], stops[:n], line)
            line += text.count(b"\n", 0, n_used)
            tail = tail[n_used:]


def places(text: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return room for the places of all rows of a text."""
    n_lines = text.count(b"\n")
    return np.empty(n_lines, np.int64), np.empty(n_lines, np.int64)


def header_names(source: Source, settings: InputSettings) -> list[str]:
    """Return the names of all columns of a delimited file."""
    with source.open() as stream:
        return read_head(stream, source.name, delimiter_of(source, settings), settings.header).names


def picked_table(
    reading: Reading,
    settings: InputSettings,
    index: NDArray[np.int64],
    file_starts: NDArray[np.int64],
) -> pa.Table:
    """Return some rows of Parquet files with all their columns, types and metadata; parameters and
    memory as those of `picked_records`.
    """
    import pyarrow as pa

    from craig_cli.readers.parquet import open_table

    parts, schema, first_source = [], None, reading.sources[0]
    for file, source in enumerate(reading.sources):
        with open_table(source) as table:
            schema = table.schema_arrow if schema is None else schema
            if not table.schema_arrow.equals(schema):
                problem = f"its columns or their types differ from those of {first_source.name}"
                raise InputError(
                    source.name,
                    problem,
                    remedy="Write another format with --to, which takes the rows as numbers.",
                )
            row = int(file_starts[file])
            for batch in table.iter_batches(
                batch_size=max(1, settings.block_bytes // (8 * max(1, len(schema))))
            ):
                first, last = np.searchsorted(index, [row, row + batch.num_rows])
                if first < last:
                    parts.append(batch.take(pa.array(index[first:last] - row)))
                row += batch.num_rows
        if row != file_starts[file + 1]:
            raise InputError(
                source.name, "it changed while it was read", remedy="Run the command again."
            )
    return pa.Table.from_batches(parts, schema)
