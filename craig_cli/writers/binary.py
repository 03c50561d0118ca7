"""Chosen rows as Parquet, HDF5 and NumPy files. Each is built in memory, as none can be written to
a pipe otherwise.
"""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from craig_cli.dataset import Labels, SparseRows
from craig_cli.errors import UsageError
from craig_cli.writers.subset import Subset, check_width, dense_columns
from craig_cli.writers.text import with_weight_name

HDF5_NAMES = ("X", "label")


def write_parquet(out: BinaryIO, subset: Subset, weight_name: str | None) -> None:
    """Write a table of the columns, the label and the weight."""
    check_width(subset.rows, "parquet")
    columns: dict[str, Any] = {
        name: pa.array(values)
        for name, values in zip(subset.column_names(), dense_columns(subset.rows), strict=True)
    }
    if subset.labels is not None:
        columns[subset.label_name] = label_array(subset.labels)
    copy_table(out, pa.table(columns), subset.weight, weight_name)


def label_array(labels: Labels) -> pa.Array:
    """Return labels as an Arrow array."""
    return pa.array(labels.tolist(), pa.string()) if labels.dtype == object else pa.array(labels)


def copy_table(
    out: BinaryIO, table: pa.Table, weight: NDArray[np.float64], weight_name: str | None
) -> None:
    """Write a table as it is, with a column of weights."""
    with_weight_name(table.column_names, weight_name)
    if weight_name is not None:
        table = table.append_column(weight_name, pa.array(weight))
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    out.write(buffer.getvalue())


def write_hdf5(out: BinaryIO, subset: Subset, weight_name: str | None) -> None:
    """Write datasets X (sparse: a group of data, indices, indptr), label, and the weight under its
    name.
    """
    if weight_name in HDF5_NAMES:
        raise UsageError(
            f"--weight-name: '{weight_name}' is the name of another dataset of the "
            f"file. Choose another."
        )
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver="latest") as file:
        rows = subset.rows
        if isinstance(rows, SparseRows):
            group = file.create_group("X")
            group.attrs["shape"] = np.array(rows.shape, np.int64)
            for name, values in (
                ("data", rows.values),
                ("indices", rows.indices),
                ("indptr", rows.indptr),
            ):
                group.create_dataset(name, data=values, track_times=False)
        else:
            file.create_dataset("X", data=rows, track_times=False)
        if subset.labels is not None:
            is_text = subset.labels.dtype == object
            file.create_dataset(
                "label",
                data=subset.labels,
                dtype=h5py.string_dtype() if is_text else None,
                track_times=False,
            )
        if weight_name is not None:
            file.create_dataset(weight_name, data=subset.weight, track_times=False)
    out.write(buffer.getbuffer())


def write_npz(
    out: BinaryIO, index: NDArray[np.int64], weight: NDArray[np.float64], labels: Labels | None
) -> None:
    """Write arrays index, weight and, if there are labels, label; without pickles."""
    arrays: dict[str, NDArray[Any]] = {"index": index, "weight": weight}
    if labels is not None:
        arrays["label"] = labels.astype(str) if labels.dtype == object else labels
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    out.write(buffer.getbuffer())
