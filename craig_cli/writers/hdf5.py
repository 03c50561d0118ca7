"""Chosen rows as an HDF5 file, built in memory, so that it can go to a pipe."""

from __future__ import annotations

import io
from typing import BinaryIO

import h5py
import numpy as np

from craig_cli.dataset import SparseRows
from craig_cli.errors import UsageError
from craig_cli.writers.subset import Subset
from craig_cli.writers.target import Target, Writer

NAMES = ("X", "label", "id")


def write(out: BinaryIO, subset: Subset, target: Target) -> str:
    """Write datasets X (sparse: a group of data, indices, indptr), label, and the weight."""
    if target.column in NAMES:
        raise UsageError(
            f"--weight-name: '{target.column}' is the name of another dataset of the file. Choose "
            f"another."
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
        for name, named in (("label", subset.labels), ("id", subset.ids)):
            if named is not None:
                kind = h5py.string_dtype() if named.dtype == object else None
                file.create_dataset(name, data=named, dtype=kind, track_times=False)
        if target.column is not None:
            file.create_dataset(target.column, data=subset.weight, track_times=False)
    out.write(buffer.getbuffer())
    return ""


WRITER = Writer(write, ("column", "file", "none"))
