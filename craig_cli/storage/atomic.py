"""Files that appear whole or not at all: written beside the target, flushed to disk, renamed over
it.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO

from craig_cli.errors import ResourceError, UsageError, printable
from craig_cli.storage.remote import (
    exists,
    in_words,
    is_remote,
    local_copy,
    local_path,
    replace_remote,
)

STREAM_PATHS = ("/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")
"""Paths that stand for open descriptors: a file behind one is written where it stands, as the shell
would.
"""


def is_stream(path: str) -> bool:
    """Return whether `path` is written straight: ``-``, an open descriptor, a pipe or a device."""
    if is_remote(path):
        return False
    path = local_path(path)
    if path == "-" or os.path.abspath(path).startswith(STREAM_PATHS):  # noqa: PTH100 (Path would resolve nothing here)
        return True
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def check_output(
    path: str,
    inputs: Iterable[str],
    may_replace: Callable[[Path], bool] | None,
    force: bool,
    kind: str = "manifest",
    option: str = "--output",
) -> None:
    """Raise `UsageError` if `path` cannot or must not be written; called before hours of work.

    Parameters
    ----------
    path : str
        ``-`` stands for stdout.
    inputs : iterable of str
        Files that must not be written over.
    may_replace : callable or None
        Whether an existing file holds what craig wrote itself; None where that cannot be told.
    force : bool
        Replace an existing file whatever it holds.
    kind, option : str
        What is written, and the option that names it, for messages.
    """
    if is_stream(path):
        check_not_terminal(path, kind, option)
        return
    name = printable(path)
    if is_remote(path):
        check_not_input(path, inputs, option)
        if not force and exists(path):
            check_replaceable(path, may_replace, kind, option)
        return
    path = local_path(path)
    try:
        target = Path(path).resolve()
        if target.is_dir():
            raise UsageError(f"{option}: '{name}' is a directory.")
        if not target.parent.is_dir():
            raise UsageError(f"{option}: the folder of '{name}' does not exist.")
        check_not_input(path, inputs, option)
        if target.exists() and not force:
            check_replaceable(path, may_replace, kind, option)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symbolic links
        raise UsageError(
            f"{option}: '{name}' cannot be used: {getattr(error, 'strerror', None) or error}."
        ) from error
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise UsageError(f"{option}: the folder of '{name}' cannot be written.")


def check_replaceable(
    path: str, may_replace: Callable[[Path], bool] | None, kind: str, option: str
) -> None:
    """Raise `UsageError` if the file `path`, which is there, is not one that craig wrote itself."""
    if may_replace is None:
        reason = "exists"
    else:
        with local_copy(path) as copy:
            if may_replace(copy):
                return
        reason = f"exists and is not a craig {kind}"
    raise UsageError(
        f"{option}: '{printable(path)}' {reason}. Choose another name, or replace it with --force."
    )


def check_not_input(path: str, inputs: Iterable[str], option: str = "--output") -> None:
    """Raise `UsageError` if `path` names one of the input files."""
    if is_stream(path):
        return
    if is_remote(path):
        if path in inputs:
            raise UsageError(f"{option}: '{printable(path)}' is one of the inputs.")
        return
    target = Path(local_path(path)).resolve()
    for source in inputs:
        if source != "-" and not is_remote(source) and Path(local_path(source)).resolve() == target:
            raise UsageError(f"{option}: '{printable(path)}' is one of the inputs.")


def check_not_terminal(path: str, kind: str, option: str) -> None:
    """Raise `UsageError` if the stream `path` ends at a terminal, or at a stdout that is closed."""
    if path == "-":
        if sys.stdout is None:
            raise UsageError(f"{option}: stdout is closed.")
        terminal = sys.stdout.isatty()
    else:
        # A pipe is not opened here: that would wait for its reader.
        terminal = Path(path).is_char_device() and is_terminal(path)
    if terminal:
        raise UsageError(
            f"{option}: the {kind} is binary and stdout is a terminal. Name a file, or pipe it on."
        )


def is_terminal(path: str) -> bool:
    """Return whether the character device `path` is a terminal."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return os.isatty(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def open_output(path: str) -> Iterator[BinaryIO]:
    """Return a binary file that takes the place of `path` when the ``with`` block ends well, and
    leaves no trace when it does not.

    The old file keeps its mode; a new one gets that of the umask. A symbolic link is followed.
    Streams are written straight.

    Raises
    ------
    ResourceError
        The disk is full, or the file cannot be written. A broken pipe stays a `BrokenPipeError`.
    """
    try:
        with open_target(path) as out:
            yield out
    except BrokenPipeError:
        raise
    except OSError as error:
        kept = "" if is_stream(path) else " An older file of that name is untouched."
        raise ResourceError(
            f"{printable(path)}: cannot be written: {error.strerror or in_words(error)}.{kept}"
        ) from error


def open_target(path: str) -> AbstractContextManager[BinaryIO]:
    """Return what `open_output` gives, whose errors are still those of the system."""
    if is_remote(path):
        return replace_remote(path)
    return (
        open_stream(local_path(path))
        if is_stream(path)
        else replace_file(Path(local_path(path)).resolve())
    )


@contextmanager
def open_stream(path: str) -> Iterator[BinaryIO]:
    """Return stdout, or a pipe or device opened for writing."""
    if path == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with Path(path).open("wb") as out:
            yield out


@contextmanager
def replace_file(target: Path) -> Iterator[BinaryIO]:
    """Return a temporary file in the folder of `target`, renamed over it at the end and removed on
    any exception, signals included.
    """
    temporary = target.parent / f".craig-{secrets.token_hex(8)}.tmp"
    try:
        # 0o666 less the umask, as for any new file.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with open(os.open(temporary, flags, 0o666), "wb") as out:  # noqa: PTH123 (a descriptor)
            if target.exists():
                os.fchmod(out.fileno(), stat.S_IMODE(target.stat().st_mode))
            yield out
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` last through a power cut, where the file system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:  # writable, yet not readable
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
