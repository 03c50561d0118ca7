"""Chosen rows as a Parquet file, built in memory, so that it can go to a pipe."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from craig_cli.writers.subset import Subset, check_width, dense_columns, with_weight_name
from craig_cli.writers.target import Target, Writer


def write(out: BinaryIO, subset: Subset, target: Target) -> str:
    """Write a table of the columns, the label and the weight."""
    check_width(subset.rows, "parquet")
    columns: dict[str, Any] = {}
    if subset.ids is not None:
        columns[subset.id_name] = pa.array(subset.ids)
    columns |= {
        name: pa.array(values)
        for name, values in zip(subset.column_names(), dense_columns(subset.rows), strict=True)
    }
    if (labels := subset.labels) is not None:
        is_text = labels.dtype == object
        columns[subset.label_name] = (
            pa.array(labels.tolist(), pa.string()) if is_text else pa.array(labels)
        )
    write_table(out, pa.table(columns), subset.weight, target.column)
    return ""


def copy(
    out: BinaryIO,
    table: pa.Table,
    by: NDArray[np.int64],
    weight: NDArray[np.float64],
    target: Target,
) -> None:
    """Write rows with all their columns, and one of weights."""
    write_table(out, table.take(by), weight, target.column)


def write_table(
    out: BinaryIO, table: pa.Table, weight: NDArray[np.float64], weight_name: str | None
) -> None:
    """Write a table as it is, with a column of weights."""
    with_weight_name(table.column_names, weight_name)
    if weight_name is not None:
        table = table.append_column(weight_name, pa.array(weight))
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    out.write(buffer.getvalue())


WRITER = Writer(write, ("column", "file", "none"), copy, "parquet")
