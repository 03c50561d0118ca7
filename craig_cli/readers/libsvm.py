"""LIBSVM text: ``label index:value index:value ...`` lines to sparse blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Block, Encoding, Lines, RowTexts, SparseRows
from craig_cli.errors import InputError
from craig_cli.kernels import libsvm as kernels
from craig_cli.kernels.decimals import MAX_DIGITS
from craig_cli.readers.formats import NAMELESS, Reader
from craig_cli.readers.numbers import TOO_LARGE
from craig_cli.readers.skipped import Skipped, SkippedRow
from craig_cli.readers.sources import Source
from craig_cli.readers.streams import line_end_of, read_ahead
from craig_cli.readers.texts import SCALED
from craig_cli.settings import InputSettings

if TYPE_CHECKING:
    from craig_cli.readers.gather import Reading

LONGEST_LINE = 1 << 30
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
TOKEN_END = re.compile(rb"[ \t\r\n#]")
TOKEN_LIMIT = 200
INDEX_BEFORE = re.compile(rb"(\d{1,20}):$")

FAULTS = {
    kernels.LABEL_UNREADABLE: (
        "the label is not a number",
        "LIBSVM labels are numbers; CSV (--format csv) takes text.",
    ),
    kernels.LABEL_TOO_LARGE: (f"the label {TOO_LARGE}", "Divide the labels by a constant."),
    kernels.INDEX_UNREADABLE: ("the index is not a whole number", "Write entries as index:value."),
    kernels.INDEX_TOO_LARGE: (
        f"the index is not below {kernels.INDEX_LIMIT}",
        "Renumber the columns.",
    ),
    kernels.INDEX_BELOW_BASE: (
        "the index is 0, but indices start at 1",
        "Use --index-base 0, from the selection on.",
    ),
    kernels.INDEX_REPEATED: ("the index is repeated", "Keep one entry for each index."),
    kernels.INDEX_DESCENDING: (
        "the index is below the one before it",
        "Sort the entries of each row by index.",
    ),
    kernels.VALUE_UNREADABLE: (
        "the value is not a number",
        "Write decimal numbers, such as -0.5 or 1e-3.",
    ),
    kernels.VALUE_TOO_LARGE: (f"the value {TOO_LARGE}", SCALED),
    kernels.WEIGHT_UNREADABLE: ("the weight is not a number", "Write label:weight."),
    kernels.WEIGHT_TOO_LARGE: (
        "the weight is too large for a 64-bit float",
        "Scale the weights.",
    ),
    kernels.WEIGHT_NEGATIVE: (
        "the weight is negative",
        "Correct it, or pass all weights over with --inline-weights ignore.",
    ),
    kernels.WEIGHT_MISSING: (
        "the row has no weight after its label, and those before it have one",
        "Write label:weight in every row, or pass the weights over with --inline-weights ignore.",
    ),
    kernels.WEIGHT_UNEXPECTED: (
        "the row has a weight after its label, or no label, and those before it have labels alone",
        "Write label:weight in every row or in none, and a label in each; or use --no-label.",
    ),
    kernels.QUERY_UNREADABLE: (
        "the qid is not a whole number",
        "Write qid:NUMBER after the label, of at most 18 digits.",
    ),
}
"""What is wrong and what to do, for each code of the kernel, unless the token tells more."""

NUMBERS = {
    kernels.LABEL_UNREADABLE: "label",
    kernels.VALUE_UNREADABLE: "value",
    kernels.WEIGHT_UNREADABLE: "weight",
}
"""What a token should have been, by the code of the kernel."""

LOOKALIKES = (
    (re.compile(rb"PAR1"), "Parquet", "Use --format parquet."),
    (re.compile(rb"\x89HDF"), "HDF5", "Use --format hdf5."),
    (re.compile(rb"PK\x03\x04"), "a ZIP archive", "Unpack it first."),
    (re.compile(rb"\xff\xfe|\xfe\xff"), "UTF-16 text", "Convert it to UTF-8."),
    (re.compile(rb"\s*<"), "HTML or XML", "Download the file itself."),
    (re.compile(rb"[^:\t]*\t[^:]*$"), "TSV", "Use --format tsv."),
    (re.compile(rb"[^:,]*,[^:]*$"), "CSV", "Use --format csv."),
    (re.compile(rb"[^:;]*;[^:]*$"), "CSV", "Use --format csv --delimiter ';'."),
    (
        re.compile(rb"[^\r]*\r[^\r]"),
        "text with bare carriage returns as line ends",
        "Convert the line ends.",
    ),
)
"""What the first line of a file of another kind starts with, its kind, and what to do."""


def read_blocks(
    source: Source, file: int, settings: InputSettings, skipped: Skipped, encoding: Encoding | None
) -> Iterator[Block]:
    """Yield the rows of one LIBSVM file, in blocks of about ``settings.block_bytes`` of text.

    Sparse rows, with float64 labels, or None under ``--no-label``; ``n_columns`` is the highest
    index in the file so far. Uses index_base, inline_weights, amounts_needed, no_label, on_error
    and block_bytes of `settings`.
    """
    parser = Parser(source.name, file, settings, skipped)
    with (
        source.open() as stream,
        closing(read_ahead(whole_lines(stream, settings.block_bytes, source.name))) as pieces,
    ):
        for text in pieces:
            block = parser.parse(text)
            if block.rows.shape[0]:
                yield block


def has_index_0(source: Source, settings: InputSettings) -> bool:
    """Return whether index 0 occurs in a row of a file that is not skipped as bad.

    Text of good rows in which it cannot occur is not parsed.
    """
    searched = replace(settings, index_base="auto", on_error="skip")
    parser = Parser(source.name, 0, searched, lambda error: None)
    needs_all = settings.on_error == "skip" or may_lack_label(settings)
    with (
        source.open() as stream,
        closing(read_ahead(whole_lines(stream, settings.block_bytes, source.name))) as pieces,
    ):
        return any(
            parser.parse(text).has_index_0
            for text in pieces
            if needs_all or any(blank + b"0" in text for blank in (b" ", b"\t", b"\r"))
        )


def read_as_written(reading: Reading, index: NDArray[np.int64], records: list[bytes]) -> Lines:
    """Return the lines of some rows."""
    return Lines(records, "libsvm", has_labels=not may_lack_label(reading.settings))


def may_lack_label(settings: InputSettings) -> bool:
    """Return whether rows may start with an entry, and not a label or ``label:weight``."""
    return settings.no_label and settings.inline_weights == "auto"


def whole_lines(stream: BinaryIO, size: int, name: str) -> Iterator[bytes]:
    """Yield text without a byte order mark, cut at line ends, about `size` bytes at a time.

    The last line gets the line end of the first, if it has none.
    """
    pieces: list[bytes] = []
    start = stream.read(len(BYTE_ORDER_MARK)).removeprefix(BYTE_ORDER_MARK)
    length, line_end = 0, b""
    while data := start or stream.read(size):
        start = b""
        cut = data.rfind(b"\n") + 1
        if cut:
            line_end = line_end or line_end_of(b"".join([*pieces[-1:], data]))
            yield b"".join([*pieces, data[:cut]])
            pieces, length = [], 0
        pieces.append(data[cut:])
        length += len(data) - cut
        if length > LONGEST_LINE:
            raise InputError(
                name,
                f"a line is longer than {LONGEST_LINE} bytes",
                remedy="Check that this is LIBSVM text.",
            )
    if length:
        yield b"".join([*pieces, line_end or b"\n"])


@dataclass
class Parser:
    """Turns the texts of one file into rows, one after the other, and remembers how far it is."""

    name: str
    file: int
    settings: InputSettings
    skipped: Skipped
    n_lines: int = 0
    n_rows: int = 0
    n_skipped: int = 0
    n_columns: int = 0
    weights: int = kernels.UNKNOWN

    def __post_init__(self) -> None:
        if self.settings.inline_weights == "ignore" or not self.settings.amounts_needed:
            self.weights = kernels.PASSED_OVER

    def parse(self, text: bytes) -> Block:
        """Return the rows of some whole lines.

        Raises `InputError` at the first bad row, unless those are skipped.
        """
        max_rows, max_entries = text.count(b"\n"), text.count(b":")
        indptr, queries = np.zeros(max_rows + 1, np.int64), np.empty(max_rows, np.int64)
        indices, values = np.empty(max_entries, np.int32), np.empty(max_entries)
        numbers, places = np.empty((2, max_rows)), np.empty((max_rows, 2), np.int64)
        hard = np.empty((len(text) // MAX_DIGITS + 1, 3), np.int64)
        progress = np.zeros(kernels.N_SLOTS, np.int64)
        progress[kernels.COLUMNS], progress[kernels.WEIGHTS] = self.n_columns, self.weights
        is_auto = self.settings.index_base == "auto"
        base = 0 if is_auto else self.settings.index_base
        what = np.frombuffer(text, np.uint8), base, may_lack_label(self.settings), progress
        into = indptr, indices, values, numbers, queries, places, hard
        while (code := kernels.parse_lines(*what, *into)) != kernels.DONE:
            self.refuse(code, text, progress)
        n_rows, n_entries, n_hard = (
            int(progress[slot]) for slot in (kernels.ROW, kernels.ENTRY, kernels.HARD)
        )
        self.n_lines += int(progress[kernels.LINE])
        self.n_rows += n_rows
        self.n_columns = int(progress[kernels.COLUMNS])
        self.weights = int(progress[kernels.WEIGHTS])
        for entry, start, stop in hard[:n_hard].tolist():
            target, position = (values, entry) if entry >= 0 else (numbers.reshape(-1), -1 - entry)
            target[position] = float(text[start:stop])
        rows = SparseRows(
            indptr[: n_rows + 1], indices[:n_entries], values[:n_entries], self.n_columns
        )
        return Block(
            without_zeros(rows) if n_hard else rows,
            None if self.settings.no_label else numbers[0, :n_rows],
            self.file,
            weights=numbers[1, :n_rows] if self.weights == kernels.PRESENT else None,
            texts=RowTexts(text, places[:n_rows]),
            queries=queries[:n_rows] if progress[kernels.QUERIES] else None,
            has_index_0=bool(progress[kernels.ZEROS]) if is_auto else None,
        )

    def refuse(self, code: int, text: bytes, progress: NDArray[np.int64]) -> None:
        """Raise the error of a bad row, or report it and move `progress` to the next line."""
        start, fault = int(progress[kernels.AT]), int(progress[kernels.FAULT])
        stop = text.index(b"\n", fault)
        row = self.n_lines + int(progress[kernels.LINE]) + 1
        if self.n_rows + int(progress[kernels.ROW]) == 0 and (
            error := other_format(self.name, row, text[start:stop])
        ):
            raise error
        error = explain(self.name, row, code, text[start:stop], fault - start)
        if self.settings.on_error == "stop":
            raise error
        number = self.n_rows + self.n_skipped + int(progress[kernels.ROW])
        index = INDEX_BEFORE.search(text[start:fault])
        self.skipped(SkippedRow(number, error, index[1].decode() if index else ""))
        self.n_skipped += 1
        progress[kernels.AT] = stop + 1
        progress[kernels.LINE] += 1


def without_zeros(rows: SparseRows) -> SparseRows:
    """Return `rows` without explicit zeros."""
    kept = rows.values != 0
    n_kept = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
    return SparseRows(n_kept[rows.indptr], rows.indices[kept], rows.values[kept], rows.n_columns)


def other_format(name: str, row: int, line: bytes) -> InputError | None:
    """Return the error of a file of another format, told by its first row; None for none known."""
    for pattern, kind, remedy in LOOKALIKES:
        if pattern.match(line.partition(b"#")[0]):
            return InputError(name, f"this looks like {kind}, not LIBSVM", row=row, remedy=remedy)
    return None


def explain(name: str, row: int, code: int, line: bytes, fault: int) -> InputError:
    """Return the error for a token that the kernel refused at byte `fault` of a line."""
    problem, remedy = FAULTS[code]
    token = TOKEN_END.split(line[fault : fault + TOKEN_LIMIT], maxsplit=1)[0]
    index, colon, _ = token.partition(b":")
    number = token.lstrip(b"+-").lower()
    if b"\0" in token or "\ufffd" in token.decode(errors="replace"):
        problem, remedy = "this is not LIBSVM text", "Check that the file is not damaged."
    elif code == kernels.INDEX_UNREADABLE:
        if not colon:
            problem = "an entry has no colon"
        elif not index:
            problem = "an entry has no index"
        elif index[:1] == b"-" and index[1:].isdigit():
            problem, remedy = "the index is negative", "Indices start at 0 or 1."
        elif token.startswith(b"qid:"):
            problem = "the qid does not stand after the label"
            if b"qid:" in line[:fault]:
                problem = "the row has a second qid"
            remedy = "Write one qid:NUMBER, straight after the label."
    elif code == kernels.LABEL_UNREADABLE and colon:
        problem, remedy = (
            "the row has no label",
            "Start each row with its label, or use --no-label.",
        )
    elif code == kernels.LABEL_UNREADABLE and b"," in token:
        problem, remedy = "the row has several labels", "Keep one label a row."
    elif code in NUMBERS:
        what = NUMBERS[code]
        if not token or (colon and line[:fault].endswith((b" ", b"\t")) and what != "label"):
            problem = "an entry has no value" if what == "value" else "the label has no weight"
            if what == "value":
                remedy = "Write entries as index:value; leave zeros out."
        elif number.startswith((b"nan", b"inf")):
            problem = f"the {what} is not finite"
            remedy = "Correct the row, or drop it with --on-error skip."
        elif number.startswith(b"0x"):
            problem, remedy = f"the {what} is a hexadecimal number", "Write decimal numbers."
    column = len(line[:fault].decode(errors="replace")) + 1
    return InputError(
        name,
        problem,
        row=row,
        column=column,
        value=token.decode(errors="backslashreplace") or None,
        remedy=remedy,
    )


READER = Reader(
    read_blocks,
    {
        **NAMELESS,
        "--label": "in LIBSVM files the label is the first word of the line. Leave --label out.",
    },
    read_as_written=read_as_written,
    written_as="libsvm",
    has_index_0=has_index_0,
)
