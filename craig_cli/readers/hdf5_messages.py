"""What the process that reads an HDF5 file sends to `craig_cli.readers.hdf5`.

Each message is 8 bytes of length, a JSON header of that length, and the bytes of the arrays that
the header lists.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Fault(Exception):
    """What is wrong with the file, in the parts of an `InputError`."""

    def __init__(
        self, problem: str, remedy: str, row: int | None = None, value: str | None = None
    ) -> None:
        super().__init__(problem)
        self.parts = {"problem": problem, "remedy": remedy, "row": row, "value": value}


def send(header: dict[str, Any], **arrays: NDArray) -> None:
    """Write one message."""
    plain = {
        name: np.ascontiguousarray(array, array.dtype.newbyteorder("="))
        for name, array in arrays.items()
    }
    text = json.dumps(
        header | {"arrays": [(name, array.dtype.str, array.shape) for name, array in plain.items()]}
    ).encode()
    sys.stdout.buffer.write(len(text).to_bytes(8, "little") + text)
    for array in plain.values():
        sys.stdout.buffer.write(array.reshape(-1).view(np.uint8).data)
    sys.stdout.buffer.flush()
