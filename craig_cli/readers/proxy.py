"""Files of gradient proxies: one row a row of the data, from any trainer, without labels."""

from __future__ import annotations

from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.errors import InputError, UsageError
from craig_cli.readers.gather import read_dataset
from craig_cli.readers.sources import format_of
from craig_cli.settings import InputSettings
from craig_cli.storage.location import Location

TABLES = ("parquet", "arrow")


def read_proxy(text: str, n_rows: int, progress: Progress = no_progress) -> Dataset:
    """Return the rows of ``--proxy``, which are to be as many as the data has.

    Parameters
    ----------
    text : str
        A file of any format of data, every column a coordinate; also ``FILE:/DATASET`` of HDF5 and
        ``FILE:COLUMN`` of Parquet and Arrow, as a column of embeddings.
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
    is_column = key is not None and format_of(location.file_name) in TABLES
    settings = InputSettings(
        (path,),
        no_label=True,
        rows_key=None if is_column else key,
        features=(str(key),) if is_column else (),
    )
    proxy = read_dataset(settings, progress)
    if proxy.n_rows != n_rows:
        problem = f"it has {proxy.n_rows} rows, and the data {n_rows}"
        raise InputError(
            text,
            problem,
            remedy="Write one row of the proxy for each row of the data, in the same order.",
        )
    return proxy


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
