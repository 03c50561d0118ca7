"""NumPy's files of one array: rows in blocks, labels from another file beside; never pickles."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Block, Encoding, Labels, take_from_block
from craig_cli.errors import InputError
from craig_cli.readers.beside import check_as_many, check_not_piped, named_beside
from craig_cli.readers.formats import NAMELESS, Reader
from craig_cli.readers.numbers import BlockCheck
from craig_cli.readers.skipped import Skipped
from craig_cli.readers.sources import Source
from craig_cli.readers.streams import naming
from craig_cli.settings import InputSettings
from craig_cli.storage.location import Location

COPY_AGAIN = "Copy or write the file again."
WRITE_AGAIN = "Write it with numpy.save."
SAVE_ROWS = "Save an array of shape (rows, columns)."
MOST_HEADER = 10_000
MOST_COLUMNS = 1 << 26
BFLOAT16 = np.dtype("V2")
"""What numpy makes of bfloat16, a type that it does not know: ml_dtypes saves it so."""


class Header(NamedTuple):
    """What an ``.npy`` file says of its array, and where the numbers begin."""

    dtype: np.dtype
    shape: tuple[int, ...]
    by_columns: bool
    start: int

    @property
    def n_bytes(self) -> int:
        """Of all numbers."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __str__(self) -> str:
        return f"{len(self.shape)}-dimensional {self.dtype}"


@dataclass
class Array:
    """An array in a stream.

    Parameters
    ----------
    stream : BinaryIO
        Its bytes from the beginning; one that seeks, but for arrays that are read in their order.
    name : str
    header : Header
    """

    stream: BinaryIO
    name: str
    header: Header

    def rows(self, first: int, last: int) -> NDArray:
        """Return some rows as they are stored, in the byte order of the machine."""
        shape, dtype = self.header.shape, self.header.dtype
        found = np.empty((last - first, *shape[1:]), dtype)
        start, n_row = self.header.start, math.prod(shape[1:])
        if not self.header.by_columns or len(shape) == 1:
            self._fill(found, start + first * n_row * dtype.itemsize)
        else:
            for column in range(shape[1]):
                piece = np.empty(last - first, dtype)
                self._fill(piece, start + (column * shape[0] + first) * dtype.itemsize)
                found[:, column] = piece
        return in_floats(found)

    def _fill(self, array: NDArray, place: int) -> None:
        """Fill `array` with the bytes that begin at `place`."""
        if self.stream.tell() != place:
            self.stream.seek(place)
        space = array.reshape(-1).view(np.uint8).data
        while space:
            with naming(self.name):
                n_read = self.stream.readinto(space)  # type: ignore[attr-defined]
            if not n_read:
                raise InputError(self.name, "the array is cut short", remedy=COPY_AGAIN)
            space = space[n_read:]


def in_floats(stored: NDArray) -> NDArray:
    """Return an array in the byte order of the machine; float16 and bfloat16 as float32."""
    if stored.dtype == BFLOAT16:
        bits = stored.view("<u2").astype(np.uint32) << np.uint32(16)
        return bits.view(np.float32)
    if stored.dtype.kind == "f" and stored.dtype.itemsize == 2:
        return stored.astype(np.float32)
    return stored.astype(stored.dtype.newbyteorder("="), copy=False)


def read_header(stream: BinaryIO, name: str) -> Header:
    """Return what the first bytes say; raises `InputError` for a file of another kind."""
    try:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise ValueError
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, by_columns, dtype = read(stream, max_header_size=MOST_HEADER)
    except (ValueError, EOFError, SyntaxError, TypeError, OverflowError, MemoryError) as error:
        raise InputError(
            name, "this is not an .npy file, or its head is damaged", remedy=WRITE_AGAIN
        ) from error
    if dtype.hasobject:
        raise InputError(
            name,
            "it holds Python objects (a pickle), which craig never reads",
            remedy="Save an array of numbers, or of text for labels.",
        )
    if any(length < 0 for length in shape):
        raise InputError(name, "an axis has a negative length", remedy=COPY_AGAIN)
    return Header(dtype, shape, by_columns, stream.tell())


def open_array(stack: ExitStack, source: Source) -> Array:
    """Return the array in a file, opened; raises `InputError` unless all of it is there."""
    stream = stack.enter_context(source.open_raw())
    with naming(source.name):
        header = read_header(stream, source.name)
        check_size(source.name, header, stream.seek(0, os.SEEK_END) - header.start)
    return Array(stream, source.name, header)


def check_size(name: str, header: Header, n_bytes: int) -> None:
    """Raise `InputError` unless so many bytes are those of the array."""
    if header.n_bytes != n_bytes:
        problem = f"its head tells of {header.n_bytes:,} bytes, and {n_bytes:,} follow"
        raise InputError(name, problem, remedy=COPY_AGAIN)


def check_table(name: str, header: Header) -> None:
    """Raise `InputError` unless an array has rows and columns of numbers."""
    is_number = header.dtype.kind in "fiub" or header.dtype == BFLOAT16
    if len(header.shape) != 2 or not is_number:
        shape = f" of shape {header.shape}" if is_number else ""
        problem = f"it holds {header}{shape}, not rows and columns of numbers"
        remedy = SAVE_ROWS
        if is_number and len(header.shape) > 2:
            remedy = "Save X.reshape(len(X), -1)."
        raise InputError(name, problem, remedy=remedy)
    if not 1 <= header.shape[1] <= MOST_COLUMNS:
        problem = f"a row has {header.shape[1]} numbers, not 1 to {MOST_COLUMNS}"
        raise InputError(name, problem, remedy=SAVE_ROWS)


def check_labels(name: str, header: Header, remedy: str) -> None:
    """Raise `InputError` unless an array is one of labels: a number or a text a row."""
    kind = header.dtype.kind
    is_flat = len(header.shape) == 1 or (len(header.shape) == 2 and header.shape[1] == 1)
    if kind not in "fiubUS" or not is_flat or (kind in "US" and header.dtype.itemsize == 0):
        problem = f"it holds {header} of shape {header.shape}, not a label a row"
        raise InputError(name, problem, remedy=remedy)


def labels_of(check: BlockCheck, stored: NDArray, task: str) -> Labels:
    """Return stored labels as int64, float64 or str objects."""
    flat = stored.reshape(-1)
    if flat.dtype.kind not in "US":
        return check.labels(flat, task)
    if task == "regression":
        raise InputError(
            check.name,
            "the labels are text, but regression needs numbers",
            remedy="Name others with --label, or leave out --task regression.",
        )
    labels = np.empty(len(flat), object)
    try:
        labels[:] = [text.decode() if isinstance(text, bytes) else text for text in flat.tolist()]
    except UnicodeDecodeError as error:
        raise InputError(
            check.name, "a label is not UTF-8 text", remedy="Write it as UTF-8."
        ) from error
    return labels


def read_blocks(
    source: Source, file: int, settings: InputSettings, skipped: Skipped, encoding: Encoding | None
) -> Iterator[Block]:
    """Yield the rows of one file.

    float32 where they are stored as float32, float16 or bfloat16, else float64. Labels are int64,
    float64 or str objects. Uses label, no_label, task and block_bytes of `settings`.
    """
    with ExitStack() as stack:
        rows = open_array(stack, source)
        check_table(source.name, rows.header)
        labels = None
        if not settings.no_label:
            labels = open_array(stack, labels_source(source, settings.label))
            check_labels(labels.name, labels.header, "Name another file with --label FILE.")
            check_as_many(labels.name, labels.header.shape[0], source.name, rows.header.shape[0])
        for first, last in spans(rows.header, source.rows, settings.block_bytes):
            check = BlockCheck(source.name, first)
            values = check.rows(rows.rows(first, last))
            own: Labels | None = None
            if labels is not None:
                beside = BlockCheck(labels.name, first, faults=check.faults)
                own = labels_of(beside, labels.rows(first, last), settings.task)
            kept = check.settle(last - first, settings.on_error, skipped)
            if kept is None or len(kept):
                yield take_from_block(Block(values, own, file), kept)


def spans(
    header: Header, wanted: tuple[int, int] | None, block_bytes: int
) -> Iterator[tuple[int, int]]:
    """Yield the first row of each block of those that are wanted, and that after its last."""
    n_rows, width = header.shape
    first, last = wanted or (0, n_rows)
    is_single = header.dtype == BFLOAT16 or (
        header.dtype.kind == "f" and header.dtype.itemsize <= 4
    )
    step = max(1, block_bytes // (width * (4 if is_single else 8)))
    for start in range(first, min(last, n_rows), step):
        yield start, min(start + step, last, n_rows)


def count_rows(source: Source) -> int:
    """Return the rows that the file states."""
    with ExitStack() as stack:
        header = open_array(stack, source).header
        check_table(source.name, header)
        return header.shape[0]


def labels_source(source: Source, wanted: str | None) -> Source:
    """Return the file of the labels; raises `InputError` where none is named."""
    check_not_piped(source)
    if wanted is None:
        raise InputError(
            source.name,
            "an array holds no labels",
            remedy="Name the file of its labels, in the same folder, with --label FILE.npy, or "
            "use --no-label.",
        )
    return named_beside(source, wanted, "npy")


def files_of_labels(files: Sequence[Location], label: str | None) -> Collection[Location]:
    """Return those files that hold the labels of others, which ``--label`` names."""
    return {file for file in files if len(files) > 1 and file.file_name == label}


READER = Reader(
    read_blocks,
    NAMELESS,
    count_rows=count_rows,
    files_beside=files_of_labels,
    keeps_to_rows=True,
)
