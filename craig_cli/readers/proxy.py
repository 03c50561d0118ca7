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


def read_proxy(text: str, data: Dataset, progress: Progress = no_progress) -> Dataset:
    """Return the rows of ``--proxy`` for the rows of the data.

    The file has one for each row of the data as it lies: those of skipped rows are passed over,
    whatever they hold.

    Parameters
    ----------
    text : str
        A file; of HDF5 also ``FILE:/DATASET``. NumPy's ``.npy`` (never one of objects) or any
        format of data, every column a coordinate.
    data : Dataset
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
    if location.path.lower().endswith(NPY):
        return read_npy(location, data)
    on_error = "skip" if len(data.skipped) else "stop"
    inputs = InputSettings((path,), no_label=True, rows_key=key, on_error=on_error)
    proxy = read_dataset(inputs, progress)
    check_rows(text, proxy.n_input_rows, data)
    if len(data.skipped) == 0:
        return proxy
    kept = proxy.skipped.positions_of(data.skipped.numbers_of(np.arange(data.n_rows)))
    if (kept < 0).any():
        row = int(data.skipped.numbers_of(np.flatnonzero(kept < 0)[:1])[0])
        problem = "this row of the proxy cannot be used, and that of the data can"
        raise InputError(text, problem, row=row + 1, remedy="Correct it.")
    return Dataset(proxy.rows.take(kept, axis=0), None, proxy.files, np.array([0, len(kept)]))


def check_rows(text: str, n_rows: int, data: Dataset) -> None:
    """Raise `InputError` unless a proxy has one row for each row of the data as it lies."""
    if n_rows == data.n_input_rows:
        return
    problem = f"it has {n_rows} rows, and the data {data.n_input_rows}"
    remedy = "Write one row of the proxy for each row of the data, in the same order."
    if len(data.skipped):
        problem += f", {len(data.skipped)} of them skipped"
        remedy = "Write one row of the proxy for each row of the data, skipped ones too, in order."
    raise InputError(text, problem, remedy=remedy)


def split_key(text: str) -> tuple[str, str | None]:
    """Return the file and the dataset that ``FILE:/DATASET`` names; other names are files."""
    path, colon, key = text.rpartition(":")
    if colon and key.startswith("/") and format_of(Location.of(path).file_name) == "hdf5":
        return path, key
    return text, None


def read_npy(location: Location, data: Dataset) -> Dataset:
    """Return the rows of an ``.npy`` file for those of the data.

    Raises `InputError` for what is not a table of finite numbers, one row for each of the data.
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
    check_rows(path, len(array), data)
    if len(data.skipped):
        array = array.copy()
        array[data.skipped.rows] = 0
    check = BlockCheck(path, 0, remedy=None)
    rows = check.rows(array)
    check.raise_first()
    rows = np.delete(rows, data.skipped.rows, axis=0) if len(data.skipped) else rows
    if array.dtype == np.float16:
        rows = rows.astype(np.float32)
    return Dataset(np.ascontiguousarray(rows), None, (path,), np.array([0, len(rows)]))
