"""Labels of all blocks together: the type is decided once every one has been seen."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Labels
from craig_cli.errors import InputError

WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
DECIMAL = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})(\.[0-9]+)?")
"""Numbers that lose no digit: without leading zeros or an exponent, and fit for 64 bits."""


def unify_labels(chunks: Sequence[Labels], source: str) -> Labels:
    """Return the labels of all chunks as one array: int64, float64 or text.

    int64 if every one is a whole number, else float64, else text as the user wrote it.

    Text counts as a number if all of it does and no digit would be lost: ``01`` and ``1e3`` stay
    text. Time n, and d log d for d different texts.

    Raises
    ------
    InputError
        Some files hold numbers and some hold text.
    """
    textual = [chunk.dtype == object for chunk in chunks]
    if not any(textual):
        return whole_if_possible(np.concatenate(chunks))
    texts: NDArray[np.object_] = np.concatenate(
        [chunk for chunk, is_text in zip(chunks, textual, strict=True) if is_text]
    )
    values = sorted(set(texts.tolist()))
    numbers = as_numbers(values)
    if numbers is None:
        if all(textual):
            return texts
        remedy = "Use one kind of label in all files."
        raise InputError(
            source,
            "labels are numbers in one file and text in another",
            value=values[0],
            remedy=remedy,
        )
    number_of = dict(zip(values, numbers.tolist(), strict=True))
    parsed = [
        np.fromiter(map(number_of.__getitem__, chunk), numbers.dtype, len(chunk))
        if is_text
        else chunk
        for chunk, is_text in zip(chunks, textual, strict=True)
    ]
    return whole_if_possible(np.concatenate(parsed))


def whole_if_possible(labels: NDArray) -> NDArray[np.int64] | NDArray[np.float64]:
    """Return numeric labels as int64 where all are whole and fit, else as float64."""
    if labels.dtype.kind in "iub":
        return labels.astype(np.int64)
    as_float = labels.astype(np.float64)
    if (np.abs(as_float) < 2**53).all() and (as_float == np.floor(as_float)).all():
        return as_float.astype(np.int64)
    return as_float


def as_numbers(values: list[str]) -> NDArray[np.int64] | NDArray[np.float64] | None:
    """Return distinct texts as numbers; None if one is none, or two would become one."""
    if all(WHOLE.fullmatch(text) for text in values):
        numbers: NDArray[np.int64] | NDArray[np.float64] = np.array(
            [int(text) for text in values], np.int64
        )
    elif all(DECIMAL.fullmatch(text) for text in values):
        numbers = whole_if_possible(np.array([float(text) for text in values]))
    else:
        return None
    return numbers if len(np.unique(numbers)) == len(numbers) else None
