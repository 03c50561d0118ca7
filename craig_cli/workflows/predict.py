"""``craig predict``: read, score, write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from craig_cli.dataset import Dataset, Labels, Progress, Rows, SparseRows, no_progress
from craig_cli.errors import InputError, UsageError
from craig_cli.files.encoding import restore_encoding
from craig_cli.files.model import assemble, read_arrays
from craig_cli.files.network import NetworkModel, assemble_network
from craig_cli.files.predictions import is_predictions, write_predictions
from craig_cli.files.request import restore_inputs
from craig_cli.platform import peak_memory_bytes
from craig_cli.readers import read_dataset
from craig_cli.reports.predict import PredictReport
from craig_cli.settings import InputSettings, usable_threads
from craig_cli.storage.atomic import check_not_input, check_output, open_output
from craig_cli.threads import Workers
from craig_cli.training.losses import LOSSES
from craig_cli.training.network import NO_CLASS, network_rows
from craig_cli.training.problem import Array, Problem, best_class
from craig_cli.workflows.known_labels import check_known, comparable
from craig_cli.workflows.stopwatch import Stopwatch


def predict_to_file(
    paths: tuple[str, ...],
    model_path: str,
    output: str,
    *,
    l2: float | None = None,
    force: bool = False,
    overrides: Mapping[str, Any],
    threads: int = 0,
    progress: Progress = no_progress,
) -> PredictReport:
    """Write the predictions of a model for each row of the data to `output`, and return what was
    done.

    Parameters
    ----------
    paths : tuple of str
        The data, read with the options that the model records.
    model_path : str
    output : str
        ``-`` stands for stdout.
    l2 : float, optional
        Which model to use, where the file holds several.
    force : bool
        Replace an existing file that holds no predictions.
    overrides : mapping
        Reading options to use instead, by their name in `InputSettings`.
    threads : int
        0: the CPUs this process may use.
    progress : Progress
    """
    check_output(output, [*paths, model_path], is_predictions, force, "file of predictions")
    watch = Stopwatch()
    predictor = read_predictor(model_path, l2)
    with watch.stage("read"):
        dataset = read_dataset(
            inputs_of(model_path, predictor.facts, paths, overrides),
            progress,
            restore_encoding(model_path, predictor.facts),
        )
    check_not_input(output, dataset.files)
    notes = check_known(dataset, predictor.classes, way_out(dataset))
    rows = with_columns(dataset, tuple(predictor.facts["columns"]), predictor.n_columns)
    with watch.stage("predict"):
        predicted, certainty = predictor.predict(rows, threads or usable_threads())
    with watch.stage("write"), open_output(output) as out:
        index = dataset.skipped.numbers_of(np.arange(dataset.n_rows))
        write_predictions(out, index, predicted, certainty)
    return PredictReport(
        output=output,
        rows=dataset.n_rows,
        columns=dataset.n_columns,
        skipped_rows=dataset.skipped_rows,
        skipped=dataset.skipped.reasons,
        loss=predictor.loss,
        l2=predictor.l2,
        is_regression=predictor.is_regression,
        error=error_of(predicted, dataset.labels, predictor.is_regression),
        seconds=watch.seconds,
        peak_memory_bytes=peak_memory_bytes(),
        notes=(*dataset.notes, *notes, *columns_note(dataset.n_columns, predictor.n_columns)),
    )


Predicted: TypeAlias = tuple[Labels, tuple[str, Array] | None]
"""Labels or numbers, and for classes how certain they are: what that is called, and one a row."""


@dataclass(frozen=True)
class Predictor:
    """A model of a file, ready to predict.

    Parameters
    ----------
    facts : mapping
        How its data was read, and the names of its columns.
    n_columns : int
    loss : str
    l2 : float
    classes : Labels or None
        None where a number is predicted.
    predict : callable
        ``predict(rows, n_threads)`` returns predictions for rows of its columns.
    """

    facts: Mapping[str, Any]
    n_columns: int
    loss: str
    l2: float
    classes: Labels | None
    predict: Callable[[Rows, int], Predicted]

    @property
    def is_regression(self) -> bool:
        return self.classes is None


def read_predictor(path: str, l2: float | None) -> Predictor:
    """Return the model of a file; `l2` says which, where it holds several."""
    source, arrays = read_arrays(path)
    if "first" in arrays:
        return network_predictor(assemble_network(source, arrays), path, l2)
    model = assemble(source, arrays)
    chosen, loss = choose(model.l2, path, l2), LOSSES[str(model.facts["loss"])]

    def predictions(rows: Rows, n_threads: int) -> Predicted:
        n = int(rows.shape[0])
        problem = Problem(rows, np.zeros(n), np.ones(n), loss, True, model.classes, n_threads)
        scores = problem.scores(model.coef[chosen], model.intercept[chosen])
        if not np.isfinite(scores).all():
            row = int(np.isfinite(scores).all(axis=1).argmin())
            raise InputError(
                "<rows>",
                f"the score of row {row}, from 0, is beyond the largest number (1.8e308)",
                remedy="Correct the row, or leave it out.",
            )
        return predict(problem, scores)

    strength, n_columns = float(model.l2[chosen]), model.coef.shape[2]
    return Predictor(model.facts, n_columns, loss.name, strength, model.classes, predictions)


def network_predictor(model: NetworkModel, path: str, l2: float | None) -> Predictor:
    """Return a network as a predictor; raises `UsageError` if it is not of the strength asked."""
    strength = float(model.facts["settings"].get("l2", 0.0))
    choose(np.array([strength]), path, l2)

    def predictions(rows: Rows, n_threads: int) -> Predicted:
        dense = network_rows(rows)
        with Workers(n_threads) as workers:
            outputs = model.network.outputs(dense, np.full(len(dense), NO_CLASS), workers)
        best = outputs.residuals.argmax(axis=1)
        certainty = outputs.residuals[np.arange(len(best)), best].astype(np.float64)
        return model.classes[best], ("probability", certainty)

    n_columns = len(model.network.first)
    return Predictor(model.facts, n_columns, "network", strength, model.classes, predictions)


def inputs_of(
    path: str, facts: Mapping[str, Any], paths: tuple[str, ...], overrides: Mapping[str, Any]
) -> InputSettings:
    """Return how the data is read; columns of weights and costs that the model was trained beside
    are passed over, and may be missing.
    """
    inputs = restore_inputs(path, facts["input"], paths, overrides)
    return replace(inputs, amounts_needed=False, strict=tuple(overrides))


def choose(there_are: Array, path: str, l2: float | None) -> int:
    """Return the position of the model to use."""
    there = ", ".join(f"{value:g}" for value in there_are)
    if l2 is None:
        if len(there_are) > 1:
            raise UsageError(
                f"--l2: '{path}' holds {len(there_are)} models, for {there}. Name one."
            )
        return 0
    found = np.flatnonzero(there_are == l2)
    if not len(found):
        raise UsageError(
            f"--l2: '{path}' holds no model for {l2:g}; there "
            f"{'is' if len(there_are) == 1 else 'are'} {there}."
        )
    return int(found[0])


def with_columns(dataset: Dataset, names: tuple[str, ...], d: int) -> Rows:
    """Return the rows with the `d` columns of a model; sparse ones may lack some, and those it has
    never seen count for nothing.
    """
    rows = dataset.rows
    if names and dataset.column_names and names != dataset.column_names:
        odd = next(
            (a for a, b in zip(dataset.column_names, names, strict=False) if a != b),
            "one column more or less",
        )
        remedy = "Give data with the same columns in the same order, or --drop those that differ."
        raise InputError(
            dataset.files[0],
            f"its columns differ from those of the model (the first difference: {odd})",
            remedy=remedy,
        )
    if rows.shape[1] == d:
        return rows
    if not isinstance(rows, SparseRows):
        raise InputError(
            dataset.files[0],
            f"it has {rows.shape[1]} columns, the model {d}",
            remedy="Give data with the same columns.",
        )
    known = rows.indices < d
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(known)])
    return SparseRows(ends[rows.indptr], rows.indices[known], rows.values[known], d)


def predict(problem: Problem, scores: Array) -> Predicted:
    """Return the prediction of each row, and for classes how certain it is: the probability of the
    class, or the score where there is none.
    """
    if problem.classes is None:
        return scores[:, 0], None
    best = best_class(scores)
    predicted: Labels = problem.classes[best]
    if problem.loss.probabilities is not None:
        chances = problem.loss.probabilities(scores)
        return predicted, ("probability", chances[np.arange(len(best)), best])
    return predicted, ("score", scores.max(axis=1))


def error_of(predicted: Labels, labels: Labels | None, is_regression: bool) -> float | None:
    """Return the share of wrong classes, or the root of the mean squared error; None if there are
    no labels of that kind to compare with.
    """
    if labels is None or (is_regression and labels.dtype == object):
        return None
    if is_regression:
        return float(np.sqrt(np.mean((predicted - labels) ** 2)))
    ours, theirs = comparable(predicted, labels)
    return float(np.mean(ours != theirs))


def way_out(dataset: Dataset) -> str:
    """Return what to do with rows whose labels say nothing of a model."""
    column = " and --drop COLUMN for their column" if dataset.column_names else ""
    return (
        "Give rows labelled as the model's were, or predict without the labels: --no-label"
        f"{column}."
    )


def columns_note(found: int, wanted: int) -> tuple[str, ...]:
    """Return what to say of columns that the model has never seen."""
    return (
        (f"Columns {wanted + 1} to {found} are none of the model's: they count for nothing.",)
        if found > wanted
        else ()
    )
