"""A whole input, read block by block into memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import (
    Block,
    Dataset,
    Labels,
    Progress,
    Rows,
    SparseRows,
    cut_block,
    no_progress,
)
from craig_cli.errors import InputError, UsageError
from craig_cli.readers.amounts import AMOUNTS
from craig_cli.readers.formats import Categories
from craig_cli.readers.labels import unify_labels
from craig_cli.readers.sources import Source, expand_sources, folder_notes
from craig_cli.settings import InputSettings

SKIPPED_SHOWN = 5
"""Errors of skipped rows that are kept for the summary."""


def read_dataset(settings: InputSettings, progress: Progress = no_progress) -> Dataset:
    """Return all rows of the input.

    Parameters
    ----------
    settings : InputSettings
    progress : Progress
        Called with stage "read", the rows read, and None.

    Raises
    ------
    UsageError
        An option does not suit the format, or names a column that is not there.
    InputError
        The data cannot be used; says where.

    Notes
    -----
    Memory: the rows twice while blocks are joined, 8 bytes a dense value (4 for float32), 12 a
    sparse entry.
    """
    return read_all(Reading(settings, progress))


def read_all(reading: Reading) -> Dataset:
    """Return all rows of a reading."""
    blocks = list(reading.blocks())
    rows = join_rows([b.rows for b in blocks], [reading.sources[b.file].name for b in blocks])
    dataset = reading.dataset(rows, [b.labels for b in blocks])
    return replace(
        dataset,
        weights=join_amounts([b.weights for b in blocks]),
        costs=join_amounts([b.costs for b in blocks]),
    )


class Reading:
    """The files of a run, read block by block.

    Parameters
    ----------
    settings : InputSettings
    progress : Progress
    sources : tuple of Source, optional
        Default: those that the settings name.

    Attributes
    ----------
    sources : tuple of Source
    settings : InputSettings
    column_names : tuple of str or None
        Of the blocks, where the format has them.
    n_rows : int
        Rows read so far.
    notes : tuple of str
        What the user should know of how the files are read.
    skipped : list of InputError
        The bad rows passed over so far.
    """

    def __init__(
        self, settings: InputSettings, progress: Progress, sources: tuple[Source, ...] | None = None
    ) -> None:
        self.sources = expand_sources(settings) if sources is None else sources
        if not self.sources:
            raise UsageError("There is no input: name a file, a directory, or - for stdin.")
        check_options(self.sources, settings)
        self.column_names, self._categories = agreed_columns(self.sources, settings)
        self.notes = notes_of(self.sources, settings)
        self.settings, self._progress = settings, progress
        self.skipped: list[InputError] = []
        self._counts = np.zeros(len(self.sources), np.int64)

    @property
    def n_rows(self) -> int:
        return int(self._counts.sum())

    @property
    def file_starts(self) -> NDArray[np.int64]:
        """Row at which each file begins, then the number of rows, as far as they are read."""
        return np.concatenate([[0], np.cumsum(self._counts)])

    @property
    def whole(self) -> str:
        """What messages call the input."""
        return (
            self.sources[0].name
            if len(self.sources) == 1
            else (f"{self.sources[0].name} and {len(self.sources) - 1} more")
        )

    def blocks(self, with_texts: bool = False) -> Iterator[Block]:
        """Yield all blocks, file by file, as numbers only or with the texts of their rows.

        Raises `InputError` if there are none.
        """
        for file, source in enumerate(self.sources):
            blocks = source.reader.read_blocks(
                source, file, self.settings, self.skipped.append, self._categories
            )
            for block in wanted_blocks(source, blocks):
                self._counts[file] += block.rows.shape[0]
                self._progress("read", self.n_rows, None)
                yield block if with_texts else replace(block, texts=None)
        if self.n_rows == 0:
            skipped = self.skipped
            reason = (
                f"all {len(skipped)} rows were skipped as bad, the first: {skipped[0]}"
                if skipped
                else "there are no rows"
            )
            raise InputError(
                self.whole, reason.rstrip("."), remedy="Give at least one row of data."
            )

    def dataset(self, rows: Rows, labels: list[Labels | None]) -> Dataset:
        """Return the data set of all blocks, given their rows joined and the labels of each."""
        return Dataset(
            rows=rows,
            labels=join_labels(labels, self.whole),
            files=tuple(s.name for s in self.sources),
            file_starts=self.file_starts,
            column_names=self.column_names,
            notes=self.notes,
            skipped_rows=len(self.skipped),
            skipped_examples=tuple(str(error) for error in self.skipped[:SKIPPED_SHOWN]),
        )


def wanted_blocks(source: Source, blocks: Iterator[Block]) -> Iterator[Block]:
    """Yield the blocks of a file, cut to the rows that are wanted unless they are so already."""
    if source.rows is None or source.reader.keeps_to_rows:
        yield from blocks
        return
    start, (first, last) = 0, source.rows
    for block in blocks:
        n = block.rows.shape[0]
        own = slice(max(first - start, 0), min(last - start, n))
        if own.start < own.stop:
            yield cut_block(block, own)
        start += n
        if start >= last:
            return


def check_options(sources: tuple[Source, ...], settings: InputSettings) -> None:
    """Raise `UsageError` for options that mean nothing for the format of a file."""
    amounts = AMOUNTS if settings.amounts_needed else ()
    given = {
        "--drop": bool(settings.drop),
        "--one-hot": bool(settings.one_hot),
        "--features": bool(settings.features),
        **{amount.option: bool(amount.column(settings)) for amount in amounts},
        "--label": settings.label is not None,
    }
    for source in sources:
        for option, text in ((o, source.reader.refused.get(o)) for o in given if given[o]):
            if text is not None:
                raise UsageError(f"{option}: {text.format(format=source.format)}")


def agreed_columns(
    sources: tuple[Source, ...], settings: InputSettings
) -> tuple[tuple[str, ...] | None, Categories]:
    """Return the names of the feature columns, and the categories of ``--one-hot`` columns.

    The names are the same in all files that have names.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for source in sources if settings.one_hot else ():
        if (collect := source.reader.collect_categories) is not None:
            for column, values in collect(source, settings).items():
                found[column] |= values
    categories = {column: tuple(sorted(values)) for column, values in found.items()}
    named = [
        (source, name_columns(source, settings, categories))
        for source in sources
        if (name_columns := source.reader.column_names) is not None
    ]
    for (first, names), (other, other_names) in pairwise(named):
        if names != other_names:
            odd = (
                next((a or b for a, b in zip(other_names, names, strict=False) if a != b), None)
                or "one column more or less"
            )
            problem = f"its columns differ from those of {first.name} (the first difference: {odd})"
            remedy = (
                "Give files with the same columns in the same order, or --drop those that differ."
            )
            raise InputError(other.name, problem, remedy=remedy)
    return (named[0][1] if named else None), categories


def notes_of(sources: tuple[Source, ...], settings: InputSettings) -> tuple[str, ...]:
    """Return what the user should know of how the files are read, each sentence once."""
    found = folder_notes(settings)
    for source in sources:
        found += source.reader.notes(source, settings) if source.reader.notes is not None else ()
    return tuple(dict.fromkeys(found))


def join_rows(parts: list[Rows], names: list[str]) -> Rows:
    """Return the rows of all blocks, one after the other."""
    sparse = [part for part in parts if isinstance(part, SparseRows)]
    dense = [part for part in parts if not isinstance(part, SparseRows)]
    if sparse and dense:
        kinds = {
            isinstance(part, SparseRows): name for part, name in zip(parts, names, strict=True)
        }
        raise InputError(
            kinds[True],
            f"sparse rows cannot be joined with the dense rows of {kinds[False]}",
            remedy="Give files of one kind.",
        )
    if dense:
        for part, name in zip(dense, names, strict=True):
            if part.shape[1] != dense[0].shape[1]:
                problem = f"it has {part.shape[1]} columns, {names[0]} has {dense[0].shape[1]}"
                raise InputError(name, problem, remedy="Give files with the same columns.")
        if len(dense) == 1:
            return dense[0]
        joined: NDArray = np.concatenate(dense)
        return joined
    if len(sparse) == 1:
        return sparse[0]
    offsets = np.concatenate([[0], np.cumsum([len(part.values) for part in sparse])])
    indptr: NDArray[np.int64] = np.concatenate(
        [
            np.zeros(1, np.int64),
            *(
                part.indptr[1:] + offset
                for part, offset in zip(sparse, offsets[:-1].tolist(), strict=True)
            ),
        ]
    )
    return SparseRows(
        indptr,
        np.concatenate([part.indices for part in sparse]),
        np.concatenate([part.values for part in sparse]),
        max(part.n_columns for part in sparse),
    )


def join_amounts(parts: list[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    """Return the weights, or the costs, of all blocks; None where there are none."""
    given = [part for part in parts if part is not None]
    return np.concatenate(given) if given else None


def join_labels(parts: list[Labels | None], source: str) -> Labels | None:
    """Return the labels of all blocks, of one type; None where there are none."""
    given = [part for part in parts if part is not None]
    return unify_labels(given, source) if given else None
