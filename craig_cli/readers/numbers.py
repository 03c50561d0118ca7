"""What binary formats have in common: numbers that cannot be used, and which fault to report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Labels
from craig_cli.errors import InputError
from craig_cli.kernels.decimals import LARGEST
from craig_cli.readers.skipped import Skipped, SkippedRow

CORRECT = "Correct it, or leave the row out."

TOO_LARGE = f"is beyond {LARGEST:g}, too large to be squared and summed"
DIVIDE = "Divide the column by a constant (--scale comes too late for that)"
LARGEST_WHOLE = 2**53
"""Whole numbers up to this one have a float64 of their own."""


def unusable(values: NDArray) -> list[tuple[NDArray[np.bool_], str]]:
    """Return which numbers cannot be used, a mask a fault, and what is wrong with them.

    None are if each is finite and at most `LARGEST`, and whole numbers are exact in float64.
    """
    found: list[tuple[NDArray[np.bool_], str]] = []
    if values.dtype.kind == "f":
        is_double = values.dtype.itemsize > 4  # the others hold nothing so large
        good = (values >= -LARGEST) & (values <= LARGEST) if is_double else np.isfinite(values)
        if not good.all():
            is_finite = np.isfinite(values)
            found = [(~is_finite, "is not finite"), (is_finite & ~good, TOO_LARGE)]
    elif values.dtype.itemsize == 8:
        bad = (values > LARGEST_WHOLE) | (values < -LARGEST_WHOLE)
        found = [(bad, "is beyond 2^53, so a 64-bit float may not hold it")]
    return [(bad, problem) for bad, problem in found if bad.any()]


def first_unusable(values: NDArray) -> tuple[int, str] | None:
    """Return the flat position of the first number that cannot be used, and what is wrong."""
    return min(((int(bad.argmax()), problem) for bad, problem in unusable(values)), default=None)


def unusable_labels(labels: NDArray, task: str) -> list[tuple[NDArray[np.bool_], str]]:
    """Return which labels `numeric_labels` cannot take, a mask a fault, and what is wrong."""
    if task == "regression" or labels.dtype.kind == "f":
        return unusable(labels)
    bad = labels > np.iinfo(np.int64).max
    return [(bad, "is too large for a 64-bit integer")] if bad.any() else []


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


class RowFaults(NamedTuple):
    """Rows of a block that have the same fault, ascending; what is there, and where (from 0), if
    that is told; and the file.
    """

    problem: str
    rows: NDArray[np.int64]
    values: Sequence[object] | NDArray | None
    columns: NDArray[np.int64] | None
    remedy: str | None
    name: str
    called: str


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
    faults: list[RowFaults] = field(default_factory=list)

    def add(
        self,
        problem: str,
        rows: NDArray[np.int64],
        values: Sequence[object] | NDArray | None,
        columns: NDArray[np.int64] | None = None,
        remedy: str = "",
        *,
        called: str = "",
    ) -> None:
        """Keep the faults of some rows of the block; rows and columns count from 0.

        `called` is the name of the column, where it has one.
        """
        if len(rows):
            self.faults.append(
                RowFaults(problem, rows, values, columns, remedy or self.remedy, self.name, called)
            )

    def rows(self, stored: NDArray) -> NDArray:
        """Return a table of numbers as float32 if they are, else as float64."""
        values = as_floats(stored)
        for bad, problem in unusable(values):
            rows = np.flatnonzero(bad.any(axis=1))
            columns = bad[rows].argmax(axis=1)
            self.add(f"the value {problem}", rows, values[rows, columns], columns)
        return values if values.dtype == np.float32 else values.astype(np.float64)

    def labels(self, stored: NDArray, task: str) -> Labels:
        """Return numbers as labels."""
        values = as_floats(stored)
        for bad, problem in unusable_labels(values, task):
            rows = np.flatnonzero(bad)
            self.add(f"the label {problem}", rows, values[rows])
        return numeric_labels(values, task)

    def raise_first(self) -> None:
        """Raise the fault of the lowest row, and there of the lowest column.

        So the size of a block does not change which one is reported.
        """
        firsts = [self.bad_row(fault, 0) for fault in self.faults]
        if firsts:
            raise min(firsts, key=lambda bad: (bad.number, bad.error.column or 0)).error

    def settle(self, n_rows: int, on_error: str, skipped: Skipped) -> NDArray[np.int64] | None:
        """Return the rows of the block that are kept where bad ones are skipped; None for all.

        Raises the first fault where they are not skipped.
        """
        if not self.faults:
            return None
        if on_error == "stop":
            self.raise_first()
        kept = np.ones(n_rows, bool)
        for bad in self.bad_rows():
            skipped(bad)
            kept[bad.number - self.first_row] = False
        return np.flatnonzero(kept)

    def bad_rows(self) -> Iterator[SkippedRow]:
        """Yield each bad row once, in their order, with the fault of its lowest column."""
        columns = [
            np.full(len(fault.rows), -1) if fault.columns is None else fault.columns
            for fault in self.faults
        ]
        counts = [len(fault.rows) for fault in self.faults]
        rows = np.concatenate([fault.rows for fault in self.faults])
        owner = np.repeat(np.arange(len(counts)), counts)
        at = np.concatenate([np.arange(count) for count in counts])
        order = np.lexsort((owner, np.concatenate(columns), rows))
        for place in order[np.unique(rows[order], return_index=True)[1]].tolist():
            yield self.bad_row(self.faults[owner[place]], int(at[place]))

    def bad_row(self, fault: RowFaults, at: int) -> SkippedRow:
        """Return one row of a fault, and its error."""
        number = self.first_row + int(fault.rows[at])
        column = None if fault.columns is None else int(fault.columns[at]) + 1
        error = InputError(
            fault.name,
            fault.problem,
            row=number + 1,
            column=column,
            value=None if fault.values is None else str(fault.values[at]),
            remedy=fault.remedy,
        )
        return SkippedRow(number, error, fault.called or ("" if column is None else str(column)))
