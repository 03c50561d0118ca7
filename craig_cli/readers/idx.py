"""IDX files (MNIST's format): images to dense rows, labels from the file that lies beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Block, Encoding, take_from_block
from craig_cli.errors import InputError
from craig_cli.readers.beside import check_as_many, check_not_piped, named_beside
from craig_cli.readers.formats import NAMELESS, Reader
from craig_cli.readers.numbers import BlockCheck
from craig_cli.readers.skipped import Skipped
from craig_cli.readers.sources import Source, make_source
from craig_cli.settings import InputSettings
from craig_cli.settings.catalog import COMPRESSIONS
from craig_cli.storage.location import Location

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""Third byte of a file to the type of its numbers, the high byte first."""
MOST_AXES = 8
MOST_COLUMNS = 1 << 26
LARGEST_BYTE = 255
PIECE_BYTES = 1 << 20
COPY_AGAIN = "Copy or download the file again."


class Header(NamedTuple):
    """What an IDX file says of itself: the type of its numbers, and the length of each axis."""

    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def n_columns(self) -> int:
        """Numbers of one row: all axes but the first."""
        return int(np.prod(self.shape[1:], dtype=object))


class Stored(NamedTuple):
    """An IDX file that is being read: its bytes, what they say of themselves, and its name."""

    stream: BinaryIO
    header: Header
    name: str


def read_blocks(
    source: Source, file: int, settings: InputSettings, skipped: Skipped, encoding: Encoding | None
) -> Iterator[Block]:
    """Yield the rows of one file of images: their first axis are rows, the others columns.

    Bytes are brightnesses, divided by 255 to be in 0 ... 1, as float32; other types are as they
    stand, float32 if they are stored so, else float64. Labels are int64 or float64. Uses label,
    no_label, task, on_error and block_bytes of `settings`.
    """
    beside = None if settings.no_label else labels_source(source, settings.label)
    with source.open() as stream:
        header = read_header(stream, source.name)
        if len(header.shape) < 2:
            remedy = "Name the file of the images: the labels beside it are found."
            raise InputError(
                source.name, "it has one axis, so these are labels, not rows", remedy=remedy
            )
        if not 1 <= header.n_columns <= MOST_COLUMNS:
            raise InputError(
                source.name,
                f"a row has {header.n_columns} numbers, not 1 to {MOST_COLUMNS}",
                remedy=COPY_AGAIN,
            )
        images = Stored(stream, header, source.name)
        if beside is None:
            yield from row_blocks(images, None, file, settings, skipped)
            return
        with beside.open() as label_stream:
            labels = Stored(label_stream, read_header(label_stream, beside.name), beside.name)
            check_lengths(images, labels)
            yield from row_blocks(images, labels, file, settings, skipped)
            check_end(labels)


def row_blocks(
    images: Stored, labels: Stored | None, file: int, settings: InputSettings, skipped: Skipped
) -> Iterator[Block]:
    """Yield the rows after a header with their labels, then check that nothing follows."""
    header = images.header
    step = max(1, settings.block_bytes // (header.n_columns * header.dtype.itemsize))
    for first_row in range(0, header.shape[0], step):
        n_rows = min(step, header.shape[0] - first_row)
        check = BlockCheck(images.name, first_row)
        stored = read_numbers(images, n_rows, first_row)
        rows = (
            stored.astype(np.float32) / np.float32(LARGEST_BYTE)
            if stored.dtype == np.uint8
            else check.rows(stored)
        )
        values = None
        if labels is not None:
            beside = BlockCheck(labels.name, first_row, faults=check.faults)
            values = beside.labels(read_numbers(labels, n_rows, first_row)[:, 0], settings.task)
        kept = check.settle(n_rows, settings.on_error, skipped)
        if kept is None or len(kept):
            yield take_from_block(Block(rows, values, file), kept)
    check_end(images)


def read_header(stream: BinaryIO, name: str) -> Header:
    """Return what the first bytes say; raises `InputError` for a file of another kind."""
    head = read_exactly(stream, 4)
    if (
        len(head) < 4
        or head[:2] != b"\0\0"
        or head[2] not in TYPES
        or not 1 <= head[3] <= MOST_AXES
    ):
        raise InputError(
            name,
            "this is not an IDX file",
            value=head.hex(" ") or None,
            remedy="Give its format with --format.",
        )
    lengths = read_exactly(stream, 4 * head[3])
    if len(lengths) < 4 * head[3]:
        raise InputError(name, "the file ends within its header", remedy=COPY_AGAIN)
    return Header(np.dtype(TYPES[head[2]]), tuple(np.frombuffer(lengths, ">u4").tolist()))


def read_exactly(stream: BinaryIO, n_bytes: int) -> bytes:
    """Return the next `n_bytes`, fewer at the end.

    They are read in pieces, so that no header makes room for what is not there.
    """
    pieces = []
    while n_bytes > 0 and (piece := stream.read(min(n_bytes, PIECE_BYTES))):
        pieces.append(piece)
        n_bytes -= len(piece)
    return b"".join(pieces)


def read_numbers(file: Stored, n_rows: int, first_row: int) -> NDArray:
    """Return the next rows as they are stored, in the byte order of the machine."""
    header = file.header
    wanted = n_rows * header.n_columns * header.dtype.itemsize
    data = read_exactly(file.stream, wanted)
    if len(data) < wanted:
        whole = first_row + len(data) // (header.n_columns * header.dtype.itemsize)
        raise InputError(
            file.name, f"the file ends after {whole} of {header.shape[0]} rows", remedy=COPY_AGAIN
        )
    return (
        np.frombuffer(data, header.dtype)
        .astype(header.dtype.newbyteorder("="))
        .reshape(n_rows, header.n_columns)
    )


def check_end(file: Stored) -> None:
    """Raise `InputError` if something follows the rows."""
    if file.stream.read(1):
        raise InputError(
            file.name, "the file goes on after the rows that its header tells", remedy=COPY_AGAIN
        )


def check_lengths(images: Stored, labels: Stored) -> None:
    """Raise `InputError` unless there is one label a row."""
    if labels.header.n_columns != 1:
        problem = f"it has {labels.header.n_columns} numbers a row, and a label is one"
        raise InputError(
            labels.name, problem, remedy="Name another file with --label FILE, or use --no-label."
        )
    check_as_many(labels.name, labels.header.shape[0], images.name, images.header.shape[0])


def labels_source(source: Source, wanted: str | None) -> Source:
    """Return the file of the labels: `wanted`, or the usual name, in the folder of the images.

    Raises
    ------
    UsageError
        `wanted` is not the name of a file there.
    InputError
        There is none.
    """
    check_not_piped(source)
    if wanted is not None:
        return named_beside(source, wanted, "idx")
    usual = labels_name(source.location.file_name)
    if usual is None:
        problem = (
            "its name does not tell that of its labels (images in it would be labels there, "
            "idx3 would be idx1)"
        )
        raise InputError(
            source.name, problem, remedy="Name their file with --label FILE, or use --no-label."
        )
    found = next(filter(Location.exists, map(source.location.beside, spellings(usual))), None)
    if found is None:
        problem = f"there is no file of its labels beside it, {usual}, compressed or not"
        remedy = "Name it with --label FILE, or use --no-label."
        raise InputError(source.name, problem, remedy=remedy)
    return make_source(found, "idx")


def labels_name(name: str) -> str | None:
    """Return what the labels of a file of images are called, as ``train-labels-idx1-ubyte``.

    None where the name has no such twin.
    """
    twin = name.replace("images", "labels").replace("idx3", "idx1")
    return twin if "images" in name else None


def spellings(name: str) -> list[str]:
    """Return a file name as it stands, then with every other compression."""
    plain = Path(name).stem if Path(name).suffix.lower() in COMPRESSIONS else name
    others = (plain, *(plain + extension for extension in COMPRESSIONS))
    return [name, *(other for other in others if other != name)]


def files_of_labels(files: Sequence[Location], label: str | None) -> Collection[Location]:
    """Return those files that hold the labels of others: a pattern, or a folder, names both."""
    taken = {
        (Path(file.path).with_name(name), file.options)
        for file in files
        if (twin := labels_name(file.file_name)) is not None
        for name in spellings(twin)
    }
    return {
        file
        for file in files
        if (Path(file.path), file.options) in taken or (len(files) > 1 and file.file_name == label)
    }


READER = Reader(read_blocks, NAMELESS, files_beside=files_of_labels)
