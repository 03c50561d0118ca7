"""``craig train --model mlp``: read, train on coresets that are made anew, write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.errors import UsageError
from craig_cli.files.model import is_model
from craig_cli.files.network import TRACE_TYPE, NetworkModel, is_network, write_network
from craig_cli.platform import peak_memory_bytes
from craig_cli.reports.network import NetworkReport
from craig_cli.selection.class_count import check_task
from craig_cli.selection.reselection import reselected_rows
from craig_cli.settings import InputSettings
from craig_cli.settings.network import NetworkSettings
from craig_cli.settings.training import TrainFiles
from craig_cli.storage.atomic import check_output, open_output
from craig_cli.training.network import network_rows
from craig_cli.training.reselection import Chosen, NetworkFit, fit_network
from craig_cli.workflows.picked import each_once, read_rows, reading_of
from craig_cli.workflows.stopwatch import Stopwatch


def train_network_to_file(
    files: TrainFiles,
    settings: NetworkSettings,
    overrides: Mapping[str, Any],
    progress: Progress = no_progress,
) -> NetworkReport:
    """Train a network, write it, and return what was done.

    Parameters
    ----------
    files : TrainFiles
    settings : NetworkSettings
    overrides : mapping
        Reading options given now, by their name in `InputSettings`; the others are those that the
        manifest records, or the defaults.
    progress : Progress
    """
    if settings.fraction is not None and (files.coreset or files.weights_file):
        raise UsageError(
            "--fraction: --coreset and --weights-file say already which rows to train on. Leave "
            "one out."
        )
    check_output(files.output, files.inputs, is_model_of_any_kind, files.force, "model")
    watch = Stopwatch()
    manifest, inputs = reading_of(files, overrides)
    check_inputs(files, inputs)
    rows = read_rows(files, manifest, inputs, settings.threads, watch, progress)
    dataset, fixed = rows.dataset, None
    check_alike(files, dataset)
    check_task(inputs, dataset)
    classes, class_numbers = classes_of_labels(dataset)
    if rows.index is not None and rows.weights is not None:
        fixed = Chosen(*each_once(rows.index, rows.weights))
    with watch.stage("train"):
        fit = fit_network(
            network_rows(dataset.rows),
            class_numbers,
            len(classes),
            settings,
            choose=reselected_rows,
            fixed=fixed,
            progress=progress,
        )
    facts = {"settings": asdict(settings), **rows.facts()}
    with watch.stage("write"), open_output(files.output) as out:
        write_network(
            out, NetworkModel(fit.network, classes, facts, np.array(list(fit.trace), TRACE_TYPE))
        )
    notes = (*dataset.notes, *notes_of(len(classes), class_numbers, fixed))
    return report_of(files, settings, dataset, fit, watch, notes)


def check_inputs(files: TrainFiles, inputs: InputSettings) -> None:
    """Raise `UsageError` for data that a network is not trained on."""
    if inputs.task == "regression":
        raise UsageError(
            "--model mlp: it predicts classes. Leave out --task regression, or use --model linear."
        )
    if inputs.weight_column is not None and files.coreset is None and files.weights_file is None:
        raise UsageError(
            "--weight-column: a network counts all rows alike, but for those of a "
            "coreset. Use --coreset, or --model linear."
        )


def check_alike(files: TrainFiles, dataset: Dataset) -> None:
    """Raise `UsageError` for rows whose weights are not those of a coreset."""
    if dataset.weights is not None and files.coreset is None and files.weights_file is None:
        raise UsageError(
            "label:weight: a network counts all rows alike, but for those of a coreset. Use "
            "--inline-weights ignore, --coreset, or --model linear."
        )


def classes_of_labels(dataset: Dataset) -> tuple[Any, NDArray[np.int64]]:
    """Return the classes, ascending, and the number of each row's."""
    if dataset.labels is None:
        raise UsageError("--no-label: training needs a label. Name its column with --label.")
    classes, class_numbers = np.unique(dataset.labels, return_inverse=True)
    if len(classes) < 2:
        raise UsageError(
            "--model mlp: all rows are of one class, and there is nothing to tell apart."
        )
    return classes, class_numbers.astype(np.int64)


def report_of(
    files: TrainFiles,
    settings: NetworkSettings,
    dataset: Dataset,
    fit: NetworkFit,
    watch: Stopwatch,
    notes: tuple[str, ...],
) -> NetworkReport:
    """Return what was done."""
    last = fit.trace[-1]
    return NetworkReport(
        output=files.output,
        rows=dataset.n_rows,
        columns=dataset.n_columns,
        skipped_rows=dataset.skipped_rows,
        skipped=dataset.skipped.reasons,
        trained_rows=dataset.n_rows if fit.chosen is None else len(fit.chosen.index),
        chosen_by=files.coreset or files.weights_file,
        settings=asdict(settings),
        classes=len(fit.network.second_bias),
        epochs=last.epoch,
        passes=last.passes,
        training_seconds=last.seconds,
        selection_seconds=last.selection_seconds,
        objective=last.objective,
        error=last.error,
        seconds=watch.seconds,
        peak_memory_bytes=peak_memory_bytes(),
        notes=notes,
    )


def is_model_of_any_kind(path: Path) -> bool:
    """Return whether a file is a linear model, or a network."""
    return is_model(path) or is_network(path)


def notes_of(
    n_classes: int, class_numbers: NDArray[np.int64], fixed: Chosen | None
) -> tuple[str, ...]:
    """Return what the user should know besides."""
    missing = 0 if fixed is None else n_classes - len(np.unique(class_numbers[fixed.index]))
    return (
        (f"{missing} of {n_classes} classes have no row among those trained on.",)
        if missing
        else ()
    )
