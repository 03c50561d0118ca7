"""Parts of an input: whole files, or ranges of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.errors import UsageError, printable
from craig_cli.readers.agreement import any_index_0
from craig_cli.readers.gather import Reading, read_all
from craig_cli.readers.sources import expand_sources
from craig_cli.settings import InputSettings
from craig_cli.storage.location import Location


@dataclass(frozen=True)
class Piece:
    """Rows of one file as they lie: from `first` to before `last`; None stands for its end."""

    name: str
    first: int = 0
    last: int | None = None


@dataclass(frozen=True)
class Part:
    """Some consecutive rows of the input, which may reach over several files."""

    pieces: tuple[Piece, ...]


def file_names(settings: InputSettings) -> tuple[str, ...]:
    """Return the names of the files that the input is, each checked to be there.

    Raises `UsageError` for what can be read only once.
    """
    if any(Location.of(path).is_standard for path in settings.paths):
        raise UsageError(
            "- (standard input) is read only once, and parts of the data are read "
            "again: name files."
        )
    if pipes := [path for path in settings.paths if Location.of(path).is_pipe]:
        raise UsageError(
            f"{printable(pipes[0])}: a pipe is read only once, and parts of the data are read "
            "again: name files."
        )
    if settings.one_hot:
        raise UsageError(
            "--one-hot: other parts of the data may hold other values. Make the "
            "columns of 0 and 1 beforehand."
        )
    return tuple(source.name for source in expand_sources(settings))


def count_rows(settings: InputSettings, name: str) -> int:
    """Return the rows of one file as they lie: what it states, else by reading it."""
    reading = Reading(replace(settings, paths=(name,)), no_progress)
    if (count := reading.sources[0].reader.count_rows) is not None:
        return count(reading.sources[0])
    for _ in reading.blocks():
        pass
    return reading.n_input_rows


def has_index_0(settings: InputSettings, name: str) -> bool:
    """Return whether index 0 occurs in one file, if it is LIBSVM text: all of it is looked
    through.
    """
    return any_index_0(expand_sources(replace(settings, paths=(name,))), settings)


def equal_parts(names: Sequence[str], counts: Sequence[int], n_parts: int) -> list[Part]:
    """Return `n_parts` parts of as many rows each, or one more, given the rows of each file.

    Raises `UsageError` if there are fewer rows than parts.
    """
    starts = np.cumsum([0, *counts]).tolist()
    n = starts[-1]
    if n_parts > n:
        raise UsageError(
            f"--parts: {n_parts} parts are more than the {n} rows. Use --parts {n} or less."
        )
    parts = []
    for first, last in pairwise(n * i // n_parts for i in range(n_parts + 1)):
        own = [
            Piece(name, max(first - start, 0), min(last, stop) - start)
            for name, (start, stop) in zip(names, pairwise(starts), strict=True)
            if start < last and stop > first
        ]
        parts.append(Part(tuple(own)))
    return parts


def read_part(settings: InputSettings, part: Part, progress: Progress = no_progress) -> Dataset:
    """Return the rows of one part; row numbers are those of the part as it lies.

    Of Parquet only the row groups that hold them are read, other files from their start on. Raises
    `UsageError` where rows have weights.
    """
    sources = expand_sources(replace(settings, paths=tuple(piece.name for piece in part.pieces)))
    ranged = tuple(
        replace(source, rows=None if p.last is None else (p.first, p.last))
        for source, p in zip(sources, part.pieces, strict=True)
    )
    dataset = read_all(Reading(settings, progress, ranged))
    if dataset.weights is not None:
        raise UsageError(
            "label:weight: weights of rows need all rows in one place, and they are selected from "
            "in parts. Pass the weights over with --inline-weights ignore."
        )
    return dataset
