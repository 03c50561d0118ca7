"""Some rows of an input, without holding the others: as numbers, or as they stand in the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Labels, Rows, widened
from craig_cli.kernels.libsvm import NO_QUERY
from craig_cli.readers.fingerprint import running_fingerprint
from craig_cli.readers.gather import Reading
from craig_cli.readers.joined import join_labels, join_rows
from craig_cli.readers.skipped import checked_positions
from craig_cli.skipped import SkippedRows


@dataclass(frozen=True)
class PickedRows:
    """Some rows of an input, in its order, and what is known of the whole.

    Parameters
    ----------
    rows : Rows
    labels : Labels or None
    numbers : ndarray of int64, shape (k,)
        Of the rows in the input as it lies.
    n_rows, n_columns : int
        Of the whole input, skipped rows left out.
    fingerprint : str
        Of the whole input.
    records : list of bytes
        The rows as they stand, where their texts were asked for and the format has such.
    queries : ndarray of int64 or None
        The qid of each, -1 where it has none; None where no row has one.
    """

    rows: Rows
    labels: Labels | None
    numbers: NDArray[np.int64]
    n_rows: int
    n_columns: int
    fingerprint: str
    records: list[bytes]
    queries: NDArray[np.int64] | None = None


def read_picks(
    reading: Reading,
    index: NDArray[np.int64],
    like: str = "",
    parts: Sequence[int] = (),
    with_texts: bool = False,
    by_position: bool = False,
    is_text: bool = True,
) -> PickedRows:
    """Return the rows of an input that are named by `index`, ascending.

    The whole input is read once, block by block. `like` and `parts` tell how its fingerprint is
    made (`fingerprint`); `is_text`: whether the labels of the whole may be text. `index` names rows
    as they lie, or `by_position` among those not skipped. Rows that are not there are left out:
    `check_all_found` refuses that.

    Raises
    ------
    InputError
        The data cannot be used.

    Notes
    -----
    Memory: a block and the rows asked for (while they are joined twice).
    """
    running = running_fingerprint(like, parts, is_text)
    rows: list[Rows] = []
    labels: list[Labels | None] = []
    names: list[str] = []
    records: list[bytes] = []
    found: list[NDArray[np.int64]] = []
    queries: list[NDArray[np.int64]] = []
    n_columns = 0
    for block, numbers in reading.numbered_blocks(with_texts):
        n, d = block.rows.shape
        n_columns = max(n_columns, d)
        own = np.arange(running.n_rows, running.n_rows + n) if by_position else numbers
        first, last = np.searchsorted(index, [own[0], own[-1] + 1])
        local = np.searchsorted(own, index[first:last])
        local = local[own[local] == index[first:last]]
        found.append(numbers[local])
        if len(local) or not rows:  # the first block also tells the kind of rows
            rows.append(block.rows.take(local, axis=0))
            labels.append(None if block.labels is None else block.labels[local])
            names.append(reading.sources[block.file].name)
        if block.texts is not None:
            records += block.texts.take(local)
        of_block = np.full(n, NO_QUERY) if block.queries is None else block.queries
        queries.append(of_block[local])
        running.add(block)
    picked = np.concatenate(found)
    joined = np.concatenate(queries)
    return PickedRows(
        widened(join_rows(rows, names), n_columns),
        join_labels(labels),
        picked,
        running.n_rows,
        n_columns,
        running.text(),
        records,
        joined if (joined != NO_QUERY).any() else None,
    )


def check_all_found(
    reading: Reading, found: PickedRows, index: NDArray[np.int64], by_position: bool = False
) -> None:
    """Raise `InputError` if a row asked for was skipped, or there is none of its number."""
    if len(found.numbers) < len(index):
        skipped = SkippedRows() if by_position else reading.skipped.rows()
        checked_positions(reading.whole, index, skipped, found.n_rows)
