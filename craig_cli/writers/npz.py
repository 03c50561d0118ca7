"""Numbers and weights of chosen rows as NumPy arrays, without the rows."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from craig_cli.writers.subset import Subset
from craig_cli.writers.target import Target, Writer


def write(out: BinaryIO, subset: Subset, target: Target) -> str:
    """Write arrays index, weight and, if there are such, label and id; without pickles."""
    arrays: dict[str, NDArray[Any]] = {"index": subset.index, "weight": subset.weight}
    if (labels := subset.labels) is not None:
        arrays["label"] = labels.astype(str) if labels.dtype == object else labels
    if (ids := subset.ids) is not None:
        arrays["id"] = ids.astype(str) if ids.dtype == object else ids
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    out.write(buffer.getbuffer())
    return ""


WRITER = Writer(write, holds_rows=False)
