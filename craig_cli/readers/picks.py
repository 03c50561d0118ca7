"""Some rows of an input, without holding the others: as numbers, or as they stand in the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Labels, Rows, widened
from craig_cli.errors import InputError
from craig_cli.readers.fingerprint import running_fingerprint
from craig_cli.readers.gather import Reading, join_labels, join_rows


@dataclass(frozen=True)
class PickedRows:
    """Some rows of an input, in its order, and what is known of the whole.

    Parameters
    ----------
    rows : Rows
    labels : Labels or None
    n_rows, n_columns : int
        Of the whole input.
    fingerprint : str
        Of the whole input.
    records : list of bytes
        The rows as they stand, where their texts were asked for and the format has such.
    """

    rows: Rows
    labels: Labels | None
    n_rows: int
    n_columns: int
    fingerprint: str
    records: list[bytes]


def read_picks(
    reading: Reading,
    index: NDArray[np.int64],
    like: str = "",
    parts: Sequence[int] = (),
    with_texts: bool = False,
    is_text: bool = True,
) -> PickedRows:
    """Return the rows of an input that are named by `index`, ascending.

    The whole input is read once, block by block. `like` and `parts` tell how its fingerprint is
    made (`fingerprint`); `is_text`: whether the labels of the whole may be text.

    Raises
    ------
    InputError
        The data cannot be used, or has fewer rows than are asked for.

    Notes
    -----
    Memory: a block and the rows asked for (while they are joined twice).
    """
    running = running_fingerprint(like, parts, is_text)
    rows: list[Rows] = []
    labels: list[Labels | None] = []
    names: list[str] = []
    records: list[bytes] = []
    n_columns = 0
    for block in reading.blocks(with_texts):
        n, d = block.rows.shape
        n_columns = max(n_columns, d)
        first, last = np.searchsorted(index, [running.n_rows, running.n_rows + n])
        local = index[first:last] - running.n_rows
        if len(local) or not rows:  # the first block also tells the kind of rows
            rows.append(block.rows.take(local, axis=0))
            labels.append(None if block.labels is None else block.labels[local])
            names.append(reading.sources[block.file].name)
        if block.texts is not None:
            records += block.texts.take(local)
        running.add(block)
    outside = index[(index < 0) | (index >= running.n_rows)]
    if len(outside):
        problem = f"there is no row {outside[0]}, counted from 0, but {running.n_rows} in all"
        raise InputError(
            reading.whole, problem, remedy="Give the data that the manifest was made of."
        )
    return PickedRows(
        widened(join_rows(rows, names), n_columns),
        join_labels(labels),
        running.n_rows,
        n_columns,
        running.text(),
        records,
    )
