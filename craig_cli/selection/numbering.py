"""Row numbers at the door: within craig a row is its position among those that were kept, and
outside its number in the input as it lies, rows skipped as bad included.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset
from craig_cli.errors import InputError, UsageError
from craig_cli.readers.skipped import checked_positions, row_problem
from craig_cli.selection.coreset import Coreset
from craig_cli.settings import SelectionSettings
from craig_cli.skipped import SkippedRows

CONSTRAINTS = ("include", "exclude", "extend")
"""Settings that are row numbers."""


def by_row_number(coreset: Coreset, skipped: SkippedRows) -> Coreset:
    """Return a coreset of positions as one of row numbers of the input."""
    if len(skipped) == 0:
        return coreset
    medoid = None if coreset.medoid is None else skipped.numbers_of(coreset.medoid)
    return replace(
        coreset,
        index=skipped.numbers_of(coreset.index),
        medoid=medoid,
        skipped_rows=len(skipped),
        skipped_mark=skipped.mark,
    )


def by_position(
    coreset: Coreset, dataset: Dataset, source: str, is_of_other_data: bool = False
) -> Coreset:
    """Return a coreset of row numbers as one of positions among the rows of a data set.

    A coreset of data where nothing was skipped has both alike, also for a data set of the same
    rows with bad ones between them. `is_of_other_data`: only its row numbers are taken.

    Raises
    ------
    InputError
        Other rows were skipped then, or a row that it names is not there.
    """
    if not is_of_other_data:
        if coreset.skipped_rows == 0:
            return coreset
        check_same_skipped(coreset, dataset.skipped, source)

    def positions(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        return checked_positions(source, numbers, dataset.skipped, dataset.n_rows)

    return replace(
        coreset,
        index=positions(coreset.index),
        medoid=None if coreset.medoid is None else positions(coreset.medoid),
        skipped_rows=0,
        skipped_mark="",
    )


def check_same_skipped(coreset: Coreset, skipped: SkippedRows, source: str) -> None:
    """Raise `InputError` where other rows were skipped when a coreset was selected."""
    if coreset.skipped_rows and coreset.skipped_mark != skipped.mark:
        problem = (
            f"it was selected where {coreset.skipped_rows} rows were skipped as bad, and "
            f"{'these are others' if len(skipped) else 'none is skipped'} here"
        )
        remedy = "Row numbers are those of the file: give the same files, bad rows included."
        raise InputError(source, problem, remedy=remedy)


def constraints_by_position(settings: SelectionSettings, dataset: Dataset) -> SelectionSettings:
    """Return settings whose rows to include, exclude and extend are positions.

    Raises `UsageError` for rows that were skipped, or that are not there.
    """
    if len(dataset.skipped) == 0:
        return settings
    found: dict[str, Any] = {}
    for name in CONSTRAINTS:
        numbers = np.array(getattr(settings, name), np.int64)
        if problem := row_problem(numbers, dataset.skipped, dataset.n_rows):
            raise UsageError(f"--{name}: {problem}.")
        found[name] = tuple(dataset.skipped.positions_of(numbers).tolist())
    return replace(settings, **found)
