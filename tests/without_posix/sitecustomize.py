"""Makes Python, where this folder is on its path, a poorer one, somewhat as under Windows.

No process here sees `fcntl` and its like, nor `/proc`; no open file can be replaced or removed; a
temporary file that is deleted on closing cannot be opened once more. And craig itself sees none of
the names that Windows lacks, cannot open a folder, and is told that the system is Windows. Other
packages see what they always see: theirs for Linux have no use for Windows.
"""

from __future__ import annotations

import builtins
import errno
import importlib
import io
import os
import shutil
import sys
import tempfile
import warnings
from types import ModuleType
from typing import Any

from names import MODULES, is_absent

sys.modules.update(dict.fromkeys(MODULES))  # None: what imports it is told that there is none
UNSEEN = ("/proc", "/sys")
DESCRIPTORS = "/proc/self/fd"
list_folder, read_link, real_open = os.listdir, os.readlink, io.open


def is_open(path: Any) -> bool:
    """Return whether this process has a file open, or mapped into memory."""
    path = os.path.realpath(path)
    for descriptor in list_folder(DESCRIPTORS):
        try:
            if read_link(f"{DESCRIPTORS}/{descriptor}") == path:
                return True
        except OSError:  # that of the listing itself
            pass
    with real_open("/proc/self/maps", encoding="utf-8") as maps:
        return any(line.rstrip("\n").endswith(f" {path}") for line in maps)


def refusing(function: Any, refuses: Any, number: int) -> Any:
    """Return a function that raises an error where its paths are refused."""

    def checked(*paths: Any, **options: Any) -> Any:
        for path in paths[:2]:
            if isinstance(path, (str, bytes, os.PathLike)) and refuses(os.fsdecode(path)):
                raise OSError(number, os.strerror(number), path)
        return function(*paths, **options)

    return checked


def is_unseen(path: str) -> bool:
    return path.startswith(UNSEEN)


for name in ("replace", "rename", "unlink", "remove"):
    setattr(os, name, refusing(getattr(os, name), is_open, errno.EACCES))
for name in ("stat", "open", "listdir"):
    setattr(os, name, refusing(getattr(os, name), is_unseen, errno.ENOENT))

shutil._use_fd_functions = False  # folders are removed by paths, as there
once: set[str] = set()
make_named = tempfile.NamedTemporaryFile


def named_temporary_file(*arguments: Any, delete: bool = True, **options: Any) -> Any:
    file = make_named(*arguments, delete=delete, **options)
    if delete:
        once.add(file.name)
    return file


def is_refused(path: str) -> bool:
    return is_unseen(path) or (path in once and is_open(path))


tempfile.NamedTemporaryFile = tempfile.TemporaryFile = named_temporary_file


def open_checked(file: Any, *arguments: Any, **options: Any) -> Any:
    if isinstance(file, (str, bytes, os.PathLike)) and is_refused(os.fsdecode(file)):
        number = errno.ENOENT if is_unseen(os.fsdecode(file)) else errno.EACCES
        raise OSError(number, os.strerror(number), file)
    return real_open(file, *arguments, **options)


builtins.open = io.open = open_checked


class Seen(ModuleType):
    """A module as craig sees it: some names away, some changed."""

    def __init__(self, real: ModuleType, **changed: Any) -> None:
        super().__init__(real.__name__)
        self.__dict__.update(_real=real, **changed)

    def __getattr__(self, name: str) -> Any:
        if is_absent(self.__name__, name):
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}' here")
        return getattr(self._real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._real, name, value)


SEEN = {name: Seen(importlib.import_module(name)) for name in ("signal", "select", "time")} | {
    "os": Seen(os, name="nt", open=refusing(os.open, os.path.isdir, errno.EACCES)),
    "sys": Seen(sys, platform="win32"),
}
import_any = builtins.__import__


def import_as_seen(name: str, globals: Any = None, *rest: Any, **named: Any) -> Any:
    """Import a module, for craig as it sees it."""
    is_craig = "craig_cli" in str((globals or {}).get("__file__"))
    return SEEN[name] if is_craig and name in SEEN else import_any(name, globals, *rest, **named)


builtins.__import__ = import_as_seen
# The encoding of text is not UTF-8 everywhere: it is to be named.
warnings.filterwarnings("error", category=EncodingWarning, module=r"craig_cli(\.|$)")
