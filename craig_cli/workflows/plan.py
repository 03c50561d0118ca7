"""``craig select --dry-run``: read, and say what a selection would do and cost."""

from __future__ import annotations

import numpy as np

from craig_cli.calibration import calibrating_bytes, calibrating_work
from craig_cli.dataset import Progress, no_progress
from craig_cli.files.manifest import read_manifest
from craig_cli.files.request import extended
from craig_cli.readers import read_dataset
from craig_cli.readers.proxy import read_proxy
from craig_cli.reports.select import PlanReport
from craig_cli.selection.classes import split_classes
from craig_cli.selection.constraints import pick_constraints
from craig_cli.selection.costs import measured_rate, predicted_work, resolve_method
from craig_cli.selection.memory import holding_bytes, in_memory_bytes, shape_of_selection
from craig_cli.selection.proxy import proxied
from craig_cli.selection.scaling import make_features
from craig_cli.selection.selector import shares_of_classes
from craig_cli.settings import InputSettings, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.threads import Workers


def plan_selection(
    inputs: InputSettings,
    selection: SelectionSettings,
    calibration: CalibrationSettings,
    extend: str | None = None,
    progress: Progress = no_progress,
) -> PlanReport:
    """Return what a selection would do, without doing it: the data is read, the speed of the
    machine is measured on a few thousand rows.
    """
    if extend is not None:
        selection = extended(extend, read_manifest(extend), selection)
    dataset = read_dataset(inputs, progress)
    n_columns = dataset.n_columns
    if inputs.proxy is not None:
        dataset, selection = proxied(
            dataset, read_proxy(inputs.proxy, dataset.n_rows, progress).rows, selection
        )
    classes = split_classes(dataset.labels, dataset.n_rows, selection.task)
    counts = np.array([len(members.index) for members in classes])
    with Workers(selection.n_threads) as workers:
        features = make_features(dataset, selection, workers)
    settings, reason = resolve_method(selection, counts, features.n_columns)
    given = pick_constraints(settings, classes, dataset.n_rows) if settings.is_constrained else None
    sizes = counts
    if not selection.budget.is_open:
        sizes = shares_of_classes(settings, counts, given)
    work = predicted_work(settings, counts, sizes, features.n_columns) + calibrating_work(
        dataset, selection, calibration
    )
    shape = shape_of_selection(dataset, settings)
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
        predicted_memory_bytes=max(
            in_memory_bytes(shape, settings),
            holding_bytes(shape) + calibrating_bytes(dataset, selection, calibration),
        ),
        notes=(*dataset.notes, *features.notes),
    )
