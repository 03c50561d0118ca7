"""Files that appear whole or not at all: written beside the target, flushed, renamed over it."""

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

from craig_cli import platform
from craig_cli.errors import ResourceError, UsageError
from craig_cli.storage.file_names import check_name
from craig_cli.storage.location import Location
from craig_cli.storage.remote import in_words, replace_remote


def check_output(
    output: str | Location,
    inputs: Iterable[str | Location],
    may_replace: Callable[[Path], bool] | None,
    force: bool,
    kind: str = "manifest",
    option: str = "--output",
) -> None:
    """Raise `UsageError` if a file cannot or must not be written, or its name promises another
    format; called before hours of work.

    Parameters
    ----------
    output : str or Location
        ``-`` stands for stdout.
    inputs : iterable of str or Location
        Files that must not be written over.
    may_replace : callable or None
        Whether an existing file holds what craig wrote itself; None where that cannot be told.
    force : bool
        Replace an existing file whatever it holds.
    kind, option : str
        What is written, and the option that names it, for messages.
    """
    location = Location.of(output)
    if location.is_stream:
        check_not_terminal(location, kind, option)
        return
    folder: Path | None = None
    try:
        if not location.is_remote:
            target = Path(location.path).resolve()
            folder = target.parent
            if target.is_dir():
                raise UsageError(f"{option}: '{location.shown}' is a directory.")
            if not folder.is_dir():
                raise UsageError(f"{option}: the folder of '{location.shown}' does not exist.")
        check_not_input(location, inputs, option)
        check_name(location, kind, option)
        if not force and location.exists():
            check_replaceable(location, may_replace, kind, option)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symbolic links
        raise UsageError(
            f"{option}: '{location.shown}' cannot be used: "
            f"{getattr(error, 'strerror', None) or error}."
        ) from error
    if folder is not None and not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{option}: the folder of '{location.shown}' cannot be written.")


def check_replaceable(
    location: Location, may_replace: Callable[[Path], bool] | None, kind: str, option: str
) -> None:
    """Raise `UsageError` if a file that is there is not one that craig wrote itself."""
    reason = "exists"
    if may_replace is not None:
        with location.local_copy() as copy:
            if may_replace(copy):
                return
        reason = f"exists and is not a craig {kind}"
    raise UsageError(
        f"{option}: '{location.shown}' {reason}. Choose another name, or replace it with --force."
    )


def check_not_input(
    output: str | Location, inputs: Iterable[str | Location], option: str = "--output"
) -> None:
    """Raise `UsageError` if a file to be written is one of the input files."""
    location = Location.of(output)
    if not location.is_stream and any(
        Location.of(source).resolve() == location.resolve() for source in inputs
    ):
        raise UsageError(f"{option}: '{location.shown}' is one of the inputs.")


def check_not_terminal(location: Location, kind: str, option: str) -> None:
    """Raise `UsageError` if a stream ends at a terminal, or at a stdout that is closed."""
    if location.is_standard:
        if sys.stdout is None:
            raise UsageError(f"{option}: stdout is closed.")
        terminal = sys.stdout.isatty()
    else:
        # A pipe is not opened here: that would wait for its reader.
        terminal = Path(location.path).is_char_device() and platform.is_terminal(location.path)
    if terminal:
        raise UsageError(
            f"{option}: the {kind} is binary and stdout is a terminal. Name a file, or pipe it on."
        )


@contextmanager
def open_output(output: str | Location) -> Iterator[BinaryIO]:
    """Give a binary file that takes the place of another when the ``with`` block ends well.

    It leaves no trace when the block fails. The old file keeps its mode; a new one gets that of the
    umask. A symbolic link is followed. Streams are written straight.

    Raises
    ------
    ResourceError
        The disk is full, or the file cannot be written. A broken pipe stays a `BrokenPipeError`.
    """
    location = Location.of(output)
    try:
        with open_target(location) as out:
            yield out
    except BrokenPipeError:
        raise
    except OSError as error:
        if location.is_stream and platform.is_broken_pipe(error):
            raise BrokenPipeError from error
        kept = "" if location.is_stream else " An older file of that name is untouched."
        raise ResourceError(
            f"{location.shown}: cannot be written: {error.strerror or in_words(error)}.{kept}"
        ) from error


def open_target(location: Location) -> AbstractContextManager[BinaryIO]:
    """Return what `open_output` gives, whose errors are still those of the system."""
    if location.is_remote:
        return replace_remote(location)
    if location.is_stream:
        return open_stream(location)
    return replace_file(Path(location.path).resolve())


@contextmanager
def open_stream(location: Location) -> Iterator[BinaryIO]:
    """Give stdout, or a pipe or device opened for writing."""
    if location.is_standard:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with Path(location.path).open("wb") as out:
            yield out


@contextmanager
def replace_file(target: Path) -> Iterator[BinaryIO]:
    """Give a temporary file beside `target`, renamed over it at the end.

    It is removed on any exception, signals included.
    """
    temporary = target.parent / f".craig-{secrets.token_hex(8)}.tmp"
    try:
        with temporary.open("xb") as out:
            if target.exists():
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
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
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # writable, yet not readable; Windows opens no folder
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
