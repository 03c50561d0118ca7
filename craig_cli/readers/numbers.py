"""What binary formats have in common: numbers that cannot be used, numeric labels, and which of
several faults to report.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Labels
from craig_cli.errors import InputError

LARGEST_WHOLE = 2**53
"""Whole numbers up to this one have a float64 of their own."""


def first_unusable(values: NDArray) -> tuple[int, str] | None:
    """Return the flat position of the first number that is not finite or beyond what float64 holds
    exactly, and what is wrong; None if none is.
    """
    if values.dtype.kind == "f":
        bad, problem = ~np.isfinite(values), "is not finite"
    elif values.dtype.itemsize == 8:
        bad, problem = (
            (values > LARGEST_WHOLE) | (values < -LARGEST_WHOLE),
            ("is beyond 2^53, so a 64-bit float may not hold it"),
        )
    else:
        return None
    return (int(bad.argmax()), problem) if bad.any() else None


def first_unusable_label(labels: NDArray, task: str) -> tuple[int, str] | None:
    """Return the position of the first numeric label that `numeric_labels` cannot take, and what is
    wrong with it; None if it can take all.
    """
    if task == "regression" or labels.dtype.kind == "f":
        return first_unusable(labels)
    bad = labels > np.iinfo(np.int64).max
    return (int(bad.argmax()), "is too large for a 64-bit integer") if bad.any() else None


def numeric_labels(labels: NDArray, task: str) -> Labels:
    """Return numeric or boolean labels as int64, or as float64 if they are floats or the task is
    regression.
    """
    if task == "regression" or labels.dtype.kind == "f":
        return labels.astype(np.float64)
    return labels.astype(np.int64)


def first_fault(faults: Iterable[InputError]) -> InputError:
    """Return the fault of the lowest row, and there of the lowest column, so that the block size
    does not change which one is reported.
    """
    return min(faults, key=lambda fault: (fault.row or 0, fault.column or 0))
