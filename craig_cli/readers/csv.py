"""Delimited text (CSV, TSV) to dense blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import compress
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from craig_cli.dataset import Block, Encoding, Lines, RowTexts
from craig_cli.errors import InputError
from craig_cli.kernels import csv as kernels
from craig_cli.readers.categories import check_categories
from craig_cli.readers.columns import Columns, Header, choose_columns
from craig_cli.readers.csv_cells import Cells
from craig_cli.readers.csv_faults import Fault, Layout, explain
from craig_cli.readers.csv_folders import Folders, with_folders
from craig_cli.readers.csv_head import LONGEST_RECORD, head_of, read_head
from craig_cli.readers.csv_lexis import Lexis
from craig_cli.readers.csv_text import open_text
from craig_cli.readers.csv_texts import TextFields, expand
from craig_cli.readers.folders import partition_read
from craig_cli.readers.formats import Reader
from craig_cli.readers.skipped import Skipped, SkippedRow
from craig_cli.readers.sources import Source
from craig_cli.readers.streams import read_ahead
from craig_cli.settings import InputSettings
from craig_cli.settings.inputs import fills_missing

if TYPE_CHECKING:
    from craig_cli.readers.gather import Reading

MOST_HARD = 1 << 16
"""Fields that the kernel leaves to Python at a time."""


def read_blocks(
    source: Source, file: int, settings: InputSettings, skipped: Skipped, encoding: Encoding | None
) -> Iterator[Block]:
    """Yield the rows of one CSV or TSV file, in blocks of about ``settings.block_bytes`` of text.

    Dense float64 rows, with labels as str objects (float64 for regression), or None under
    ``--no-label``; and their weights and costs. Uses label, no_label, task, drop, one_hot,
    weight_column, cost_column, delimiter, header, on_error and block_bytes of `settings`.
    """
    parser = Parser(source, settings, skipped, encoding)
    for rows, texts, row_texts, unseen, filled in parser.tables():
        columns = parser.layout.columns
        labels: NDArray | None = None
        if columns.label is not None:
            labels = np.array(
                texts[columns.label],
                dtype=np.float64 if settings.task == "regression" else np.object_,
            )
        amounts = {
            amount.field: np.array(texts[name], np.float64)
            for name, amount in columns.amounts.items()
        }
        ids = None if columns.id is None else pa.array(texts[columns.id], pa.string())
        beside: dict[str, Any] = {**amounts, "unseen": unseen, "filled": filled}
        yield Block(rows, labels, file, **beside, texts=row_texts, ids=ids)


def columns_of(source: Source, settings: InputSettings, encoding: Encoding | None) -> Columns:
    """Return the columns to read of a file, those of its folders among them."""
    names = head_of(source, settings).names
    header = Header(names + [entry.name for entry in partition_read(source, settings)])
    return choose_columns(source.name, header, settings, encoding)


def collect_categories(
    source: Source, settings: InputSettings, encoding: Encoding
) -> dict[str, set[str]]:
    """Return the different values of each ``--one-hot`` column in the rows of `read_blocks`."""
    parser = Parser(source, settings, lambda row: None, encoding, is_collecting=True)
    found: dict[str, set[str]] = {name: set() for name in encoding.categories}
    for table in parser.tables():
        for name, values in found.items():
            values.update(table.columns[name])
        check_categories(source.name, found, is_complete=False)
    return found


def read_columns(source: Source, settings: InputSettings) -> Iterator[Any]:
    """Yield the rows of a file as batches of text columns."""
    from craig_cli.readers.csv_batches import read_batches  # Arrow is not needed for rows

    return read_batches(source, settings)


def read_as_written(reading: Reading, index: NDArray[np.int64], records: list[bytes]) -> Lines:
    """Return the lines of some rows; raises `InputError` where files have other columns."""
    first, *others = reading.sources
    head = head_of(first, reading.settings)
    for source in others:
        other = head_of(source, reading.settings)
        if (other.names, other.delimiter) != (head.names, head.delimiter):
            remedy = "Write another format with --to, which takes the rows as numbers."
            raise InputError(
                source.name, f"its columns differ from those of {first.name}", remedy=remedy
            )
    names = head.names if reading.settings.header else None
    if reading.settings.partition_columns:
        names, records = with_folders(reading, index, names, records, head.delimiter)
    return Lines(records, first.format, names, head.delimiter, head.line_end)


class Table(NamedTuple):
    """Some rows of a file: their numbers, their other columns by name, and how they stand."""

    rows: NDArray[np.float64]
    columns: dict[str, list[str]]
    texts: RowTexts
    unseen: dict[str, Counter[str]]
    filled: dict[str, int]


class Parser:
    """Turns the text of one file into rows, and remembers how many lines and rows it has seen.

    Parameters
    ----------
    source : Source
    settings : InputSettings
    skipped : callable
        Told of each bad row under ``--on-error skip``; otherwise the first one is raised.
    encoding : Encoding or None
        Which columns to take, and the values of the ``--one-hot`` columns; default: those that the
        settings choose.
    is_collecting : bool
        Whether the values of ``--one-hot`` columns are not known yet.
    """

    def __init__(
        self,
        source: Source,
        settings: InputSettings,
        skipped: Skipped,
        encoding: Encoding | None = None,
        is_collecting: bool = False,
    ) -> None:
        self.source, self.settings, self.encoding = source, settings, encoding
        self.skipped, self.is_collecting = skipped, is_collecting
        self.categories = {} if encoding is None else encoding.categories
        self.lexis = Lexis.of(settings)
        self.n_lines = self.n_rows = 0

    def tables(self) -> Iterator[Table]:
        """Yield the rows of the file."""
        with open_text(self.source) as stream:
            tail = self.start(stream)
            with closing(
                read_ahead(iter(partial(stream.read, self.settings.block_bytes), b""))
            ) as pieces:
                for piece in pieces:
                    stop = len(tail) + piece.rfind(b"\n") + 1
                    tail += piece
                    if stop > len(tail) - len(piece):
                        n_used, table = self.parse(tail[:stop])
                        tail = tail[n_used:]
                        if len(table.rows):
                            yield table
                    if len(tail) > LONGEST_RECORD:
                        raise InputError(
                            self.source.name,
                            f"a row is longer than {LONGEST_RECORD} bytes",
                            row=self.n_lines + 1,
                            remedy="Check the line ends, and that quotes are closed.",
                        )
            if tail:
                _, table = self.parse(tail + self.line_end, is_last=True)
                if len(table.rows):
                    yield table

    def start(self, stream: BinaryIO) -> bytes:
        """Choose the columns of a file and say where each goes; return the rows read already."""
        head = read_head(stream, self.source, self.settings)
        names, self.n_lines, self.line_end = head.names, head.n_lines, head.line_end
        self.folders = Folders(self.source, self.settings)
        header = Header(names + self.folders.names)
        columns = choose_columns(self.source.name, header, self.settings, self.encoding)
        self.folders.check(columns, self.settings.task)
        kinds = np.full(len(names), kernels.IGNORE)
        self.layout = Layout(
            names, kinds, columns, head.delimiter, self.settings.header, self.lexis
        )
        self.targets = np.zeros(len(names), np.int64)
        self.starts: dict[str, int] = {}
        numbered = {name: column for column, name in enumerate(names)}
        self.n_columns = 0
        for name in columns.features:
            if name in columns.one_hot:
                self.starts[name] = self.n_columns
                self.n_columns += len(self.categories[name])
            else:
                if name in numbered:
                    kinds[numbered[name]] = kernels.NUMERIC
                    self.targets[numbered[name]] = self.n_columns
                self.folders.places[name] = self.n_columns
                self.n_columns += 1
        beside = [name for name in (columns.label, columns.id) if name is not None]
        named = (*columns.one_hot, *beside, *columns.amounts)
        self.texts = {name: numbered[name] for name in named if name in numbered}
        self.fields = TextFields(
            self.layout, self.texts, self.settings, self.encoding, self.is_collecting
        )
        optional = {columns.id, *(columns.one_hot if fills_missing(self.settings) else ())}
        for target, (name, column) in enumerate(self.texts.items()):
            kinds[column] = kernels.OPTIONAL if name in optional else kernels.TEXT
            self.targets[column] = target
        fills = {} if self.encoding is None else self.encoding.fills
        self.cells = Cells(self.layout, self.targets, self.n_columns, fills, self.may_skip)
        self.hard = np.empty((max(MOST_HARD, len(names)), 4), np.int64)
        return head.unread

    def parse(self, text: bytes, is_last: bool = False) -> tuple[int, Table]:
        """Return how many bytes of whole lines make whole rows, and these rows.

        Raises or tells of the bad ones.
        """
        max_rows = min(text.count(b"\n"), len(text) // len(self.layout.names) + 1)
        rows = np.zeros((max_rows, self.n_columns))
        spans = np.empty((max_rows, len(self.texts) + 1, 2), np.int64)
        progress = np.zeros(kernels.N_SLOTS, np.int64)
        faults: list[Fault] = []
        self.cells.bad.clear()
        arguments = (
            np.frombuffer(self.lexis.translated(text), np.uint8),
            ord(self.layout.delimiter),
            self.layout.kinds,
            self.targets,
            progress,
            rows,
            spans,
            self.hard,
        )
        n_filled = 0
        while (code := kernels.parse_records(*arguments)) != kernels.DONE and (
            code != kernels.UNCLOSED or is_last
        ):
            if code == kernels.FULL:
                found = self.cells.fill(text, self.hard, rows, spans, progress, n_filled)
                n_filled = int(progress[kernels.ROW])
            else:
                found = [explain(self.layout, code, text, progress)]
            faults += found
            if not all(map(self.may_skip, found)):
                break
        faults += self.cells.fill(text, self.hard, rows, spans, progress, n_filled)
        rows = rows[: progress[kernels.ROW]]
        is_good = np.ones(len(rows), bool)
        is_good[self.cells.bad] = False
        texts = {
            name: self.fields.read(name, text, spans[: len(rows), target], is_good, faults)
            for target, name in enumerate(self.texts)
        }
        texts |= self.folders.fill(rows)
        places = spans[: len(rows), -1]
        self.report(text, faults, places[is_good, 0])
        self.n_rows += int(is_good.sum()) + len(faults)
        if not is_good.all():
            rows, places = rows[is_good], places[is_good]
            texts = {name: list(compress(column, is_good)) for name, column in texts.items()}
        unseen = {
            name: expand(self.categories[name], texts[name], rows[:, start:])
            for name, start in ({} if self.is_collecting else self.starts).items()
        }
        n_used = int(progress[kernels.AT])
        self.n_lines += text.count(b"\n", 0, n_used)
        return n_used, Table(rows, texts, RowTexts(text, places), unseen, self.cells.take_filled())

    def may_skip(self, fault: Fault) -> bool:
        """Return whether a bad row may be passed over."""
        by_missing = fault.is_missing and self.settings.missing == "skip"
        return fault.can_skip and (self.settings.on_error == "skip" or by_missing)

    def report(self, text: bytes, faults: list[Fault], good: NDArray[np.int64]) -> None:
        """Tell of the bad rows in their order, or raise the first that may not be skipped; `good`
        is where the others start.
        """
        counted, line = 0, self.n_lines + 1
        for n_before, fault in enumerate(sorted(faults, key=lambda fault: fault.at)):
            line += text.count(b"\n", counted, fault.at)
            counted = fault.at
            column = None if fault.field is None else fault.field + 1
            error = InputError(
                self.source.name,
                fault.problem,
                row=line,
                column=column,
                value=fault.value,
                remedy=fault.remedy,
            )
            if not self.may_skip(fault):
                raise error
            number = self.n_rows + n_before + int(np.searchsorted(good, fault.at))
            name = "" if fault.field is None else self.layout.names[fault.field]
            self.skipped(SkippedRow(number, error, name))


READER = Reader(
    read_blocks,
    choose_columns=columns_of,
    collect_categories=collect_categories,
    read_as_written=read_as_written,
    written_as="delimited",
    read_columns=read_columns,
)
