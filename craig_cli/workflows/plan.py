"""``craig select --dry-run``: read, and say what a selection would do and cost."""

from __future__ import annotations

import numpy as np

from craig_cli.calibration import (
    calibrating_bytes,
    calibrating_work,
    shape_of_calibration,
    too_wide,
)
from craig_cli.calibration.problems import pilot_problem
from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.files.manifest import read_manifest
from craig_cli.files.request import extended
from craig_cli.readers.proxy import read_proxy
from craig_cli.reports.select import PlanReport
from craig_cli.selection.class_count import check_task
from craig_cli.selection.classes import classes_of
from craig_cli.selection.constraints import given_rows
from craig_cli.selection.costs import measured_rate, predicted_work, resolve_method
from craig_cli.selection.memory import (
    holding_bytes,
    in_memory_bytes,
    on_disk_bytes,
    shape_of_selection,
)
from craig_cli.selection.numbering import constraints_by_position
from craig_cli.selection.proxy import proxied
from craig_cli.selection.scaling import make_features
from craig_cli.selection.selector import shares_of_classes
from craig_cli.settings import InputSettings, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.storage.spill import Spill
from craig_cli.threads import Workers
from craig_cli.workflows.picked import check_belongs, fingerprint_for
from craig_cli.workflows.select import check_room, read_within_limit


def plan_selection(
    inputs: InputSettings,
    selection: SelectionSettings,
    calibration: CalibrationSettings,
    *,
    may_fall_back: bool = False,
    extend: str | None = None,
    progress: Progress = no_progress,
) -> PlanReport:
    """Return what a selection would do, without doing it: the data is read, the speed of the
    machine is measured on a few thousand rows.

    Parameters are those of `select_to_file`. What that would refuse of the data and the options,
    this refuses too.
    """
    earlier = None if extend is None else read_manifest(extend)
    if earlier is not None:
        selection = extended(str(extend), earlier, selection)
    with Spill() as spill:
        dataset, on_disk, selection = read_within_limit(
            inputs, selection, calibration, may_fall_back, spill, progress
        )
        check_room(dataset, on_disk, selection, calibration)
        if earlier is None:
            check_task(inputs, dataset)
        if earlier is not None:
            check_belongs(str(extend), earlier, fingerprint_for(earlier, dataset))
        return plan_of(dataset, on_disk is not None, inputs, selection, calibration, progress)


def plan_of(
    dataset: Dataset,
    is_from_disk: bool,
    inputs: InputSettings,
    selection: SelectionSettings,
    calibration: CalibrationSettings,
    progress: Progress,
) -> PlanReport:
    """Return what a selection of rows that are read would do."""
    selection = constraints_by_position(selection, dataset)
    n_columns, read_notes = dataset.n_columns, dataset.notes
    check_pilot(dataset, selection, calibration)
    if inputs.proxy is not None:
        dataset, selection = proxied(
            dataset, read_proxy(inputs.proxy, dataset, progress).rows, selection
        )
    classes = classes_of(dataset, selection.task)
    counts = np.array([len(members.index) for members in classes])
    notes: tuple[str, ...] = ()
    width = n_columns + (selection.task == "regression")
    if not is_from_disk:
        with Workers(selection.n_threads) as workers:
            features = make_features(dataset, selection, workers)
        width, notes = features.n_columns, features.notes
    settings, reason = resolve_method(selection, counts, width)
    given = given_rows(settings, classes, dataset.n_rows)
    sizes = counts
    if not selection.budget.is_open:
        sizes = shares_of_classes(settings, counts, given)
    work = predicted_work(settings, counts, sizes, width) + calibrating_work(
        dataset, selection, calibration
    )
    shape = shape_of_selection(dataset, settings)
    needed = max(
        in_memory_bytes(shape, settings),
        holding_bytes(shape) + calibrating_bytes(dataset, selection, calibration),
    )
    if is_from_disk:
        needed = on_disk_bytes(shape, settings)
    return PlanReport(
        rows=dataset.n_rows,
        columns=n_columns,
        classes=[
            {"label": c.label, "n": int(n), "k": int(k)}
            for c, n, k in zip(classes, counts, sizes, strict=True)
        ],
        is_cover=selection.budget.is_cover,
        cost_budget=selection.budget.budget_cost,
        method=settings.method,
        reason=reason,
        weights=calibration.weights,
        predicted_seconds=work / measured_rate(settings.n_threads),
        predicted_memory_bytes=needed,
        notes=(*read_notes, *notes, *calibration_notes(dataset, selection, calibration)),
        skipped=dataset.skipped.reasons,
        allocation=settings.allocation,
    )


def check_pilot(
    dataset: Dataset, selection: SelectionSettings, calibration: CalibrationSettings
) -> None:
    """Raise `UsageError` where a pilot is asked for, and cannot be fitted to the data."""
    for is_asked, option in (
        (calibration.weights == "calibrated", "--weights calibrated"),
        (selection.method == "importance", "--method importance"),
    ):
        if is_asked:
            pilot_problem(dataset, selection.task, calibration, option)


def calibration_notes(
    dataset: Dataset, selection: SelectionSettings, calibration: CalibrationSettings
) -> tuple[str, ...]:
    """Return what a selection would say of a calibration that cannot help, if it cannot."""
    shape = shape_of_calibration(dataset, selection, calibration)
    if shape is None or not shape.is_too_wide:
        return ()
    return (too_wide(shape.outputs * shape.columns, shape.picks),)
