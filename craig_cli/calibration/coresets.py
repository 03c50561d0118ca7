"""Calibration of a whole coreset, and the scores of importance sampling: from a data set, with the
classes that selection made.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.calibration.pilots import fit_path, sample_rows
from craig_cli.calibration.rounds import calibrate, is_too_wide
from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.errors import UsageError
from craig_cli.selection import Coreset
from craig_cli.selection.classes import classes_of
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.training import Problem, make_problem
from craig_cli.training.problem import Array

TOO_WIDE = (
    "The weights are not calibrated: {coordinates:,} coordinates of a gradient are too "
    "many "
    "for {picks:,} picks to give much."
)


def calibrated_coreset(
    dataset: Dataset,
    coreset: Coreset,
    settings: CalibrationSettings,
    progress: Progress = no_progress,
) -> Coreset:
    """Return a coreset with the weights that the settings ask for; those it has stand where
    calibration does not help.

    Parameters
    ----------
    dataset : Dataset
    coreset : Coreset
        Made of it; calibrated weights give way to those they were made of.
    settings : CalibrationSettings
        Under weights ``auto`` data that no pilot can be fitted to, or whose gradients have too many
        coordinates, is noted, not refused.
    progress : Progress

    Raises
    ------
    UsageError
        The data has no labels, or the loss does not fit them.
    """
    if coreset.base_weight is not None:
        coreset = replace(
            coreset,
            weight=coreset.base_weight,
            base_weight=None,
            weights=kind_before(coreset),
            calibration=None,
        )
    if settings.weights == "cluster":
        return coreset
    try:
        problem = pilot_problem(dataset, coreset.task, settings, "--weights calibrated")
    except UsageError as error:
        if settings.weights == "calibrated":
            raise
        return replace(coreset, notes=(*coreset.notes, f"The weights are not calibrated: {error}"))
    coordinates = problem.n_outputs * (problem.n_columns + 1)
    if is_too_wide(coordinates, len(coreset.index), settings):
        return replace(
            coreset,
            notes=(
                *coreset.notes,
                TOO_WIDE.format(coordinates=coordinates, picks=len(coreset.index)),
            ),
        )
    done = calibrate(
        problem,
        class_numbers(dataset, coreset.task),
        coreset.index,
        coreset.weight,
        settings,
        progress,
    )
    facts = {**done.summary.facts(), "base_weights": coreset.weights}
    if not done.summary.kept:
        return replace(coreset, calibration=facts)
    return replace(
        coreset,
        weight=done.weight,
        weights="calibrated",
        base_weight=coreset.weight,
        calibration=facts,
    )


def kind_before(coreset: Coreset) -> str:
    """Return what the weights were before they were calibrated."""
    return str((coreset.calibration or {}).get("base_weights", "cluster"))


def importance_scores(dataset: Dataset, task: str, settings: CalibrationSettings) -> Array:
    """Return the length of each row's gradient (n,) at a pilot: the loss fitted on some random rows
    at the first strength (OSMAC). Two passes.
    """
    problem = pilot_problem(dataset, task, settings, "--method importance")
    groups = class_numbers(dataset, task)
    index, weights = sample_rows(
        groups,
        settings.pilot_rows,
        np.random.default_rng([settings.seed, len(groups)]),
        problem.weights,
    )
    pilot = fit_path(
        problem.subset(index, weights), replace(settings, pilot_l2=settings.pilot_l2[:1])
    )[0]
    _, slopes = problem.full_pass(pilot, 0.0, np.empty_like(pilot))
    lengths, _ = problem.squares()
    return np.asarray(np.sqrt(np.einsum("jm,jm->j", slopes, slopes) * (lengths + problem.constant)))


def pilot_problem(
    dataset: Dataset, task: str, settings: CalibrationSettings, option: str
) -> Problem:
    """Return the problem of all rows; raises `UsageError`, naming `option`, where there is none."""
    if dataset.labels is None:
        raise UsageError(
            f"{option}: a pilot needs labels, and there are none. Leave it out, or "
            f"name their column with --label."
        )
    return make_problem(
        dataset.rows,
        dataset.labels,
        settings.loss,
        dataset.weights,
        intercept=settings.intercept,
        regression=task == "regression",
        threads=settings.n_threads,
    )


def class_numbers(dataset: Dataset, task: str) -> NDArray[np.int64]:
    """Return the number of each row's class, as selection counts them; all 0 for one group."""
    numbers = np.zeros(dataset.n_rows, np.int64)
    for number, members in enumerate(classes_of(dataset, task)):
        numbers[members.index] = number
    return numbers
