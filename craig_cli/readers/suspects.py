"""Columns that are likely no features: one that tells the label, or only counts the rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Block, SparseRows
from craig_cli.readers.columns import listed, option_of

LEAST_ROWS = 20
"""Fewer rows than these may agree by chance."""


class Suspects:
    """What is still possible of each dense column, given the blocks seen so far.

    Most columns are ruled out by the first block; then a block costs nothing more.
    """

    def __init__(self, task: str) -> None:
        self._is_regression = task == "regression"
        self._n_rows = 0
        self._counting: NDArray[np.int64] | None = None
        self._telling: NDArray[np.int64] | None = None
        self._first = np.empty(0)
        self._known: dict[int, dict[object, float]] = {}

    def add(self, block: Block) -> None:
        """Take in the next rows."""
        rows = block.rows
        if isinstance(rows, SparseRows) or not len(rows):
            self._counting = self._telling = np.empty(0, np.int64)
            return
        if self._counting is None or self._telling is None:
            self._counting = self._telling = np.arange(rows.shape[1])
            self._first = rows[0].astype(np.float64)
        counts = np.arange(self._n_rows, self._n_rows + len(rows))
        self._counting = np.array(
            [c for c in self._counting if goes_on(rows[:, c], self._first[c] + counts)], np.int64
        )
        self._telling = self._still_telling(self._telling.tolist(), rows, block.labels)
        self._n_rows += len(rows)

    def _still_telling(
        self, telling: list[int], rows: NDArray, labels: NDArray | None
    ) -> NDArray[np.int64]:
        """Return the columns in which each label has one value, and each value one label."""
        if labels is None or not telling:
            return np.empty(0, np.int64)
        few = slice(0, 4 * LEAST_ROWS)
        kept = [c for c in telling if self._tells(c, rows[few, c], labels[few])]
        if kept and len(rows) > few.stop:
            kept = [c for c in kept if self._tells(c, rows[:, c], labels)]
        return np.array(kept, np.int64)

    def _tells(self, column: int, values: NDArray, labels: NDArray) -> bool:
        """Return whether a column still tells the label, and remember which value is which."""
        if self._is_regression:
            return bool((values == labels).all())
        known = self._known.setdefault(column, {})
        classes, codes = np.unique(labels, return_inverse=True)
        first = values[np.unique(codes, return_index=True)[1]]
        if not (values == first[codes]).all():
            return False
        for label, value in zip(classes.tolist(), first.tolist(), strict=True):
            if known.setdefault(label, value) != value:
                return False
        return len(set(known.values())) == len(known)

    def notes(self, names: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return what to say of the columns that are left."""
        if self._n_rows < LEAST_ROWS or self._counting is None or self._telling is None:
            return ()
        telling = [
            c
            for c in self._telling.tolist()
            if self._is_regression or 1 < len(self._known[c]) <= self._n_rows // 2
        ]
        counting = [c for c in self._counting.tolist() if c not in telling]
        copies = (
            "tells the label of every row, as a copy of it would",
            "tell the label of every row, as copies of it would",
        )
        counts = ("only counts the rows", "only count the rows")
        return tuple(
            f"{called(own, names)} {what[len(own) > 1]}: {remedy(own, names)}"
            for own, what in ((telling, copies), (counting, counts))
            if own
        )


def goes_on(values: NDArray, counts: NDArray) -> bool:
    """Return whether values are these counts; looks at a few first."""
    few = slice(0, LEAST_ROWS)
    return bool((values[few] == counts[few]).all() and (values == counts).all())


def called(columns: list[int], names: tuple[str, ...] | None) -> str:
    """Return what to call some columns."""
    word = "Column" if len(columns) == 1 else "Columns"
    if names is None:
        return f"{word} {listed([str(c + 1) for c in columns])}"
    return f"{word} {listed([names[c] for c in columns], quoted=True)}"


def remedy(columns: list[int], names: tuple[str, ...] | None) -> str:
    """Return what to do about some columns."""
    way = "leave it out" if len(columns) == 1 else "leave them out"
    if names is not None:
        way = f"use {option_of('--drop', [names[c] for c in columns])}"
    return f"{way}, unless {'it is a feature' if len(columns) == 1 else 'they are features'}."
