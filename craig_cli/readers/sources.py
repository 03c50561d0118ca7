"""From names that users give to streams of bytes: files, folders, patterns, pipes, compressed or
not.
"""

from __future__ import annotations

import bz2
import contextlib
import errno
import glob
import gzip
import io
import lzma
import os
import shutil
import stat
import sys
import tempfile
import weakref
import zlib
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from craig_cli.errors import InputError, ResourceError, UsageError, printable
from craig_cli.readers.idx_names import without_labels
from craig_cli.settings import InputSettings
from craig_cli.settings.catalog import COMPRESSIONS, FORMATS, names
from craig_cli.storage.remote import bare_name, expand_remote, is_remote, local_path, open_bytes

Item = TypeVar("Item")

STDIN = "-"
MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
}
"""First bytes of a compressed file to its codec."""

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
CHUNK_BYTES = 1 << 18


@dataclass(frozen=True)
class Source:
    """One input file.

    Parameters
    ----------
    name : str
        As the user named it; ``<stdin>`` for ``-``.
    format : str
        Name of the format in the catalog.
    compression : str or None
        Codec; None where the bytes are plain.
    path : str
        What to open. For a pipe this is an unlinked temporary copy, kept for as long as this object
        lives.
    rows : (int, int) or None
        The first row to read, and that after the last; None: all.
    """

    name: str
    format: str
    compression: str | None
    path: str
    rows: tuple[int, int] | None = None

    def open_raw(self) -> BinaryIO:
        """Return a new stream of the bytes as they are stored."""
        return open_file(self.path, self.name)

    def open(self) -> BinaryIO:
        """Return a new stream of the decompressed bytes; whatever goes wrong in reading it is an
        `InputError` that names the file.
        """
        try:
            stream = open_decompressed(self.path, self.compression)
        except OSError as error:
            raise reading_error(self.name, error) from error
        return io.BufferedReader(CheckedStream(self.name, stream), CHUNK_BYTES)


class CheckedStream(io.RawIOBase):
    """The bytes of `stream`, its errors turned into `InputError`."""

    def __init__(self, name: str, stream: BinaryIO) -> None:
        super().__init__()
        self.name, self.stream = name, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        try:
            return cast(io.BufferedIOBase, self.stream).readinto(buffer)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise reading_error(self.name, error) from error

    def close(self) -> None:
        self.stream.close()
        super().close()


class JoinedStreams(io.RawIOBase):
    """Decompressed bytes of the bz2 or xz streams in `raw`, end to end, with nothing but zero bytes
    after them.

    The standard library's files take a damaged second stream for the end of the data, and lose its
    rows without a word.
    """

    def __init__(
        self,
        raw: BinaryIO,
        new_decompressor: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor],
    ) -> None:
        super().__init__()
        self.raw, self.new_decompressor, self.decompressor = (
            raw,
            new_decompressor,
            new_decompressor(),
        )

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        while True:
            data = b""
            if self.decompressor.eof:
                data = self.decompressor.unused_data.lstrip(b"\0")
                while not data and (more := self.raw.read(CHUNK_BYTES)):
                    data = more.lstrip(b"\0")
                if not data:
                    return 0
                self.decompressor = self.new_decompressor()
            elif self.decompressor.needs_input:
                data = self.raw.read(CHUNK_BYTES)
                if not data:
                    raise EOFError
            piece = self.decompressor.decompress(data, len(buffer))
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)

    def close(self) -> None:
        self.raw.close()
        super().close()


def open_decompressed(path: str, compression: str | None) -> BinaryIO:
    """Return a new stream of the decompressed bytes of a file, several members or frames end to
    end.
    """
    if compression == "gzip" and not is_remote(path):
        return cast(BinaryIO, gzip.GzipFile(path))
    raw = open_bytes(path)  # closed with the stream made of it
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


def open_file(path: str, name: str) -> BinaryIO:
    """Return a buffered stream of the bytes of `path`; raises `InputError` in the name of `name`."""
    try:
        return open_bytes(path)
    except OSError as error:
        raise reading_error(name, error) from error


def read_file_list(path: str) -> tuple[str, ...]:
    """Return the names in a ``--files-from`` file (``-``: standard input): one a line, or each
    ended by NUL if there is any NUL.
    """
    if path == STDIN:
        data, source = stdin_stream().read(), "<stdin>"
    else:
        with CheckedStream(path, open_file(path, path)) as stream:
            data, source = stream.readall(), path
    lines = (
        data.split(b"\0")
        if b"\0" in data
        else [line.removesuffix(b"\r") for line in data.split(b"\n")]
    )
    files = tuple(os.fsdecode(line) for line in lines if line.strip())
    if not files:
        raise InputError(source, "the list names no file", remedy="Write one name a line.")
    if path == STDIN and STDIN in files:
        raise UsageError(
            "--files-from -: standard input holds the list, so the list cannot name - as well."
        )
    return files


def stdin_stream() -> BinaryIO:
    """Return the bytes of standard input; raises `InputError` where it is closed."""
    if sys.stdin is None:
        raise InputError("<stdin>", "standard input is closed")
    return sys.stdin.buffer


def expand_sources(settings: InputSettings) -> tuple[Source, ...]:
    """Return the files that ``settings.paths`` mean, in order, each checked to exist and to be
    readable; pipes are copied to disk here.
    """
    files: list[str] = []
    for name in settings.paths:
        try:
            files += expand_name(name, settings.format)
        except OSError as error:
            raise reading_error(name, error) from error
    if files.count(STDIN) > 1:
        raise UsageError("- (standard input) can be read only once: name it once.")
    files = without_labels(files, [settings.format or format_of(file) for file in files])
    return tuple(make_source(file, settings.format) for file in files)


def expand_name(name: str, wanted_format: str | None) -> list[str]:
    """Return the files that one name means: a folder's files of a known extension and a pattern's
    matches, sorted; else the name itself.
    """
    if not name:
        raise UsageError("The name of an input file is empty.")
    if name == STDIN:
        return [name]
    formats = names(FORMATS) if wanted_format is None else (wanted_format,)
    if is_remote(name):
        files = expand_remote(name, lambda entry: format_of(entry) in formats)
        if files == []:
            raise InputError(
                name,
                f"no file there fits, or has an extension of {' or '.join(formats)}",
                remedy="Check the name.",
            )
        return [name] if files is None else files
    name = local_path(name)
    path = Path(name)
    if path.is_dir():
        entries = sorted(
            entry
            for entry in path.iterdir()
            if not entry.name.startswith(".") and format_of(entry.name) in formats
        )
        files = [str(entry) for entry in entries if not entry.is_dir()]
        if not files:
            raise InputError(
                name,
                f"no file in this folder has an extension of {' or '.join(formats)}",
                remedy="Name the files, and give --format.",
            )
        return files
    if any(c in name for c in "*?[") and not path.exists() and not path.is_symlink():
        matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207  (Path.glob takes no absolute patterns)
        files = [match for match in matches if not Path(match).is_dir()]
        if not files:
            raise InputError(name, "no file matches this pattern", remedy="Check the pattern.")
        return files
    return [name]


def compression_of(name: str) -> str | None:
    """Return the codec that the extension of `name` tells."""
    return COMPRESSIONS.get(Path(bare_name(name)).suffix.lower())


def format_of(name: str) -> str | None:
    """Return the format that the extension of `name` tells, that of a compression aside."""
    path = Path(bare_name(name))
    if path.suffix.lower() in COMPRESSIONS:
        path = path.with_suffix("")
    return next(
        (entry.name for entry in FORMATS if path.name[1:].lower().endswith(entry.extensions)), None
    )


def make_source(file: str, wanted_format: str | None) -> Source:
    """Return the source of one file, its format and codec found out."""
    name, is_pipe = ("<stdin>", True) if file == STDIN else (file, is_named_pipe(file))
    format_name = wanted_format or format_of(file)
    if format_name is None:
        known = " ".join(extension for entry in FORMATS for extension in entry.extensions)
        formats = ", ".join(names(FORMATS))
        raise UsageError(
            f"{printable(name)}: the name does not tell the format. Give --format, "
            f"one of {formats}; known extensions: {known}."
        )
    path, copy = file, None
    if is_pipe or (
        format_name == "hdf5" and is_remote(file)
    ):  # another process opens HDF5 files, by a path
        with (
            contextlib.nullcontext(stdin_stream())
            if file == STDIN
            else open_file(file, name) as stream
        ):
            path, copy = spool(stream, name, has_name=format_name == "hdf5")
    compression = detect_compression(path, name)
    if compression is not None and not next(
        entry.may_be_compressed for entry in FORMATS if entry.name == format_name
    ):
        raise UsageError(
            f"{printable(name)}: {format_name} files are not read compressed "
            f"({compression}): decompress the file first."
        )
    source = Source(name, format_name, compression, path)
    if copy is not None:
        weakref.finalize(source, copy.close)
    return source


def is_named_pipe(file: str) -> bool:
    """Return whether `file` is a pipe; raises `InputError` unless it is that or a regular file."""
    if is_remote(file):
        return False
    try:
        mode = Path(file).stat().st_mode
    except OSError as error:
        raise reading_error(file, error) from error
    if stat.S_ISFIFO(mode):
        return True
    if not stat.S_ISREG(mode):
        raise InputError(
            file, "a device or socket, not a file", remedy="Pipe its bytes to - (standard input)."
        )
    return False


def detect_compression(path: str, name: str) -> str | None:
    """Return the codec that the first bytes tell; raises `InputError` where the name promises one
    and the bytes are of none.
    """
    with CheckedStream(name, open_file(path, name)) as stream:
        head = stream.read(max(map(len, MAGIC)))
    found = next((codec for magic, codec in MAGIC.items() if head.startswith(magic)), None)
    if found is None and (promised := compression_of(name)) is not None:
        raise InputError(
            name,
            f"the name says {promised}, but the content is not compressed",
            remedy=f"Drop {Path(bare_name(name)).suffix} from the name.",
        )
    return found


def spool(stream: BinaryIO, name: str, has_name: bool = False) -> tuple[str, BinaryIO]:
    """Copy `stream` to a temporary file that vanishes when closed; returns a path to open it by,
    and the file.

    Under Linux the file has no name, so that not even a killed process leaves it behind; but for
    `has_name`, which the HDF5 library asks for.
    """
    descriptors = Path(f"/proc/{os.getpid()}/fd")
    is_nameless = descriptors.is_dir() and not has_name
    copy: BinaryIO | None = None
    try:
        make = tempfile.TemporaryFile if is_nameless else tempfile.NamedTemporaryFile
        copy = cast(BinaryIO, make())
        shutil.copyfileobj(stream, copy, CHUNK_BYTES)
        copy.flush()
    except OSError as error:
        if copy is None:
            raise ResourceError(
                f"{printable(name)}: no folder for a temporary copy can be "
                f"written. Set TMPDIR to one that can."
            ) from error
        with contextlib.suppress(OSError):
            copy.close()
        if error.errno in DISK_FULL:
            folder = printable(tempfile.gettempdir())
            raise ResourceError(
                f"{printable(name)}: no space left in {folder} for a temporary "
                f"copy. Set TMPDIR to a larger folder."
            ) from error
        raise reading_error(name, error) from error
    return str(descriptors / str(copy.fileno()) if is_nameless else copy.name), copy


def read_ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """Yield `items`, the next one being made in a thread while the last one is used. Closing waits
    for the item under way.
    """
    end = object()
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield cast(Item, item)
