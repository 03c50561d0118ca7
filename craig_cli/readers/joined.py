"""Blocks joined: their rows, labels, weights and ids as those of a data set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Block, Labels, Rows, SparseRows
from craig_cli.errors import InputError
from craig_cli.platform import available_bytes
from craig_cli.readers.labels import unify_labels


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
        filled = [part for part in dense if len(part)] or dense[:1]
        joined: NDArray = filled[0] if len(filled) == 1 else np.concatenate(filled)
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


class RowStack:
    """Dense rows put into their place as they are read: they take their memory once, and a block is
    copied while it is in the cache.

    Parameters
    ----------
    n_rows : int
        Rows there will be at most; 0 where nobody knows: then every block keeps its own.
    """

    def __init__(self, n_rows: int) -> None:
        self._most, self._n_rows = n_rows, 0
        self._array: NDArray[Any] | None = None
        self._is_open = n_rows > 0

    def take(self, block: Block) -> Block:
        """Return a block without its rows, which are kept here.

        Sparse rows, those of other columns or another type than the first, and all that come after
        such, stay in their blocks.
        """
        rows, stop = block.rows, self._n_rows + len(block.rows)
        if isinstance(rows, SparseRows) or not self._is_open:
            self._is_open = False
            return block
        if self._array is None:
            # No file makes room for more than there is, whatever it states.
            self._is_open = self._most * rows[:1].nbytes <= available_bytes()
            if not self._is_open:
                return block
            self._array = np.empty((self._most, rows.shape[1]), rows.dtype)
        kind = self._array.shape[1], self._array.dtype
        self._is_open = kind == (rows.shape[1], rows.dtype) and stop <= self._most
        if not self._is_open:
            return block
        self._array[self._n_rows : stop] = rows
        self._n_rows = stop
        return replace(block, rows=rows[:0].copy())

    def put_back(self, blocks: list[Block]) -> None:
        """Give the first of the blocks, in place, the rows of all that were taken."""
        if self._array is not None:
            blocks[0] = replace(blocks[0], rows=self._array[: self._n_rows])


def join_amounts(parts: list[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    """Return the weights, or the costs, of all blocks; None where there are none."""
    given = [part for part in parts if part is not None]
    return np.concatenate(given) if given else None


def join_ids(parts: list[Any]) -> Any:
    """Return the ids of all blocks, as a pyarrow.ChunkedArray; None where there are none."""
    if not parts or parts[0] is None:
        return None
    import pyarrow as pa

    is_text = any(pa.types.is_string(part.type) for part in parts)
    return pa.chunked_array([part.cast(pa.string()) for part in parts] if is_text else parts)


def join_labels(parts: list[Labels | None]) -> Labels | None:
    """Return the labels of all blocks, of one type; None where there are none."""
    given = [part for part in parts if part is not None]
    return unify_labels(given) if given else None
