"""Files of gradient proxies: one row a row of the data, from any trainer, without labels."""

from __future__ import annotations

import os

import numpy as np

from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.errors import InputError, UsageError, printable
from craig_cli.readers.gather import read_dataset
from craig_cli.readers.numbers import BlockCheck
from craig_cli.readers.sources import format_of
from craig_cli.settings import InputSettings
from craig_cli.storage.location import Location

NPY = ".npy"


def read_proxy(text: str, n_rows: int, progress: Progress = no_progress) -> Dataset:
    """Return the rows of ``--proxy``, which are to be as many as the data has.

    Parameters
    ----------
    text : str
        A file; of HDF5 also ``FILE:/DATASET``. NumPy's ``.npy`` (never one of objects) or any
        format of data, every column a coordinate.
    n_rows : int
    progress : Progress

    Raises
    ------
    UsageError
        The name tells no format.
    InputError
        The file cannot be used, or has another number of rows.
    """
    path, key = split_key(text)
    location = Location.of(path)
    if location.is_standard:
        raise UsageError("--proxy: it is not read from stdin. Name a file.")
    proxy = (
        read_npy(location)
        if location.path.lower().endswith(NPY)
        else read_dataset(InputSettings((path,), no_label=True, rows_key=key), progress)
    )
    if proxy.n_rows != n_rows:
        problem = f"it has {proxy.n_rows} rows, and the data {n_rows}"
        raise InputError(
            text,
            problem,
            remedy="Write one row of the proxy for each row of the data, in the same order.",
        )
    return proxy


def split_key(text: str) -> tuple[str, str | None]:
    """Return the file and the dataset that ``FILE:/DATASET`` names; other names are files."""
    path, colon, key = text.rpartition(":")
    if colon and key.startswith("/") and format_of(Location.of(path).file_name) == "hdf5":
        return path, key
    return text, None


def read_npy(location: Location) -> Dataset:
    """Return the rows of an ``.npy`` file.

    Raises `InputError` for what is not a table of finite numbers.
    """
    path = location.name
    try:
        with location.open() as stream:
            array = np.lib.format.read_array(stream, allow_pickle=False)
    except OSError as error:
        raise InputError(
            path,
            f"cannot be read: {os.strerror(error.errno) if error.errno else printable(str(error))}",
        ) from error
    except (ValueError, EOFError, SyntaxError, MemoryError, OverflowError) as error:
        raise InputError(
            path,
            "not an .npy file, cut short, or one that holds objects",
            remedy="Write it with numpy.save.",
        ) from error
    if array.ndim != 2 or array.dtype.kind not in "fiub" or array.shape[1] == 0:
        problem = (
            f"it holds {array.ndim}-dimensional {array.dtype}, not rows and columns of numbers"
        )
        raise InputError(path, problem, remedy="Save an array of shape (rows, columns).")
    check = BlockCheck(path, 0, remedy=None)
    rows = check.rows(array)
    check.raise_first()
    if array.dtype == np.float16:
        rows = rows.astype(np.float32)
    return Dataset(np.ascontiguousarray(rows), None, (path,), np.array([0, len(array)]))
