"""From names that users give to files of known formats: folders, patterns, pipes, lists."""

from __future__ import annotations

import contextlib
import glob
import io
import os
import stat
import weakref
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from craig_cli.dataset import Progress, no_progress
from craig_cli.errors import InputError, UsageError, printable
from craig_cli.readers.folders import Partition, files_in, partitions_of, without_hidden
from craig_cli.readers.formats import Reader, reader_of
from craig_cli.readers.hub_folder import hub_files
from craig_cli.readers.streams import (
    CHUNK_BYTES,
    CheckedStream,
    naming,
    open_decompressed,
    open_file,
    read_whole,
    spool,
    stdin_stream,
    waiting,
)
from craig_cli.settings import InputSettings
from craig_cli.settings.catalog import COMPRESSIONS, FORMATS, names
from craig_cli.storage import remote
from craig_cli.storage.location import Location

MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
}
"""First bytes of a compressed file to its codec."""


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
    location : Location
        What to open. For a pipe this is an unlinked temporary copy, kept for as long as this object
        lives.
    rows : (int, int) or None
        The first row to read, and that after the last; None: all.
    partition : tuple of Partition
        The columns that the names of its folders are.
    """

    name: str
    format: str
    compression: str | None
    location: Location
    rows: tuple[int, int] | None = None
    partition: tuple[Partition, ...] = ()

    @property
    def reader(self) -> Reader:
        """What reads it."""
        return reader_of(self.format)

    def open_raw(self) -> BinaryIO:
        """Return a new stream of the bytes as they are stored."""
        return open_file(self.location, self.name)

    def open(self) -> BinaryIO:
        """Return a new stream of the decompressed bytes; its errors are `InputError`."""
        with naming(self.name):
            stream = open_decompressed(self.location, self.compression)
        return io.BufferedReader(CheckedStream(self.name, stream), CHUNK_BYTES)


def read_file_list(path: str) -> tuple[str, ...]:
    """Return the names in a ``--files-from`` file: one a line, or each ended by NUL."""
    location = Location.of(path)
    data = read_whole(location)
    lines = (
        data.split(b"\0")
        if b"\0" in data
        else [line.removesuffix(b"\r") for line in data.split(b"\n")]
    )
    files = tuple(os.fsdecode(line) for line in lines if line.strip())
    if not files:
        raise InputError(location.source, "the list names no file", remedy="Write one name a line.")
    if location.is_standard and path in files:
        raise UsageError(
            "--files-from -: standard input holds the list, so the list cannot name - as well."
        )
    return files


def expand_sources(settings: InputSettings, progress: Progress = no_progress) -> tuple[Source, ...]:
    """Return the files that ``settings.paths`` mean, in order, each checked to be readable.

    Pipes are copied to disk here; `progress` is told of one that sends nothing.
    """
    files: list[Location] = []
    for name in settings.paths:
        with naming(name):
            files += expand_name(name, settings.format)
    if sum(file.is_standard for file in files) > 1:
        raise UsageError("- (standard input) can be read only once: name it once.")
    by_format: dict[str, list[Location]] = {}
    for file in files:
        if (format_name := settings.format or format_of(file.file_name)) is not None:
            by_format.setdefault(format_name, []).append(file)
    beside = {
        file
        for format_name, own in by_format.items()
        if (find := reader_of(format_name).files_beside) is not None
        for file in find(own, settings.label)
    }
    files = [file for file in files if file not in beside]
    partitions = partitions_of([file.path for file in files])
    return tuple(
        make_source(file, settings.format, progress, partition)
        for file, partition in zip(files, partitions, strict=True)
    )


def expand_name(name: str, wanted_format: str | None) -> list[Location]:
    """Return the files that one name means, sorted, or the file of that name.

    Of a folder these are the files of a known extension, its own or else those below, of a pattern
    what it fits.
    """
    if not name:
        raise UsageError("The name of an input file is empty.")
    location, formats = Location.of(name), (wanted_format,) if wanted_format else names(FORMATS)
    if location.is_standard:
        return [location]
    if location.is_remote:
        found = remote.expand(location, lambda entry: format_of(entry) in formats)
        nothing = f"no file there fits, or has an extension of {' or '.join(formats)}"
        remedy = "Check the name."
    else:
        path = Path(location.path)
        found, nothing, remedy = None, "no file matches this pattern", "Check the pattern."
        if path.is_dir():
            found = files_of_folder(path, formats)
            nothing = (
                f"no file in this folder, or below, has an extension of {' or '.join(formats)}"
            )
            remedy = "Name the files, and give --format."
        elif any(c in location.path for c in "*?[") and not (path.exists() or path.is_symlink()):
            fitting = sorted(glob.glob(location.path, recursive=True))  # noqa: PTH207
            found = without_hidden(fitting, location.path)
        found = None if found is None else [file for file in found if not Path(file).is_dir()]
    if found is None:
        return [location if location.is_remote else Location.of(location.path)]
    if not found:
        raise InputError(
            location.name if location.is_remote else location.path, nothing, remedy=remedy
        )
    return [Location.of(file) for file in found]


def files_of_folder(folder: Path, formats: tuple[str, ...]) -> list[str]:
    """Return the files of rows in a folder, sorted."""
    if (hub := hub_files(folder, partial(is_data, formats))) is not None:
        return hub.files
    return files_in(folder, partial(is_data, formats))


def is_data(formats: tuple[str, ...], file_name: str) -> bool:
    """Return whether a name in a folder is that of a file of rows."""
    return not file_name.startswith(".") and format_of(file_name) in formats


def folder_notes(settings: InputSettings) -> list[str]:
    """Return what the user should know of how the files in folders were found."""
    formats = (settings.format,) if settings.format else names(FORMATS)
    folders = [Path(place.path) for place in map(Location.of, settings.paths) if place.is_folder]
    found = [hub_files(folder, partial(is_data, formats)) for folder in folders]
    return [hub.note for hub in found if hub is not None and hub.note]


def format_of(file_name: str) -> str | None:
    """Return the format that the extension of a name tells, that of a compression aside."""
    path = Path(file_name)
    if path.suffix.lower() in COMPRESSIONS:
        path = path.with_suffix("")
    return next(
        (entry.name for entry in FORMATS if path.name[1:].lower().endswith(entry.extensions)), None
    )


def make_source(
    location: Location,
    wanted_format: str | None,
    progress: Progress = no_progress,
    partition: tuple[Partition, ...] = (),
) -> Source:
    """Return the source of one file, its format and codec found out."""
    name, is_pipe = location.source, is_pipe_or_file(location)
    format_name = wanted_format or format_of(location.file_name)
    if format_name is None:
        known = " ".join(extension for entry in FORMATS for extension in entry.extensions)
        raise UsageError(
            f"{printable(name)}: the name does not tell the format. Give --format, "
            f"one of {', '.join(names(FORMATS))}; known extensions: {known}."
        )
    needs_path, copy, opened = reader_of(format_name).needs_path, None, location
    if is_pipe or (needs_path and location.is_remote):
        with contextlib.ExitStack() as opening:
            with waiting(name, progress), naming(name):
                if location.is_standard:
                    stream = stdin_stream()
                else:
                    stream = opening.enter_context(open_file(location, name))
                first = cast("io.BufferedReader", stream).read1(CHUNK_BYTES)
            copy = spool(stream, name, first, has_name=needs_path)
        opened = Location.of(copy.path)
    compression = detect_compression(opened, location)
    if compression is not None and not next(
        entry.may_be_compressed for entry in FORMATS if entry.name == format_name
    ):
        raise UsageError(
            f"{printable(name)}: {format_name} files are not read compressed "
            f"({compression}): decompress the file first."
        )
    source = Source(name, format_name, compression, opened, partition=partition)
    if copy is not None:
        weakref.finalize(source, copy.close)
    return source


def is_pipe_or_file(location: Location) -> bool:
    """Return whether this is a pipe; raises `InputError` unless it is that or a regular file."""
    if location.is_remote or location.is_standard:
        return location.is_standard
    with naming(location.name):
        mode = Path(location.path).stat().st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISREG(mode)):
        raise InputError(
            location.name,
            "a device or socket, not a file",
            remedy="Pipe its bytes to - (standard input).",
        )
    return stat.S_ISFIFO(mode)


def detect_compression(opened: Location, named: Location) -> str | None:
    """Return the codec that the first bytes tell.

    Raises `InputError` where the name promises one and the bytes are of none.
    """
    with CheckedStream(named.source, open_file(opened, named.source)) as stream:
        head = stream.read(max(map(len, MAGIC)))
    found = next((codec for magic, codec in MAGIC.items() if head.startswith(magic)), None)
    if found is None and (promised := COMPRESSIONS.get(named.suffix.lower())) is not None:
        raise InputError(
            named.source,
            f"the name says {promised}, but the content is not compressed",
            remedy=f"Drop {named.suffix} from the name.",
        )
    return found
