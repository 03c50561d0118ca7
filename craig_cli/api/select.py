"""Selecting a coreset from Python: of arrays, tables and files, with all that the command can."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import scipy.sparse as sp
from numpy.typing import ArrayLike

from craig_cli import selection
from craig_cli.api.coreset import Coreset
from craig_cli.api.selected import selected
from craig_cli.api.watching import warn_of, watched
from craig_cli.asked import check_reading, in_full
from craig_cli.dataset import Progress
from craig_cli.settings import SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.parts import PartSettings
from craig_cli.settings.purpose import Purpose
from craig_cli.words import in_words_of


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
    allocation: str = Purpose.allocation,
    pilot_loss: str | None = CalibrationSettings.loss,
    pilot_l2: Sequence[float] = CalibrationSettings.pilot_l2,
    include: Sequence[int] = (),
    exclude: Sequence[int] = (),
    extend: selection.Coreset | None = None,
    label: str | None = None,
    paper: bool = False,
    sample_rows: int = SelectionSettings.sample_rows,
    cell_size: int = SelectionSettings.cell_size,
    delta: float = SelectionSettings.delta,
    refine: bool = SelectionSettings.refine,
    proxy: ArrayLike | sp.sparray | sp.spmatrix | str | os.PathLike[str] | Any = None,
    memory_limit: int | str | None = None,
    parts: int | str | None = None,
    partition: str = PartSettings.partition,
    oversampling: float = PartSettings.oversampling,
    engine: str = PartSettings.engine,
    scheduler: str | None = None,
    progress: bool | Progress | None = None,
    **reading: Any,
) -> Coreset:
    """Return a small weighted subset of the rows of `X`, selected within each class of `y`.

    Parameters
    ----------
    X : array, sparse matrix, table or name of a file, shape (n_rows, n_columns)
        Finite numbers. An array is neither copied nor changed where it is float32 or float64 and
        C-contiguous. Sparse matrices are those of scipy, tables those of pandas, polars or
        pyarrow. A column of lists of numbers, of a table or alone, is one of embeddings. A file is
        read as ``craig select`` reads it (a str or a path; several in a list of paths, or of str).
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
        What the coreset is for ("any", "linear" or "local": ``--for``), and the choices that it
        else makes. Default: any, but local without `y`, under a bound on epsilon or on costs, or to
        extend.
    allocation : {'auto', 'proportional', 'power', 'equal'}
        How many picks each class gets: in proportion to its rows or to their square root, or the
        same number; at least one, and at most all its rows. Default: "power" where `purpose` is
        "linear", but "proportional" for methods that draw rows, without classes, under a bound on
        epsilon or on costs, and in parts.
    pilot_loss, pilot_l2 : str, sequence of float
        Of the pilots that weights are calibrated at; the loss is by default the usual one of the
        labels.
    include, exclude : sequence of int
        Rows that are picked first, in this order, and rows that are never picked (but are stood
        for).
    extend : Coreset, optional
        Of the same rows: its picks stay, in their order, and greedy goes on from there.
    label : str, optional
        The same as `y` where that is the name of a column.
    paper : bool
        Exactly the paper's choices: method "exact", representative "medoid", weights "cluster".
    sample_rows, cell_size, delta, refine : int, int, float, bool
        Of the methods, as for ``craig select``.
    proxy : array, sparse matrix, table or name of a file, optional
        Rows to take distances among instead, one for each of `X`: gradients, for example.
    memory_limit : int or str, optional
        Of files: most memory to use, in bytes or as "2G".
    parts, partition, oversampling, engine, scheduler : optional
        Of files: select in so many parts (or "files"), as ``craig select --parts`` does; `engine`
        "dask" on the workers of a cluster.
    progress : bool, callable or None
        Whether to show how far it is: by bars of tqdm, if that is there; or what to call as
        ``progress(stage, done, total)``. Default: in notebooks and interactive sessions, once it
        takes longer than two seconds.
    **reading
        How the data is read, as for ``craig select``. Of tables and files ``drop``, ``one_hot`` and
        ``features`` (names of columns), ``on_error``; of files also ``format``, ``delimiter``,
        ``header``, ``rows_key``, ``index_base`` and ``no_label`` (without it a file has its usual
        labels).
    seed : int
        Of the methods that draw rows at random.
    threads : int, optional
        Default: the CPUs this process may use. They change no result.

    Returns
    -------
    Coreset
        With `index`, `weight`, `order`, `gain`, `epsilon` (one a selected row) and `classes`;
        `Coreset.apply` gives the rows themselves, `Coreset.save` a manifest.

    Warns
    -----
    CraigWarning
        For each of the notes that the command prints, and where many rows were skipped.

    Raises
    ------
    UsageError
        The options contradict each other, or `X` and `y` are not of the stated form.
    InputError
        A value is missing or cannot be used, or there are no rows. Rows are counted from 0.
    ResourceError
        Memory or disk does not suffice.
    TypeError
        There is no argument of this name.

    Examples
    --------
    >>> import numpy as np
    >>> from craig_cli import select_coreset
    >>> coreset = select_coreset(np.array([[0.0], [1.0], [2.0], [10.0]]), size=2)
    >>> coreset.index.tolist(), coreset.weight.tolist()
    ([1, 3], [3.0, 1.0])
    """
    asked = locals()
    check_reading(reading, select_coreset)
    with in_words_of(), watched(progress) as callback:
        manifest, report = selected(asked, callback)
    coreset = Coreset.of(manifest, report)
    warn_of(coreset.report)
    return coreset


select_coreset.__signature__ = in_full(select_coreset)  # type: ignore[attr-defined]
