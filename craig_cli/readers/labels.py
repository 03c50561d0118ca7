"""Labels of all blocks together: the type is decided once every one has been seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from craig_cli.blocks import Labels
from craig_cli.errors import InputError


def unify_labels(chunks: Sequence[Labels], source: str) -> Labels:
    """Return the labels of all chunks as one array: int64 if every one is a whole number, else float64, else text as the user wrote it.

    Text counts as a number if all of it does and no digit would be lost: ``01`` and ``1e3`` stay text. Time n, besides n log n for text.

    Raises
    ------
    InputError
        Some files hold numbers and some hold text.
    """
    textual = [chunk.dtype == object for chunk in chunks]
    if not any(textual):
        return whole_if_possible(np.concatenate(chunks))
    values, codes = np.unique(np.concatenate([chunk for chunk, text in zip(chunks, textual, strict=True) if text]), return_inverse=True)
    numbers = as_numbers(values)
    if all(textual):
        return values[codes] if numbers is None else numbers[codes]
    if numbers is None:
        remedy = "Use one kind of label in all files."
        raise InputError(source, "labels are numbers in one file and text in another", value=str(values[0]), remedy=remedy)
    of_text = iter(np.split(numbers[codes], np.cumsum([len(c) for c, text in zip(chunks, textual, strict=True) if text])[:-1]))
    return whole_if_possible(np.concatenate([next(of_text) if text else chunk for chunk, text in zip(chunks, textual, strict=True)]))


def whole_if_possible(labels: NDArray) -> NDArray[np.int64] | NDArray[np.float64]:
    """Return numeric labels as int64 where all are whole and fit, else as float64."""
    if labels.dtype.kind in "iub":
        return labels.astype(np.int64)
    as_float = labels.astype(np.float64)
    if (np.abs(as_float) < 2**53).all() and (as_float == np.floor(as_float)).all():
        return as_float.astype(np.int64)
    return as_float


def as_numbers(values: NDArray[np.object_]) -> NDArray[np.int64] | NDArray[np.float64] | None:
    """Return distinct texts as numbers; None if one is no number, or two would become one number."""
    plain = [text.removeprefix("+") for text in values]
    if all(is_canonical_whole(text) for text in plain):
        numbers: NDArray[np.int64] | NDArray[np.float64] = np.array([int(text) for text in plain], np.int64)
    elif all(is_plain_decimal(text) for text in plain):
        numbers = whole_if_possible(np.array([float(text) for text in plain]))
    else:
        return None
    return numbers if len(np.unique(numbers)) == len(numbers) else None


def is_canonical_whole(text: str) -> bool:
    """Return whether `text` is how Python writes a whole number that fits int64."""
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= 18 and str(int(text)) == text


def is_plain_decimal(text: str) -> bool:
    """Return whether `text` is a whole number or a decimal with a point, without leading zeros or an exponent."""
    whole, point, fraction = text.removeprefix("-").partition(".")
    if not point:
        return is_canonical_whole(text)
    return is_canonical_whole(whole) and fraction.isascii() and fraction.isdigit()
