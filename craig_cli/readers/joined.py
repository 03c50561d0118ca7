"""Blocks joined: their rows, labels, weights and ids as those of a data set."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Labels, Rows, SparseRows
from craig_cli.errors import InputError
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
