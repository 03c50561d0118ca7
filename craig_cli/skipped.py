"""Rows of an input that were passed over, and the row numbers of the others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class SkipReason(NamedTuple):
    """Why some rows were skipped: the problem in words, the column that has it ("" where none is
    told), and how many rows.
    """

    problem: str
    column: str
    rows: int


@dataclass(frozen=True, eq=False)
class SkippedRows:
    """The bad rows that were passed over under ``--on-error skip``.

    They tell the row numbers of an input from the positions among the rows that were kept.

    Parameters
    ----------
    rows : ndarray of int64
        Their numbers in the input as it lies, from 0, ascending.
    reasons : tuple of SkipReason
        The most frequent first.
    examples : tuple of str
        What was wrong with the first of them.
    """

    rows: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    reasons: tuple[SkipReason, ...] = ()
    examples: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def mark(self) -> str:
        """32 hexadecimal digits that tell these rows from any others."""
        return hashlib.sha256(self.rows.astype("<i8").tobytes()).hexdigest()[:32]

    def numbers_of(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of the input that stand at some positions among those kept."""
        if len(self.rows) == 0:
            return positions
        kept_before = self.rows - np.arange(len(self.rows))
        return positions + np.searchsorted(kept_before, positions, side="right")

    def positions_of(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the positions among the rows kept of rows of the input; -1 for skipped ones."""
        if len(self.rows) == 0:
            return numbers
        before = np.searchsorted(self.rows, numbers)
        is_skipped = self.rows[np.minimum(before, len(self.rows) - 1)] == numbers
        return np.where(is_skipped, -1, numbers - before)


def join_skipped(parts: Iterable[tuple[SkippedRows, int]]) -> SkippedRows:
    """Return the skipped rows of parts that follow one another, each with its number of rows as
    they lie.
    """
    rows, start = [np.empty(0, np.int64)], 0
    counts: dict[tuple[str, str], int] = {}
    examples: list[str] = []
    for part, n_input_rows in parts:
        rows.append(part.rows + start)
        start += n_input_rows
        examples += part.examples
        for reason in part.reasons:
            key = reason.problem, reason.column
            counts[key] = counts.get(key, 0) + reason.rows
    return SkippedRows(np.concatenate(rows), ranked_reasons(counts), tuple(examples))


def ranked_reasons(counts: Mapping[tuple[str, str], int]) -> tuple[SkipReason, ...]:
    """Return problems of columns, each with its number of rows, the most frequent first."""
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(SkipReason(*key, rows) for key, rows in ranked)
