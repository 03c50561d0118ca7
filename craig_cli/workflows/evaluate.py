"""``craig evaluate``: read, draw the baselines, train and compare, write a page and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.errors import InputError
from craig_cli.evaluation import (
    Comparison,
    Subset,
    compare,
    gradient_bound,
    make_reference,
)
from craig_cli.evaluation.comparison import CORESET
from craig_cli.evaluation.measures import TestError
from craig_cli.evaluation.rivals import unfit
from craig_cli.evaluation.subsampled_newton import newton_results
from craig_cli.files.manifest import Manifest, read_manifest
from craig_cli.files.request import restore_calibration, restore_inputs, restore_settings
from craig_cli.platform import peak_memory_bytes
from craig_cli.readers import read_dataset
from craig_cli.reports.evaluate import EvaluateReport, SelectionCost
from craig_cli.reports.evaluation_page import is_page, page
from craig_cli.reports.evaluation_plot import is_plot, write_plot
from craig_cli.reports.panel_png import check_plotting
from craig_cli.reports.skipped import skipped_in_words
from craig_cli.selection import assign
from craig_cli.settings import Budget, InputSettings, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.evaluation import EvaluateFiles, EvaluateSettings
from craig_cli.storage.atomic import check_not_input, check_output, open_output
from craig_cli.training import Problem, check_options
from craig_cli.training.automatic import resolved
from craig_cli.training.problem import Array
from craig_cli.workflows.baselines import (
    Evaluation,
    drawn_baselines,
    drawn_for,
    is_asked,
    not_shown,
    selection_cost,
)
from craig_cli.workflows.fitting import whole_problem
from craig_cli.workflows.known_labels import check_known
from craig_cli.workflows.picked import chosen_rows, each_once, fingerprint_for
from craig_cli.workflows.predict import error_of, predict, with_columns
from craig_cli.workflows.stopwatch import Stopwatch

WARM_ROWS = 2000


def evaluate(
    files: EvaluateFiles,
    settings: EvaluateSettings,
    overrides: Mapping[str, Any],
    progress: Progress = no_progress,
    command: str = "",
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
    command : str
        What was typed, for the foot of the page.
    """
    check_options(settings.train)
    check_outputs(files)
    settings.check_thresholds(
        has_test=files.test is not None, has_epsilon=files.coreset is not None
    )
    watch = Stopwatch()
    manifest = None if files.coreset is None else read_manifest(files.coreset)
    with watch.stage("read"):
        evaluation = read_all(files, manifest, overrides, settings, progress)
    report = compare_all(evaluation, manifest, settings, watch, progress)
    report = replace(report, source=str(files.coreset or files.weights_file), command=command)
    write_outputs(files, evaluation.dataset, report)
    return report


def compare_all(
    evaluation: Evaluation,
    manifest: Manifest | None,
    settings: EvaluateSettings,
    watch: Stopwatch,
    progress: Progress = no_progress,
) -> EvaluateReport:
    """Return how a coreset compares, of data that has been read."""
    problems = [
        whole_problem(evaluation.dataset, evaluation.inputs, replace(settings.train, loss=loss))
        for loss in settings.losses
    ]
    with watch.stage("select"):
        cost = selection_cost(evaluation, manifest, problems[0], settings, progress)
        baselines = drawn_baselines(evaluation, settings)
        picks = nearest_picks(evaluation)
    comparisons: list[Comparison] = []
    with watch.stage("compare"):
        for problem in problems:
            subsets = {**baselines, **drawn_for(evaluation, problem, settings)}
            for l2 in settings.l2:
                progress("evaluate", len(comparisons), len(problems) * len(settings.l2))
                comparisons.append(
                    compare_one(
                        evaluation, problem, replace(settings, l2=(l2,)), subsets, picks, cost
                    )
                )
    return EvaluateReport(
        source="the coreset",
        rows=evaluation.dataset.n_rows,
        columns=evaluation.dataset.n_columns,
        skipped_rows=evaluation.dataset.skipped_rows,
        skipped=evaluation.dataset.skipped.reasons,
        picks=len(evaluation.index),
        is_regression=problems[0].classes is None,
        epsilon_mean=None if manifest is None else manifest.coreset.epsilon_mean,
        selection=cost,
        solver=resolved(settings.train)[0].solver,
        comparisons=tuple(comparisons),
        thresholds=settings.thresholds,
        seconds=watch.seconds,
        peak_memory_bytes=peak_memory_bytes(),
        notes=(*notes_of(evaluation, picks), *not_shown(problems, settings)),
    )


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
        check_plotting("--plot")
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
    inputs = InputSettings(files.paths, task_given="task" in overrides, **overrides)
    if manifest is not None:
        recorded = manifest.request.get("input", {})
        inputs = restore_inputs(str(files.coreset), recorded, files.paths, overrides)
    dataset = read_dataset(inputs, progress)
    test = None
    if files.test is not None:
        own = replace(inputs, paths=(files.test,), amounts_needed=False)
        test = read_dataset(own, progress, dataset.encoding)
    return evaluation_of(files, manifest, dataset, inputs, test, settings.train.threads)


def evaluation_of(
    files: EvaluateFiles,
    manifest: Manifest | None,
    dataset: Dataset,
    inputs: InputSettings,
    test: Dataset | None,
    threads: int,
) -> Evaluation:
    """Return what is compared, of data that has been read; raises `InputError` unless the coreset
    belongs to it.
    """
    inputs = replace(inputs, index_base=dataset.index_base)
    index, weights = chosen_rows(files, manifest, dataset, fingerprint_for(manifest, dataset))
    assert index is not None and weights is not None
    index, weights = each_once(index, weights)
    selection = SelectionSettings(Budget(size=len(index)), threads=threads, task=inputs.task)
    calibration = CalibrationSettings(threads=threads)
    if manifest is not None:
        source, request = str(files.coreset), manifest.request
        _, selection = restore_settings(source, request, files.paths, {}, threads)
        calibration = restore_calibration(source, request, threads)
    notes = () if test is None else check_test(dataset, test, inputs.task)
    return Evaluation(dataset, inputs, selection, calibration, index, weights, test, notes)


def check_test(dataset: Dataset, test: Dataset, task: str) -> tuple[str, ...]:
    """Return notes on test rows whose labels the data does not have; raises `InputError` where
    there is nothing to score by.
    """
    if dataset.labels is None:
        return ()
    if test.labels is None or (task == "regression" and test.labels.dtype == object):
        raise InputError(
            test.files[0],
            "its labels are not of the kind of the data's",
            remedy="Give test rows labelled as the data is.",
        )
    classes: Any = None if task == "regression" else np.unique(dataset.labels)
    return check_known(test, classes, "Give test rows labelled as the data is.")


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
    train = replace(settings.train, loss=problem.loss.name, l2=settings.l2[0])
    reference = make_reference(problem, train, settings.w_norm, test_error(evaluation, problem))
    shown = {name: subsets for name, subsets in baselines.items() if is_asked(name, settings)}
    own = [Subset(evaluation.index, evaluation.weights, train.seed, cost.seconds)]
    others = (
        newton_results(reference, baselines["random"])
        if is_asked("newton", settings) and unfit("newton", problem) is None
        else ()
    )
    bound = (
        None
        if picks is None
        else gradient_bound(problem, evaluation.index, evaluation.weights, picks, reference.w_norm)
    )
    subsets = {CORESET: own, **shown}
    return compare(reference, subsets, bound, settings.residual, cost.seconds, others)


def test_error(evaluation: Evaluation, problem: Problem) -> TestError | None:
    """Return the function that gives a model's error on the test rows; None without any."""
    test = evaluation.test
    if test is None:
        return None
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
    notes = [*evaluation.dataset.notes, *evaluation.test_notes]
    if evaluation.test is not None:
        notes += [f"Test rows: {note}" for note in evaluation.test.notes]
    if evaluation.test is not None and evaluation.test.skipped_rows:
        test = evaluation.test
        told = skipped_in_words(test.n_rows, test.skipped.reasons)
        notes.append(f"Of the test rows {told}.")
    if picks is None:
        notes.append("A class has no row in the coreset: its model cannot tell that class.")
    if evaluation.selection.metric != "euclidean" or evaluation.selection.scale != "none":
        notes.append(
            "Epsilon is in units of the scaled rows; the bound is computed from the rows "
            "as they are."
        )
    return tuple(notes)
