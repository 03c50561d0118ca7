"""Files that are named by a URI: object stores and HDFS through pyarrow.fs, ``file://`` as the path
it is.

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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

from craig_cli.errors import InputError, UsageError, printable

SCHEMES = ("s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs")
WHOLE_AT_ONCE = ("s3", "gs", "gcs", "abfs", "abfss")
"""Stores in which an object is there only once all of it has been written."""
AZURE_SECRETS = {"account_key": "AZURE_STORAGE_KEY", "sas_token": "AZURE_STORAGE_SAS_TOKEN"}
"""Where Azure's own tools look for the key of an account, or a token; pyarrow does not."""
HELP = "Check the name, the endpoint, and the credentials in the environment."
SPOOL_BYTES = 64 << 20
COPY_BYTES = 1 << 20


def is_remote(name: str) -> bool:
    """Return whether a name is a URI of a store; ``file://`` is none (`local_path`)."""
    found = re.match(r"([a-z][a-z0-9+.-]*)://", name)
    return found is not None and found[1] in SCHEMES


def local_path(name: str) -> str:
    """Return the path that a ``file://`` URI names; other names as they are."""
    if not name.startswith("file://"):
        return name
    parts = urlsplit(name)
    if parts.netloc not in ("", "localhost"):
        raise UsageError(
            f"{printable(name)}: file:// names files of this machine. Write file:///path."
        )
    return unquote(parts.path)


def split_options(name: str) -> tuple[str, str]:
    """Return a name without the options of its store, and these with the question mark before them."""
    plain, mark, options = name.partition("?") if is_remote(name) else (name, "", "")
    return plain, mark + options


def bare_name(name: str) -> str:
    """Return a name without the options of its store."""
    return split_options(name)[0]


def store_of(name: str) -> tuple[Any, str]:
    """Return the pyarrow file system that a URI names, and the path in it.

    Raises
    ------
    UsageError
        The URI holds a password, which a manifest would keep, or is none that pyarrow knows.
    """
    if ":" in urlsplit(name).netloc.rpartition("@")[0]:
        raise UsageError(
            f"A password in the name of a file would be kept in the manifest: leave "
            f"it out of '{urlsplit(name).scheme}://...'. {HELP}"
        )
    from pyarrow import fs

    refusals: tuple[type[Exception], ...] = (
        *errors_of_stores(),
        ValueError,
        NotImplementedError,
    )  # the last two for a name that means nothing
    try:
        store, path = fs.FileSystem.from_uri(name)
    except refusals as error:
        raise UsageError(f"{printable(name)}: {in_words(error)}. {HELP}") from error
    return with_azure_secret(store) if store.type_name == "abfs" else store, path


def with_azure_secret(store: Any) -> Any:
    """Return a store of Azure's with the key or the token that the environment holds; as it is
    where there is none.
    """
    found = [
        (option, os.environ[name]) for option, name in AZURE_SECRETS.items() if os.environ.get(name)
    ]
    if not found:
        return store
    from pyarrow import fs

    options = store.__reduce__()[1][
        0
    ]  # the arguments that pyarrow itself makes a copy by; it has no other word for them
    return fs.AzureFileSystem(
        **{name: value for name, value in options.items() if value} | dict(found[:1])
    )


def errors_of_stores() -> tuple[type[Exception], ...]:
    """Return what pyarrow raises where a store does not do as it is told."""
    import pyarrow

    return OSError, pyarrow.ArrowException


def in_words(error: Exception) -> str:
    """Return what a store says of an error, on one line."""
    return printable(
        str(error).splitlines()[0] if str(error) else type(error).__name__, 200
    ).rstrip(". ")


def failure(name: str, error: Exception) -> InputError:
    """Return what to tell the user of an error met in a store."""
    if isinstance(error, FileNotFoundError):
        return InputError(name, "no such file", remedy="Check the name.")
    return InputError(name, f"cannot be read: {in_words(error)}", remedy=HELP)


def expand_remote(name: str, is_wanted: Callable[[str], bool]) -> list[str] | None:
    """Return the files that a pattern means, or those of a folder that are wanted, sorted; None
    where the name is neither.

    Raises `InputError` where the store cannot be read.
    """
    from pyarrow import fs

    plain, _, options = name.partition("?")
    has_pattern = any(c in plain for c in "*[")
    prefix = re.split(r"[*\[]", plain, maxsplit=1)[0].rpartition("/")[0] if has_pattern else plain
    ending = f"?{options}" if options else ""
    store, base = store_of(prefix + ending)
    try:
        if not has_pattern and store.get_file_info(base).type != fs.FileType.Directory:
            return None
        found = store.get_file_info(
            fs.FileSelector(
                base,
                recursive=has_pattern and "/" in plain[len(prefix) + 1 :],
                allow_not_found=True,
            )
        )
    except errors_of_stores() as error:
        raise failure(name, error) from error
    inner = [
        info.path[len(base.rstrip("/")) + 1 :] for info in found if info.type == fs.FileType.File
    ]
    if has_pattern:
        inner = [path for path in inner if fits(path, plain[len(prefix) + 1 :])]
    else:
        inner = [path for path in inner if not path.startswith(".") and is_wanted(path)]
    return [f"{prefix.rstrip('/')}/{path}{ending}" for path in sorted(inner)]


def fits(path: str, pattern: str) -> bool:
    """Return whether each step of a path fits that of a pattern."""
    steps, wanted = path.split("/"), pattern.split("/")
    return len(steps) == len(wanted) and all(
        fnmatch.fnmatchcase(step, want) for step, want in zip(steps, wanted, strict=True)
    )


def open_bytes(name: str) -> BinaryIO:
    """Return a stream of the bytes of a file, wherever it is, that can be seeked in; a path is
    opened as it is.

    Raises `OSError` for a path, `InputError` for a URI.
    """
    if not is_remote(name):
        return Path(local_path(name)).open("rb")
    store, path = store_of(name)
    try:
        return cast(
            BinaryIO, io.BufferedReader(RemoteFile(name, store.open_input_file(path)), COPY_BYTES)
        )
    except errors_of_stores() as error:
        raise failure(name, error) from error


class RemoteFile(io.RawIOBase):
    """A file in a store, whose errors are `InputError`."""

    def __init__(self, name: str, stream: Any) -> None:
        super().__init__()
        self._name, self._stream = name, stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._stream.seek(offset, whence))

    def tell(self) -> int:
        return int(self._stream.tell())

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(len(buffer))
        except errors_of_stores() as error:
            raise failure(self._name, error) from error
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


def size_of(name: str) -> int:
    """Return the bytes of a file; -1 where a store does not tell."""
    if not is_remote(name):
        return Path(local_path(name)).stat().st_size
    store, path = store_of(name)
    try:
        size = store.get_file_info(path).size
    except errors_of_stores() as error:
        raise failure(name, error) from error
    return -1 if size is None else int(size)


def exists(name: str) -> bool:
    """Return whether there is a file of this name."""
    if not is_remote(name):
        return Path(local_path(name)).is_file()
    from pyarrow import fs

    store, path = store_of(name)
    try:
        return bool(store.get_file_info(path).type == fs.FileType.File)
    except errors_of_stores() as error:
        raise failure(name, error) from error


@contextmanager
def local_copy(name: str) -> Iterator[Path]:
    """Give a file as a path: a temporary copy of one in a store."""
    if not is_remote(name):
        yield Path(local_path(name))
        return
    with tempfile.NamedTemporaryFile() as copy, open_bytes(name) as stream:
        shutil.copyfileobj(stream, copy, COPY_BYTES)
        copy.flush()
        yield Path(copy.name)


@contextmanager
def replace_remote(name: str) -> Iterator[BinaryIO]:
    """Give a file whose content takes the place of `name` when the ``with`` block ends well, and of
    which nothing is left when it does not.

    It is kept here until it is whole. Object stores show an object once all of it is there;
    elsewhere it is written beside and moved.
    """
    store, path = store_of(name)
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as whole:
        yield cast(BinaryIO, whole)
        whole.seek(0)
        place = (
            path
            if urlsplit(name).scheme in WHOLE_AT_ONCE
            else f"{path}.craig-{secrets.token_hex(8)}.tmp"
        )
        try:
            with store.open_output_stream(
                place, compression=None
            ) as out:  # by default a name may ask for one
                shutil.copyfileobj(whole, out, COPY_BYTES)
            if place != path:
                store.move(place, path)
        except errors_of_stores() as error:
            raise OSError(in_words(error)) from error
