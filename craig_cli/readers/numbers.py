"""What binary formats have in common: numbers that cannot be used, and which fault to report."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Labels
from craig_cli.errors import InputError
from craig_cli.kernels.decimals import LARGEST

CORRECT = "Correct it, or leave the row out."

TOO_LARGE = f"is beyond {LARGEST:g}, too large to be squared and summed"
DIVIDE = "Divide the column by a constant (--scale comes too late for that)"
LARGEST_WHOLE = 2**53
"""Whole numbers up to this one have a float64 of their own."""


def first_unusable(values: NDArray) -> tuple[int, str] | None:
    """Return the flat position of the first number that cannot be used, and what is wrong.

    None if each is finite and at most `LARGEST`, and whole numbers are exact in float64.
    """
    if values.dtype.kind == "f":
        is_double = values.dtype.itemsize > 4  # the others hold nothing so large
        good = (values >= -LARGEST) & (values <= LARGEST) if is_double else np.isfinite(values)
        if good.all():
            return None
        place = int(good.argmin())
        return place, TOO_LARGE if np.isfinite(values.flat[place]) else "is not finite"
    if values.dtype.itemsize == 8:
        bad = (values > LARGEST_WHOLE) | (values < -LARGEST_WHOLE)
        problem = "is beyond 2^53, so a 64-bit float may not hold it"
    else:
        return None
    return (int(bad.argmax()), problem) if bad.any() else None


def first_unusable_label(labels: NDArray, task: str) -> tuple[int, str] | None:
    """Return the position of the first label that `numeric_labels` cannot take, and what is wrong.

    None if it can take all.
    """
    if task == "regression" or labels.dtype.kind == "f":
        return first_unusable(labels)
    bad = labels > np.iinfo(np.int64).max
    return (int(bad.argmax()), "is too large for a 64-bit integer") if bad.any() else None


def numeric_labels(labels: NDArray, task: str) -> Labels:
    """Return numbers or booleans as labels: int64, or float64 for floats and for regression."""
    if task == "regression" or labels.dtype.kind == "f":
        return labels.astype(np.float64)
    return labels.astype(np.int64)


def as_floats(values: NDArray) -> NDArray:
    """Return floats as float32 if they are, else as float64; other numbers stay.

    So too large ones of either kind can be told.
    """
    with np.errstate(over="ignore"):
        return (
            values.astype(np.float64)
            if values.dtype.kind == "f" and values.dtype != np.float32
            else values
        )


@dataclass
class BlockCheck:
    """Makes rows and labels of stored numbers, and keeps what is wrong with them.

    Parameters
    ----------
    name : str
        The file.
    first_row : int
        Of the block, in the file.
    remedy : str or None
        What can be done about a value that cannot be used.
    """

    name: str
    first_row: int
    remedy: str | None = CORRECT
    faults: list[InputError] = field(default_factory=list)

    def add(
        self, problem: str, row: int, value: str | None, column: int | None = None, remedy: str = ""
    ) -> None:
        """Keep the fault of a row of the block; `row` and `column` count from 0."""
        self.faults.append(
            InputError(
                self.name,
                problem,
                row=self.first_row + row + 1,
                column=None if column is None else column + 1,
                value=value,
                remedy=remedy or self.remedy,
            )
        )

    def rows(self, stored: NDArray) -> NDArray:
        """Return a table of numbers as float32 if they are, else as float64."""
        values = as_floats(stored)
        found = first_unusable(values)
        if found is not None:
            row, column = divmod(found[0], values.shape[1])
            self.add(f"the value {found[1]}", row, str(values[row, column]), column)
        return values if values.dtype == np.float32 else values.astype(np.float64)

    def labels(self, stored: NDArray, task: str) -> Labels:
        """Return numbers as labels."""
        values = as_floats(stored)
        found = first_unusable_label(values, task)
        if found is not None:
            self.add(f"the label {found[1]}", found[0], str(values[found[0]]))
            values = values[:0]
        return numeric_labels(values, task)

    def raise_first(self) -> None:
        """Raise the fault of the lowest row, and there of the lowest column.

        So the size of a block does not change which one is reported.
        """
        if self.faults:
            raise min(self.faults, key=lambda fault: (fault.row or 0, fault.column or 0))
