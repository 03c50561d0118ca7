"""Delimited text (CSV, TSV) to dense blocks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import compress
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Block, Lines, RowTexts
from craig_cli.errors import InputError
from craig_cli.kernels import csv as kernels
from craig_cli.kernels.decimals import MAX_DIGITS
from craig_cli.readers.amounts import AMOUNTS
from craig_cli.readers.columns import choose_columns
from craig_cli.readers.csv_faults import Fault, Layout, explain
from craig_cli.readers.csv_head import LONGEST_RECORD, Head, delimiter_of, read_head
from craig_cli.readers.formats import Categories, Reader, Skipped
from craig_cli.readers.sources import Source
from craig_cli.readers.streams import read_ahead
from craig_cli.readers.texts import amount_problem, text_problem
from craig_cli.settings import InputSettings

if TYPE_CHECKING:
    from craig_cli.readers.gather import Reading

MOST_KNOWN = 1 << 20
"""Different texts of a column that are kept, so that equal ones share their memory."""


def read_blocks(
    source: Source, file: int, settings: InputSettings, skipped: Skipped, categories: Categories
) -> Iterator[Block]:
    """Yield the rows of one CSV or TSV file, in blocks of about ``settings.block_bytes`` of text.

    Dense float64 rows, with labels as str objects (float64 for regression), or None under
    ``--no-label``; and their weights and costs. Uses label, no_label, task, drop, one_hot,
    weight_column, cost_column, delimiter, header, on_error and block_bytes of `settings`.
    """
    parser = Parser(source, settings, skipped, categories)
    for rows, texts, row_texts in parser.tables():
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
        weights, costs = (amounts.get(amount.field) for amount in AMOUNTS)
        yield Block(rows, labels, file, weights, costs, texts=row_texts)


def head_of(source: Source, settings: InputSettings) -> Head:
    """Return the head of a file."""
    with source.open() as stream:
        return read_head(stream, source.name, delimiter_of(source, settings), settings.header)


def column_names(
    source: Source, settings: InputSettings, categories: Categories
) -> tuple[str, ...]:
    """Return the names of the columns of the blocks that `read_blocks` would yield."""
    names = head_of(source, settings).names
    return choose_columns(source.name, names, settings).expanded(categories)


def collect_categories(source: Source, settings: InputSettings) -> dict[str, set[str]]:
    """Return the different values of each ``--one-hot`` column in the rows of `read_blocks`."""
    parser = Parser(source, settings, lambda error: None, dict.fromkeys(settings.one_hot, ()))
    found: dict[str, set[str]] = {name: set() for name in settings.one_hot}
    for table in parser.tables():
        for name, values in found.items():
            values.update(table.columns[name])
    return found


def read_as_written(reading: Reading, index: NDArray[np.int64], records: list[bytes]) -> Lines:
    """Return the lines of some rows; raises `InputError` where files have other columns."""
    first, *others = reading.sources
    head = head_of(first, reading.settings)
    names = head.names
    for source in others:
        if head_of(source, reading.settings).names != names:
            remedy = "Write another format with --to, which takes the rows as numbers."
            raise InputError(
                source.name, f"its columns differ from those of {first.name}", remedy=remedy
            )
    delimiter = delimiter_of(first, reading.settings)
    header = names if reading.settings.header else None
    return Lines(records, first.format, header, delimiter, head.line_end)


class Table(NamedTuple):
    """Some rows of a file: their numbers, their other columns by name, and how they stand."""

    rows: NDArray[np.float64]
    columns: dict[str, list[str]]
    texts: RowTexts


class Parser:
    """Turns the text of one file into rows, and remembers how many lines it has seen.

    Parameters
    ----------
    source : Source
    settings : InputSettings
    skipped : callable
        Told of each bad row under ``--on-error skip``; otherwise the first one is raised.
    categories : mapping
        Values of the ``--one-hot`` columns; one that is not among them gets no column.
    """

    def __init__(
        self, source: Source, settings: InputSettings, skipped: Skipped, categories: Categories
    ) -> None:
        self.source, self.settings = source, settings
        self.skipped, self.categories = skipped, categories
        self.delimiter = delimiter_of(source, settings)
        self.n_lines = 0

    def tables(self) -> Iterator[Table]:
        """Yield the rows of the file."""
        with self.source.open() as stream:
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
        head = read_head(stream, self.source.name, self.delimiter, self.settings.header)
        names, self.n_lines, self.line_end = head.names, head.n_lines, head.line_end
        columns = choose_columns(self.source.name, names, self.settings)
        kinds = np.full(len(names), kernels.IGNORE)
        self.layout = Layout(names, kinds, columns, self.delimiter, self.settings.header)
        self.targets = np.zeros(len(names), np.int64)
        self.starts: dict[str, int] = {}
        numbered = {name: column for column, name in enumerate(names)}
        self.n_columns = 0
        for name in columns.features:
            if name in columns.one_hot:
                self.starts[name] = self.n_columns
                self.n_columns += len(self.categories[name])
            else:
                kinds[numbered[name]] = kernels.NUMERIC
                self.targets[numbered[name]] = self.n_columns
                self.n_columns += 1
        label = [columns.label] if columns.label else []
        self.texts = {name: numbered[name] for name in (*columns.one_hot, *label, *columns.amounts)}
        self.known: dict[str, dict[bytes, str]] = {name: {} for name in self.texts}
        for target, column in enumerate(self.texts.values()):
            kinds[column], self.targets[column] = kernels.TEXT, target
        return head.unread

    def parse(self, text: bytes, is_last: bool = False) -> tuple[int, Table]:
        """Return how many bytes of whole lines make whole rows, and these rows.

        Raises or tells of the bad ones.
        """
        max_rows = min(text.count(b"\n"), len(text) // len(self.layout.names) + 1)
        rows = np.zeros((max_rows, self.n_columns))
        spans = np.empty((max_rows, len(self.texts) + 1, 2), np.int64)
        hard = np.empty((len(text) // MAX_DIGITS + 1, 4), np.int64)
        progress = np.zeros(kernels.N_SLOTS, np.int64)
        faults: list[Fault] = []
        arguments = (
            np.frombuffer(text, np.uint8),
            ord(self.delimiter),
            self.layout.kinds,
            self.targets,
            progress,
            rows,
            spans,
            hard,
        )
        while (code := kernels.parse_records(*arguments)) != kernels.DONE and (
            code != kernels.UNCLOSED or is_last
        ):
            faults.append(explain(self.layout, code, text, progress))
            if code == kernels.UNCLOSED or self.settings.on_error == "stop":
                break
        for row, target, start, stop in hard[: progress[kernels.HARD]].tolist():
            rows[row, target] = float(text[start:stop])
        rows = rows[: progress[kernels.ROW]]
        is_good = np.ones(len(rows), bool)
        texts = {
            name: self.read_texts(name, text, spans[: len(rows), target], is_good, faults)
            for target, name in enumerate(self.texts)
        }
        self.report(text, faults)
        places = spans[: len(rows), -1]
        if not is_good.all():
            rows, places = rows[is_good], places[is_good]
            texts = {name: list(compress(column, is_good)) for name, column in texts.items()}
        for name, start in self.starts.items():
            self.expand(name, texts[name], rows[:, start : start + len(self.categories[name])])
        n_used = int(progress[kernels.AT])
        self.n_lines += text.count(b"\n", 0, n_used)
        return n_used, Table(rows, texts, RowTexts(text, places))

    def read_texts(
        self,
        name: str,
        text: bytes,
        spans: NDArray[np.int64],
        is_good: NDArray[np.bool_],
        faults: list[Fault],
    ) -> list[str]:
        """Return the content of a text field in each row.

        Where there is none that can be used, adds to `faults` and clears `is_good`.
        """
        known, columns = self.known[name], self.layout.columns
        amount = columns.amounts.get(name)
        is_number = name == columns.label and self.settings.task == "regression"
        if len(known) > MOST_KNOWN:
            known.clear()
        tokens = [
            text[start:stop]
            for start, stop in zip(spans[:, 0].tolist(), spans[:, 1].tolist(), strict=True)
        ]
        problems: dict[bytes, tuple[str, str]] = {}
        for token in set(tokens) - known.keys():
            content = token[1:-1].replace(b'""', b'"') if token[:1] == b'"' else token
            known[token] = content.decode(errors="backslashreplace")
            if (
                found := text_problem(content, token == content, is_number)
                if amount is None
                else amount_problem(content, amount)
            ):
                problems[token] = found
                del known[token]
        for row, token in enumerate(tokens if problems else ()):
            if token in problems and is_good[row]:
                is_good[row] = False
                value, (what, remedy) = token.decode(errors="backslashreplace"), problems[token]
                problem = f"{columns.called(name)} {what}"
                faults.append(Fault(int(spans[row, 0]), self.texts[name], problem, value, remedy))
        return [known.get(token, "") for token in tokens]

    def expand(self, name: str, values: list[str], out: NDArray[np.float64]) -> None:
        """Set to 1, in each row of `out`, the column of the category that the row has."""
        if not self.categories[name]:
            return
        position = {category: column for column, category in enumerate(self.categories[name])}
        columns = [position.get(value, -1) for value in values]
        if -1 in columns:
            raise InputError(
                self.source.name,
                f"{self.layout.columns.called(name)} changed while it was read",
                remedy="Run the command again.",
            )
        out[np.arange(len(values)), columns] = 1

    def report(self, text: bytes, faults: list[Fault]) -> None:
        """Tell of the bad rows in their order, or raise the first that may not be skipped."""
        counted, line = 0, self.n_lines + 1
        for fault in sorted(faults, key=lambda fault: fault.at):
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
            if self.settings.on_error == "stop" or not fault.can_skip:
                raise error
            self.skipped(error)


READER = Reader(
    read_blocks,
    column_names=column_names,
    collect_categories=collect_categories,
    read_as_written=read_as_written,
    written_as="delimited",
)
