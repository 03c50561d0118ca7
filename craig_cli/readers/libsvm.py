"""LIBSVM text: ``label index:value index:value ...`` lines to sparse blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Block, Lines, RowTexts, SparseRows
from craig_cli.errors import InputError
from craig_cli.kernels import libsvm as kernels
from craig_cli.kernels.decimals import MAX_DIGITS
from craig_cli.readers.formats import NAMELESS, Categories, Reader, Skipped
from craig_cli.readers.numbers import TOO_LARGE
from craig_cli.readers.sources import Source
from craig_cli.readers.streams import read_ahead
from craig_cli.readers.texts import SCALED
from craig_cli.settings import InputSettings

if TYPE_CHECKING:
    from craig_cli.readers.gather import Reading

LONGEST_LINE = 1 << 30
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
TOKEN_END = re.compile(rb"[ \t\r\n#]")
TOKEN_LIMIT = 200

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
    kernels.INDEX_BELOW_BASE: ("the index is 0, but indices start at 1", "Use --index-base 0."),
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
}
"""What is wrong and what to do, for each code of the kernel, unless the token tells more."""

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
    source: Source, file: int, settings: InputSettings, skipped: Skipped, categories: Categories
) -> Iterator[Block]:
    """Yield the rows of one LIBSVM file, in blocks of about ``settings.block_bytes`` of text.

    Sparse rows, with float64 labels, or None under ``--no-label``; ``n_columns`` is the highest
    index in the file so far. Uses index_base, no_label, on_error and block_bytes of `settings`.
    """
    parser = Parser(source.name, settings, skipped)
    with (
        source.open() as stream,
        closing(read_ahead(whole_lines(stream, settings.block_bytes, source.name))) as pieces,
    ):
        for text in pieces:
            rows, labels, texts = parser.parse(text)
            if rows.n_rows:
                yield Block(rows, None if settings.no_label else labels, file, texts=texts)


def read_as_written(reading: Reading, index: NDArray[np.int64], records: list[bytes]) -> Lines:
    """Return the lines of some rows."""
    return Lines(records, "libsvm")


def whole_lines(stream: BinaryIO, size: int, name: str) -> Iterator[bytes]:
    """Yield text without a byte order mark, cut at line ends, about `size` bytes at a time.

    The last line gets its newline.
    """
    pieces: list[bytes] = []
    start = stream.read(len(BYTE_ORDER_MARK)).removeprefix(BYTE_ORDER_MARK)
    length = 0
    while data := start or stream.read(size):
        start = b""
        cut = data.rfind(b"\n") + 1
        if cut:
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
        yield b"".join([*pieces, b"\n"])


@dataclass
class Parser:
    """Turns the texts of one file into rows, one after the other, and remembers how far it is."""

    name: str
    settings: InputSettings
    skipped: Skipped
    n_lines: int = 0
    n_rows: int = 0
    n_columns: int = 0

    def parse(self, text: bytes) -> tuple[SparseRows, NDArray[np.float64], RowTexts]:
        """Return the rows and labels of some whole lines, and where they stand.

        Raises `InputError` at the first bad row, unless those are skipped.
        """
        max_rows, max_entries = text.count(b"\n"), text.count(b":")
        indptr, labels = np.zeros(max_rows + 1, np.int64), np.empty(max_rows)
        indices, values = np.empty(max_entries, np.int32), np.empty(max_entries)
        places = np.empty((max_rows, 2), np.int64)
        hard = np.empty((len(text) // MAX_DIGITS + 1, 3), np.int64)
        progress = np.zeros(kernels.N_SLOTS, np.int64)
        progress[kernels.COLUMNS] = self.n_columns
        characters = np.frombuffer(text, np.uint8)
        what = characters, self.settings.index_base, self.settings.no_label
        into = indptr, indices, values, labels, places, hard
        while (code := kernels.parse_lines(*what, progress, *into)) != kernels.DONE:
            self.refuse(code, text, progress)
        n_rows, n_entries, n_hard = (
            int(progress[slot]) for slot in (kernels.ROW, kernels.ENTRY, kernels.HARD)
        )
        self.n_lines += int(progress[kernels.LINE])
        self.n_rows += n_rows
        self.n_columns = int(progress[kernels.COLUMNS])
        for entry, start, stop in hard[:n_hard].tolist():
            target, position = (values, entry) if entry >= 0 else (labels, -1 - entry)
            target[position] = float(text[start:stop])
        rows = SparseRows(
            indptr[: n_rows + 1], indices[:n_entries], values[:n_entries], self.n_columns
        )
        texts = RowTexts(text, places[:n_rows])
        return without_zeros(rows) if n_hard else rows, labels[:n_rows], texts

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
        self.skipped(error)
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
    elif code == kernels.LABEL_UNREADABLE and colon:
        problem, remedy = (
            "the row has no label",
            "Start each row with its label, or use --no-label.",
        )
    elif code == kernels.LABEL_UNREADABLE and b"," in token:
        problem, remedy = "the row has several labels", "Keep one label a row."
    elif code in (kernels.LABEL_UNREADABLE, kernels.VALUE_UNREADABLE):
        what = "label" if code == kernels.LABEL_UNREADABLE else "value"
        if not token:
            problem = "an entry has no value"
            remedy = "Write entries as index:value, without blanks; leave zeros out."
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
)
