"""Labels of all blocks together: compared by value, of one type once every one has been seen.

What is written as a number is one, however it is written: ``1``, ``1.0``, ``+1``, ``01`` and
``1e0`` are one label. If there are others that are no numbers, all are text, and a number is
written in its shortest form: so a file, its parts, and a test set name the same classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Labels
from craig_cli.readers.numbers import LARGEST_WHOLE
from craig_cli.readers.texts import NUMBER

MOST_PLACES = 40
"""Digits before the point that the shortest form writes out."""
LEAST_POINT = -6
"""Zeros behind the point that it writes out, as a place of the point."""


def unify_labels(chunks: Sequence[Labels]) -> NDArray[Any]:
    """Return the labels of all chunks as one array: int64, float64 or text (dtype object).

    int64 if every one is a whole number that fits, else float64 if every one is a number and
    different ones stay different, else text, numbers in their shortest form (`shortest`). Numbers
    of text are compared exactly. Time n, and d log d for d different texts.
    """
    if not any(chunk.dtype == object for chunk in chunks):
        numbers = [whole_if_possible(chunk) for chunk in chunks]
        if not lose_digits(numbers):
            return np.concatenate(numbers)
    values = [distinct(chunk) for chunk in chunks]
    exact = {text: number for own in values for text, number in own.items()}
    dtype = type_of(exact.values())
    if dtype is None:
        return np.concatenate([as_text(chunk) for chunk in chunks])
    return np.concatenate([as_type(chunk, dtype) for chunk in chunks])


def whole_if_possible(labels: NDArray) -> NDArray[np.int64] | NDArray[np.float64]:
    """Return numeric labels as int64 where all are whole and fit, else as float64."""
    if labels.dtype.kind in "iub":
        return labels.astype(np.int64)
    as_float = labels.astype(np.float64)
    if (np.abs(as_float) < 2**63).all() and (as_float == np.floor(as_float)).all():
        return as_float.astype(np.int64)
    return as_float


def lose_digits(numbers: Sequence[NDArray]) -> bool:
    """Return whether whole numbers may become others as they are joined with floats."""
    whole = [own for own in numbers if own.dtype == np.int64 and len(own)]
    return 0 < len(whole) < len(numbers) and any(
        int(own.max()) > LARGEST_WHOLE or int(own.min()) < -LARGEST_WHOLE for own in whole
    )


def distinct(labels: Labels) -> dict[str, Decimal | None]:
    """Return the different labels as text, and the number that each is, or None."""
    return {text: exact_number(text) for text in map(str, values_of(labels))}


def values_of(labels: Labels) -> Sequence[Any] | set[Any]:
    """Return the different labels, in any order."""
    return set(labels) if labels.dtype == object else np.unique(labels).tolist()


def exact_number(text: str) -> Decimal | None:
    """Return the number that a text is, exactly; None if it is none."""
    if not NUMBER.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits
        return None


def type_of(numbers: Iterable[Decimal | None]) -> type[np.int64] | type[np.float64] | None:
    """Return the type that holds all numbers and keeps them apart; None for text.

    `numbers` are exact, None where a label is no number.
    """
    values: set[Decimal] = set()
    for number in numbers:
        if number is None:
            return None
        values.add(number)
    if all(fits_int64(value) for value in values):
        return np.int64
    floats = {float(value) for value in values}
    return np.float64 if len(floats) == len(values) and np.isfinite([*floats]).all() else None


def fits_int64(value: Decimal) -> bool:
    """Return whether a number is whole and 64 bits hold it."""
    return -(2**63) <= value < 2**63 and value == value.to_integral_value()


def as_type(labels: Labels, dtype: type[np.int64] | type[np.float64]) -> NDArray[Any]:
    """Return labels, numbers or texts of such, as an array of numbers."""
    if labels.dtype != object:
        return labels.astype(dtype)
    of_text: dict[str, Any] = {
        text: int(number) if dtype is np.int64 else float(number)
        for text, number in distinct(labels).items()
        if number is not None
    }
    return np.fromiter(map(of_text.__getitem__, labels), dtype, len(labels))


def as_text(labels: Labels) -> NDArray[Any]:
    """Return labels as text, numbers in their shortest form; the same array if all are so."""
    texts = {value: canonical(str(value)) for value in values_of(labels)}
    if labels.dtype == object and all(text == value for value, text in texts.items()):
        return labels
    out = np.empty(len(labels), object)
    out[:] = [texts[label] for label in labels.tolist()]
    return out


def canonical(text: str) -> str:
    """Return the shortest form of a text that is a number; any other as it is."""
    number = exact_number(text)
    return text if number is None else shortest(number)


def shortest(number: Decimal) -> str:
    """Return the text of a number that all equal ones have: ``1``, ``-0.5``, ``1.5e+60``."""
    sign, places, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    digits = "".join(map(str, places)).rstrip("0")
    if not digits:
        return "0"
    point = len(places) + exponent
    if point > MOST_PLACES or point <= LEAST_POINT:
        text = f"{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e{point - 1:+03d}"
    elif point <= 0:
        text = f"0.{'0' * -point}{digits}"
    elif len(digits) <= point:
        text = digits.ljust(point, "0")
    else:
        text = f"{digits[:point]}.{digits[point:]}"
    return f"{'-' if sign else ''}{text}"


def like_classes(labels: Labels, classes: Sequence[Any]) -> Labels:
    """Return labels of a part in the type of the classes of the whole, which they are among."""
    if any(isinstance(label, str) for label in classes):
        return as_text(labels)
    is_float = any(isinstance(label, float) for label in classes)
    return labels.astype(np.float64) if is_float and labels.dtype == np.int64 else labels


def class_labels(classes: Sequence[Any]) -> NDArray[Any]:
    """Return classes, all numbers or all text, as an array of labels."""
    if any(isinstance(label, str) for label in classes):
        return np.array(classes, object)
    return np.array(classes, np.float64 if any(isinstance(c, float) for c in classes) else np.int64)
