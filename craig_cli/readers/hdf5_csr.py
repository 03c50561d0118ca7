"""Sparse matrices in HDF5 files, in compressed sparse row form."""

from __future__ import annotations

from collections.abc import Mapping

import h5py
import numpy as np
from numpy.typing import NDArray

from craig_cli.readers.hdf5_bounds import Bounds
from craig_cli.readers.hdf5_columns import Column, InOrder, send_block
from craig_cli.readers.hdf5_datasets import open_numbers
from craig_cli.readers.hdf5_foreign import BY_ROWS, by_rows, has_attribute
from craig_cli.readers.hdf5_messages import Fault, send
from craig_cli.readers.hdf5_paths import CSR_KEYS, open_link

PIECE = 1 << 18
"""Entries read at once where only their order or range is checked."""
INDEX_LIMIT = 2**31 - 1
ENCODINGS = ("encoding-type", "h5sparse_format")
SHAPE_ATTRIBUTES = ("shape", "h5sparse_shape")
"""Of AnnData today, and before 0.7."""


class SparseMatrix:
    """A group with the data, indices and indptr of a matrix in compressed sparse row form.

    It is checked as a whole before a row is sent.
    """

    def __init__(
        self, root: h5py.h5g.GroupID, group: h5py.h5g.GroupID, path: str, bounds: Bounds
    ) -> None:
        self.path, self.bounds = path, bounds
        if any("csc" in text for text in self.encodings(group)):
            raise Fault(f"'{self.path}' is stored by columns (CSC)", by_rows(group, path))
        data, indices, indptr = (
            open_numbers(
                open_link(root, group, name, f"{path}/{name.decode()}"),
                f"{path}/{name.decode()}",
                bounds,
                1,
            )
            for name in CSR_KEYS
        )
        for dataset in (indices, indptr):
            if dataset.dtype.kind not in "iu":
                raise Fault(f"'{dataset.name}' does not hold whole numbers", BY_ROWS)
        self.n_rows, self.n_entries, self.largest_row = len(indptr) - 1, len(data), 0
        if len(indices) != self.n_entries:
            raise Fault(
                f"'{path}' has {self.n_entries} data but {len(indices)} indices",
                "Write the file again.",
            )
        self.data, self.indices, self.indptr = map(InOrder, (data, indices, indptr))
        if self.n_rows < 0:
            raise Fault(f"'{path}/indptr' is empty", BY_ROWS)
        self.check_pointers()
        self.n_columns = self.count_columns(root, group)

    def check_pointers(self) -> None:
        """Raise `Fault` unless indptr starts at 0, never falls, and ends at the last entry."""
        last = 0
        for start in range(0, self.n_rows + 1, PIECE):
            pointers = self.indptr.read(start, min(start + PIECE, self.n_rows + 1)).astype(np.int64)
            if start == 0 and pointers[0] != 0:
                raise Fault(
                    f"'{self.path}/indptr' does not start at 0", BY_ROWS, value=str(pointers[0])
                )
            sizes = np.diff(pointers, prepend=last)
            falls = np.flatnonzero(sizes < 0)
            if len(falls):
                raise Fault(
                    f"'{self.path}/indptr' falls in this row",
                    BY_ROWS,
                    start + int(falls[0]),
                    str(pointers[falls[0]]),
                )
            last, self.largest_row = int(pointers[-1]), max(self.largest_row, int(sizes.max()))
            send({})
        if last != self.n_entries:
            raise Fault(
                f"'{self.path}/indptr' does not end at the number of entries, {self.n_entries}",
                BY_ROWS,
                value=str(last),
            )

    def count_columns(self, root: h5py.h5g.GroupID, group: h5py.h5g.GroupID) -> int:
        """Return the number of columns that the shape tells, else the highest index and one."""
        shape = self.read_shape(root, group)
        if shape is None:
            n_columns = 0
            for start in range(0, self.n_entries, PIECE):
                indices = self.indices.read(start, min(start + PIECE, self.n_entries))
                n_columns = max(n_columns, int(indices.max()) + 1)
                send({})
        elif shape.shape != (2,) or shape.dtype.kind not in "iu" or shape[1] < 0:
            raise Fault(
                f"the shape of '{self.path}' is not two whole numbers",
                "Write the number of rows and of columns.",
                value=str(shape),
            )
        elif shape[0] != self.n_rows:
            raise Fault(
                f"'{self.path}' has {self.n_rows} rows, but its shape tells {shape[0]}", BY_ROWS
            )
        else:
            n_columns = int(shape[1])
        if n_columns > INDEX_LIMIT:
            raise Fault(
                f"'{self.path}' has more than {INDEX_LIMIT} columns",
                "Renumber the columns.",
                value=str(n_columns),
            )
        return n_columns

    def read_shape(self, root: h5py.h5g.GroupID, group: h5py.h5g.GroupID) -> NDArray | None:
        """Return the attribute or the dataset that tells the shape; None if there is neither."""
        for name in SHAPE_ATTRIBUTES:
            if has_attribute(group, name.encode()):
                return np.asarray(h5py.Group(group).attrs[name])
        if not group.links.exists(b"shape"):
            return None
        dataset = open_numbers(
            open_link(root, group, b"shape", f"{self.path}/shape"),
            f"{self.path}/shape",
            self.bounds,
            1,
        )
        return np.asarray(dataset[:3])

    @staticmethod
    def encodings(group: h5py.h5g.GroupID) -> list[str]:
        """Return what attributes say of the layout."""
        attributes = h5py.Group(group).attrs
        return [str(attributes[n]) for n in ENCODINGS if has_attribute(group, n.encode())]

    @property
    def memory(self) -> int:
        """Bytes that reading takes, but for blocks."""
        return 48 * self.largest_row + sum(
            part.memory for part in (self.data, self.indices, self.indptr)
        )

    def send_blocks(self, beside: Mapping[str, Column], size: int) -> None:
        """Send the rows, about `size` bytes at a time."""
        most_rows, most_entries = max(1, size // 8), max(1, size // 12)
        for first in range(0, self.n_rows, most_rows):
            pointers = self.indptr.read(first, min(first + most_rows, self.n_rows) + 1).astype(
                np.int64
            )
            start = 0
            while start < len(pointers) - 1:
                stop = max(
                    start + 1,
                    int(np.searchsorted(pointers, pointers[start] + most_entries, "right")) - 1,
                )
                entries = int(pointers[start]), int(pointers[stop])
                arrays = {
                    "indptr": pointers[start : stop + 1] - pointers[start],
                    "indices": self.indices.read(*entries),
                    "values": self.data.read(*entries),
                }
                send_block(
                    beside, first + start, first + stop, {"n_columns": self.n_columns}, **arrays
                )
                start = stop
