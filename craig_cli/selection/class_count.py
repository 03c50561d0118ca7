"""Whether labels make sense as classes: amounts and ids do not, and are told before any work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Labels
from craig_cli.errors import InputError, printable
from craig_cli.readers.labels import class_labels
from craig_cli.selection.classes import Label
from craig_cli.settings import InputSettings

FEW_CLASSES = 20
"""So many classes, or fewer, are never questioned."""
NUMBERED_ROWS, TEXT_ROWS = 10, 2
"""Rows a class, on average, below which numbers or texts are no classes."""
RARE = 5
"""Rows below which a class is rare."""
SMOOTH = 0.6
"""Correlation of the logarithms of the rows of neighbouring whole numbers, from which on they are
taken for amounts; numbered classes, in whatever order, come nowhere near it by chance.
"""


class Words(NamedTuple):
    """What messages call the ways out."""

    regression: str
    classification: str
    other: str


OPTIONS = Words(
    "--task regression",
    "--task classification",
    "Name the column of the classes with --label, or use --no-label",
)
ARGUMENTS = Words(
    'task="regression"', 'task="classification"', "Give the classes as y, or leave y out"
)


def check_classes(source: str, labels: Labels | None, words: Words = OPTIONS) -> None:
    """Raise `InputError` for labels of rows that look like amounts or ids.

    For those whose task the user has not named. Time n log n.
    """
    if labels is None:
        return
    values, counts = np.unique(labels, return_counts=True)
    is_sorted = len(values) == len(labels) and labels.dtype != object and is_monotone(labels)
    refuse_nonsense(source, values, counts, is_sorted, words)


def check_task(inputs: InputSettings, dataset: Dataset) -> None:
    """Raise `InputError` for labels that look like no classes, unless the task is given."""
    if not inputs.task_given and inputs.task != "regression":
        check_classes(dataset.files[0], dataset.labels)


def check_class_counts(rows: Mapping[Label, int]) -> None:
    """Raise `InputError` for the classes of all parts, likewise, given the rows of each."""
    if None not in rows:
        values = class_labels(list(rows))
        by = np.argsort(values)
        counts = np.array(list(rows.values()), np.int64)
        refuse_nonsense("<parts>", values[by], counts[by], False, OPTIONS)


def check_part(inputs: InputSettings, dataset: Dataset) -> None:
    """Raise `InputError` for labels of a part that no other part can make classes of: fractions."""
    if inputs.task_given or inputs.task == "regression" or dataset.labels is None:
        return
    values: NDArray[Any] = np.unique(dataset.labels)
    if len(values) > FEW_CLASSES and has_fractions(values):
        raise amounts(dataset.files[0], values, dataset.n_rows, "with fractions", OPTIONS)


def refuse_nonsense(
    source: str,
    values: NDArray[Any],
    counts: NDArray[np.int64],
    is_sorted: bool,
    words: Words,
) -> None:
    """Raise `InputError` for classes that look like amounts or ids; `is_sorted`: as a running
    number is, and each label is there once.
    """
    n_classes, n_rows = len(values), int(counts.sum())
    if n_classes <= FEW_CLASSES:
        return
    if values.dtype == object:
        if n_rows < TEXT_ROWS * n_classes:
            raise ids(source, values, n_rows, "", words)
    elif has_fractions(values):
        raise amounts(source, values, n_rows, "with fractions", words)
    elif is_sorted:
        raise ids(source, values, n_rows, ", in ascending or descending order", words)
    elif n_rows < NUMBERED_ROWS * n_classes:
        what = f"{n_rows / n_classes:.1f} rows each"
        raise amounts(source, values, n_rows, what, words)
    elif (counts < RARE).any() and smoothness(values, counts) >= SMOOTH:
        n_rare = int(np.count_nonzero(counts < RARE))
        what = (
            f"neighbouring numbers having about as many rows, and {n_rare} of them fewer than "
            f"{RARE}"
        )
        raise amounts(source, values, n_rows, what, words)


def has_fractions(values: NDArray[Any]) -> bool:
    """Return whether some numbers are not whole."""
    return values.dtype.kind == "f" and bool((values != np.floor(values)).any())


def is_monotone(labels: NDArray[Any]) -> bool:
    """Return whether labels rise, or fall, from row to row."""
    return bool((labels[1:] > labels[:-1]).all() or (labels[1:] < labels[:-1]).all())


def smoothness(values: NDArray[Any], counts: NDArray[np.int64]) -> float:
    """Return the correlation of the logarithms of the rows of neighbouring whole numbers, those
    between that have none included; 0 where most have none.
    """
    span = float(values[-1]) - float(values[0]) + 1
    if span > 2 * len(values):
        return 0.0
    every = np.zeros(int(span))
    every[(values - values[0]).astype(np.int64)] = counts
    logs = np.log1p(every)
    if np.ptp(logs[1:]) == 0 or np.ptp(logs[:-1]) == 0:
        return 0.0
    return float(np.corrcoef(logs[1:], logs[:-1])[0, 1])


def amounts(source: str, values: NDArray[Any], n_rows: int, what: str, words: Words) -> InputError:
    """Return the error of labels that look like amounts."""
    problem = (
        f"the labels look like amounts, not classes: {len(values):,} different numbers in "
        f"{n_rows:,} rows, {values[0]:g} to {values[-1]:g}, {what}"
    )
    remedy = (
        f"Give {words.regression} to predict a number, or {words.classification} if each is a "
        "class."
    )
    return InputError(source, problem, remedy=remedy)


def ids(source: str, values: NDArray[Any], n_rows: int, what: str, words: Words) -> InputError:
    """Return the error of labels that look like ids."""
    shown = printable(str(values[0]), 40)
    problem = (
        f"the labels look like ids, not classes: {len(values):,} different ones in {n_rows:,} "
        f"rows, such as '{shown}'{what}"
    )
    otherwise = "" if values.dtype == object else f"{words.regression} if they are amounts, or "
    remedy = f"{words.other}; or give {otherwise}{words.classification} if each is a class."
    return InputError(source, problem, remedy=remedy)
