"""How `select_coreset` goes from its arguments to a coreset, through the door of the commands."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from craig_cli import selection
from craig_cli.api.coreset import Coreset
from craig_cli.arrays import rows_of
from craig_cli.asked import Data, chosen, column_of_labels, data_of, make
from craig_cli.calibration import make_coreset
from craig_cli.compiling import COMPILING
from craig_cli.dataset import Dataset, Progress, SparseRows
from craig_cli.errors import InputError, UsageError
from craig_cli.files.manifest import Manifest, read_manifest
from craig_cli.files.request import describe_request, extended
from craig_cli.readers.fingerprint import fingerprint
from craig_cli.readers.memory import as_table, read_table
from craig_cli.readers.proxy import read_proxy
from craig_cli.reports.select import SelectReport
from craig_cli.selection.class_count import ARGUMENTS, check_classes
from craig_cli.settings import Budget, InputSettings, SelectionSettings, parse_size
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.parts import PartSettings, needs_all_rows, parse_parts
from craig_cli.settings.shares import check_rows, check_share
from craig_cli.storage.spill import Spill
from craig_cli.workflows.partitioned import select_in_parts
from craig_cli.workflows.parts import Job
from craig_cli.workflows.picked import check_belongs, fingerprint_for
from craig_cli.workflows.select import (
    check_room,
    manifest_of,
    proxy_facts,
    read_within_limit,
    report_of,
    roads_of,
)
from craig_cli.workflows.stopwatch import Stopwatch


def selected(asked: Mapping[str, Any], progress: Progress) -> tuple[Manifest, SelectReport]:
    """Return the coreset that the arguments ask for, and what is told of it; all in the words of
    the command.
    """
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
        return from_parts(data, settings, calibration, asked, progress)
    data = replace(data, inputs=replace(data.inputs, task_given=is_task_given))
    job = Work(data, settings, calibration, purpose.may_fall_back)
    return in_one_place(job, asked["proxy"], asked["extend"], progress)


class Work(NamedTuple):
    """What to select from, and how."""

    data: Data
    settings: SelectionSettings
    calibration: CalibrationSettings
    may_fall_back: bool


def in_one_place(
    work: Work, proxy: Any, earlier: selection.Coreset | None, progress: Progress
) -> tuple[Manifest, SelectReport]:
    """Return the coreset of rows in memory, or of files, and what is told of it.

    Parameters
    ----------
    work : Work
    proxy : rows or name of a file, or None
    earlier : Coreset or None
        That is extended.
    progress : Progress
    """
    data, settings, calibration, may_fall_back = work
    before = earlier.manifest if isinstance(earlier, Coreset) else None
    if before is not None:
        settings = extended("the coreset", before, settings)
    COMPILING.may_have_help = not settings.memory_limit
    if data.dataset is None:
        COMPILING.roads = roads_of(data.inputs)
    else:
        COMPILING.roads = ("sparse" if isinstance(data.dataset.rows, SparseRows) else "dense",)
    watch = Stopwatch()
    with Spill() as spill:
        with watch.stage("read"):
            dataset, on_disk = data.dataset, None
            if dataset is None:
                dataset, on_disk, settings = read_within_limit(
                    data.inputs, settings, calibration, may_fall_back, spill, progress
                )
                check_room(dataset, on_disk, settings, calibration)
            elif settings.memory_limit:
                raise UsageError(
                    "--memory-limit: the rows are in memory. Name files, or leave it out."
                )
            elif not data.inputs.task_given and earlier is None:
                check_classes("y", dataset.labels, ARGUMENTS)
            by = proxy_of(proxy, dataset)
            data_fingerprint = fingerprint(dataset)
            if before is not None:
                check_belongs("extend", before, fingerprint_for(before, dataset))
        coreset = make_coreset(
            dataset,
            settings,
            calibration,
            proxy=None if by is None else by.rows,
            on_disk=None if on_disk is None else (on_disk, spill),
            progress=progress,
            stage=watch.stage,
        )
    inputs = replace(data.inputs, index_base=dataset.index_base)
    facts = None if by is None else proxy_facts(by)
    request = describe_request(inputs, settings, calibration, facts)
    manifest = manifest_of(coreset, request, dataset, data_fingerprint)
    report = report_of("", coreset, dataset.skipped, watch.seconds, spill.peak)
    return manifest, replace(report, notes=(*dataset.notes, *report.notes))


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
    progress: Progress,
) -> tuple[Manifest, SelectReport]:
    """Return the coreset of files that are selected from in parts, and what is told of it."""
    if data.dataset is not None:
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
        path = str(Path(folder) / "coreset.parquet")
        report = select_in_parts(job, path, calibration=calibration, progress=progress)
        return read_manifest(path), replace(report, output="")


def proxy_of(proxy: Any, dataset: Dataset) -> Dataset | None:
    """Return the rows that distances are taken among, one for each of the data; None: its own."""
    if proxy is None:
        return None
    if isinstance(proxy, (str, os.PathLike)):
        return read_proxy(os.fspath(proxy), dataset)
    table = None if sp.issparse(proxy) else as_table(proxy, "proxy")
    rows = (
        rows_of(proxy, "proxy")
        if table is None
        else read_table(table, InputSettings(("proxy",), no_label=True), "proxy").rows
    )
    if rows.shape[0] != dataset.n_input_rows:
        problem = f"it has {rows.shape[0]} rows, and the data {dataset.n_input_rows}"
        raise InputError("proxy", problem)
    if len(dataset.skipped):
        rows = rows.take(dataset.skipped.numbers_of(np.arange(dataset.n_rows)), axis=0)
    return Dataset(rows, None)
