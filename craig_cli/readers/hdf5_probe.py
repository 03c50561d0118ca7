"""The process that reads an HDF5 file for `craig_cli.readers.hdf5`.

The HDF5 library can crash on a hostile file, and then takes down only this. It is run by its path,
and its one argument is the request, as JSON. It first finds the datasets, then writes messages to
standard output (`hdf5_messages`).
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# The same craig as that of the parent, which may be one that is not installed.
if (home := str(Path(__file__).resolve().parents[2])) not in sys.path:
    sys.path.insert(0, home)

from craig_cli.platform import end_with_parent, limit_memory

if __name__ == "__main__":  # before the library is there, which may stand still
    end_with_parent()

import h5py

from craig_cli.readers.hdf5_bounds import Bounds, row_bytes
from craig_cli.readers.hdf5_columns import (
    CHUNK_CACHE_BYTES,
    Column,
    InOrder,
    open_beside,
    send_block,
)
from craig_cli.readers.hdf5_csr import SparseMatrix
from craig_cli.readers.hdf5_datasets import open_numbers
from craig_cli.readers.hdf5_messages import Fault, send
from craig_cli.readers.hdf5_paths import find_column, find_labels, find_rows

MEMORY_BYTES = 8 << 30
SPARE_BYTES = 256 << 20
FINDING_BYTES = 1 << 30
"""Memory in which the datasets are found."""
HDF5_ERRORS = (OSError, RuntimeError, ValueError, TypeError, KeyError)
"""What h5py makes of errors of the HDF5 library."""


def main() -> None:
    """Serve the request of the command line."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    limit_memory(FINDING_BYTES, MEMORY_BYTES)
    try:
        serve(json.loads(sys.argv[1]))
        send({"end": True})
    except BrokenPipeError:  # the reader wants no more
        pass
    except Exception as error:  # sent to the reader; `fault_of` raises what is not the file's fault
        send({"error": fault_of(error).parts})


def fault_of(error: Exception) -> Fault:
    """Return what to tell the user of an error; those of another kind are raised again."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, MemoryError):
        problem = "reading it takes far more memory than the sizes of its datasets tell"
        return Fault(problem, "Check that the file is not damaged.")
    if not isinstance(error, HDF5_ERRORS):
        raise error
    said = error.args[0] if error.args else type(error).__name__
    problem = f"the HDF5 library cannot read this file: {said}"
    remedy = "Check that it is an undamaged HDF5 file; copy it or write it again."
    return Fault(problem[:300], remedy)


def serve(request: dict[str, Any]) -> None:
    """Send the rows and labels that are asked for, block by block."""
    size, path = request["block_bytes"], request["path"]
    bounds = Bounds(request["memory"], Path(path).stat().st_size)
    with h5py.File(
        path, "r", locking=False, rdcc_nbytes=CHUNK_CACHE_BYTES, rdcc_nslots=10_007
    ) as file:
        root = h5py.h5g.open(file.id, b"/")
        found = {} if request["no_label"] else {"labels": find_labels(root, request["label"])}
        key, target = find_rows(root, request["rows_key"], found.get("labels"))
        for name, column in request["amounts"].items():
            found[name] = find_column(root, column)
        matrix: SparseMatrix | DenseRows
        if isinstance(target, h5py.h5g.GroupID):
            matrix = SparseMatrix(root, target, key, bounds)
        else:
            matrix = DenseRows(open_numbers(target, key, bounds), key)
        beside = open_beside(root, found, key, matrix.n_rows, bounds)
        reading = matrix.memory + sum(column.memory for column in beside.values())
        limit_memory(SPARE_BYTES + 8 * size + reading, MEMORY_BYTES)
        matrix.send_blocks(beside, size)


class DenseRows:
    """A dataset of numbers: its first axis are rows, all others are columns."""

    def __init__(self, dataset: h5py.Dataset, path: str) -> None:
        self.stored = InOrder(dataset)
        self.n_rows, self.row_bytes = len(dataset), row_bytes(dataset)
        if self.row_bytes == 0:
            raise Fault(f"'{path}' has no columns", "Name another dataset with --rows-key PATH.")

    @property
    def memory(self) -> int:
        """Bytes that reading takes, but for blocks."""
        return self.stored.memory + 4 * self.row_bytes

    def send_blocks(self, beside: Mapping[str, Column], size: int) -> None:
        """Send the rows, about `size` bytes at a time."""
        widest = max([self.row_bytes, *(column.width for column in beside.values())])
        step = max(1, size // widest)
        for start in range(0, self.n_rows, step):
            stop = min(start + step, self.n_rows)
            rows = self.stored.read(start, stop).reshape(stop - start, -1)
            send_block(beside, start, stop, {}, rows=rows)


if __name__ == "__main__":
    main()
