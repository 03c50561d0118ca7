"""``craig train --model mlp``: read, train on coresets that are made anew, write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Progress, as_dense, no_progress
from craig_cli.errors import UsageError
from craig_cli.files.manifest import fingerprint_request, read_manifest
from craig_cli.files.model import is_model
from craig_cli.files.network import TRACE_TYPE, NetworkModel, is_network, write_network
from craig_cli.files.request import describe_inputs, restore_inputs
from craig_cli.readers import read_dataset
from craig_cli.reports.network import NetworkReport
from craig_cli.settings import InputSettings
from craig_cli.settings.network import NetworkSettings
from craig_cli.settings.training import TrainFiles
from craig_cli.storage.atomic import check_not_input, check_output, open_output
from craig_cli.training.reselection import Chosen, fit_network
from craig_cli.workflows.belonging import fingerprint_for
from craig_cli.workflows.stopwatch import Stopwatch, peak_memory_bytes
from craig_cli.workflows.train import chosen_rows, each_once, first_of


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
    check_output(
        files.output,
        [*files.paths, *(name for name in (files.coreset, files.weights_file) if name)],
        is_model_of_any_kind,
        files.force,
        "model",
    )
    watch = Stopwatch()
    manifest = None if files.coreset is None else read_manifest(files.coreset)
    inputs = InputSettings(files.paths, **overrides)
    if manifest is not None:
        inputs = restore_inputs(
            str(files.coreset), manifest.request.get("input", {}), files.paths, overrides
        )
    if inputs.task == "regression":
        raise UsageError(
            "--model mlp: it predicts classes. Leave out --task regression, or use --model linear."
        )
    if inputs.weight_column is not None and files.coreset is None and files.weights_file is None:
        raise UsageError(
            "--weight-column: a network counts all rows alike, but for those of a "
            "coreset. Use --coreset, or --model linear."
        )
    with watch.stage("read"):
        dataset = read_dataset(inputs, progress)
        data_fingerprint = fingerprint_for(manifest, dataset)
    check_not_input(files.output, dataset.files)
    if dataset.labels is None:
        raise UsageError("--no-label: training needs a label. Name its column with --label.")
    classes: Any
    classes, class_numbers = np.unique(dataset.labels, return_inverse=True)
    if len(classes) < 2:
        raise UsageError(
            "--model mlp: all rows are of one class, and there is nothing to tell apart."
        )
    index, weights = chosen_rows(files, manifest, dataset, data_fingerprint)
    if manifest is not None and files.first is not None:
        prefix = first_of(
            str(files.coreset),
            manifest,
            dataset,
            files.paths,
            files.first,
            settings.threads,
            progress,
        )
        index, weights = prefix.index, prefix.weight
    fixed = None if index is None or weights is None else Chosen(*each_once(index, weights))
    with watch.stage("train"):
        fit = fit_network(
            as_dense(dataset.rows, np.float32),
            class_numbers.astype(np.int64),
            len(classes),
            settings,
            fixed=fixed,
            progress=progress,
        )
    facts = {
        "settings": asdict(settings),
        "input": describe_inputs(inputs),
        "columns": list(dataset.column_names or ()),
        "data_fingerprint": data_fingerprint,
        "coreset_fingerprint": None
        if manifest is None
        else fingerprint_request(manifest.request, manifest.data_fingerprint),
    }
    with watch.stage("write"), open_output(files.output) as out:
        write_network(
            out, NetworkModel(fit.network, classes, facts, np.array(list(fit.trace), TRACE_TYPE))
        )
    last = fit.trace[-1]
    return NetworkReport(
        output=files.output,
        rows=dataset.n_rows,
        columns=dataset.n_columns,
        skipped_rows=dataset.skipped_rows,
        trained_rows=dataset.n_rows if fit.chosen is None else len(fit.chosen.index),
        chosen_by=files.coreset or files.weights_file,
        settings=asdict(settings),
        classes=len(classes),
        epochs=last.epoch,
        passes=last.passes,
        training_seconds=last.seconds,
        selection_seconds=last.selection_seconds,
        objective=last.objective,
        error=last.error,
        seconds=watch.seconds,
        peak_memory_bytes=peak_memory_bytes(),
        notes=notes_of(len(classes), class_numbers, fixed),
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
