"""Files of gradient proxies: one row a row of the data, from any trainer, without labels."""

from __future__ import annotations

import numpy as np

from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.errors import InputError, UsageError
from craig_cli.readers.gather import read_dataset
from craig_cli.readers.sources import format_of
from craig_cli.settings import InputSettings
from craig_cli.storage.location import Location

TABLES = ("parquet", "arrow")


def read_proxy(text: str, data: Dataset, progress: Progress = no_progress) -> Dataset:
    """Return the rows of ``--proxy`` for the rows of the data.

    The file has one for each row of the data as it lies: those of skipped rows are passed over,
    whatever they hold.

    Parameters
    ----------
    text : str
        A file of any format of data, every column a coordinate; also ``FILE:/DATASET`` of HDF5 and
        ``FILE:COLUMN`` of Parquet and Arrow, as a column of embeddings.
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
    is_column = key is not None and format_of(location.file_name) in TABLES
    on_error = "skip" if len(data.skipped) else "stop"
    inputs = InputSettings(
        (path,),
        no_label=True,
        rows_key=None if is_column else key,
        features=(str(key),) if is_column else (),
        on_error=on_error,
    )
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
    """Return the file and what follows it: ``FILE:/DATASET`` of HDF5, ``FILE:COLUMN`` of a table.

    Other names are files.
    """
    path, colon, key = text.rpartition(":")
    if not colon or not key:
        return text, None
    format_name = format_of(Location.of(path).file_name)
    if format_name in TABLES or (format_name == "hdf5" and key.startswith("/")):
        return path, key
    return text, None
