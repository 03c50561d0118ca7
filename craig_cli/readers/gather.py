"""A whole input, read block by block into memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import (
    Block,
    Dataset,
    Encoding,
    Labels,
    Progress,
    Rows,
    cut_block,
    no_progress,
)
from craig_cli.errors import InputError, ResourceError, UsageError, printable
from craig_cli.platform import available_bytes
from craig_cli.readers.agreement import Agreement, any_index_0
from craig_cli.readers.encodings import agreed_encoding, filled_note, unseen_note
from craig_cli.readers.explained import explained
from craig_cli.readers.folders import partition_notes
from craig_cli.readers.joined import RowStack, join_amounts, join_ids, join_labels, join_rows
from craig_cli.readers.refused import check_options
from craig_cli.readers.skipped import SkipLog, SkippedRow
from craig_cli.readers.sources import Source, expand_sources, folder_notes
from craig_cli.readers.suspects import Suspects
from craig_cli.settings import InputSettings, size_in_words
from craig_cli.skipped import SkippedRows

CHECK_BYTES = 256 << 20
"""Of rows that are read until the free memory is looked at again."""


def read_dataset(
    settings: InputSettings, progress: Progress = no_progress, encoding: Encoding | None = None
) -> Dataset:
    """Return all rows of the input.

    Parameters
    ----------
    settings : InputSettings
    progress : Progress
        Called with stage "read", the rows read, and None.
    encoding : Encoding, optional
        Of a model, for a table of names: its columns are taken, in its order. Default: made of the
        table.

    Raises
    ------
    UsageError
        An option does not suit the format, or names a column that is not there.
    InputError
        The data cannot be used; says where.

    Notes
    -----
    Memory: 8 bytes a dense value (4 for float32), 12 a sparse entry; twice while blocks are joined,
    but for dense rows of local files that state how many they are.
    """
    return read_all(Reading(settings, progress, encoding=encoding))


def read_all(reading: Reading) -> Dataset:
    """Return all rows of a reading."""
    blocks = reading.settled_blocks()
    rows = join_rows([b.rows for b in blocks], [reading.sources[b.file].name for b in blocks])
    dataset = reading.dataset(rows, [b.labels for b in blocks])
    return replace(
        dataset,
        weights=join_amounts([b.weights for b in blocks]),
        costs=join_amounts([b.costs for b in blocks]),
        ids=join_ids([b.ids for b in blocks]),
    )


def within_memory(reading: Reading, unsettled: bool) -> Iterator[Block]:
    """Yield the blocks of a reading whose rows are held in memory, and then joined.

    Raises `ResourceError` once what is free would not hold a second copy of those read: so ends a
    small file that is decompressed to more than there is.
    """
    n_bytes = unchecked = 0
    for block in reading.blocks(unsettled=unsettled):
        unchecked += block.rows.nbytes
        if unchecked > CHECK_BYTES:
            n_bytes, unchecked = n_bytes + unchecked, 0
            if (free := available_bytes()) < n_bytes:
                raise ResourceError(
                    f"{printable(reading.whole)}: the first {reading.n_rows:,} rows take "
                    f"{size_in_words(n_bytes)}, and {size_in_words(free)} of memory are free, too "
                    f"little to join them. Select from disk with --memory-limit."
                )
        yield block


class Reading:
    """The files of a run, read block by block.

    Parameters
    ----------
    settings : InputSettings
    progress : Progress
    sources : tuple of Source, optional
        Default: those that the settings name.
    encoding : Encoding, optional
        One that is known, for a table of names.

    Attributes
    ----------
    sources : tuple of Source
    settings : InputSettings
    encoding : Encoding or None
        Of the blocks, where the format has names.
    n_rows : int
        Rows read so far, but for those skipped.
    skipped : SkipLog
        The bad rows passed over so far.
    agreement : Agreement
        What the files read so far have in common.
    """

    def __init__(
        self,
        settings: InputSettings,
        progress: Progress,
        sources: tuple[Source, ...] | None = None,
        encoding: Encoding | None = None,
    ) -> None:
        self.sources = expand_sources(settings, progress) if sources is None else sources
        if not self.sources:
            raise UsageError("There is no input: name a file, a directory, or - for stdin.")
        check_options(self.sources, settings)
        with explained(self.sources, settings):
            self.encoding, self._notes = agreed_encoding(self.sources, settings, encoding)
        self.settings, self._progress = settings, progress
        self.skipped = SkipLog()
        self.agreement = Agreement(settings)
        self._counts = np.zeros(len(self.sources), np.int64)
        self._unseen: dict[str, Counter[str]] = defaultdict(Counter)
        self._filled: Counter[str] = Counter()
        self._suspects = Suspects(settings.task)

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

    def settled_blocks(self) -> list[Block]:
        """Return all blocks, read once: the first column of LIBSVM text is found on the way.

        Where files state their rows, the first block holds those of many.

        Of files that are read in part it is looked for first, in all of their rows.
        """
        is_whole = all(source.rows is None for source in self.sources)
        dense = RowStack(self._stated_rows())
        blocks = [dense.take(block) for block in within_memory(self, unsettled=is_whole)]
        dense.put_back(blocks)
        for number, block in enumerate(blocks):  # one by one, each in the place of the other
            blocks[number] = self.agreement.settled(block)
        return blocks

    def _stated_rows(self) -> int:
        """Return how many rows the files state, all in all; 0 where one does not, or is remote."""
        n_rows = 0
        for source in self.sources:
            count = source.reader.count_rows
            if count is None or source.location.is_remote or source.location.is_standard:
                return 0
            with explained(self.sources, self.settings):
                first, last = source.rows or (0, count(source))
            n_rows += last - first
        return n_rows

    def blocks(self, unsettled: bool = False) -> Iterator[Block]:
        """Yield all blocks, as `numbered_blocks` does, numbers only."""
        for block, _ in self.numbered_blocks(unsettled=unsettled):
            yield block

    def numbered_blocks(
        self, with_texts: bool = False, unsettled: bool = False
    ) -> Iterator[tuple[Block, NDArray[np.int64]]]:
        """Yield all blocks, and the number of each of their rows in the input as it lies.

        Blocks are of numbers only, or with the texts of their rows too. Under ``--index-base auto``
        LIBSVM text is looked through beforehand for index 0; unless blocks may be `unsettled`, each
        to be given to `agreement.settled` once all are read. Raises `InputError` if there are none.
        """
        settings = self.settings
        if settings.index_base == "auto" and not unsettled:
            if any_index_0(self.sources, settings):
                self.agreement.found_index_0()
            settings = replace(settings, index_base=self.agreement.index_base)
        with explained(self.sources, settings):
            for file in range(len(self.sources)):
                for block, numbers in self._wanted_rows(file, settings):
                    self._look_at(block)
                    self._progress("read", self.n_rows, None)
                    yield block if with_texts else replace(block, texts=None), numbers
            self._check_any()

    def _look_at(self, block: Block) -> None:
        """Remember what the user should know of a block."""
        self.agreement.add(block, self.sources[block.file])
        self._suspects.add(block)
        for column, values in (block.unseen or {}).items():
            if values:
                self._unseen[column].update(values)
        self._filled.update(block.filled or {})

    def _check_any(self) -> None:
        """Raise `InputError` if there were no rows."""
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

    def _wanted_rows(
        self, file: int, settings: InputSettings
    ) -> Iterator[tuple[Block, NDArray[np.int64]]]:
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

        for block in source.reader.read_blocks(source, file, settings, fresh.append, self.encoding):
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
            labels=join_labels(labels),
            files=tuple(s.name for s in self.sources),
            file_starts=self.file_starts,
            encoding=self.encoding,
            skipped=self.skipped.rows(),
            index_base=self.agreement.index_base,
            notes=self.notes(),
        )

    def notes(self) -> tuple[str, ...]:
        """Return what the user should know of what was read so far."""
        unseen = tuple(map(unseen_note, self._unseen, self._unseen.values()))
        names = None if self.encoding is None else self.encoding.column_names
        if self.encoding is not None:
            unseen += filled_note(self._filled, self.encoding, self.settings.missing)
        folders = partition_notes([source.partition for source in self.sources], self.settings)
        notes = (*folder_notes(self.settings), *self._notes, *self.agreement.notes)
        return (*notes, *folders, *unseen, *self._suspects.notes(names))
