"""Fields of a column of numbers that the kernel leaves: truth values, thousands, missing ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels import csv as kernels
from craig_cli.readers.csv_faults import Fault, Layout, explain_cell
from craig_cli.readers.csv_lexis import MISSING, MIXED, NUMBER, UNKNOWN, Tokens


class OddCell(NamedTuple):
    """A field that is no number: its row in the block, its column there, and what it is."""

    row: int
    target: int
    kind: int


class Cells:
    """Reads such fields, and sees to it that a column holds either numbers or words for true and
    false, of one kind.

    Parameters
    ----------
    layout : Layout
    targets : ndarray of int64
        The column of the rows that each numeric column of the file goes to.
    n_columns : int
        Of the rows.
    fills : mapping of str to float
        What stands for a missing number, by column; where there is none that is a fault.
    may_skip : callable
        Whether a fault does not end it all.

    Attributes
    ----------
    bad : list of int
        Rows of the block that cannot be used.
    """

    def __init__(
        self,
        layout: Layout,
        targets: NDArray[np.int64],
        n_columns: int,
        fills: Mapping[str, float],
        may_skip: Callable[[Fault], bool],
    ) -> None:
        self.layout, self.may_skip = layout, may_skip
        self.fields = {
            int(targets[k]): int(k) for k in np.flatnonzero(layout.kinds == kernels.NUMERIC)
        }
        self.tokens = Tokens(layout.lexis)
        self.names = {target: layout.names[field] for target, field in self.fields.items()}
        self.fills, self.is_filled = np.zeros(n_columns), np.zeros(n_columns, bool)
        for target, name in self.names.items():
            if name in fills:
                self.fills[target], self.is_filled[target] = fills[name], True
        self.n_filled = np.zeros(n_columns, np.int64)
        self.kinds = np.full(n_columns, UNKNOWN, np.int8)
        self.bad: list[int] = []

    def fill(
        self,
        text: bytes,
        hard: NDArray[np.int64],
        rows: NDArray[np.float64],
        spans: NDArray[np.int64],
        progress: NDArray[np.int64],
        first: int,
    ) -> list[Fault]:
        """Fill in what the kernel has left of the rows from `first` on, and return what is wrong.

        The arrays are those of `parse_records`; the list of hard fields is taken for done.
        """
        left = hard[: progress[kernels.HARD]]
        progress[kernels.HARD] = 0
        faults, before = [], -1
        for cell in self.odd_cells(text, left, rows[: progress[kernels.ROW]], first):
            if cell.row == before:
                continue
            before = cell.row
            record = slice(*spans[cell.row, -1].tolist())
            field = self.fields[cell.target]
            faults.append(explain_cell(self.layout, cell.kind, text, record, field))
            self.bad.append(cell.row)
            if not self.may_skip(faults[-1]):
                break
        return faults

    def take_filled(self) -> dict[str, int]:
        """Return how many missing cells were filled since the last time, by column."""
        there = np.flatnonzero(self.n_filled).tolist()
        counts = {self.names[target]: int(self.n_filled[target]) for target in there}
        self.n_filled[:] = 0
        return counts

    def odd_cells(
        self, text: bytes, hard: NDArray[np.int64], rows: NDArray[np.float64], first: int
    ) -> list[OddCell]:
        """Return the fields that cannot be used, by row; the others are filled into `rows`."""
        row, target = hard[:, 0], hard[:, 1]
        kinds, values = self.tokens.read([text[start:stop] for start, stop in hard[:, 2:].tolist()])
        filled = (kinds == MISSING) & self.is_filled[target]
        rows[row, target] = np.where(filled, self.fills[target], values)
        self.n_filled += np.bincount(target[filled], minlength=len(self.n_filled))
        n_new = len(rows) - first
        has_word = (self.kinds > NUMBER) & (self.kinds < MISSING)
        has_word[target[(kinds > NUMBER) & (kinds < MISSING)]] = True
        bad = (kinds >= MISSING) & ~filled
        entries = (row[bad].tolist(), target[bad].tolist(), kinds[bad].tolist())
        odd = [OddCell(*entry) for entry in zip(*entries, strict=True)]
        for column in np.flatnonzero(has_word).tolist():
            own = target == column
            cells = np.full(n_new, NUMBER, np.int8)
            cells[row[own] - first] = kinds[own]
            is_known = cells < MISSING
            if self.kinds[column] == UNKNOWN and is_known.any():
                self.kinds[column] = cells[is_known.argmax()]
            strange = np.flatnonzero(is_known & (cells != self.kinds[column]))
            odd += [OddCell(first + at, column, MIXED) for at in strange.tolist()]
        if n_new and (self.kinds == UNKNOWN).any():
            n_bad = np.bincount(target[bad], minlength=len(self.kinds))
            self.kinds[(self.kinds == UNKNOWN) & (n_bad < n_new)] = NUMBER
        return sorted(odd)
