"""``craig train``: read, fit, write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from craig_cli.dataset import Progress, no_progress
from craig_cli.errors import UsageError
from craig_cli.files.model import TRACE_TYPE, Model, is_model, read_model, write_model
from craig_cli.platform import peak_memory_bytes
from craig_cli.reports.train import TrainReport
from craig_cli.settings.search import SearchSettings
from craig_cli.settings.training import TrainFiles, TrainSettings
from craig_cli.storage.atomic import check_output, open_output
from craig_cli.training import Fit, Problem, check_options
from craig_cli.training.problem import Array
from craig_cli.training.solvers import SOLVERS
from craig_cli.workflows.fitting import fit_path, whole_problem
from craig_cli.workflows.known_labels import some_labels
from craig_cli.workflows.picked import read_rows, reading_of
from craig_cli.workflows.search import Candidate, search, search_facts, search_notes
from craig_cli.workflows.stopwatch import Stopwatch


def train_to_file(
    files: TrainFiles,
    settings: TrainSettings,
    l2: tuple[float, ...],
    overrides: Mapping[str, Any],
    how: SearchSettings | None = None,
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
    how : SearchSettings, optional
        The best of `l2` and of its losses is found by folds first, and only that is trained.
    progress : Progress
    """
    check_options(settings)
    check_output(files.output, files.inputs, is_model, files.force, "model")
    watch = Stopwatch()
    start = None if files.init is None else read_init(files.init)
    manifest, inputs = reading_of(files, overrides)
    rows = read_rows(files, manifest, inputs, settings.threads, watch, progress)
    dataset = rows.dataset
    candidates: list[Candidate] = []
    if how is not None:
        with watch.stage("search"):
            candidates = search(dataset, inputs, settings, l2, how, progress)
        settings, l2 = replace(settings, loss=candidates[0].loss), (candidates[0].l2,)
    problem = whole_problem(dataset, inputs, settings)
    init = None if start is None else start_of(str(files.init), start, problem)
    part = problem if rows.index is None else problem.subset(rows.index, rows.weights)
    with watch.stage("train"):
        fits = fit_path(part, settings, l2, init, progress)
    facts = {
        "loss": problem.loss.name,
        "settings": [asdict(f.settings) for f in fits],
        "why": [f.why for f in fits],
        **rows.facts(),
        "rows": part.n_rows,
    }
    with watch.stage("write"), open_output(files.output) as out:
        write_model(out, as_model(problem, fits, facts))
    return TrainReport(
        output=files.output,
        rows=dataset.n_rows,
        columns=dataset.n_columns,
        skipped_rows=dataset.skipped_rows,
        skipped=dataset.skipped.reasons,
        trained_rows=part.n_rows,
        chosen_by=files.coreset or files.weights_file,
        loss=problem.loss.name,
        coefficients=(problem.n_outputs, problem.n_columns),
        classes=None if problem.classes is None else problem.classes.tolist(),
        models=[model_facts(f, part, problem) for f in fits],
        seconds=watch.seconds,
        peak_memory_bytes=peak_memory_bytes(),
        notes=(
            *dataset.notes,
            *(() if how is None else search_notes(problem, how)),
            *notes_of(part, fits),
        ),
        search=None if how is None else search_facts(candidates, how),
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
        "why": result.why,
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
    remedies = (SOLVERS[f.settings.solver].remedy for f in fits if not f.converged)
    return (*notes, *filter(None, dict.fromkeys(remedies)))
