"""Kinds of values: texts as numbers, and types in words."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from craig_cli.readers.arrow_types import is_number
from craig_cli.readers.csv_lexis import PYTHON, Lexis

PLAIN = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


def total(counts: NDArray | None, chosen: NDArray[np.bool_]) -> int:
    """Return how many cells the chosen values stand for."""
    return int(chosen.sum() if counts is None else counts[chosen].sum())


def as_numbers(texts: pa.Array, lexis: Lexis) -> NDArray[np.float64]:
    """Return texts as numbers; NaN for what is none."""
    if lexis != PYTHON:
        plain = [lexis.plain(text) for text in texts.to_pylist()]
        return np.array([np.nan if text is None else float(text) for text in plain])
    try:
        numbers: NDArray[np.float64] = texts.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        is_number = pc.match_substring_regex(texts, PLAIN).to_numpy(zero_copy_only=False)
        numbers = np.full(len(texts), np.nan)
        if is_number.any():
            # Arrow knows no plus sign.
            found = pc.utf8_ltrim(texts.filter(pa.array(is_number)), "+")
            numbers[is_number] = found.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.where(np.isinf(numbers), np.nan, numbers)


def type_in_words(kind: pa.DataType, lengths: tuple[int, int] | None) -> str:
    """Return what an Arrow type is called that is neither number nor text."""
    if pa.types.is_temporal(kind):
        return "date or time"
    if pa.types.is_null(kind):
        return "no values"
    if pa.types.is_fixed_size_list(kind) and is_number(kind.value_type):
        return f"list of {kind.list_size} numbers"
    if lengths is not None and is_number(kind.value_type):
        low, high = lengths
        return f"list of {low if low == high else f'{low} to {high}'} numbers"
    return f"nested {kind}" if pa.types.is_nested(kind) else str(kind)
