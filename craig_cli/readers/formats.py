"""What the reader of a format offers, and the readers by the names of their formats."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Block, Encoding
from craig_cli.readers.skipped import Skipped
from craig_cli.settings import InputSettings, check_name
from craig_cli.settings.catalog import FORMATS, names
from craig_cli.storage.location import Location

if TYPE_CHECKING:
    from craig_cli.readers.columns import Columns
    from craig_cli.readers.gather import Reading
    from craig_cli.readers.sources import Source


NAMELESS = dict.fromkeys(
    (
        "--drop",
        "--one-hot",
        "--features",
        "--weight-column",
        "--cost-column",
        "--id",
        "--missing",
        "--partition-columns",
    ),
    "columns of {format} files have no names. Convert the file to CSV or Parquet first.",
)
"""What formats without names of columns say of the options that name one."""


@dataclass(frozen=True)
class Reader:
    """What the module of a format offers, as its ``READER``.

    Parameters
    ----------
    read_blocks : callable
        Given a source, its position among the inputs, the settings, who is told of skipped rows,
        and the encoding: yields the rows in blocks of about ``settings.block_bytes``.
    refused : mapping of str to str
        Options that mean nothing for the format, and what to say of them.
    choose_columns : callable, optional
        Given a source, the settings, and the encoding if it is known: the columns that are read.
    collect_categories : callable, optional
        Given a source, the settings and an encoding without categories: the different values of
        each ``--one-hot`` column.
    count_rows : callable, optional
        Given a source: how many rows it states. Default: they are counted by reading.
    files_beside : callable, optional
        Given files and ``--label``: those among them that hold no rows, but what is read beside
        another.
    read_as_written : callable, optional
        Given a reading that is done, rows (ascending) and their texts, if the format has such:
        these rows as they stand in the files.
    has_index_0 : callable, optional
        Given a source and the settings, where indices may start at 0 or 1: whether 0 occurs.
    written_as : str
        What `read_as_written` gives; a writer that takes it has the same word.
    read_columns : callable, optional
        Given a source and the settings: the rows of a table as `pyarrow.RecordBatch`, as they are.
    keeps_to_rows : bool
        Whether blocks hold only the rows that the source asks for.
    needs_path : bool
        Whether the file is opened by its path, so that it must be on this machine.
    buffer_bytes : callable, optional
        Given a source and the settings: memory that a file takes while it is read, beside a block.
    """

    read_blocks: Callable[
        [Source, int, InputSettings, Skipped, Encoding | None],
        Iterator[Block],
    ]
    refused: Mapping[str, str] = field(default_factory=dict)
    choose_columns: Callable[[Source, InputSettings, Encoding | None], Columns] | None = None
    collect_categories: Callable[[Source, InputSettings, Encoding], dict[str, set[str]]] | None = (
        None
    )
    count_rows: Callable[[Source], int] | None = None
    files_beside: Callable[[Sequence[Location], str | None], Collection[Location]] | None = None
    read_as_written: Callable[[Reading, NDArray[np.int64], list[bytes]], Any] | None = None
    has_index_0: Callable[[Source, InputSettings], bool] | None = None
    written_as: str = ""
    read_columns: Callable[[Source, InputSettings], Iterator[Any]] | None = None
    keeps_to_rows: bool = False
    needs_path: bool = False
    buffer_bytes: Callable[[Source, InputSettings], int] | None = None


def reader_of(name: str) -> Reader:
    """Return the reader of a format, imported only now; raises `UsageError` for an unknown one."""
    check_name("--format", name, names(FORMATS))
    module = next(entry.reader for entry in FORMATS if entry.name == name)
    reader: Reader = importlib.import_module(f"craig_cli.readers.{module}").READER
    return reader
