"""Selecting a coreset from arrays, without files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from craig_cli.blocks import Dataset, Labels, Rows, SparseRows
from craig_cli.calibration import calibrated_coreset, importance_scores
from craig_cli.calibration_settings import CalibrationSettings
from craig_cli.errors import InputError, UsageError
from craig_cli.purpose import Purpose
from craig_cli.selection import Coreset, check_coreset, select
from craig_cli.settings import Budget, SelectionSettings


def select_coreset(
    X: ArrayLike | sp.sparray | sp.spmatrix,
    y: ArrayLike | Sequence[str] | None = None,
    *,
    fraction: float | None = None,
    size: int | None = None,
    epsilon: float | None = None,
    mean_epsilon: float | None = None,
    method: str = SelectionSettings.method,
    metric: str = SelectionSettings.metric,
    scale: str = SelectionSettings.scale,
    seed: int = SelectionSettings.seed,
    threads: int | None = None,
    task: str = SelectionSettings.task,
    purpose: str | None = Purpose.name,
    representative: str | None = Purpose.representative,
    weights: str | None = Purpose.weights,
    loss: str | None = CalibrationSettings.loss,
    pilot_l2: Sequence[float] = CalibrationSettings.pilot_l2,
    rounds: int = CalibrationSettings.rounds,
) -> Coreset:
    """Return a small weighted subset of the rows of `X`, selected within each class of `y`.

    Parameters
    ----------
    X : array or scipy sparse matrix, shape (n_rows, n_columns)
        Finite numbers. Neither copied nor changed where it is float32 or float64 and C-contiguous.
    y : array or sequence of int, float or str, shape (n_rows,), optional
        Labels, or the target for ``task="regression"``; without it all rows are one group.
    fraction, size, epsilon, mean_epsilon : number
        The budget: exactly one of the four. A share of the rows, a number of rows, or a bound on epsilon, in all or a row.
    method, metric, scale, task : str
        As for ``craig select``.
    purpose, representative, weights : str, optional
        What the coreset is for ("linear" or "local": ``--for``), and the choices that it else makes. Default: linear, but local without `y` or
        under a bound on epsilon.
    loss, pilot_l2, rounds : str, sequence of float, int
        Of the pilots that weights are calibrated at; the loss is by default the usual one of the labels.
    seed : int
        Of the methods that draw rows at random.
    threads : int, optional
        Default: the CPUs this process may use. They change no result.

    Returns
    -------
    Coreset
        With `index`, `weight`, `order`, `gain`, `epsilon` (one a selected row) and `classes`; `calibration` says what was calibrated.

    Raises
    ------
    UsageError
        The options contradict each other, or `X` and `y` are not of the stated form.
    InputError
        A value is not finite, or there are no rows.

    Examples
    --------
    >>> import numpy as np
    >>> from craig_cli import select_coreset
    >>> coreset = select_coreset(np.array([[0.0], [1.0], [2.0], [10.0]]), size=2)
    >>> coreset.index.tolist(), coreset.weight.tolist()
    ([1, 3], [3.0, 1.0])
    """
    budget = Budget(fraction, size, epsilon, mean_epsilon)
    stands, weighted = Purpose(purpose, representative, weights).choices(method, budget.is_cover, y is not None)
    settings = SelectionSettings(budget, method, metric, scale, seed, threads or 0, task, representative=stands)
    calibration = CalibrationSettings(weighted, loss, tuple(pilot_l2), rounds, seed=seed, threads=threads or 0)
    rows = sparse_rows(sp.csr_array(X, copy=True)) if sp.issparse(X) else dense_rows(X)
    dataset = Dataset(rows, None)
    if y is not None:
        dataset = Dataset(rows, checked_labels(y, dataset.n_rows))
    scores = importance_scores(dataset, task, calibration) if method == "importance" else None
    coreset = calibrated_coreset(dataset, select(dataset, settings, scores=scores), calibration)
    check_coreset(coreset)
    return coreset


def dense_rows(X: Any) -> Rows:
    """Return a two-dimensional array of finite float32 or float64, C order."""
    rows = np.asarray(X)
    check_form(rows.ndim, rows.dtype)
    rows = np.ascontiguousarray(rows, rows.dtype if rows.dtype in (np.float32, np.float64) else np.float64)
    check_finite("X", rows)
    return rows


def sparse_rows(matrix: Any) -> SparseRows:
    """Return a CSR array as rows with ascending columns, each named once, zeros left out; changes `matrix` in place."""
    check_form(matrix.ndim, matrix.dtype)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    check_finite("X", matrix.data)
    if matrix.shape[1] > np.iinfo(np.int32).max:
        raise UsageError(f"X: {matrix.shape[1]} columns are more than {np.iinfo(np.int32).max}.")
    return SparseRows(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float64), matrix.shape[1])


def check_form(n_dimensions: int, dtype: np.dtype) -> None:
    """Raise `UsageError` unless an array is a table of real numbers."""
    if n_dimensions != 2:
        raise UsageError(f"X: has {n_dimensions} dimensions, not 2 (rows, columns).")
    if dtype.kind not in "fiub":
        raise UsageError(f"X: holds {dtype}, not real numbers.")


def check_finite(name: str, values: NDArray) -> None:
    """Raise `InputError` if a value is NaN or infinite."""
    finite = np.isfinite(values)
    if not finite.all():
        place = np.unravel_index(int(np.argmin(finite)), values.shape)
        raise InputError(name, "a value is not finite", value=str(values[place]), remedy="Remove or fill it first.")


def checked_labels(y: Any, n_rows: int) -> Labels:
    """Return labels as int64, float64 or str objects."""
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
        check_finite("y", labels)
        return labels.astype(np.float64)
    if labels.dtype.kind in "UT" or all(isinstance(label, str) for label in labels):
        return np.array([str(label) for label in labels], dtype=object)
    raise UsageError(f"y: holds {labels.dtype}, not numbers or strings.")


def plain_labels(labels: NDArray) -> NDArray:
    """Return an array of objects as one of numbers, if that is what they are; strings stay objects."""
    if all(isinstance(label, str) for label in labels):
        return labels
    if any(isinstance(label, str) or label is None for label in labels):
        raise UsageError("y: mixes strings, numbers or missing values.")
    try:
        return np.array(labels.tolist())
    except ValueError as error:  # sequences of different lengths
        raise UsageError("y: holds sequences, not numbers or strings.") from error
