"""What the sizes that an HDF5 file tells of may ask for: compared before anything is read."""

from __future__ import annotations

import math
from dataclasses import dataclass

import h5py

from craig_cli.readers.hdf5_messages import Fault
from craig_cli.settings import size_in_words

LEAST_BYTES = 2 << 30
"""A dataset of up to this is read whatever is stored of it."""
MOST_EXPANSION = 500
"""Above this, compressed data are hardly anything but one value. Deflate does 1030 at most."""
LARGEST_PIECE = 1 << 30
MEMORY_SHARE = 4
"""A chunk, or a row, takes at most the memory by this: it is held more than once."""
DAMAGED = "Check that the file is not damaged."


@dataclass(frozen=True)
class Bounds:
    """What the datasets of one file may ask for.

    Parameters
    ----------
    memory : int
        Bytes that the whole run may take.
    file_bytes : int
        Of the file, which no dataset can store more than.
    """

    memory: int
    file_bytes: int

    def check(self, dataset: h5py.Dataset, path: str) -> None:
        """Raise `Fault` if a dataset is much larger than what is stored, or has huge pieces."""
        n_bytes = math.prod(dataset.shape) * dataset.dtype.itemsize
        stored = min(dataset.id.get_storage_size(), self.file_bytes)
        if n_bytes > max(self.memory, LEAST_BYTES) and n_bytes > MOST_EXPANSION * stored:
            raise Fault(
                f"'{path}' has {dataset.shape[0]:,} rows, {size_in_words(n_bytes)} in all, but the "
                f"file stores {size_in_words(stored)} of them, and memory is "
                f"{size_in_words(self.memory)}",
                f"{DAMAGED[:-1]}, or write the rows that it does hold to a new one.",
            )
        largest = min(LARGEST_PIECE, self.memory // MEMORY_SHARE)
        if (chunk := chunk_bytes(dataset)) > largest:
            raise Fault(
                f"'{path}' is stored in chunks of {size_in_words(chunk)}, and craig reads chunks "
                f"of at most {size_in_words(largest)} here",
                "Write it in smaller ones: h5repack -l CHUNK=ROWSxCOLUMNS OLD.h5 NEW.h5.",
            )
        if (row := row_bytes(dataset)) > largest:
            raise Fault(
                f"a row of '{path}' takes {size_in_words(row)}, and craig reads rows of at most "
                f"{size_in_words(largest)} here",
                DAMAGED,
            )


def row_bytes(dataset: h5py.Dataset) -> int:
    """Return the bytes of what one step of the first axis holds."""
    return int(math.prod(dataset.shape[1:]) * dataset.dtype.itemsize)


def chunk_bytes(dataset: h5py.Dataset) -> int:
    """Return the bytes of a chunk; 0 where the dataset is not stored in chunks."""
    return int(math.prod(dataset.chunks) * dataset.dtype.itemsize) if dataset.chunks else 0
