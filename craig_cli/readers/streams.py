"""Streams of bytes: decompressed, copied to disk, read ahead, their errors told in words."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import shutil
import sys
import tempfile
import threading
import zlib
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from craig_cli.dataset import Progress
from craig_cli.errors import InputError, ResourceError, printable
from craig_cli.platform import TemporaryCopy
from craig_cli.storage.location import Location
from craig_cli.storage.remote import Wrapped

Item = TypeVar("Item")

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
CHUNK_BYTES = 1 << 18
PATIENCE_SECONDS = 5.0
"""After so long it is told what is waited for."""


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Turn errors met in opening or reading a file into `InputError` that name it."""
    try:
        yield
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise reading_error(name, error) from error


def reading_error(name: str, error: Exception) -> InputError:
    """Return what to tell the user of an error met in opening or reading a file."""
    if isinstance(error, EOFError) or "Truncated" in str(error):
        return InputError(
            name, "compressed data is truncated", remedy="Copy or compress the file again."
        )
    if isinstance(error, FileNotFoundError):
        problem = (
            "a link to a file that does not exist" if Path(name).is_symlink() else ("no such file")
        )
        return InputError(name, problem, remedy="Check the name.")
    if isinstance(error, PermissionError):
        return InputError(name, "you may not read this file", remedy="Ask for read permission.")
    if isinstance(error, OSError) and error.errno is not None:
        return InputError(name, f"cannot be read: {os.strerror(error.errno)}")
    return InputError(
        name,
        "compressed data is damaged, or something else follows it",
        remedy="Copy or compress the file again.",
    )


class CheckedStream(Wrapped):
    """The bytes of `stream`, its errors turned into `InputError`."""

    def __init__(self, name: str, stream: BinaryIO) -> None:
        super().__init__(stream)
        self.name = name

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        with naming(self.name):
            return cast(int, self.stream.readinto(buffer))


class JoinedStreams(Wrapped):
    """Decompressed bytes of bz2 or xz streams end to end, with only zero bytes after them.

    The standard library's files take a damaged second stream for the end of the data, and lose its
    rows without a word.
    """

    def __init__(
        self,
        raw: BinaryIO,
        new_decompressor: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor],
    ) -> None:
        super().__init__(raw)
        self.new_decompressor, self.decompressor = new_decompressor, new_decompressor()

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        while True:
            data = b""
            if self.decompressor.eof:
                data = self.decompressor.unused_data.lstrip(b"\0")
                while not data and (more := self.stream.read(CHUNK_BYTES)):
                    data = more.lstrip(b"\0")
                if not data:
                    return 0
                self.decompressor = self.new_decompressor()
            elif self.decompressor.needs_input:
                data = self.stream.read(CHUNK_BYTES)
                if not data:
                    raise EOFError
            piece = self.decompressor.decompress(data, len(buffer))
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)


def open_decompressed(location: Location, compression: str | None) -> BinaryIO:
    """Return a new stream of the decompressed bytes of a file, its members or frames end to end."""
    if compression == "gzip" and not location.is_remote:
        return cast(BinaryIO, gzip.GzipFile(location.path))
    raw = location.open()  # closed with the stream made of it
    if compression == "gzip":
        return cast(BinaryIO, gzip.GzipFile(fileobj=raw))
    if compression is None:
        return raw
    if compression == "bz2":
        return cast(BinaryIO, JoinedStreams(raw, bz2.BZ2Decompressor))
    if compression == "xz":
        return cast(BinaryIO, JoinedStreams(raw, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ)))
    import pyarrow

    return cast(
        BinaryIO, pyarrow.CompressedInputStream(pyarrow.PythonFile(raw, mode="r"), compression)
    )


def open_file(location: Location, name: str) -> BinaryIO:
    """Return a buffered stream of the bytes of a file; its errors name it `name`."""
    with naming(name):
        return location.open()


def read_whole(location: Location) -> bytes:
    """Return all bytes of a file, or of standard input."""
    if location.is_standard:
        return stdin_stream().read()
    with CheckedStream(location.name, open_file(location, location.name)) as stream:
        return stream.readall()


def line_end_of(text: bytes) -> bytes:
    """Return how the first line of a text ends: carriage return and newline, or newline alone."""
    stop = text.find(b"\n")
    return b"\r\n" if stop > 0 and text[stop - 1 : stop] == b"\r" else b"\n"


def stdin_stream() -> BinaryIO:
    """Return the bytes of standard input; raises `InputError` where it is closed."""
    if sys.stdin is None:
        raise InputError("<stdin>", "standard input is closed")
    return sys.stdin.buffer


@contextmanager
def waiting(name: str, progress: Progress) -> Iterator[None]:
    """Tell `progress`, from a thread, if the ``with`` block takes long: it waits for a pipe."""
    timer = threading.Timer(PATIENCE_SECONDS, progress, (f"wait {name}", 0, None))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def spool(stream: BinaryIO, name: str, first: bytes = b"", has_name: bool = False) -> TemporaryCopy:
    """Return a copy of `first` and `stream` on disk; it vanishes when closed.

    The HDF5 library asks for one that `has_name`.
    """
    copy: TemporaryCopy | None = None
    try:
        copy = TemporaryCopy(has_name)
        copy.file.write(first)
        shutil.copyfileobj(stream, copy.file, CHUNK_BYTES)
        copy.file.flush()
    except OSError as error:
        if copy is None:
            raise ResourceError(
                f"{printable(name)}: no folder for a temporary copy can be "
                f"written. Set TMPDIR to one that can."
            ) from error
        copy.close()
        if error.errno in DISK_FULL:
            folder = printable(tempfile.gettempdir())
            raise ResourceError(
                f"{printable(name)}: no space left in {folder} for a temporary "
                f"copy. Set TMPDIR to a larger folder."
            ) from error
        raise reading_error(name, error) from error
    return copy


def read_ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """Yield `items`, the next one being made in a thread while the last one is used.

    Closing waits for the item under way.
    """
    end = object()
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield cast(Item, item)
