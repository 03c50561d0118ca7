"""Files in object stores and HDFS, through pyarrow.fs.

Options of a store stand in the name, as
``s3://bucket/key?endpoint_override=host:9000&scheme=http``; credentials do not: they come from the
environment or the files that each store's tools use (``AWS_ACCESS_KEY_ID``, ``AWS_PROFILE``,
``GOOGLE_APPLICATION_CREDENTIALS``, ``AZURE_STORAGE_KEY``, ...).
"""

from __future__ import annotations

import fnmatch
import io
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import urlsplit

from craig_cli.errors import InputError, UsageError, printable

if TYPE_CHECKING:
    from craig_cli.storage.location import Location

WHOLE_AT_ONCE = ("s3", "gs", "gcs", "abfs", "abfss")
"""Stores in which an object is there only once all of it has been written."""
AZURE_SECRETS = {"account_key": "AZURE_STORAGE_KEY", "sas_token": "AZURE_STORAGE_SAS_TOKEN"}
"""Where Azure's own tools look for the key of an account, or a token; pyarrow does not."""
HELP = "Check the name, the endpoint, and the credentials in the environment."
SPOOL_BYTES = 64 << 20
COPY_BYTES = 1 << 20


def store_of(location: Location) -> tuple[Any, str]:
    """Return the pyarrow file system that has a file, and the path in it.

    Raises
    ------
    UsageError
        The URI holds a password, which a manifest would keep, or is none that pyarrow knows.
    """
    if ":" in urlsplit(location.name).netloc.rpartition("@")[0]:
        raise UsageError(
            f"A password in the name of a file would be kept in the manifest: leave "
            f"it out of '{location.scheme}://...'. {HELP}"
        )
    from pyarrow import fs

    # The last two for a name that means nothing.
    refusals: tuple[type[Exception], ...] = (*errors_of_stores(), ValueError, NotImplementedError)
    try:
        store, path = fs.FileSystem.from_uri(location.name)
    except refusals as error:
        raise UsageError(f"{location.shown}: {in_words(error)}. {HELP}") from error
    return with_azure_secret(store) if store.type_name == "abfs" else store, path


def with_azure_secret(store: Any) -> Any:
    """Return a store of Azure's with the key or token of the environment, where it holds one."""
    found = [
        (option, os.environ[name]) for option, name in AZURE_SECRETS.items() if os.environ.get(name)
    ]
    if not found:
        return store
    from pyarrow import fs

    # The arguments that pyarrow itself makes a copy by; it has no other word for them.
    options = store.__reduce__()[1][0]
    return fs.AzureFileSystem(
        **{name: value for name, value in options.items() if value} | dict(found[:1])
    )


def errors_of_stores() -> tuple[type[Exception], ...]:
    """Return what pyarrow raises where a store does not do as it is told."""
    import pyarrow

    return OSError, pyarrow.ArrowException


def in_words(error: Exception) -> str:
    """Return what a store says of an error, on one line."""
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    return printable(said, 200).rstrip(". ")


def failure(name: str, error: Exception) -> InputError:
    """Return what to tell the user of an error met in a store."""
    if isinstance(error, FileNotFoundError):
        return InputError(name, "no such file", remedy="Check the name.")
    return InputError(name, f"cannot be read: {in_words(error)}", remedy=HELP)


@contextmanager
def failures(location: Location) -> Iterator[None]:
    """Turn the errors of a store into those that name the file."""
    try:
        yield
    except errors_of_stores() as error:
        raise failure(location.name, error) from error


def expand(location: Location, is_wanted: Callable[[str], bool]) -> list[str] | None:
    """Return the names that a pattern means, or a folder's that are wanted, sorted; else None."""
    from pyarrow import fs

    plain, ending = location.path, location.options
    has_pattern = any(c in plain for c in "*[")
    prefix = re.split(r"[*\[]", plain, maxsplit=1)[0].rpartition("/")[0] if has_pattern else plain
    store, base = store_of(replace(location, name=prefix + ending, path=prefix))
    with failures(location):
        if not has_pattern and store.get_file_info(base).type != fs.FileType.Directory:
            return None
        is_deep = has_pattern and ("/" in plain[len(prefix) + 1 :] or "**" in plain)
        inner = files_below(store, base, is_deep)
        if has_pattern:
            wanted = plain[len(prefix) + 1 :].split("/")
            inner = [path for path in inner if fits(path.split("/"), wanted)]
        else:
            inner = [path for path in inner if is_wanted(path)]
            if not inner:
                inner = [path for path in files_below(store, base, True) if is_wanted(path)]
            inner = [path for path in inner if not is_hidden(path.split("/"))]
    inner.sort(key=lambda path: path.split("/"))
    return [f"{prefix.rstrip('/')}/{path}{ending}" for path in inner]


def files_below(store: Any, base: str, is_deep: bool) -> list[str]:
    """Return the files of a folder, or also of those below, by their paths from there."""
    from pyarrow import fs

    found = store.get_file_info(fs.FileSelector(base, recursive=is_deep, allow_not_found=True))
    start = len(base.rstrip("/")) + 1
    return [info.path[start:] for info in found if info.type == fs.FileType.File]


def is_hidden(steps: Sequence[str]) -> bool:
    """Return whether a file holds no rows, or is in a folder of such: ``_SUCCESS``, ``.crc``."""
    return any(step.startswith((".", "_")) for step in steps)


def fits(steps: Sequence[str], wanted: Sequence[str]) -> bool:
    """Return whether each step of a path fits that of a pattern; ``**`` fits any number of them,
    and a pattern no hidden file, unless it names such.
    """
    if wanted and wanted[0] == "**":
        return fits(steps, wanted[1:]) or (
            bool(steps) and not is_hidden(steps[:1]) and fits(steps[1:], wanted)
        )
    if not steps or not wanted:
        return not steps and not wanted
    return (
        fnmatch.fnmatchcase(steps[0], wanted[0])
        and (not is_hidden(steps[:1]) or is_hidden(wanted[:1]))
        and fits(steps[1:], wanted[1:])
    )


def open_bytes(location: Location) -> BinaryIO:
    """Return a stream of the bytes of a file that can be seeked in."""
    store, path = store_of(location)
    with failures(location):
        stream = store.open_input_file(path)
    return cast(BinaryIO, io.BufferedReader(RemoteFile(location, stream), COPY_BYTES))


class Wrapped(io.RawIOBase):
    """A stream that is read through another, and closed with it."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self.stream = stream

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.stream.close()
        super().close()


class RemoteFile(Wrapped):
    """A file in a store, whose errors are `InputError`."""

    def __init__(self, location: Location, stream: Any) -> None:
        super().__init__(stream)
        self.location = location

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self.stream.seek(offset, whence))

    def tell(self) -> int:
        return int(self.stream.tell())

    def readinto(self, buffer: Any) -> int:
        with failures(self.location):
            data = self.stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def info_of(location: Location) -> Any:
    """Return what a store tells of a file."""
    store, path = store_of(location)
    with failures(location):
        return store.get_file_info(path)


@contextmanager
def replace_remote(location: Location) -> Iterator[BinaryIO]:
    """Give a file whose content takes the place of another when the ``with`` block ends well.

    It is kept here until it is whole, and nothing is left of it where the block fails. Object
    stores show an object once all of it is there; elsewhere it is written beside and moved.
    """
    store, path = store_of(location)
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as whole:
        yield cast(BinaryIO, whole)
        whole.seek(0)
        is_whole = location.scheme in WHOLE_AT_ONCE
        place = path if is_whole else f"{path}.craig-{secrets.token_hex(8)}.tmp"
        try:
            # By default a name may ask for compression.
            with store.open_output_stream(place, compression=None) as out:
                shutil.copyfileobj(whole, out, COPY_BYTES)
            if not is_whole:
                store.move(place, path)
        except errors_of_stores() as error:
            raise OSError(in_words(error)) from error
