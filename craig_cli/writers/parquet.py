"""Chosen rows as a table, a Parquet file, built in memory, so that it can go to a pipe."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from craig_cli.writers.subset import Subset, check_width, dense_columns, with_weight_name
from craig_cli.writers.target import Target, Writer

WriteFile: TypeAlias = Callable[[pa.Table, pa.BufferOutputStream], None]
"""Writes a table as a file of a format."""


def write(write_file: WriteFile, out: BinaryIO, subset: Subset, target: Target) -> str:
    """Write a table of the columns, the label and the weight."""
    check_width(subset.rows, target.format)
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
    write_table(write_file, out, pa.table(columns), subset.weight, target.column)
    return ""


def copy(
    write_file: WriteFile,
    out: BinaryIO,
    table: pa.Table,
    by: NDArray[np.int64],
    weight: NDArray[np.float64],
    target: Target,
) -> None:
    """Write rows with all their columns, and one of weights."""
    write_table(write_file, out, table.take(by), weight, target.column)


def write_table(
    write_file: WriteFile,
    out: BinaryIO,
    table: pa.Table,
    weight: NDArray[np.float64],
    weight_name: str | None,
) -> None:
    """Write a table as it is, with a column of weights."""
    with_weight_name(table.column_names, weight_name)
    if weight_name is not None:
        table = table.append_column(weight_name, pa.array(weight))
    buffer = pa.BufferOutputStream()
    write_file(table, buffer)
    out.write(buffer.getvalue())


def table_writer(write_file: WriteFile) -> Writer:
    """Return the writer of a format of Arrow columns."""
    return Writer(
        partial(write, write_file),
        ("column", "file", "none"),
        partial(copy, write_file),
        written_as="table",
    )


WRITER = table_writer(pq.write_table)
