"""Bad rows that are passed over under ``--on-error skip``: where they lie, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.errors import InputError
from craig_cli.skipped import SkippedRows, ranked_reasons

EXAMPLES_KEPT = 5
"""Errors of skipped rows that are kept for the summary."""
MOST_REASONS = 1000
OTHER_REASON = "something else is wrong", ""


class SkippedRow(NamedTuple):
    """A bad row: its number in its file, from 0, its error, and the column at fault ("": none)."""

    number: int
    error: InputError
    column: str = ""


Skipped: TypeAlias = Callable[[SkippedRow], None]
"""Told of each bad row that is passed over, in their order, and before the block that it would have
been in, or a later one, is given.
"""


class SkipLog:
    """Gathers the bad rows of an input; of all but the first few only numbers and reasons."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._examples: list[str] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, row: SkippedRow, number: int) -> None:
        """Take in a bad row, the `number`-th of the input as it lies."""
        self._numbers.append(number)
        reason = row.error.problem, row.column
        is_known = reason in self._reasons or len(self._reasons) < MOST_REASONS
        self._reasons[reason if is_known else OTHER_REASON] += 1
        if len(self._examples) < EXAMPLES_KEPT:
            self._examples.append(str(row.error))

    def rows(self) -> SkippedRows:
        """Return what was gathered."""
        numbers = np.array(self._numbers, np.int64)
        return SkippedRows(numbers, ranked_reasons(self._reasons), tuple(self._examples))


def checked_positions(
    source: str,
    numbers: NDArray[np.int64],
    skipped: SkippedRows,
    n_rows: int,
    remedy: str = "Give the data that the manifest was made of.",
) -> NDArray[np.int64]:
    """Return the positions among the `n_rows` kept of rows of an input as it lies.

    Raises `InputError`, which names `source`, for a row that was skipped or is not there.
    """
    problem = row_problem(numbers, skipped, n_rows)
    if problem:
        raise InputError(source, problem, remedy=remedy)
    return skipped.positions_of(numbers)


def row_problem(numbers: NDArray[np.int64], skipped: SkippedRows, n_rows: int) -> str:
    """Return what is wrong with the first of some row numbers that names no row; "" if none is."""
    n_input_rows = n_rows + len(skipped)
    outside = numbers[(numbers < 0) | (numbers >= n_input_rows)]
    if len(outside):
        return f"there is no row {outside[0]}, counted from 0, but {n_input_rows} in all"
    lost = numbers[skipped.positions_of(numbers) < 0]
    if len(lost):
        return f"row {lost[0]}, counted from 0, was skipped as bad (--on-error skip)"
    return ""
