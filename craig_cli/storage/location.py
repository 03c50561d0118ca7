"""The name of a file, a store or a standard stream, parsed once into a `Location`."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from craig_cli import platform
from craig_cli.errors import UsageError, printable
from craig_cli.storage import remote

SCHEMES = ("s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs")


@dataclass(frozen=True)
class Location:
    """Where a file is; `Location.of` makes it of a name.

    Parameters
    ----------
    name : str
        As the user wrote it.
    path : str
        ``-`` (stdin or stdout), a path of this machine, or the URI of a store without its options.
    scheme : str
        Of a store; else empty.
    options : str
        Of a store, with the question mark before them.
    """

    name: str
    path: str
    scheme: str = ""
    options: str = ""

    @classmethod
    def of(cls, name: str | Location) -> Location:
        """Return where a name leads; raises `UsageError` for ``file://`` of another machine."""
        if isinstance(name, Location):
            return name
        found = re.match(r"([a-z][a-z0-9+.-]*)://", name)
        scheme = "" if found is None else found[1]
        if scheme in SCHEMES:
            path, mark, options = name.partition("?")
            return cls(name, path, scheme, mark + options)
        if scheme != "file":
            return cls(name, name)
        parts = urlsplit(name)
        if parts.netloc not in ("", "localhost"):
            raise UsageError(
                f"{printable(name)}: file:// names files of this machine. Write file:///path."
            )
        return cls(name, platform.path_of_url(unquote(parts.path)))

    @property
    def is_standard(self) -> bool:
        """Whether this is ``-``: stdin or stdout."""
        return self.path == "-"

    @property
    def is_remote(self) -> bool:
        """Whether a store has the file."""
        return bool(self.scheme)

    @property
    def is_pipe(self) -> bool:
        """Whether this is a named pipe."""
        return not self.is_remote and Path(self.path).is_fifo()

    @property
    def is_folder(self) -> bool:
        """Whether this is a folder of this machine."""
        return not self.is_remote and not self.is_standard and Path(self.path).is_dir()

    @property
    def is_stream(self) -> bool:
        """Whether this is written straight: ``-``, an open descriptor, a pipe or a device."""
        if self.is_remote:
            return False
        here = os.path.abspath(self.path)  # noqa: PTH100 (Path would resolve nothing)
        if self.is_standard or here.startswith(platform.STREAM_PATHS):
            return True  # a file behind one is written where it stands, as the shell would
        try:
            mode = Path(self.path).stat().st_mode
        except OSError:
            return False
        return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))

    @property
    def source(self) -> str:
        """What messages call a file that is read."""
        return "<stdin>" if self.is_standard else self.name

    @property
    def shown(self) -> str:
        """The name on one line."""
        return printable(self.name)

    @property
    def file_name(self) -> str:
        """The last step of the path."""
        return Path(self.path).name

    @property
    def suffix(self) -> str:
        """The last extension, with its dot, as it is written."""
        return Path(self.path).suffix

    def resolve(self) -> str:
        """Return one text for all names of the same file, links followed."""
        return self.name if self.is_remote or self.is_standard else str(Path(self.path).resolve())

    def beside(self, file_name: str) -> Location:
        """Return another file in the same folder."""
        path = self.path.removesuffix(self.file_name) + file_name
        return replace(self, name=path + self.options, path=path)

    def exists(self) -> bool:
        """Return whether there is such a file."""
        return bool(remote.info_of(self).is_file if self.is_remote else Path(self.path).is_file())

    def size(self) -> int:
        """Return the bytes of the file; -1 where a store does not tell."""
        if not self.is_remote:
            return Path(self.path).stat().st_size
        size: int | None = remote.info_of(self).size
        return -1 if size is None else size

    def open(self) -> BinaryIO:
        """Return a new stream of the bytes, which can be seeked in unless it is a pipe.

        Raises `OSError` for a path, `InputError` for a store.
        """
        return remote.open_bytes(self) if self.is_remote else Path(self.path).open("rb")

    @contextmanager
    def local_copy(self) -> Iterator[Path]:
        """Give the file as a path: a temporary copy of one in a store."""
        if not self.is_remote:
            yield Path(self.path)
            return
        with platform.TemporaryCopy() as copy, self.open() as stream:
            shutil.copyfileobj(stream, copy.file, remote.COPY_BYTES)
            copy.file.flush()
            yield Path(copy.path)
