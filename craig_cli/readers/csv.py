"""Delimited text (CSV, TSV) to dense blocks."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from itertools import compress
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Block
from craig_cli.errors import InputError, UsageError, printable
from craig_cli.kernels import csv as kernels
from craig_cli.kernels.libsvm import MAX_DIGITS
from craig_cli.readers.columns import Columns, choose_columns, option_of
from craig_cli.readers.sources import Source, read_ahead
from craig_cli.readers.texts import CORRECT, INFINITE, MISSING, NUMBER, amount_problem, text_problem
from craig_cli.settings import InputSettings

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST_RECORD = 1 << 28
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
OTHER_DELIMITER = re.compile(r"[,;|\t]")
HEXADECIMAL = re.compile(r"[+-]?0x", re.IGNORECASE)
MOST_KNOWN = 1 << 20
"""Different texts of a column that are kept, so that equal ones share their memory."""

UNFIT_DELIMITERS = '0123456789+-.eE"\r\n\0'

Categories = Mapping[str, tuple[str, ...]]


class Head(NamedTuple):
    """The names of the columns, how many lines they take, and the bytes read that hold rows."""

    names: list[str]
    n_lines: int
    unread: bytes


class Fault(NamedTuple):
    """A bad row: the byte and the field (from 0) where it is bad, and the rest of its `InputError`."""

    at: int
    field: int | None
    problem: str
    value: str | None
    remedy: str
    can_skip: bool = True


def read_blocks(
    source: Source,
    file: int,
    settings: InputSettings,
    skipped: Callable[[InputError], None],
    categories: Categories,
) -> Iterator[Block]:
    """Yield the rows of one CSV or TSV file, in blocks of about ``settings.block_bytes`` of text.

    Parameters
    ----------
    source : Source
        The file.
    file : int
        Its position among the inputs.
    settings : InputSettings
        Uses label, no_label, task, drop, one_hot, weight_column, cost_column, delimiter, header,
        on_error and block_bytes.
    skipped : callable
        Told of each bad row under ``--on-error skip``.
    categories : mapping
        All values of each ``--one-hot`` column, in the order of the new columns.

    Yields
    ------
    Block
        Dense float64 rows, with labels as str objects (float64 for regression), or None under
        ``--no-label``; and their weights and costs.
    """
    parser = Parser(source, settings, skipped, categories)
    for rows, texts in parser.tables():
        labels: NDArray | None = None
        if parser.columns.label is not None:
            labels = np.array(
                texts[parser.columns.label],
                dtype=np.float64 if settings.task == "regression" else np.object_,
            )
        amounts = {
            amount.field: np.array(texts[name], np.float64)
            for name, amount in parser.columns.amounts.items()
        }
        yield Block(rows, labels, file, **amounts)


def column_names(
    source: Source, settings: InputSettings, categories: Categories
) -> tuple[str, ...]:
    """Return the names of the columns of the blocks that `read_blocks` would yield."""
    with source.open() as stream:
        head = read_head(stream, source.name, delimiter_of(source, settings), settings.header)
    return choose_columns(source.name, head.names, settings).expanded(categories)


def collect_categories(source: Source, settings: InputSettings) -> dict[str, set[str]]:
    """Return the different values of each ``--one-hot`` column in the rows that `read_blocks` would
    yield.
    """
    parser = Parser(source, settings, lambda error: None, dict.fromkeys(settings.one_hot, ()))
    found: dict[str, set[str]] = {name: set() for name in settings.one_hot}
    for _, texts in parser.tables():
        for name, values in found.items():
            values.update(texts[name])
    return found


def delimiter_of(source: Source, settings: InputSettings) -> str:
    """Return the delimiter of a file; raises `UsageError` for one that could be part of a number or
    of a quoted field.
    """
    delimiter = settings.delimiter or ("\t" if source.format == "tsv" else ",")
    if delimiter in UNFIT_DELIMITERS:
        raise UsageError(
            f"--delimiter: '{printable(delimiter)}' cannot separate numbers: use "
            f"another, such as ',' or ';'."
        )
    return delimiter


def read_head(stream: BinaryIO, name: str, delimiter: str, has_header: bool) -> Head:
    """Return the head of a table from the start of `stream`; without a header the columns are named
    1, 2, ... as the first row has fields.
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
            if len(names) == 1 and OTHER_DELIMITER.search(names[0]) and b'"' not in lines[-1]:
                problem, remedy = (
                    (f"there is only one column, as no '{printable(delimiter)}' separates any"),
                    "Name the separator with --delimiter.",
                )
                raise InputError(name, problem, row=len(lines), value=names[0], remedy=remedy)
            if (
                has_header
                and all(map(is_number, names))
                and not (len(set(names)) == len(names) and all(map(str.isdigit, names)))
            ):
                raise InputError(
                    name,
                    "numbers stand where column names should",
                    row=len(lines),
                    value=names[0],
                    remedy="Use --no-header.",
                )
            return (
                Head(names, len(lines), b"")
                if has_header
                else Head([str(k + 1) for k in range(len(names))], 0, b"".join(lines))
            )
    except UnicodeDecodeError as error:
        raise not_text(name, len(lines), lines[-1]) from error
    except csv.Error as error:
        problem, remedy = (
            f"the {'header' if has_header else 'first row'} cannot be read: {error}",
            "Check its quotes.",
        )
        if b"\r" in lines[-1].rstrip(b"\r\n"):
            problem, remedy = (
                "bare carriage returns stand where lines should end",
                ("Convert the line ends."),
            )
        raise InputError(name, problem, row=len(lines), remedy=remedy) from error
    raise InputError(name, "there are no rows", remedy="Give at least one row of data.")


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
        self,
        source: Source,
        settings: InputSettings,
        skipped: Callable[[InputError], None],
        categories: Categories,
    ) -> None:
        self.source, self.settings, self.skipped, self.categories = (
            source,
            settings,
            skipped,
            categories,
        )
        self.delimiter = delimiter_of(source, settings)
        self.n_lines = 0

    def tables(self) -> Iterator[tuple[NDArray[np.float64], dict[str, list[str]]]]:
        """Yield the features of some rows and, by column name, the texts of their one-hot columns
        and label.
        """
        with self.source.open() as stream:
            head = read_head(stream, self.source.name, self.delimiter, self.settings.header)
            self.start(head)
            tail = head.unread
            with closing(
                read_ahead(iter(partial(stream.read, self.settings.block_bytes), b""))
            ) as pieces:
                for piece in pieces:
                    stop = len(tail) + piece.rfind(b"\n") + 1
                    tail += piece
                    if stop > len(tail) - len(piece):
                        n_used, rows, texts = self.parse(tail[:stop])
                        tail = tail[n_used:]
                        if len(rows):
                            yield rows, texts
                    if len(tail) > LONGEST_RECORD:
                        problem, remedy = (
                            f"a row is longer than {LONGEST_RECORD} bytes",
                            ("Check the line ends, and that quotes are closed."),
                        )
                        raise InputError(
                            self.source.name, problem, row=self.n_lines + 1, remedy=remedy
                        )
            if tail:
                _, rows, texts = self.parse(tail + b"\n", is_last=True)
                if len(rows):
                    yield rows, texts

    def start(self, head: Head) -> None:
        """Choose the columns of a file and say where each goes."""
        self.names, self.n_lines = head.names, head.n_lines
        self.columns: Columns = choose_columns(self.source.name, head.names, self.settings)
        in_text = (
            *self.columns.one_hot,
            *([self.columns.label] if self.columns.label else []),
            *self.columns.amounts,
        )
        self.texts = {name: head.names.index(name) for name in in_text}
        self.kinds = np.full(len(head.names), kernels.IGNORE)
        self.targets = np.zeros(len(head.names), np.int64)
        self.starts: dict[str, int] = {}
        place = 0
        numbered = {name: column for column, name in enumerate(head.names)}
        for name in self.columns.features:
            if name in self.columns.one_hot:
                self.starts[name] = place
                place += len(self.categories[name])
            else:
                self.kinds[numbered[name]], self.targets[numbered[name]] = kernels.NUMERIC, place
                place += 1
        self.n_columns = place
        self.known: dict[str, dict[bytes, str]] = {name: {} for name in self.texts}
        for target, column in enumerate(self.texts.values()):
            self.kinds[column], self.targets[column] = kernels.TEXT, target

    def parse(
        self, text: bytes, is_last: bool = False
    ) -> tuple[int, NDArray[np.float64], dict[str, list[str]]]:
        """Return how many bytes of whole lines make whole rows, and what `tables` yields of the
        good ones; raises or tells of the bad ones.
        """
        max_rows = min(text.count(b"\n"), len(text) // len(self.names) + 1)
        rows = np.zeros((max_rows, self.n_columns))
        spans = np.empty((max_rows, len(self.texts), 2), np.int64)
        hard = np.empty((len(text) // MAX_DIGITS + 1, 4), np.int64)
        progress = np.zeros(kernels.N_SLOTS, np.int64)
        faults: list[Fault] = []
        arguments = (
            np.frombuffer(text, np.uint8),
            ord(self.delimiter),
            self.kinds,
            self.targets,
            progress,
            rows,
            spans,
            hard,
        )
        while (code := kernels.parse_records(*arguments)) != kernels.DONE and (
            code != kernels.UNCLOSED or is_last
        ):
            faults.append(self.explain(code, text, progress))
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
        if not is_good.all():
            rows, texts = (
                rows[is_good],
                {name: list(compress(column, is_good)) for name, column in texts.items()},
            )
        for name, start in self.starts.items():
            self.expand(name, texts[name], rows[:, start : start + len(self.categories[name])])
        n_used = int(progress[kernels.AT])
        self.n_lines += text.count(b"\n", 0, n_used)
        return n_used, rows, texts

    def read_texts(
        self,
        name: str,
        text: bytes,
        spans: NDArray[np.int64],
        is_good: NDArray[np.bool_],
        faults: list[Fault],
    ) -> list[str]:
        """Return the content of a text field in each row; where there is none that can be used,
        adds to `faults` and clears `is_good`.
        """
        known = self.known[name]
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
            amount = self.columns.amounts.get(name)
            is_number = name == self.columns.label and self.settings.task == "regression"
            if (
                problem := text_problem(content, token == content, is_number)
                if amount is None
                else amount_problem(content, amount)
            ):
                problems[token] = problem
                del known[token]
        for row, token in enumerate(tokens if problems else ()):
            if token in problems and is_good[row]:
                is_good[row] = False
                value = token.decode(errors="backslashreplace")
                what, remedy = problems[token]
                faults.append(
                    Fault(
                        int(spans[row, 0]),
                        self.texts[name],
                        f"{self.columns.called(name)} {what}",
                        value,
                        remedy,
                    )
                )
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
                f"{self.columns.called(name)} changed while it was read",
                remedy="Run the command again.",
            )
        out[np.arange(len(values)), columns] = 1

    def explain(self, code: int, text: bytes, progress: NDArray[np.int64]) -> Fault:
        """Return what is wrong with the row where the kernel stopped."""
        at, column = int(progress[kernels.FAULT]), int(progress[kernels.FIELD])
        record = int(progress[kernels.RECORD])
        if code == kernels.UNCLOSED:
            return Fault(
                at,
                column,
                "a quoted field is not closed",
                None,
                "Close the quote; double the quotes within quoted fields.",
                False,
            )
        fields = split_record(text[record : int(progress[kernels.AT])], self.delimiter)
        if code in (kernels.TOO_FEW, kernels.TOO_MANY):
            expected = (
                f"{len(self.names)} as the {'header' if self.settings.header else 'first row'}"
            )
            problem = (
                f"the row has {len(fields)} field{'s' if len(fields) > 1 else ''}, not {expected}"
            )
            return Fault(
                record,
                None,
                problem,
                None,
                "Quote fields that hold delimiters, or drop the row with --on-error skip.",
            )
        name, value = self.names[column], fields[column]
        if code == kernels.AFTER_QUOTE:
            return Fault(
                at,
                column,
                f"{self.columns.called(name)} goes on after its closing quote",
                value,
                "Double the quotes within quoted fields.",
            )
        if code == kernels.TOO_LARGE:
            return Fault(
                at,
                column,
                f"{self.columns.called(name)} is too large for a 64-bit float",
                value,
                "Scale the column.",
            )
        if code == kernels.EMPTY or MISSING.fullmatch(value):
            remedy = "Fill it in, or drop the row with --on-error skip."
            if name in self.columns.features:
                remedy = (
                    f"Fill it in, drop the row with --on-error skip, or the column with "
                    f"{option_of('--drop', [name])}."
                )
            return Fault(
                at,
                column,
                f"{self.columns.called(name)} has no value in this row",
                value or None,
                remedy,
            )
        if INFINITE.fullmatch(value):
            return Fault(at, column, f"{self.columns.called(name)} is not finite", value, CORRECT)
        if HEXADECIMAL.match(value):
            return Fault(
                at,
                column,
                f"{self.columns.called(name)} is a hexadecimal number",
                value,
                "Write decimal numbers.",
            )
        if "\0" in value:
            return Fault(
                at,
                column,
                f"{self.columns.called(name)} holds a NUL byte",
                value,
                "Check that the file is not damaged.",
            )
        numeric = [k for k, kind in enumerate(self.kinds) if kind == kernels.NUMERIC]
        wrong = [
            self.names[k]
            for k in numeric
            if k >= column and not NUMBER.fullmatch(fields[k]) and not MISSING.fullmatch(fields[k])
        ]
        listed = ", ".join(f"'{printable(other, 60)}'" for other in wrong)
        problem = (
            f"columns {listed} hold text, not numbers"
            if len(wrong) > 1
            else f"{self.columns.called(name)} holds text, not a number"
        )
        remedy = (
            f"Use {option_of('--drop', wrong)} or {option_of('--one-hot', wrong)}, or drop "
            f"the row with --on-error skip."
        )
        return Fault(at, column, problem, value, remedy)

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
