"""Reading and writing HDF5 files in tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from scipy.sparse import csr_matrix

from craig_cli.dataset import SparseRows
from craig_cli.errors import InputError
from craig_cli.readers import hdf5
from craig_cli.readers.gather import check_options
from craig_cli.readers.sources import expand_sources
from craig_cli.settings import InputSettings


def never(error: InputError) -> None:
    raise AssertionError(error)


def read(path: Path, **options) -> tuple[np.ndarray | csr_matrix, np.ndarray | None]:  # type: ignore[no-untyped-def]
    """Return all rows and labels of a file."""
    settings = InputSettings((str(path),), **options)
    (source,) = expand_sources(settings)
    check_options((source,), settings)
    blocks = list(hdf5.read_blocks(source, 3, settings, never, {}))
    assert all(block.file == 3 for block in blocks)
    if not blocks:
        return np.empty((0, 0)), None
    labels = (
        None if blocks[0].labels is None else np.concatenate([block.labels for block in blocks])
    )
    if not isinstance(blocks[0].rows, SparseRows):
        return np.concatenate([block.rows for block in blocks]), labels
    assert all(
        [array.dtype for array in block.rows.arrays] == [np.int64, np.int32, np.float64]
        for block in blocks
    )
    indptr = np.concatenate([[0], *(np.diff(block.rows.indptr) for block in blocks)]).cumsum()
    parts = (
        np.concatenate([block.rows.values for block in blocks]),
        np.concatenate([block.rows.indices for block in blocks]),
        indptr,
    )
    return csr_matrix(parts, shape=(len(indptr) - 1, blocks[0].rows.n_columns)), labels


def write(folder: Path, contents: dict[str, object]) -> Path:
    """Write datasets, links and, given as functions of the file, anything else."""
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        for name, content in contents.items():
            if isinstance(content, Callable):
                content(file, name)
            else:
                file[name] = content
    return path


def stored(**options) -> Callable[[h5py.File, str], object]:  # type: ignore[no-untyped-def]
    return lambda file, name: file.create_dataset(name, **options)


def sparse(**changes: object) -> dict[str, object]:
    """Return the parts of a 3 x 4 matrix, with labels."""
    parts = {"data": [1.0, 2, 3, 4], "indices": [0, 3, 1, 2], "indptr": [0, 2, 2, 4]} | changes
    return {f"m/{name}": value for name, value in parts.items() if value is not None} | {
        "y": [1, 2, 3]
    }
