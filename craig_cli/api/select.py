"""Selecting a coreset from Python: of arrays, tables and files, with all that the command can."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from craig_cli.arrays import rows_of
from craig_cli.asked import Data, check_reading, chosen, column_of_labels, data_of, in_full, make
from craig_cli.calibration import make_coreset
from craig_cli.dataset import Dataset, Rows, no_progress
from craig_cli.errors import InputError, UsageError
from craig_cli.files.manifest import read_manifest
from craig_cli.readers.memory import as_table, read_table
from craig_cli.readers.proxy import read_proxy
from craig_cli.selection import Coreset
from craig_cli.selection.class_count import ARGUMENTS, check_classes
from craig_cli.settings import Budget, InputSettings, SelectionSettings, parse_size
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.parts import PartSettings, needs_all_rows, parse_parts
from craig_cli.settings.purpose import Purpose
from craig_cli.settings.shares import check_rows, check_share
from craig_cli.storage.spill import Spill
from craig_cli.words import in_arguments, in_words_of
from craig_cli.workflows.partitioned import select_in_parts
from craig_cli.workflows.parts import Job
from craig_cli.workflows.select import check_room, read_within_limit


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
    extend: Coreset | None = None,
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
    **reading: Any,
) -> Coreset:
    """Return a small weighted subset of the rows of `X`, selected within each class of `y`.

    Parameters
    ----------
    X : array, scipy sparse matrix, table of pandas, polars or pyarrow, or name of a file; shape
    (n_rows, n_columns)
        Finite numbers. An array is neither copied nor changed where it is float32 or float64 and
        C-contiguous. A column of lists of numbers, of a table or alone, is one of embeddings. A
        file is read as ``craig select`` reads it (a str or a path; several in a list of paths, or
        of str).
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
        `calibration` says what was calibrated.

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
    check_reading(reading)
    with in_words_of():
        coreset = selected(asked)
    return replace(coreset, notes=tuple(map(in_arguments, coreset.notes)))


select_coreset.__signature__ = in_full(select_coreset)  # type: ignore[attr-defined]


def selected(asked: Mapping[str, Any]) -> Coreset:
    """Return the coreset that the arguments ask for; errors are in the words of the command."""
    check_share("fraction", asked["fraction"], "fraction=")
    check_rows("size", asked["size"], "fraction=")
    is_task_given = asked["task"] is not None
    asked = {**asked, "task": asked["task"] or SelectionSettings.task}
    budget = make(Budget, asked)
    if (budget.budget_cost is None) != (asked["costs"] is None):
        raise UsageError("budget_cost and costs go together: give both, or neither.")
    method, purpose = chosen(asked)
    data = data_of(asked, column_of_labels(asked))
    in_parts = asked["parts"] is not None or asked["engine"] != PartSettings.engine
    prefers_local = in_parts or any(asked[name] is not None for name in ("proxy", "extend"))
    representative, weights = purpose.choices(
        method, budget.is_open, data.has_labels, prefers_local
    )
    has_classes = data.has_labels and asked["task"] != "regression"
    allocation = purpose.allocated(method, budget.is_open, has_classes, prefers_local, in_parts)
    limit = asked["memory_limit"]
    settings = make(
        SelectionSettings,
        asked,
        budget=budget,
        method=method,
        representative=representative,
        allocation=allocation,
        threads=asked["threads"] or 0,
        memory_limit=parse_size("--memory-limit", limit) if isinstance(limit, str) else limit or 0,
        include=tuple(map(int, asked["include"])),
        exclude=tuple(map(int, asked["exclude"])),
        extend=() if asked["extend"] is None else tuple(asked["extend"].picks.tolist()),
    )
    if asked["sample_weight"] is not None:
        settings.check_weighted()
    calibration = calibration_of(asked, weights, settings.threads)
    if in_parts:
        return from_parts(data, settings, calibration, asked)
    with Spill() as spill:
        dataset, on_disk = data.dataset, None
        if data.inputs is not None:
            inputs = replace(data.inputs, task_given=is_task_given)
            dataset, on_disk, settings = read_within_limit(
                inputs, settings, calibration, purpose.may_fall_back, spill, no_progress
            )
            check_room(dataset, on_disk, settings, calibration)
        elif settings.memory_limit:
            raise UsageError("--memory-limit: the rows are in memory. Name files, or leave it out.")
        assert dataset is not None
        if data.inputs is None and not is_task_given and asked["extend"] is None:
            check_classes("y", dataset.labels, ARGUMENTS)
        coreset = make_coreset(
            dataset,
            settings,
            calibration,
            proxy=proxy_rows(asked["proxy"], dataset),
            on_disk=None if on_disk is None else (on_disk, spill),
        )
        return replace(coreset, notes=(*dataset.notes, *coreset.notes))


def calibration_of(asked: Mapping[str, Any], weights: str, threads: int) -> CalibrationSettings:
    """Return how the arguments ask for weights to be calibrated."""
    return make(
        CalibrationSettings,
        asked,
        weights=weights,
        loss=asked["pilot_loss"],
        pilot_l2=tuple(asked["pilot_l2"]),
        threads=threads,
    )


def from_parts(
    data: Data,
    settings: SelectionSettings,
    calibration: CalibrationSettings,
    asked: Mapping[str, Any],
) -> Coreset:
    """Return the coreset of files that are selected from in parts."""
    if data.inputs is None:
        raise UsageError("--parts: they are of files, and X is in memory. Name files.")
    if settings.extend:
        raise needs_all_rows("--extend")
    if asked["proxy"] is not None:
        raise needs_all_rows("--proxy")
    parts = asked["parts"]
    job = Job(
        data.inputs,
        settings,
        make(PartSettings, asked, parts=parse_parts(parts) if isinstance(parts, str) else parts),
    )
    with tempfile.TemporaryDirectory() as folder:
        manifest = str(Path(folder) / "coreset.parquet")
        select_in_parts(job, manifest, calibration=calibration)
        return read_manifest(manifest).coreset


def proxy_rows(proxy: Any, dataset: Dataset) -> Rows | None:
    """Return the rows that distances are taken among, one for each of the data; None: its own."""
    if proxy is None:
        return None
    if isinstance(proxy, (str, os.PathLike)):
        return read_proxy(os.fspath(proxy), dataset).rows
    table = None if sp.issparse(proxy) else as_table(proxy, "proxy")
    rows = (
        rows_of(proxy, "proxy")
        if table is None
        else read_table(table, InputSettings(("proxy",), no_label=True), "proxy").rows
    )
    if rows.shape[0] != dataset.n_input_rows:
        problem = f"it has {rows.shape[0]} rows, and the data {dataset.n_input_rows}"
        raise InputError("proxy", problem)
    if len(dataset.skipped) == 0:
        return rows
    return rows.take(dataset.skipped.numbers_of(np.arange(dataset.n_rows)), axis=0)
