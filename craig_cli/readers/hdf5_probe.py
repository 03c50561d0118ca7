"""The process that reads an HDF5 file for `craig_cli.readers.hdf5`.

The HDF5 library can crash on a hostile file, and then takes down only this. It is run by its path,
and its one argument is the request, as JSON. It first finds the datasets, then writes messages to
standard output (`hdf5_messages`).
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from pathlib import Path
from typing import Any

import h5py

# The same craig as that of the parent, which may be one that is not installed.
if (home := str(Path(__file__).resolve().parents[2])) not in sys.path:
    sys.path.insert(0, home)

from craig_cli.readers.hdf5_csr import SparseMatrix
from craig_cli.readers.hdf5_datasets import open_beside, open_numbers
from craig_cli.readers.hdf5_messages import Fault, send, send_block
from craig_cli.readers.hdf5_paths import find_labels, find_rows

MEMORY_BYTES = 4 << 30
CHUNK_CACHE_BYTES = 64 << 20
HDF5_ERRORS = (OSError, RuntimeError, ValueError, TypeError, KeyError)
"""What h5py makes of errors of the HDF5 library."""


def main() -> None:
    """Serve the request of the command line."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    limit_resources()
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
        problem = f"reading it takes more than {MEMORY_BYTES >> 30} GiB"
        return Fault(problem, "Check that the file is not damaged.")
    if not isinstance(error, HDF5_ERRORS):
        raise error
    said = error.args[0] if error.args else type(error).__name__
    problem = f"the HDF5 library cannot read this file: {said}"
    remedy = "Check that it is an undamaged HDF5 file; copy it or write it again."
    return Fault(problem[:300], remedy)


def limit_resources() -> None:
    """Allow no core file and only so much memory, where the system has such limits."""
    if sys.platform == "win32":
        return
    import resource

    for kind, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, MEMORY_BYTES)):
        hard = resource.getrlimit(kind)[1]
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(
                kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard)
            )


def serve(request: dict[str, Any]) -> None:
    """Send the rows and labels that are asked for, block by block."""
    size = request["block_bytes"]
    with h5py.File(
        request["path"], "r", locking=False, rdcc_nbytes=CHUNK_CACHE_BYTES, rdcc_nslots=10_007
    ) as file:
        root = h5py.h5g.open(file.id, b"/")
        label = None if request["no_label"] else find_labels(root, request["label"])
        path, rows = find_rows(root, request["rows_key"], label)
        if isinstance(rows, h5py.h5g.GroupID):
            matrix = SparseMatrix(root, rows, path)
            matrix.send_blocks(open_beside(root, request, label, path, matrix.n_rows), size)
        else:
            dataset = open_numbers(rows, path)
            send_dense(dataset, open_beside(root, request, label, path, dataset.shape[0]), size)


def send_dense(dataset: h5py.Dataset, beside: dict[str, h5py.Dataset], size: int) -> None:
    """Send the rows of a dense dataset, about `size` bytes at a time."""
    n_rows, n_columns = dataset.shape
    if n_columns == 0:
        raise Fault(
            f"'{dataset.name}' has no columns", "Name another dataset with --rows-key PATH."
        )
    step = max(1, size // (n_columns * dataset.dtype.itemsize))
    for start in range(0, n_rows, step):
        stop = min(start + step, n_rows)
        send_block(beside, start, stop, {}, rows=dataset[start:stop])


if __name__ == "__main__":
    main()
