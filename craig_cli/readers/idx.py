"""IDX files (MNIST's format): images to dense rows, labels from the file that lies beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Block, Labels
from craig_cli.errors import InputError, UsageError, printable
from craig_cli.readers.idx_names import labels_name, spellings
from craig_cli.readers.numbers import (
    first_fault,
    first_unusable,
    first_unusable_label,
    numeric_labels,
)
from craig_cli.readers.sources import Source, make_source
from craig_cli.settings import InputSettings
from craig_cli.storage.remote import exists, split_options

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""Third byte of a file to the type of its numbers, the high byte first."""
MOST_AXES = 8
MOST_COLUMNS = 1 << 26
LARGEST_BYTE = 255
PIECE_BYTES = 1 << 20
COPY_AGAIN = "Copy or download the file again."
CORRECT = "Correct it, or leave the row out."


class Header(NamedTuple):
    """What an IDX file says of itself: the type of its numbers, and the length of each axis."""

    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def n_columns(self) -> int:
        """Numbers of one row: all axes but the first."""
        return int(np.prod(self.shape[1:], dtype=object))


def read_blocks(
    source: Source, file: int, settings: InputSettings, skipped: Callable[[InputError], None]
) -> Iterator[Block]:
    """Yield the rows of one IDX file, in blocks of about ``settings.block_bytes``.

    Parameters
    ----------
    source : Source
        The file of images: its first axis are the rows, the others are laid out as columns.
    file : int
        Its position among the inputs.
    settings : InputSettings
        Uses label, no_label, task and block_bytes.
    skipped : callable
        Never called: ``--on-error skip`` is for rows of text.

    Yields
    ------
    Block
        Dense rows: bytes are brightnesses, divided by 255 to be in 0 ... 1, as float32; other types
        are as they stand, float32 if they are stored so, else float64. Labels are int64 or float64.
    """
    labels = None if settings.no_label else labels_source(source, settings.label)
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
        if labels is None:
            yield from row_blocks(stream, header, source.name, file, settings, None)
            return
        with labels.open() as label_stream:
            label_header = read_header(label_stream, labels.name)
            check_lengths(source.name, header, labels.name, label_header)
            yield from row_blocks(
                stream,
                header,
                source.name,
                file,
                settings,
                (label_stream, label_header, labels.name),
            )
            check_end(label_stream, labels.name)


def row_blocks(
    stream: BinaryIO,
    header: Header,
    name: str,
    file: int,
    settings: InputSettings,
    labels: tuple[BinaryIO, Header, str] | None,
) -> Iterator[Block]:
    """Yield the rows after a header with their labels, then check that nothing follows."""
    step = max(1, settings.block_bytes // (header.n_columns * header.dtype.itemsize))
    for first_row in range(0, header.shape[0], step):
        n_rows = min(step, header.shape[0] - first_row)
        stored = read_numbers(stream, header, n_rows, name, first_row)
        rows = as_rows(stored, name, first_row)
        values = None if labels is None else as_labels(*labels, n_rows, first_row, settings.task)
        if isinstance(rows, InputError) or isinstance(values, InputError):
            raise first_fault(part for part in (rows, values) if isinstance(part, InputError))
        yield Block(rows, values, file)
    check_end(stream, name)


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
    """Return the next `n_bytes`, fewer at the end: read in pieces, so that no header makes room for
    what is not there.
    """
    pieces = []
    while n_bytes > 0 and (piece := stream.read(min(n_bytes, PIECE_BYTES))):
        pieces.append(piece)
        n_bytes -= len(piece)
    return b"".join(pieces)


def read_numbers(
    stream: BinaryIO, header: Header, n_rows: int, name: str, first_row: int
) -> NDArray:
    """Return the next rows as they are stored, in the byte order of the machine."""
    wanted = n_rows * header.n_columns * header.dtype.itemsize
    data = read_exactly(stream, wanted)
    if len(data) < wanted:
        whole = first_row + len(data) // (header.n_columns * header.dtype.itemsize)
        raise InputError(
            name, f"the file ends after {whole} of {header.shape[0]} rows", remedy=COPY_AGAIN
        )
    return (
        np.frombuffer(data, header.dtype)
        .astype(header.dtype.newbyteorder("="))
        .reshape(n_rows, header.n_columns)
    )


def check_end(stream: BinaryIO, name: str) -> None:
    """Raise `InputError` if something follows the rows."""
    if stream.read(1):
        raise InputError(
            name, "the file goes on after the rows that its header tells", remedy=COPY_AGAIN
        )


def as_rows(
    stored: NDArray, name: str, first_row: int
) -> NDArray[np.float32] | NDArray[np.float64] | InputError:
    """Return rows as floats, or the error of the first number that cannot be used."""
    if stored.dtype == np.uint8:
        return stored.astype(np.float32) / np.float32(LARGEST_BYTE)
    found = first_unusable(stored)
    if found is None:
        return stored if stored.dtype == np.float32 else stored.astype(np.float64)
    row, column = divmod(found[0], stored.shape[1])
    return InputError(
        name,
        f"the value {found[1]}",
        row=first_row + row + 1,
        column=column + 1,
        value=str(stored[row, column]),
        remedy=CORRECT,
    )


def as_labels(
    stream: BinaryIO, header: Header, name: str, n_rows: int, first_row: int, task: str
) -> Labels | InputError:
    """Return the labels of the next rows, or the error of the first that cannot be used."""
    labels = read_numbers(stream, header, n_rows, name, first_row)[:, 0]
    found = first_unusable_label(labels, task)
    if found is None:
        return numeric_labels(labels, task)
    return InputError(
        name,
        f"the label {found[1]}",
        row=first_row + found[0] + 1,
        value=str(labels[found[0]]),
        remedy=CORRECT,
    )


def check_lengths(name: str, header: Header, labels_name: str, label_header: Header) -> None:
    """Raise `InputError` unless there is one label a row."""
    if label_header.n_columns != 1:
        problem = f"it has {label_header.n_columns} numbers a row, and a label is one"
        raise InputError(
            labels_name, problem, remedy="Name another file with --label FILE, or use --no-label."
        )
    if label_header.shape[0] != header.shape[0]:
        problem = (
            f"it has {label_header.shape[0]} labels, and {printable(name)} {header.shape[0]} rows"
        )
        raise InputError(labels_name, problem, remedy="Name another file with --label FILE.")


def labels_source(source: Source, wanted: str | None) -> Source:
    """Return the file of the labels: `wanted`, or the usual name, in the folder of the images.

    Raises
    ------
    UsageError
        `wanted` is not the name of a file there.
    InputError
        There is none.
    """
    if source.name == "<stdin>":
        problem = "labels lie in a file beside the images, and these come from a pipe"
        raise InputError(source.name, problem, remedy="Name the file, or use --no-label.")
    plain, options = split_options(source.path)
    folder = plain.removesuffix(Path(plain).name)
    if wanted is not None:
        if Path(wanted).name != wanted or not exists(folder + wanted + options):
            raise UsageError(
                f"--label: '{printable(wanted)}' is not a file in the folder of "
                f"{printable(source.name)}."
            )
        return make_source(folder + wanted + options, "idx")
    usual = labels_name(Path(plain).name)
    if usual is None:
        problem = (
            "its name does not tell that of its labels (images in it would be labels there, "
            "idx3 would be idx1)"
        )
        raise InputError(
            source.name, problem, remedy="Name their file with --label FILE, or use --no-label."
        )
    for name in spellings(usual):
        if exists(folder + name + options):
            return make_source(folder + name + options, "idx")
    problem = f"there is no file of its labels beside it, {usual}, compressed or not"
    raise InputError(source.name, problem, remedy="Name it with --label FILE, or use --no-label.")
