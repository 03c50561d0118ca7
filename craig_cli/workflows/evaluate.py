"""``craig evaluate``: read, draw the rivals, train and compare, write a page and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.calibration import calibrated_coreset, importance_scores
from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.errors import InputError
from craig_cli.evaluation import (
    Bound,
    Comparison,
    Subset,
    compare,
    gradient_bound,
    make_reference,
    pilot_scores,
    sgd_epoch_seconds,
    warm_up,
)
from craig_cli.evaluation.comparison import CORESET
from craig_cli.evaluation.measures import TestError
from craig_cli.evaluation.timing import timed
from craig_cli.files.manifest import Manifest, read_manifest
from craig_cli.files.request import restore_calibration, restore_settings
from craig_cli.readers import read_dataset
from craig_cli.reports.evaluate import EvaluateReport, SelectionCost
from craig_cli.reports.evaluation_page import is_page, page
from craig_cli.reports.evaluation_plot import check_plotting, is_plot, write_plot
from craig_cli.selection import Coreset, assign, select
from craig_cli.selection.baselines import importance_rows
from craig_cli.selection.classes import classes_of
from craig_cli.settings import Budget, InputSettings, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.evaluation import EvaluateFiles, EvaluateSettings
from craig_cli.settings.training import TrainFiles
from craig_cli.storage.atomic import check_not_input, check_output, open_output
from craig_cli.training import Problem
from craig_cli.training.problem import Array
from craig_cli.workflows.belonging import fingerprint_for
from craig_cli.workflows.predict import error_of, predict, with_columns
from craig_cli.workflows.stopwatch import Stopwatch, peak_memory_bytes
from craig_cli.workflows.train import chosen_rows, each_once, whole_problem

WARM_ROWS = 2000


@dataclass(frozen=True)
class Evaluation:
    """What all comparisons of a run share.

    Parameters
    ----------
    dataset : Dataset
    inputs : InputSettings
    selection : SelectionSettings
        Those of the manifest: what the rivals are drawn by, and rows assigned to picks.
    calibration : CalibrationSettings
        Those of the manifest.
    index, weights : ndarray, shape (k,)
        The coreset, each row once.
    test : Dataset or None
    """

    dataset: Dataset
    inputs: InputSettings
    selection: SelectionSettings
    calibration: CalibrationSettings
    index: NDArray[np.int64]
    weights: Array
    test: Dataset | None


def evaluate(
    files: EvaluateFiles,
    settings: EvaluateSettings,
    overrides: Mapping[str, Any],
    progress: Progress = no_progress,
) -> EvaluateReport:
    """Return how the model that a coreset gives compares with those of other rows.

    Parameters
    ----------
    files : EvaluateFiles
    settings : EvaluateSettings
    overrides : mapping
        Reading options given now, by their name in `InputSettings`; the others are those that the
        manifest records, or the defaults.
    progress : Progress
        Called with stage "evaluate", the comparisons made, and their number.
    """
    check_outputs(files)
    settings.check_thresholds(
        has_test=files.test is not None, has_epsilon=files.coreset is not None
    )
    watch = Stopwatch()
    manifest = None if files.coreset is None else read_manifest(files.coreset)
    with watch.stage("read"):
        evaluation = read_all(files, manifest, overrides, settings, progress)
    problems = [
        whole_problem(evaluation.dataset, evaluation.inputs, replace(settings.train, loss=loss))
        for loss in settings.losses
    ]
    with watch.stage("select"):
        cost = selection_cost(evaluation, manifest, problems[0], settings, progress)
        baselines = drawn_baselines(evaluation, settings)
        picks = nearest_picks(evaluation)
    comparisons = []
    with watch.stage("compare"):
        for number, (problem, l2) in enumerate(
            (problem, l2) for problem in problems for l2 in settings.l2
        ):
            progress("evaluate", number, len(problems) * len(settings.l2))
            comparisons.append(
                compare_one(
                    evaluation, problem, replace(settings, l2=(l2,)), baselines, picks, cost
                )
            )
    report = EvaluateReport(
        source=str(files.coreset or files.weights_file),
        rows=evaluation.dataset.n_rows,
        columns=evaluation.dataset.n_columns,
        skipped_rows=evaluation.dataset.skipped_rows,
        picks=len(evaluation.index),
        is_regression=problems[0].classes is None,
        epsilon_mean=None if manifest is None else manifest.coreset.epsilon_mean,
        selection=cost,
        solver=settings.train.solver,
        comparisons=tuple(comparisons),
        thresholds=settings.thresholds,
        seconds=watch.seconds,
        peak_memory_bytes=peak_memory_bytes(),
        notes=notes_of(evaluation, picks),
    )
    write_outputs(files, evaluation.dataset, report)
    return report


def check_outputs(files: EvaluateFiles) -> None:
    """Raise `UsageError` if the page or the picture cannot be made or written."""
    inputs = [
        name
        for name in (*files.paths, files.coreset, files.weights_file, files.test)
        if name is not None
    ]
    if files.report is not None:
        check_output(files.report, inputs, is_page, files.force, "page", "--report")
    if files.plot is not None:
        check_plotting()
        check_output(files.plot, inputs, is_plot, files.force, "picture", "--plot")


def write_outputs(files: EvaluateFiles, dataset: Dataset, report: EvaluateReport) -> None:
    """Write the page and the picture that were asked for."""
    if files.report is not None:
        check_not_input(files.report, dataset.files, "--report")
        with open_output(files.report) as out:
            out.write(page(report).encode())
    if files.plot is not None:
        check_not_input(files.plot, dataset.files, "--plot")
        with open_output(files.plot) as out:
            write_plot(out, report)


def read_all(
    files: EvaluateFiles,
    manifest: Manifest | None,
    overrides: Mapping[str, Any],
    settings: EvaluateSettings,
    progress: Progress,
) -> Evaluation:
    """Return the data, the coreset and the test rows."""
    threads = settings.train.threads
    inputs = InputSettings(files.paths, **overrides)
    selection, calibration = None, CalibrationSettings(threads=threads)
    if manifest is not None:
        inputs, selection = restore_settings(
            str(files.coreset), manifest.request, files.paths, overrides, threads
        )
        calibration = restore_calibration(str(files.coreset), manifest.request, threads)
    dataset = read_dataset(inputs, progress)
    chosen = TrainFiles(
        files.paths,
        "-",
        coreset=files.coreset,
        weights_file=files.weights_file,
        force_mismatch=files.force_mismatch,
    )
    index, weights = chosen_rows(chosen, manifest, dataset, fingerprint_for(manifest, dataset))
    assert index is not None and weights is not None
    index, weights = each_once(index, weights)
    if selection is None:
        selection = SelectionSettings(Budget(size=len(index)), threads=threads, task=inputs.task)
    test = (
        None
        if files.test is None
        else read_dataset(replace(inputs, paths=(files.test,), amounts_needed=False), progress)
    )
    return Evaluation(dataset, inputs, selection, calibration, index, weights, test)


def selection_cost(
    evaluation: Evaluation,
    manifest: Manifest | None,
    problem: Problem,
    settings: EvaluateSettings,
    progress: Progress,
) -> SelectionCost:
    """Return what the selection took, as the user says or measured now, beside an epoch of SGD
    measured now.
    """
    warm_up(problem, settings.train)
    epoch = sgd_epoch_seconds(problem)
    if settings.selection_seconds is not None:
        return SelectionCost(settings.selection_seconds, "given", epoch)
    if (
        manifest is None or "proxy" in manifest.request
    ):  # the rows that it was selected by are not here
        return SelectionCost(None, "unknown", epoch)
    selection, calibration = evaluation.selection, evaluation.calibration
    warm = replace(
        without_given_rows(selection),
        method=manifest.coreset.method,
        budget=Budget(fraction=1.0),
        sample_rows=0,
    )
    select_again(some_rows(evaluation.dataset), warm, calibration)
    _, seconds = timed(lambda: select_again(evaluation.dataset, selection, calibration, progress))
    return SelectionCost(seconds, "measured", epoch)


def select_again(
    dataset: Dataset,
    selection: SelectionSettings,
    calibration: CalibrationSettings,
    progress: Progress = no_progress,
) -> Coreset:
    """Return the coreset that a recorded request makes: scores and calibration, where it asks for
    them, are part of it and of its time.
    """
    scores = (
        importance_scores(dataset, selection.task, calibration)
        if selection.method == "importance"
        else None
    )
    return calibrated_coreset(
        dataset, select(dataset, selection, progress, scores), calibration, progress
    )


def without_given_rows(selection: SelectionSettings) -> SelectionSettings:
    """Return settings by which all rows may be picked, and none must."""
    return replace(selection, include=(), exclude=(), extend=())


def some_rows(dataset: Dataset) -> Dataset:
    """Return a few rows, evenly taken, for kernels to be loaded by."""
    index = np.linspace(0, dataset.n_rows - 1, min(WARM_ROWS, dataset.n_rows)).astype(np.int64)
    weights = (
        None if dataset.weights is None else 1.0 + np.arange(len(index), dtype=np.float64) % 2
    )  # any that differ: there are kernels for such
    return Dataset(
        dataset.rows.take(index, axis=0),
        None if dataset.labels is None else dataset.labels[index],
        weights=weights,
    )


def drawn_baselines(evaluation: Evaluation, settings: EvaluateSettings) -> dict[str, list[Subset]]:
    """Return random and stratified rows, as many as the coreset has, for each seed."""
    budget = Budget(size=len(evaluation.index))
    baselines = {}
    for method in ("random", "stratified"):
        like = replace(
            without_given_rows(evaluation.selection),
            budget=budget,
            method=method,
            sample_rows=0,
            refine=False,
            representative="medoid",
            memory_limit=0,
        )
        select(some_rows(evaluation.dataset), replace(like, budget=Budget(fraction=1.0)))
        baselines[method] = [
            drawn(evaluation.dataset, replace(like, seed=seed)) for seed in seeds_of(settings)
        ]
    return baselines


def drawn(dataset: Dataset, selection: SelectionSettings) -> Subset:
    """Return the rows that settings select, and what that took."""
    coreset, seconds = timed(lambda: select(dataset, selection))
    return Subset(coreset.index, coreset.weight, selection.seed, seconds)


def drawn_by_importance(
    evaluation: Evaluation, problem: Problem, l2: float, seeds: range
) -> list[Subset]:
    """Return importance-sampled rows, as many as the coreset has, for each seed; the pilot is part
    of what each takes.
    """
    classes = classes_of(evaluation.dataset, evaluation.inputs.task)
    scores, to_score = timed(lambda: pilot_scores(problem, l2, seeds[0]))
    subsets = []
    for seed in seeds:
        (rows, weights), to_draw = timed(
            partial(importance_rows, classes, scores, len(evaluation.index), seed)
        )
        subsets.append(Subset(rows, weights, seed, to_score + to_draw))
    return subsets


def seeds_of(settings: EvaluateSettings) -> range:
    """Return the seeds of random subsets."""
    return range(settings.train.seed, settings.train.seed + settings.seeds)


def nearest_picks(evaluation: Evaluation) -> NDArray[np.int64] | None:
    """Return for each row the position of its pick in the coreset; None where a class has none."""
    labels = evaluation.dataset.labels
    if (
        evaluation.inputs.task != "regression"
        and labels is not None
        and len(np.unique(labels[evaluation.index])) < len(np.unique(labels))
    ):
        return None
    return assign(evaluation.dataset, evaluation.selection, evaluation.index)


def compare_one(
    evaluation: Evaluation,
    problem: Problem,
    settings: EvaluateSettings,
    baselines: Mapping[str, list[Subset]],
    picks: NDArray[np.int64] | None,
    cost: SelectionCost,
) -> Comparison:
    """Return the comparison for one loss and the one l2 of `settings`."""
    train = replace(settings.train, loss=problem.loss, l2=settings.l2[0])
    reference = make_reference(problem, train, settings.w_norm, test_error(evaluation, problem))
    subsets = {
        CORESET: [Subset(evaluation.index, evaluation.weights, train.seed, cost.seconds)],
        **baselines,
        "importance": drawn_by_importance(evaluation, problem, train.l2, seeds_of(settings)),
    }
    bound = None if picks is None else bound_of(evaluation, problem, picks, reference.w_norm)
    return compare(reference, subsets, bound, settings.residual, cost.seconds)


def bound_of(
    evaluation: Evaluation, problem: Problem, picks: NDArray[np.int64], w_norm: float
) -> Bound:
    """Return the bound on the coreset's gradient error."""
    return gradient_bound(problem, evaluation.index, evaluation.weights, picks, w_norm)


def test_error(evaluation: Evaluation, problem: Problem) -> TestError | None:
    """Return the function that gives a model's error on the test rows; None without any."""
    test = evaluation.test
    if test is None:
        return None
    if test.labels is None or (test.labels.dtype == object) != (
        evaluation.dataset.labels is not None and evaluation.dataset.labels.dtype == object
    ):
        raise InputError(
            test.files[0],
            "its labels are not of the kind of the data's",
            remedy="Give test rows labelled as the data is.",
        )
    rows = with_columns(test, tuple(evaluation.dataset.column_names or ()), problem.n_columns)
    n = test.n_rows
    blank = replace(problem, rows=rows, targets=np.zeros(n), weights=np.ones(n))

    def error(coef: Array, intercept: Array) -> float:
        predicted, _ = predict(blank, blank.scores(coef, intercept))
        found = error_of(predicted, test.labels, problem.classes is None)
        assert found is not None
        return found

    return error


def notes_of(evaluation: Evaluation, picks: NDArray[np.int64] | None) -> tuple[str, ...]:
    """Return what the user should know besides."""
    notes = []
    if picks is None:
        notes.append("A class has no row in the coreset: its model cannot tell that class.")
    if evaluation.selection.metric != "euclidean" or evaluation.selection.scale != "none":
        notes.append(
            "Epsilon is in units of the scaled rows; the bound is computed from the rows "
            "as they are."
        )
    return tuple(notes)
