"""A whole input under a memory limit: rows go to temporary files once memory is full."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import (
    Block,
    Dataset,
    Labels,
    Progress,
    Rows,
    SparseRows,
    no_progress,
)
from craig_cli.errors import ResourceError
from craig_cli.readers.gather import Reading
from craig_cli.readers.joined import join_ids, join_rows
from craig_cli.settings import InputSettings, size_in_words
from craig_cli.storage.spill import Spill, SpillArray

COPY_ROWS = 16_384

Needed: TypeAlias = Callable[[int, int], int]
"""The memory that reading takes, given the number of rows and their bytes."""


def read_limited(
    settings: InputSettings,
    limit: int,
    needed: Needed,
    spill: Spill,
    progress: Progress = no_progress,
) -> tuple[Dataset, SpillArray | None]:
    """Return all rows of the input, and the same rows on disk if memory does not hold them.

    The data set's rows can then be sliced only.

    Parameters
    ----------
    settings : InputSettings
    limit : int
        Bytes of memory.
    needed : callable
    spill : Spill
    progress : Progress

    Raises
    ------
    ResourceError
        Sparse rows do not fit the limit, or the temporary files do not fit the disk: twice their
        space must be free as they are written.
    """
    reading = Reading(replace(settings, memory_bytes=limit), progress)
    rows = RowStore(reading, limit, needed, spill)
    labels: list[Labels | None] = []
    ids: list[Any] = []
    known: dict[str, str] = {}
    for block in reading.blocks(unsettled=True):
        if block.weights is not None:
            raise ResourceError(
                "label:weight: rows with weights are held in memory. Leave out --memory-limit, or "
                "pass the weights over with --inline-weights ignore."
            )
        rows.append(replace(block, labels=None))
        labels.append(one_of_each(block.labels, known))
        ids.append(block.ids)
    if rows.buffer_bytes:
        import pyarrow

        pyarrow.default_memory_pool().release_unused()
    if rows.on_disk is None:
        settled = [reading.agreement.settled(block).rows for block in rows.in_memory]
        whole = join_rows(settled, rows.names)
    else:
        whole = as_rows(rows.on_disk)
    return replace(reading.dataset(whole, labels), ids=join_ids(ids)), rows.on_disk


def one_of_each(labels: Labels | None, known: dict[str, str]) -> Labels | None:
    """Return labels in which equal texts are one object, kept in `known`; numbers as they are."""
    if labels is None or labels.dtype != object:
        return labels
    shared = np.empty(len(labels), object)
    shared[:] = [known.setdefault(text, text) for text in labels]
    return shared


def as_rows(rows: SpillArray) -> NDArray[np.float64]:
    """Return rows on disk as those of a `Dataset`, which can only be sliced."""
    return cast("NDArray[np.float64]", rows)


def to_disk(dataset: Dataset, spill: Spill) -> SpillArray:
    """Return the dense rows of a data set on disk."""
    assert not isinstance(dataset.rows, SparseRows)
    spill.require(2 * dataset.rows.nbytes)
    written = spill.array(dataset.n_columns, dataset.rows.dtype)
    written.append(dataset.rows)
    return written


class RowStore:
    """Rows of all blocks read so far, in memory or on disk.

    Attributes
    ----------
    in_memory : list of Block
        Empty once they are on disk.
    names : list of str
        The file that each is from.
    on_disk : SpillArray or None
    buffer_bytes : int
        Memory that a file takes while it is read.
    """

    def __init__(self, reading: Reading, limit: int, needed: Needed, spill: Spill) -> None:
        self._reading, self._limit, self._needed, self._spill = reading, limit, needed, spill
        self.in_memory: list[Block] = []
        self.names: list[str] = []
        self.on_disk: SpillArray | None = None
        self._n_bytes = self._id_bytes = 0
        self.buffer_bytes = max(
            0 if (find := source.reader.buffer_bytes) is None else find(source, reading.settings)
            for source in reading.sources
        )

    def append(self, block: Block) -> None:
        """Add the rows of a block."""
        rows, name = block.rows, self._reading.sources[block.file].name
        self._id_bytes += 0 if block.ids is None else int(block.ids.nbytes)
        n_rows, buffers = self._reading.n_rows, self.buffer_bytes + self._id_bytes
        least = buffers + self._needed(n_rows, 0)
        if least > self._limit:
            raise ResourceError(
                f"--memory-limit: reading the first {n_rows:,} rows takes "
                f"{size_in_words(least)}. Give a higher --memory-limit."
            )
        if self.on_disk is not None:
            self._write(rows, name)
            return
        self.in_memory.append(block)
        self.names.append(name)
        self._n_bytes += rows.nbytes
        needed = buffers + self._needed(n_rows, self._n_bytes)
        if needed <= self._limit:
            return
        if any(isinstance(part.rows, SparseRows) for part in self.in_memory):
            raise ResourceError(
                f"--memory-limit: sparse rows are held in memory, and the first {n_rows:,} take "
                f"{size_in_words(needed)} to read. "
                "Give a higher --memory-limit."
            )
        for part, of_file in zip(self.in_memory, self.names, strict=True):
            self._write(part.rows, of_file)
        self.in_memory.clear()

    def _write(self, rows: Rows, name: str) -> None:
        """Write rows to disk, if room is left there for a second copy of all."""
        if self.on_disk is None:
            assert isinstance(rows, np.ndarray)
            self.on_disk = self._spill.array(rows.shape[1], rows.dtype)
        # Of a common type; what does not go together is refused.
        joined = join_rows([self.on_disk[:0], rows], [self.names[0], name])
        assert isinstance(joined, np.ndarray)
        self._spill.require(self.on_disk.n_bytes + 2 * joined.nbytes)
        if joined.dtype != self.on_disk.dtype:
            self.on_disk = as_float64(self.on_disk, self._spill)
        self.on_disk.append(joined)


def as_float64(rows: SpillArray, spill: Spill) -> SpillArray:
    """Return rows as float64; the old ones are given back."""
    spill.require(4 * rows.n_bytes)
    whole = spill.array(rows.shape[1], np.dtype(np.float64))
    for start in range(0, rows.shape[0], COPY_ROWS):
        whole.append(rows[start : start + COPY_ROWS])
    rows.close()
    return whole
