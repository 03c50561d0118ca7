"""Arrays in memory, whatever they are held in, as rows, labels, weights and costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from craig_cli.dataset import Labels, Rows, SparseRows
from craig_cli.errors import InputError, UsageError, printable
from craig_cli.readers.amounts import Amount
from craig_cli.readers.labels import unify_labels
from craig_cli.readers.memory import as_series, check_here
from craig_cli.readers.numbers import DIVIDE, TOO_LARGE, first_unusable

FILL = "Remove or fill it first."
COUNTED = "counted from 0"


def rows_of(X: Any, name: str = "X") -> Rows:
    """Return an array of numbers, or a sparse matrix, as rows; a copy only where it must be.

    `name` is what errors call it.
    """
    return sparse_rows(X, name) if sp.issparse(X) else dense_rows(X, name)


def dense_rows(X: Any, name: str) -> Rows:
    """Return a two-dimensional array of finite float32 or float64, C order."""
    rows = in_numbers(as_array(name, X), name)
    check_form(name, rows.ndim, rows.dtype)
    check_values(name, rows)
    is_single = rows.dtype.kind == "f" and rows.dtype.itemsize <= 4
    if is_single:
        return np.ascontiguousarray(rows, np.float32)
    return np.ascontiguousarray(rows, np.float64)


def sparse_rows(X: Any, name: str = "X") -> SparseRows:
    """Return a sparse matrix as rows with ascending columns, each named once, zeros left out."""
    check_form(name, X.ndim, X.dtype)
    if X.shape[1] > np.iinfo(np.int32).max:
        raise UsageError(f"{name}: {X.shape[1]} columns are more than {np.iinfo(np.int32).max}.")
    try:
        matrix = sp.csr_array(X, copy=True)
        matrix.check_format(full_check=True)
    except (ValueError, TypeError, IndexError) as error:
        raise UsageError(
            f"{name}: the sparse matrix contradicts itself: {printable(str(error), 100)}. Make it "
            "anew."
        ) from error
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    if (found := first_unusable(matrix.data)) is not None:
        entry, problem = found
        place = int(np.searchsorted(matrix.indptr, entry, "right")) - 1, matrix.indices[entry]
        raise unusable(name, problem, place, matrix.data[entry])
    return SparseRows(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32),
        matrix.data.astype(np.float64),
        matrix.shape[1],
    )


def as_array(name: str, values: Any) -> NDArray:
    """Return what can be made an array as one; a mask that hides a value is refused."""
    check_here(name, values)
    if np.ma.isMaskedArray(values):
        mask = np.ma.getmaskarray(values)
        if mask.any():
            raise unusable(name, "is masked", np.unravel_index(int(mask.argmax()), mask.shape))
        return np.asarray(values.data)
    if hasattr(values, "detach"):  # a tensor of torch
        values = values.detach().cpu()
        values = values.float() if "bfloat16" in str(values.dtype) else values
    try:
        array = np.asarray(values)
    except MemoryError:
        raise
    except Exception as error:  # whatever an object's own __array__ raises
        raise UsageError(
            f"{name}: is of type {type(values).__name__}, and is not made an array of numbers: "
            f"{printable(str(error).partition('.')[0], 100)}."
        ) from error
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def in_numbers(array: NDArray, name: str) -> NDArray:
    """Return an array of objects as one of numbers; other arrays as they are.

    Raises `InputError` for an object that is no number, and for rows of other lengths.
    """
    if array.dtype != object:
        return array
    if array.ndim == 1 and len(array) and all(np.ndim(row) == 1 for row in array):
        lengths = np.array([len(row) for row in array])
        if (lengths != lengths[0]).any():
            row = int((lengths != lengths[0]).argmax())
            problem = f"row {row}, {COUNTED}, has {lengths[row]} numbers, and the first row"
            raise InputError(name, f"{problem} {lengths[0]}", remedy="Give rows of one length.")
        return in_numbers(np.array([*array]), name)
    for place, value in np.ndenumerate(array):
        if is_missing(value):
            raise unusable(name, "has no value", place)
        if not isinstance(value, (bool, int, float, np.number, np.bool_)):
            raise unusable(name, f"is of type {type(value).__name__}, no number", place, value)
    return array.astype(np.float64)


def is_missing(value: object) -> bool:
    """Return whether a value stands for none: None, NaN, and those of pandas."""
    return (
        value is None
        or type(value).__name__ in ("NAType", "NaTType")
        or (isinstance(value, (float, np.floating)) and bool(np.isnan(value)))
    )


def check_form(name: str, n_dimensions: int, dtype: np.dtype) -> None:
    """Raise `UsageError` unless an array is a table of real numbers."""
    if n_dimensions != 2:
        raise UsageError(f"{name}: has {n_dimensions} dimensions, not 2 (rows, columns).")
    if dtype.kind not in "fiub":
        raise UsageError(f"{name}: holds {dtype}, not real numbers.")


def check_values(name: str, values: NDArray) -> None:
    """Raise `InputError` for a number that cannot be used."""
    if values.dtype.itemsize > 8:  # long doubles may be beyond float64
        with np.errstate(over="ignore"):
            values = values.astype(np.float64)
    if (found := first_unusable(values)) is not None:
        place = np.unravel_index(found[0], values.shape)
        raise unusable(name, found[1], place, values[place])


def unusable(name: str, problem: str, place: Any, value: object = None) -> InputError:
    """Return the error of one number of an array."""
    where = " and ".join(
        f"{axis} {int(number)}" for axis, number in zip(("row", "column"), place, strict=False)
    )
    return InputError(
        name,
        f"the value in {where}, {COUNTED}, {problem}",
        value=None if value is None else str(value),
        remedy=f"{DIVIDE}, or leave the row out." if problem == TOO_LARGE else FILL,
    )


def amounts_of(name: str, values: Any, n_rows: int, kind: Amount) -> NDArray[np.float64]:
    """Return weights or costs as float64; raises `InputError` for one that cannot be used."""
    amounts = as_array(name, as_series(name, values))
    if amounts.shape != (n_rows,) or amounts.dtype.kind not in "fiub":
        raise UsageError(
            f"{name}: has shape {amounts.shape} of {amounts.dtype}, not ({n_rows},) "
            f"of numbers as X has rows."
        )
    check_values(name, amounts)
    amounts = amounts.astype(np.float64)
    bad = kind.is_too_small(amounts)
    if bad.any():
        row = int(np.argmax(bad))
        problem = f"that of row {row}, from 0, {kind.problem}"
        raise InputError(name, problem, value=str(amounts[row]), remedy="Correct it first.")
    return amounts


def labels_of(y: Any, n_rows: int, name: str = "y") -> Labels:
    """Return labels as int64, float64 or str objects, of strings as `unify_labels` has them.

    `name` is what errors call them.
    """
    y = as_series(name, y)
    labels = np.asarray(y, dtype=object) if isinstance(y, (list, tuple)) else as_array(name, y)
    if labels.shape != (n_rows,):
        rows = name.replace("y", "X")
        raise UsageError(f"{name}: has shape {labels.shape}, not ({n_rows},) as {rows} has rows.")
    if labels.dtype == object:
        labels = plain_labels(labels, name)
    if labels.dtype.kind in "iub":
        if labels.dtype == np.uint64 and len(labels) and labels.max() > np.iinfo(np.int64).max:
            raise UsageError(f"{name}: a label is above 2^63 - 1.")
        return labels.astype(np.int64)
    if labels.dtype.kind == "f":
        check_values(name, labels)
        return labels.astype(np.float64)
    if labels.dtype.kind in "UT" or all(isinstance(label, str) for label in labels):
        return unify_labels([np.array([str(label) for label in labels], dtype=object)])
    raise UsageError(f"{name}: holds {labels.dtype}, not numbers or strings.")


def plain_labels(labels: NDArray, name: str) -> NDArray:
    """Return an array of objects as one of numbers, if they are such; strings stay objects."""
    if all(isinstance(label, str) for label in labels):
        return labels
    missing = [row for row, label in enumerate(labels) if is_missing(label)]
    if missing:
        raise InputError(name, f"row {missing[0]}, {COUNTED}, has no label", remedy=FILL)
    if any(isinstance(label, str) for label in labels):
        raise UsageError(f"{name}: mixes strings and numbers.")
    try:
        return np.array(labels.tolist())
    except ValueError as error:  # sequences of different lengths
        raise UsageError(f"{name}: holds sequences, not numbers or strings.") from error
