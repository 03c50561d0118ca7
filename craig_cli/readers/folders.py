"""Folders of data files, and the columns that are written in the names of folders."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from craig_cli.errors import InputError, printable
from craig_cli.readers.texts import NUMBER
from craig_cli.settings import InputSettings

if TYPE_CHECKING:
    from craig_cli.readers.sources import Source

STEP = re.compile(r"([^=]+)=(.*)", re.DOTALL)
HIDDEN = (".", "_")
"""What the names of files and folders begin with that hold no rows, such as ``_SUCCESS``."""


class Partition(NamedTuple):
    """A column that a folder's name is: ``year=2024``.

    It is one of numbers where all files have a number there.
    """

    name: str
    text: str
    is_number: bool

    @property
    def value(self) -> float | str:
        """The value in each row."""
        return float(self.text) if self.is_number else self.text


def files_in(folder: Path, is_wanted: Callable[[str], bool]) -> list[str]:
    """Return the data files of a folder, sorted; where it holds none itself, those of all folders
    below. Hidden ones, and those that begin with ``_``, are passed over.
    """
    own = [
        str(entry)
        for entry in folder.iterdir()
        if not entry.name.startswith(HIDDEN) and is_wanted(entry.name) and not entry.is_dir()
    ]
    if own:
        return sorted(own)
    found: list[Path] = []
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(HIDDEN)]
        found += [
            Path(here, name) for name in names if not name.startswith(HIDDEN) and is_wanted(name)
        ]
    return [str(path) for path in sorted(found, key=lambda path: path.parts)]


def without_hidden(files: Sequence[str], pattern: str) -> list[str]:
    """Return the files that fit a pattern but for hidden ones, unless it names such."""
    named = [step for step in Path(pattern).parts if step.startswith(HIDDEN)]
    return [
        file
        for file in files
        if all(
            not step.startswith(HIDDEN) or any(fnmatch.fnmatchcase(step, want) for want in named)
            for step in Path(file).parts
        )
    ]


def partition_texts(path: str) -> list[tuple[str, str]]:
    """Return the columns that the folders of a file's path name, and their values."""
    steps = (STEP.fullmatch(step) for step in Path(path).parts[:-1])
    return [(unquote(step[1]), unquote(step[2])) for step in steps if step is not None]


def partitions_of(paths: Sequence[str]) -> list[tuple[Partition, ...]]:
    """Return the columns in the path of each file."""
    texts = [partition_texts(path) for path in paths]
    not_numbers = {name for own in texts for name, text in own if NUMBER.fullmatch(text) is None}
    return [
        tuple(Partition(name, text, name not in not_numbers) for name, text in own) for own in texts
    ]


def partition_read(source: Source, settings: InputSettings) -> tuple[Partition, ...]:
    """Return the columns of a file's folders that are to be read."""
    return source.partition if settings.partition_columns else ()


def check_numbers(source_name: str, partition: Sequence[Partition], names: Sequence[str]) -> None:
    """Raise `InputError` where a column that is to be one of numbers is text."""
    for entry in partition:
        if entry.name in names and not entry.is_number:
            shown = printable(entry.name, 60)
            raise InputError(
                source_name,
                f"the folders' column '{shown}' holds text, not numbers",
                value=entry.text,
                remedy=f"Use --drop {shown} or --one-hot {shown}.",
            )


def partition_notes(
    partitions: Sequence[Sequence[Partition]], settings: InputSettings
) -> tuple[str, ...]:
    """Return what to say of folders that name columns, where these are not read."""
    names = dict.fromkeys(entry.name for own in partitions for entry in own)
    if settings.partition_columns or not names:
        return ()
    shown = ", ".join(f"{printable(name, 60)}=..." for name in names)
    return (f"Folders are named {shown}: --partition-columns makes columns of that.",)


def with_partition(batch: Any, partition: Sequence[Partition], as_text: Sequence[str] = ()) -> Any:
    """Return an Arrow batch with the columns of its file's folders; those `as_text` as text."""
    import pyarrow as pa

    for entry in partition:
        is_text = entry.name in as_text or not entry.is_number
        value = pa.scalar(entry.text if is_text else entry.value)
        batch = batch.append_column(entry.name, pa.repeat(value, batch.num_rows))
    return batch
