"""Predictions as a Parquet file. The only place that knows its column names."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from craig_cli.blocks import Labels
from craig_cli.footers import arrow_array
from craig_cli.training.problem import Array

FOOTER_KEY = b"craig_predictions"


def write_predictions(out: BinaryIO, predicted: Labels, certainty: tuple[str, Array] | None) -> None:
    """Write columns index, prediction and, for classes, `certainty` under its name (probability or score) to a stream."""
    columns = {"index": np.arange(len(predicted)), "prediction": predicted}
    if certainty is not None:
        columns[certainty[0]] = certainty[1]
    arrays = [arrow_array(values) for values in columns.values()]
    schema = pa.schema([pa.field(name, array.type, nullable=False) for name, array in zip(columns, arrays, strict=True)])
    buffer = pa.BufferOutputStream()
    with pq.ParquetWriter(buffer, schema, version="2.6", compression="zstd", store_schema=False) as writer:
        writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
        writer.add_key_value_metadata({FOOTER_KEY.decode(): "1"})
    out.write(buffer.getvalue())


def is_predictions(path: Path) -> bool:
    """Return whether a file holds predictions of craig, as far as its footer tells."""
    try:
        return FOOTER_KEY in (pq.read_metadata(path).metadata or {})
    except (pa.ArrowException, OSError):
        return False
