"""Selecting a coreset from arrays, without files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from craig_cli.calibration import make_coreset
from craig_cli.dataset import Dataset, Labels, Rows, SparseRows
from craig_cli.errors import InputError, UsageError
from craig_cli.readers import read_dataset
from craig_cli.readers.amounts import COST, WEIGHT, Amount
from craig_cli.readers.labels import unify_labels
from craig_cli.readers.numbers import DIVIDE, TOO_LARGE, first_unusable
from craig_cli.selection import Coreset
from craig_cli.selection.class_count import ARGUMENTS, check_classes
from craig_cli.settings import Budget, InputSettings, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.purpose import Purpose
from craig_cli.settings.shares import check_rows, check_share
from craig_cli.tables import is_numeric, is_table, split_table


def select_coreset(
    X: ArrayLike | sp.sparray | sp.spmatrix | os.PathLike[str] | Sequence[os.PathLike[str]] | Any,
    y: ArrayLike | Sequence[str] | str | None = None,
    *,
    fraction: float | None = None,
    size: int | None = None,
    epsilon: float | None = None,
    mean_epsilon: float | None = None,
    budget_cost: float | None = None,
    sample_weight: ArrayLike | Sequence[float] | str | None = None,
    costs: ArrayLike | Sequence[float] | str | None = None,
    method: str = SelectionSettings.method,
    metric: str = SelectionSettings.metric,
    scale: str = SelectionSettings.scale,
    seed: int = SelectionSettings.seed,
    threads: int | None = None,
    task: str | None = None,
    purpose: str | None = Purpose.name,
    representative: str | None = Purpose.representative,
    weights: str | None = Purpose.weights,
    pilot_loss: str | None = CalibrationSettings.loss,
    pilot_l2: Sequence[float] = CalibrationSettings.pilot_l2,
    calibration_rounds: int = CalibrationSettings.rounds,
    include: Sequence[int] = (),
    exclude: Sequence[int] = (),
    extend: Coreset | None = None,
) -> Coreset:
    """Return a small weighted subset of the rows of `X`, selected within each class of `y`.

    Parameters
    ----------
    X : array, scipy sparse matrix, table of pandas, polars or pyarrow, or name of a file; shape
    (n_rows, n_columns)
        Finite numbers. An array is neither copied nor changed where it is float32 or float64 and
        C-contiguous. A file is read as ``craig select`` reads it (a str or a path; several in a
        list of paths).
    y : array or sequence of int, float or str, shape (n_rows,), or str, optional
        Labels, or the target for ``task="regression"``; without it all rows are one group. Of a
        table or a file it may be the name of the column; a file has its usual labels without it.
        Strings are compared as those of a file: if all are numbers, in any notation, they count as
        such; else all stay strings, with numbers in their shortest form ("1.0" as "1").
    fraction, size, epsilon, mean_epsilon, budget_cost : number
        The budget: exactly one of the five. A share of the rows, a number of rows, a bound on
        epsilon, in all or a row, or on what the picks cost.
    sample_weight : array or sequence of float, shape (n_rows,), or str, optional
        How much each row counts, at least 0; of a table or a file the name of the column, which is
        then no feature. Default: all alike.
    costs : array or sequence of float, shape (n_rows,), or str, optional
        What each row costs, above 0, for `budget_cost`; likewise.
    method, metric, scale : str
        As for ``craig select``.
    task : {'classification', 'regression'}, optional
        What `y` is. Default: classification, but labels that look like amounts or ids are refused.
    purpose, representative, weights : str, optional
        What the coreset is for ("linear" or "local": ``--for``), and the choices that it else
        makes. Default: linear, but local without `y`, under a bound on epsilon or on costs, or to
        extend.
    pilot_loss, pilot_l2, calibration_rounds : str, sequence of float, int
        Of the pilots that weights are calibrated at; the loss is by default the usual one of the
        labels.
    include, exclude : sequence of int
        Rows that are picked first, in this order, and rows that are never picked (but are stood
        for).
    extend : Coreset, optional
        Of the same rows: its picks stay, in their order, and greedy goes on from there.
    seed : int
        Of the methods that draw rows at random.
    threads : int, optional
        Default: the CPUs this process may use. They change no result.

    Returns
    -------
    Coreset
        With `index`, `weight`, `order`, `gain`, `epsilon` (one a selected row) and `classes`;
        `calibration` says what was calibrated.

    Raises
    ------
    UsageError
        The options contradict each other, or `X` and `y` are not of the stated form.
    InputError
        A value is not finite or beyond 1e140, or there are no rows.

    Examples
    --------
    >>> import numpy as np
    >>> from craig_cli import select_coreset
    >>> coreset = select_coreset(np.array([[0.0], [1.0], [2.0], [10.0]]), size=2)
    >>> coreset.index.tolist(), coreset.weight.tolist()
    ([1, 3], [3.0, 1.0])
    """
    check_share("fraction", fraction, "fraction=")
    check_rows("size", size, "fraction=")
    budget = Budget(fraction, size, epsilon, mean_epsilon, budget_cost)
    if (budget_cost is None) != (costs is None):
        raise UsageError("budget_cost and costs go together: give both, or neither.")
    dataset = (
        read_files(X, y, task or InputSettings.task, sample_weight, costs)
        if names_files(X)
        else as_dataset(X, y, sample_weight, costs)
    )
    if task is None and extend is None:
        check_classes(dataset.files[0] if names_files(X) else "y", dataset.labels, ARGUMENTS)
    stands, weighted = Purpose(purpose, representative, weights).choices(
        method, budget.is_open, dataset.labels is not None, extend is not None
    )
    settings = SelectionSettings(
        budget,
        method,
        metric,
        scale,
        seed,
        threads or 0,
        task or SelectionSettings.task,
        representative=stands,
        include=tuple(map(int, include)),
        exclude=tuple(map(int, exclude)),
        extend=() if extend is None else tuple(extend.picks.tolist()),
    )
    calibration = CalibrationSettings(
        weighted, pilot_loss, tuple(pilot_l2), calibration_rounds, seed=seed, threads=threads or 0
    )
    coreset = make_coreset(dataset, settings, calibration)
    return replace(coreset, notes=(*dataset.notes, *coreset.notes))


def names_files(X: Any) -> bool:
    """Return whether `X` is the name of a file, or a list of paths."""
    return isinstance(X, (str, os.PathLike)) or (
        isinstance(X, (list, tuple)) and len(X) > 0 and all(isinstance(x, os.PathLike) for x in X)
    )


def read_files(X: Any, y: Any, task: str, sample_weight: Any = None, costs: Any = None) -> Dataset:
    """Return the data set in one or more files; the others are names of columns, or None; `y` of
    None is the usual label.
    """
    for name, value, what in (
        ("y", y, "label"),
        ("sample_weight", sample_weight, "weight"),
        ("costs", costs, "cost"),
    ):
        if value is not None and not isinstance(value, str):
            raise UsageError(f"{name}: of a file it is the name of the {what} column, or None.")
    paths = (X,) if isinstance(X, (str, os.PathLike)) else X
    names = tuple(os.fspath(path) for path in paths)
    return read_dataset(
        InputSettings(names, label=y, task=task, weight_column=sample_weight, cost_column=costs)
    )


def as_dataset(X: Any, y: Any, sample_weight: Any = None, costs: Any = None) -> Dataset:
    """Return rows in memory, with their labels, weights and costs, as a data set."""
    if is_table(X):
        named = {
            name: value
            for name, value in (("y", y), ("sample_weight", sample_weight), ("costs", costs))
            if isinstance(value, str)
        }
        X, columns = split_table(X, named)
        y, sample_weight, costs = (
            columns.get(name, value)
            for name, value in (("y", y), ("sample_weight", sample_weight), ("costs", costs))
        )
    rows = sparse_rows(sp.csr_array(X, copy=True)) if sp.issparse(X) else dense_rows(X)
    n = Dataset(rows, None).n_rows
    weights = (
        None
        if sample_weight is None
        else checked_amounts("sample_weight", sample_weight, n, WEIGHT)
    )
    prices = None if costs is None else checked_amounts("costs", costs, n, COST)
    return Dataset(rows, None if y is None else checked_labels(y, n), weights=weights, costs=prices)


def checked_amounts(name: str, values: Any, n_rows: int, kind: Amount) -> NDArray[np.float64]:
    """Return weights or costs as float64; raises `InputError` for one that cannot be used."""
    amounts = np.asarray(values)
    if amounts.shape != (n_rows,) or not is_numeric(amounts):
        raise UsageError(
            f"{name}: has shape {amounts.shape} of {amounts.dtype}, not ({n_rows},) "
            f"of numbers as X has rows."
        )
    amounts = amounts.astype(np.float64)
    check_values(name, amounts)
    bad = kind.is_too_small(amounts)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            name,
            f"that of row {row}, from 0, {kind.problem}",
            value=str(amounts[row]),
            remedy="Correct it first.",
        )
    return amounts


def dense_rows(X: Any) -> Rows:
    """Return a two-dimensional array of finite float32 or float64, C order."""
    rows = np.asarray(X)
    check_form(rows.ndim, rows.dtype)
    rows = np.ascontiguousarray(
        rows, rows.dtype if rows.dtype in (np.float32, np.float64) else np.float64
    )
    check_values("X", rows)
    return rows


def sparse_rows(matrix: Any) -> SparseRows:
    """Return a CSR array as rows with ascending columns, each named once, zeros left out; changes
    `matrix` in place.
    """
    check_form(matrix.ndim, matrix.dtype)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()

    def place(entry: int) -> tuple[int, int]:
        row = int(np.searchsorted(matrix.indptr, entry, "right")) - 1
        return row, int(matrix.indices[entry])

    check_values("X", matrix.data, place)
    if matrix.shape[1] > np.iinfo(np.int32).max:
        raise UsageError(f"X: {matrix.shape[1]} columns are more than {np.iinfo(np.int32).max}.")
    return SparseRows(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32),
        matrix.data.astype(np.float64),
        matrix.shape[1],
    )


def check_form(n_dimensions: int, dtype: np.dtype) -> None:
    """Raise `UsageError` unless an array is a table of real numbers."""
    if n_dimensions != 2:
        raise UsageError(f"X: has {n_dimensions} dimensions, not 2 (rows, columns).")
    if dtype.kind not in "fiub":
        raise UsageError(f"X: holds {dtype}, not real numbers.")


def check_values(
    name: str, values: NDArray, place: Callable[[int], tuple[int, ...]] | None = None
) -> None:
    """Raise `InputError` if a value is NaN, infinite or too large.

    `place` tells the row, and the column, of an entry of values that are no table themselves.
    """
    if values.dtype.kind != "f" or (found := first_unusable(values)) is None:
        return
    entry, problem = found
    value, remedy = str(values.flat[entry]), "Remove or fill it first."
    if problem != TOO_LARGE:
        raise InputError(name, f"a value {problem}", value=value, remedy=remedy)
    at = np.unravel_index(entry, values.shape) if place is None else place(entry)
    where = ", ".join(f"{what} {k}" for what, k in zip(("row", "column"), at, strict=False))
    remedy = f"{DIVIDE}, or leave the row out." if name in ("X", "y") else "Correct it first."
    raise InputError(name, f"{where}, from 0, {problem}", value=value, remedy=remedy)


def checked_labels(y: Any, n_rows: int) -> Labels:
    """Return labels as int64, float64 or str objects, of strings as `unify_labels` has them."""
    labels = np.asarray(y, dtype=object) if isinstance(y, (list, tuple)) else np.asarray(y)
    if labels.shape != (n_rows,):
        raise UsageError(f"y: has shape {labels.shape}, not ({n_rows},) as X has rows.")
    if labels.dtype == object:
        labels = plain_labels(labels)
    if labels.dtype.kind in "iub":
        if labels.dtype == np.uint64 and len(labels) and labels.max() > np.iinfo(np.int64).max:
            raise UsageError("y: a label is above 2^63 - 1.")
        return labels.astype(np.int64)
    if labels.dtype.kind == "f":
        check_values("y", labels)
        return labels.astype(np.float64)
    if labels.dtype.kind in "UT" or all(isinstance(label, str) for label in labels):
        return unify_labels([np.array([str(label) for label in labels], dtype=object)])
    raise UsageError(f"y: holds {labels.dtype}, not numbers or strings.")


def plain_labels(labels: NDArray) -> NDArray:
    """Return an array of objects as one of numbers, if they are such; strings stay objects."""
    if all(isinstance(label, str) for label in labels):
        return labels
    if any(isinstance(label, str) or label is None for label in labels):
        raise UsageError("y: mixes strings, numbers or missing values.")
    try:
        return np.array(labels.tolist())
    except ValueError as error:  # sequences of different lengths
        raise UsageError("y: holds sequences, not numbers or strings.") from error
