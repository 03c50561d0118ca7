"""``craig train``: read, fit, write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.calibration import calibrated_coreset
from craig_cli.dataset import Dataset, Labels, Progress, no_progress
from craig_cli.errors import InputError, UsageError, printable
from craig_cli.files.manifest import Manifest, fingerprint_request, read_manifest
from craig_cli.files.model import TRACE_TYPE, Model, is_model, read_model, write_model
from craig_cli.files.request import (
    check_not_proxied,
    describe_inputs,
    restore_calibration,
    restore_inputs,
    restore_settings,
)
from craig_cli.files.weights import read_weights
from craig_cli.readers import read_dataset
from craig_cli.reports.train import TrainReport
from craig_cli.selection import Coreset
from craig_cli.selection.prefix import first_picks
from craig_cli.settings import InputSettings
from craig_cli.settings.training import TrainFiles, TrainSettings
from craig_cli.storage.atomic import check_not_input, check_output, open_output
from craig_cli.training import Fit, Problem, fit, make_problem
from craig_cli.training.losses import usual_loss
from craig_cli.training.problem import Array
from craig_cli.workflows.belonging import fingerprint_for
from craig_cli.workflows.stopwatch import Stopwatch, peak_memory_bytes

SHOWN_LABELS = 5


def train_to_file(
    files: TrainFiles,
    settings: TrainSettings,
    l2: tuple[float, ...],
    overrides: Mapping[str, Any],
    progress: Progress = no_progress,
) -> TrainReport:
    """Fit a model for each of the strengths `l2`, write them to one file, and return what was done.

    Parameters
    ----------
    files : TrainFiles
    settings : TrainSettings
        But for `l2`.
    l2 : tuple of float
        The path. Fitted from the largest down, each from the one before.
    overrides : mapping
        Reading options given now, by their name in `InputSettings`; the others are those that the
        manifest records, or the defaults.
    progress : Progress
    """
    others = [name for name in (files.coreset, files.weights_file, files.init) if name is not None]
    check_output(files.output, [*files.paths, *others], is_model, files.force, "model")
    watch = Stopwatch()
    manifest = None if files.coreset is None else read_manifest(files.coreset)
    inputs = InputSettings(files.paths, **overrides)
    if manifest is not None:
        inputs = restore_inputs(
            str(files.coreset), manifest.request.get("input", {}), files.paths, overrides
        )
    start = None if files.init is None else read_init(files.init)
    with watch.stage("read"):
        dataset = read_dataset(inputs, progress)
        data_fingerprint = fingerprint_for(manifest, dataset)
    check_not_input(files.output, dataset.files)
    problem = whole_problem(dataset, inputs, settings)
    init = None if start is None else start_of(str(files.init), start, problem)
    index, weights = chosen_rows(files, manifest, dataset, data_fingerprint)
    if manifest is not None and files.first is not None:
        with watch.stage("weights"):
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
    part = problem if index is None else problem.subset(index, weights)
    with watch.stage("train"):
        fits = fit_path(part, settings, l2, init, progress)
    facts = {
        "loss": problem.loss,
        "settings": [asdict(f.settings) for f in fits],
        "input": describe_inputs(inputs),
        "columns": list(dataset.column_names or ()),
        "data_fingerprint": data_fingerprint,
        "coreset_fingerprint": None
        if manifest is None
        else fingerprint_request(manifest.request, manifest.data_fingerprint),
        "rows": part.n_rows,
    }
    with watch.stage("write"), open_output(files.output) as out:
        write_model(out, as_model(problem, fits, facts))
    return TrainReport(
        output=files.output,
        rows=dataset.n_rows,
        columns=dataset.n_columns,
        skipped_rows=dataset.skipped_rows,
        trained_rows=part.n_rows,
        chosen_by=files.coreset or files.weights_file,
        loss=problem.loss,
        coefficients=(problem.n_outputs, problem.n_columns),
        classes=None if problem.classes is None else problem.classes.tolist(),
        models=[model_facts(f, part, problem) for f in fits],
        seconds=watch.seconds,
        peak_memory_bytes=peak_memory_bytes(),
        notes=notes_of(part, fits),
    )


def read_init(path: str) -> Model:
    """Return the model to start from, the only one of its file."""
    model = read_model(path)
    if len(model.l2) > 1:
        raise UsageError(f"--init: '{path}' holds {len(model.l2)} models. Give a file of one.")
    return model


def start_of(path: str, model: Model, problem: Problem) -> tuple[Array, Array]:
    """Return the coefficients and intercepts of a model; raises `UsageError` if it tells other
    classes apart than the data has.
    """
    theirs, ours = model.classes, problem.classes
    if theirs is not None and ours is not None and theirs.tolist() != ours.tolist():
        raise UsageError(
            f"--init: '{path}' is of classes {some_labels(theirs)}, and the data has "
            f"{some_labels(ours)}."
        )
    return model.coef[0], model.intercept[0]


def some_labels(classes: Labels) -> str:
    """Return the first few labels, for a message."""
    shown = [printable(str(label)) for label in classes[:SHOWN_LABELS].tolist()]
    return ", ".join(shown) + (
        "" if len(classes) <= SHOWN_LABELS else f" ... ({len(classes)} in all)"
    )


def whole_problem(dataset: Dataset, inputs: InputSettings, settings: TrainSettings) -> Problem:
    """Return the problem of all rows, by their weights where they have such."""
    if dataset.labels is None:
        raise UsageError(
            "--no-label: training needs a label, or a target. Name its column with --label."
        )
    regression = inputs.task == "regression"
    if regression and dataset.labels.dtype == object:
        raise InputError(
            dataset.files[0],
            "the target is text, not a number",
            value=str(dataset.labels[0]),
            remedy="Leave out --task regression.",
        )
    loss = settings.loss or usual_loss(None if regression else len(np.unique(dataset.labels)))
    return make_problem(
        dataset.rows,
        dataset.labels,
        loss,
        dataset.weights,
        intercept=settings.intercept,
        regression=regression,
        threads=settings.n_threads,
    )


def chosen_rows(
    files: TrainFiles, manifest: Manifest | None, dataset: Dataset, data_fingerprint: str
) -> tuple[NDArray[np.int64] | None, Array | None]:
    """Return the rows to train on, in greedy order, and their weights; None for all rows."""
    if manifest is not None:
        if manifest.data_fingerprint != data_fingerprint and not files.force_mismatch:
            problem = (
                f"it was selected from other data ({manifest.data_fingerprint}, and this is "
                f"{data_fingerprint})"
            )
            remedy = (
                "Give the data and the reading options it was made with, or --force-mismatch "
                "to use its row numbers all the same."
            )
            raise InputError(str(files.coreset), problem, remedy=remedy)
        index, weights = manifest.coreset.index, manifest.coreset.weight
    elif files.weights_file is not None:
        index, weights = read_weights(files.weights_file)
    else:
        return None, None
    outside = index[(index < 0) | (index >= dataset.n_rows)]
    if len(outside):
        source = files.coreset or files.weights_file or ""
        raise InputError(
            source,
            f"an index is not between 0 and {dataset.n_rows - 1}",
            value=str(outside[0]),
            remedy="Give the data it belongs to.",
        )
    return index, weights


def each_once(index: NDArray[np.int64], weights: Array) -> tuple[NDArray[np.int64], Array]:
    """Return each row once, in the order of its first mention, with the sum of its weights."""
    rows, first, number = np.unique(index, return_index=True, return_inverse=True)
    order = np.argsort(first)
    summed: Array = np.bincount(number, weights).astype(np.float64)
    return rows[order], summed[order]


def first_of(
    source: str,
    manifest: Manifest,
    dataset: Dataset,
    paths: tuple[str, ...],
    first: int,
    threads: int,
    progress: Progress,
) -> Coreset:
    """Return the first picks of the manifest in file `source`, calibrated as it is."""
    check_not_proxied("--first", source, manifest.request)
    _, selection = restore_settings(source, manifest.request, paths, {}, threads)
    prefix = first_picks(dataset, selection, manifest.coreset, first)
    return calibrated_coreset(
        dataset, prefix, restore_calibration(source, manifest.request, threads), progress
    )


def fit_path(
    problem: Problem,
    settings: TrainSettings,
    l2: tuple[float, ...],
    init: tuple[Array, Array] | None,
    progress: Progress,
) -> list[Fit]:
    """Return a fit for each strength, in the order given; each starts where the next larger one
    ended.
    """
    rng = np.random.default_rng(settings.seed)
    fits: dict[float, Fit] = {}
    for strength in sorted(l2, reverse=True):
        fits[strength] = fit(
            problem, replace(settings, l2=strength), init, rng=rng, progress=progress
        )
        init = fits[strength].coef, fits[strength].intercept
    return [fits[strength] for strength in l2]


def as_model(problem: Problem, fits: Sequence[Fit], facts: Mapping[str, Any]) -> Model:
    """Return what is kept of the fits."""
    points = [(number, *point) for number, f in enumerate(fits) for point in f.trace]
    return Model(
        coef=np.stack([f.coef for f in fits]),
        intercept=np.stack([f.intercept for f in fits]),
        l2=np.array([f.settings.l2 for f in fits]),
        classes=problem.classes,
        facts=facts,
        trace=np.array(points, TRACE_TYPE),
    )


def model_facts(result: Fit, part: Problem, whole: Problem) -> dict[str, Any]:
    """Return what the report says of one model: how it was found, and its loss and errors on the
    rows it was trained on, and on all.
    """
    l2, last = result.settings.l2, result.trace[-1]
    facts: dict[str, Any] = {
        "l2": l2,
        "solver": result.settings.solver,
        "step": result.settings.step,
        "schedule": result.settings.schedule,
        "decay": result.settings.decay,
        "tried": len(result.tried),
        "epochs": last.epoch,
        "passes": result.passes,
        "seconds": result.seconds,
        "gradient_norm": last.gradient_norm,
        "converged": result.converged,
        "objective": result.objective,
        "error": part.errors(result.coef, result.intercept),
    }
    if part is not whole:
        facts["objective_all_rows"] = whole.objective(result.coef, result.intercept, l2)
        facts["error_all_rows"] = whole.errors(result.coef, result.intercept)
    return facts


def notes_of(part: Problem, fits: Sequence[Fit]) -> tuple[str, ...]:
    """Return what the user should know besides."""
    notes = []
    if part.classes is not None:
        missing = len(part.classes) - len(np.unique(part.class_numbers()))
        if missing:
            notes.append(
                f"{missing} of {len(part.classes)} classes have no row among those trained on."
            )
    short = {f.settings.solver for f in fits if not f.converged}
    if short & {"saga", "svrg"}:
        notes.append(
            "The tolerance was not reached: more --epochs, or --solver lbfgs, come closer "
            "to the optimum."
        )
    if "lbfgs" in short:
        notes.append(
            "The tolerance was not reached: the --epochs were too few, or this is as near "
            "to the optimum as rounding allows."
        )
    return tuple(notes)
