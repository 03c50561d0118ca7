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
    SkippedRows,
    SparseRows,
    cut_block,
    no_progress,
)
from craig_cli.errors import InputError, UsageError
from craig_cli.readers.amounts import AMOUNTS
from craig_cli.readers.formats import Categories
from craig_cli.readers.labels import unify_labels
from craig_cli.readers.skipped import SkipLog, SkippedRow
from craig_cli.readers.sources import Source, expand_sources
from craig_cli.settings import InputSettings


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
        Rows read so far, but for those skipped.
    skipped : SkipLog
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
        self.settings, self._progress = settings, progress
        self.skipped = SkipLog()
        self._counts = np.zeros(len(self.sources), np.int64)

    @property
    def n_rows(self) -> int:
        return self.n_input_rows - len(self.skipped)

    @property
    def n_input_rows(self) -> int:
        """Rows read so far as they lie, skipped ones included."""
        return int(self._counts.sum())

    @property
    def file_starts(self) -> NDArray[np.int64]:
        """Row at which each file begins, then the number of rows, as far as they are read; skipped
        ones count.
        """
        return np.concatenate([[0], np.cumsum(self._counts)])

    @property
    def whole(self) -> str:
        """What messages call the input."""
        return (
            self.sources[0].name
            if len(self.sources) == 1
            else (f"{self.sources[0].name} and {len(self.sources) - 1} more")
        )

    def blocks(self) -> Iterator[Block]:
        """Yield all blocks, file by file, numbers only; raises `InputError` if there are none."""
        for block, _ in self.numbered_blocks():
            yield block

    def numbered_blocks(
        self, with_texts: bool = False
    ) -> Iterator[tuple[Block, NDArray[np.int64]]]:
        """Yield all blocks, and the number of each of their rows in the input as it lies.

        Blocks are of numbers only, or with the texts of their rows too. Raises `InputError` if
        there are none.
        """
        for file in range(len(self.sources)):
            for block, numbers in self._wanted_rows(file):
                self._progress("read", self.n_rows, None)
                yield block if with_texts else replace(block, texts=None), numbers
        if self.n_rows == 0:
            skipped = self.skipped.rows()
            reason = (
                f"all {len(skipped)} rows were skipped as bad, the first: {skipped.examples[0]}"
                if len(skipped)
                else "there are no rows"
            )
            raise InputError(
                self.whole, reason.rstrip("."), remedy="Give at least one row of data."
            )

    def _wanted_rows(self, file: int) -> Iterator[tuple[Block, NDArray[np.int64]]]:
        """Yield the rows of a file that are wanted, and their numbers; keep count of all wanted."""
        source, start = self.sources[file], self.n_input_rows
        first, last = source.rows or (0, np.iinfo(np.int64).max)
        row = first if source.reader.keeps_to_rows else 0
        fresh: list[SkippedRow] = []

        def take_in(n_rows: int) -> None:
            """Count rows as they lie up to here, and the bad ones among them."""
            nonlocal row
            row += n_rows
            self._counts[file] = max(min(row, last) - first, 0)
            for skip in fresh:
                if first <= skip.number < last:
                    self.skipped.add(skip, start + skip.number - first)
            fresh.clear()

        for block in source.reader.read_blocks(
            source, file, self.settings, fresh.append, self._categories
        ):
            n = block.rows.shape[0]
            numbers = np.arange(row, row + n)
            if fresh:
                gaps = SkippedRows(np.array([skip.number - row for skip in fresh], np.int64))
                numbers = row + gaps.numbers_of(np.arange(n))
            take_in(n + len(fresh))
            own = slice(*np.searchsorted(numbers, (first, last)).tolist())
            if own.start < own.stop:
                is_whole = own.stop - own.start == n
                yield block if is_whole else cut_block(block, own), numbers[own] - first + start
            if row >= last:
                return
        take_in(len(fresh))

    def dataset(self, rows: Rows, labels: list[Labels | None]) -> Dataset:
        """Return the data set of all blocks, given their rows joined and the labels of each."""
        return Dataset(
            rows=rows,
            labels=join_labels(labels, self.whole),
            files=tuple(s.name for s in self.sources),
            file_starts=self.file_starts,
            column_names=self.column_names,
            skipped=self.skipped.rows(),
        )


def check_options(sources: tuple[Source, ...], settings: InputSettings) -> None:
    """Raise `UsageError` for options that mean nothing for the format of a file."""
    amounts = AMOUNTS if settings.amounts_needed else ()
    given = {
        "--drop": bool(settings.drop),
        "--one-hot": bool(settings.one_hot),
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
