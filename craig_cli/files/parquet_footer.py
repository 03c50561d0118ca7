"""What all Parquet files of craig share: a JSON footer read with checks, and finite columns.

Arrays go to and from Arrow by their buffers: its own conversions import pandas wherever that is
installed, which takes longer than the rest.
"""

from __future__ import annotations

import io
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from craig_cli.errors import InputError, ManifestError
from craig_cli.storage.location import Location

SCHEMA_VERSION = 2
"""The newest that is read."""
REQUIRED: Any = object()
"""Stands for no default."""


def schema_version(skipped_rows: int) -> int:
    """Return the schema version of a file: 1 unless bad rows were skipped, which count in its row
    numbers from 2 on.
    """
    return 2 if skipped_rows else 1


def write_table(out: BinaryIO, arrays: Mapping[str, pa.Array], key: bytes, footer: str) -> None:
    """Write columns without empty cells as Parquet, `footer` under `key`.

    The file is built in memory, as the stream need not be seekable.
    """
    schema = pa.schema(
        [pa.field(name, array.type, nullable=False) for name, array in arrays.items()]
    )
    buffer = pa.BufferOutputStream()
    with pq.ParquetWriter(
        buffer,
        schema,
        version="2.6",
        compression="zstd",
        compression_level=3,
        data_page_version="1.0",
        store_schema=False,
    ) as writer:
        writer.write_table(pa.Table.from_arrays(list(arrays.values()), schema=schema))
        writer.add_key_value_metadata({key.decode(): footer})
    out.write(buffer.getvalue())


def has_footer(path: Path, key: bytes) -> bool:
    """Return whether a file can be read as Parquet and has something under `key` in its footer."""
    try:
        return key in (pq.read_metadata(path).metadata or {})
    except (pa.ArrowException, OSError):
        return False


@contextmanager
def open_table(
    location: Location, remedy: str, kind: type[InputError] = ManifestError
) -> Iterator[pq.ParquetFile]:
    """Give a Parquet file; what goes wrong in reading it is an error of a kind that names it."""
    try:
        with open_seekable(location) as stream:
            yield pq.ParquetFile(stream)
    except (pa.ArrowException, OSError) as error:
        raise kind(location.source, unreadable(error), remedy=remedy) from error


def open_seekable(location: Location) -> BinaryIO:
    """Return a file opened for reading; stdin and pipes, which cannot be seeked, are read whole."""
    if location.is_standard:
        return io.BytesIO(sys.stdin.buffer.read())
    if location.is_pipe:
        return io.BytesIO(Path(location.path).read_bytes())
    return location.open()


def footer_of(
    file: pq.ParquetFile, key: bytes, location: Location, called: str, remedy: str
) -> bytes:
    """Return what stands under `key`; raises `ManifestError` where nothing does."""
    footer: bytes | None = (file.metadata.metadata or {}).get(key)
    if footer is None:
        raise ManifestError(location.source, f"a Parquet file, but not a {called}", remedy=remedy)
    return footer


def unreadable(error: Exception) -> str:
    """Return why a Parquet file could not be read, in words that leave out Arrow's."""
    if isinstance(error, OSError) and error.errno is not None:
        return f"cannot be read: {os.strerror(error.errno)}"
    if isinstance(error, pa.ArrowInvalid) and "magic bytes" in str(error):
        return "not a Parquet file, or cut short"
    return "a damaged Parquet file"


class Facts:
    """A JSON footer, read with checks.

    Parameters
    ----------
    source : str
        For messages.
    text : bytes
        JSON.
    """

    def __init__(self, source: str, text: bytes) -> None:
        self.source = source
        try:
            self.values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ManifestError(source, "the footer is not JSON") from error
        if not isinstance(self.values, dict):
            raise ManifestError(source, "the footer is not a JSON object")
        version = self.get("schema_version", int)
        if version > SCHEMA_VERSION:
            remedy = "Update craig."
            raise ManifestError(
                source,
                f"manifest schema version {version}, and this craig reads up to {SCHEMA_VERSION}",
                remedy=remedy,
            )

    def get(
        self, key: str, *types: type, of: Mapping[str, Any] | None = None, default: Any = REQUIRED
    ) -> Any:
        """Return a value of one of `types`; `of` is an object within the footer."""
        values = self.values if of is None else of
        if key not in values and default is not REQUIRED:
            return default
        if type(value := values.get(key)) not in types:
            raise ManifestError(self.source, f"footer: '{key}' is missing or of a wrong type")
        return value

    def count(self, key: str, of: Mapping[str, Any] | None = None, default: Any = REQUIRED) -> int:
        """Return a whole number of at least 0 that int64 holds."""
        value: int = self.get(key, int, of=of, default=default)
        if not 0 <= value < 2**63:
            raise ManifestError(self.source, f"footer: '{key}' is out of range", value=str(value))
        return value

    def number(self, key: str, of: Mapping[str, Any]) -> float:
        """Return a finite number."""
        value = float(self.get(key, float, int, of=of))
        if not math.isfinite(value):
            raise ManifestError(self.source, f"footer: '{key}' is not finite")
        return value

    def objects(self, key: str) -> list[dict[str, Any]]:
        """Return a list of objects."""
        values: list[dict[str, Any]] = self.get(key, list)
        if not all(isinstance(value, dict) for value in values):
            raise ManifestError(self.source, f"footer: '{key}' is missing or of a wrong type")
        return values


def values_of(source: str, name: str, column: pa.ChunkedArray) -> Any:
    """Return a column as an array: numbers of its type, finite; strings as objects."""
    if column.null_count:
        raise ManifestError(source, f"column '{name}' has an empty cell")
    array = column.combine_chunks()
    values = (
        np.array(array.to_pylist(), dtype=object)
        if array.type == pa.string()
        else np.from_dlpack(array)
    )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ManifestError(source, f"column '{name}' holds a value that is not finite")
    return values


def arrow_array(values: NDArray) -> pa.Array:
    """Return numbers, or strings as objects, as an Arrow array of their own type."""
    if values.dtype != object:
        return pa.Array.from_buffers(
            pa.from_numpy_dtype(values.dtype),
            len(values),
            [None, pa.py_buffer(np.ascontiguousarray(values))],
        )
    texts = [text.encode() for text in values]
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    return pa.StringArray.from_buffers(
        len(texts), pa.py_buffer(ends), pa.py_buffer(b"".join(texts))
    )


def canonical_json(value: object) -> str:
    """Return the one JSON text of a value: keys sorted, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def storable_name(name: str) -> str:
    """Return a file name as text that can be stored: bytes that are not UTF-8 escaped."""
    return name.encode("utf-8", "backslashreplace").decode()
