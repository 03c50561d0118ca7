"""Sparse matrices in HDF5 files, in compressed sparse row form."""

from __future__ import annotations

import h5py
import numpy as np
from numpy.typing import NDArray

from craig_cli.readers.hdf5_datasets import open_numbers
from craig_cli.readers.hdf5_messages import Fault, send, send_block
from craig_cli.readers.hdf5_paths import CSR_KEYS, open_link

PIECE = 1 << 18
"""Entries read at once where only their order or range is checked."""
INDEX_LIMIT = 2**31 - 1
BY_ROWS = "Store the matrix by rows (CSR), indices ascending within each row."


class SparseMatrix:
    """A group with the data, indices and indptr of a matrix in compressed sparse row form.

    It is checked as a whole before a row is sent.
    """

    def __init__(self, root: h5py.h5g.GroupID, group: h5py.h5g.GroupID, path: str) -> None:
        self.path = path
        self.data, self.indices, self.indptr = (
            open_numbers(
                open_link(root, group, name, f"{path}/{name.decode()}"),
                f"{path}/{name.decode()}",
                1,
            )
            for name in CSR_KEYS
        )
        for dataset in (self.indices, self.indptr):
            if dataset.dtype.kind not in "iu":
                raise Fault(f"'{dataset.name}' does not hold whole numbers", BY_ROWS)
        self.n_rows, self.n_entries = len(self.indptr) - 1, len(self.data)
        if len(self.indices) != self.n_entries:
            raise Fault(
                f"'{path}' has {self.n_entries} data but {len(self.indices)} indices",
                "Write the file again.",
            )
        if self.n_rows < 0:
            raise Fault(f"'{path}/indptr' is empty", BY_ROWS)
        self.check_pointers()
        self.n_columns = self.count_columns(root, group)

    def check_pointers(self) -> None:
        """Raise `Fault` unless indptr starts at 0, never falls, and ends at the last entry."""
        last = 0
        for start in range(0, self.n_rows + 1, PIECE):
            pointers = self.indptr[start : start + PIECE].astype(np.int64)
            if start == 0 and pointers[0] != 0:
                raise Fault(
                    f"'{self.path}/indptr' does not start at 0", BY_ROWS, value=str(pointers[0])
                )
            falls = np.flatnonzero(np.diff(pointers, prepend=last) < 0)
            if len(falls):
                raise Fault(
                    f"'{self.path}/indptr' falls in this row",
                    BY_ROWS,
                    start + int(falls[0]),
                    str(pointers[falls[0]]),
                )
            last = int(pointers[-1])
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
                n_columns = max(n_columns, int(self.indices[start : start + PIECE].max()) + 1)
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
        attributes = h5py.Group(group).attrs
        if "csc" in str(attributes.get("encoding-type", "")) + str(
            attributes.get("h5sparse_format", "")
        ):
            raise Fault(f"'{self.path}' is stored by columns (CSC)", BY_ROWS)
        if "shape" in attributes:
            return np.asarray(attributes["shape"])
        if not group.links.exists(b"shape"):
            return None
        dataset = open_numbers(
            open_link(root, group, b"shape", f"{self.path}/shape"), f"{self.path}/shape", 1
        )
        return np.asarray(dataset[:3])

    def send_blocks(self, beside: dict[str, h5py.Dataset], size: int) -> None:
        """Send the rows, about `size` bytes at a time."""
        most_rows, most_entries = max(1, size // 8), max(1, size // 12)
        for first in range(0, self.n_rows, most_rows):
            pointers = self.indptr[first : first + most_rows + 1].astype(np.int64)
            start = 0
            while start < len(pointers) - 1:
                stop = max(
                    start + 1,
                    int(np.searchsorted(pointers, pointers[start] + most_entries, "right")) - 1,
                )
                entries = slice(int(pointers[start]), int(pointers[stop]))
                arrays = {
                    "indptr": pointers[start : stop + 1] - pointers[start],
                    "indices": self.indices[entries],
                    "values": self.data[entries],
                }
                send_block(
                    beside, first + start, first + stop, {"n_columns": self.n_columns}, **arrays
                )
                start = stop
