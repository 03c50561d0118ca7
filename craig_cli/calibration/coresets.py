"""The door to a coreset; calibration of a whole coreset, and the scores of importance sampling."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.calibration.pilots import fit_path, sample_rows
from craig_cli.calibration.rounds import calibrate, is_too_wide
from craig_cli.dataset import Dataset, Progress, Rows, no_progress
from craig_cli.errors import UsageError
from craig_cli.selection import Coreset, check_coreset
from craig_cli.selection.classes import classes_of
from craig_cli.selection.outofcore import select_from_disk
from craig_cli.selection.proxy import select_by
from craig_cli.settings import SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.storage.spill import Spill, SpillArray
from craig_cli.training import Problem, make_problem
from craig_cli.training.problem import Array

TOO_WIDE = (
    "The weights are not calibrated: {coordinates:,} coordinates of a gradient are too many for "
    "{picks:,} picks to give much."
)
NOT_IN_MEMORY = (
    "The weights were not calibrated, which takes the rows in memory: they are those of the method."
)

Stage: TypeAlias = Callable[[str], AbstractContextManager[None]]
"""Times what is done within it, under a name."""


def untimed(name: str) -> AbstractContextManager[None]:
    """Return a stage that nobody times."""
    return nullcontext()


def make_coreset(
    dataset: Dataset,
    settings: SelectionSettings,
    calibration: CalibrationSettings | None = None,
    *,
    proxy: Rows | None = None,
    on_disk: tuple[SpillArray, Spill] | None = None,
    progress: Progress = no_progress,
    stage: Stage = untimed,
) -> Coreset:
    """Return a coreset, made from first to last: scores, selection, calibration, check.

    The one door to a coreset of rows in one place, for the command and for Python alike.

    Parameters
    ----------
    dataset : Dataset
    settings : SelectionSettings
    calibration : CalibrationSettings, optional
        Default: the weights of the method.
    proxy : Rows, optional
        What distances are taken among in place of the rows, one for each.
    on_disk : (SpillArray, Spill), optional
        The rows where memory does not hold them, and the space they are in.
    progress : Progress
    stage : callable, optional
        ``with stage(name)`` is put round the stages "select" and "calibrate".

    Raises
    ------
    UsageError
        The settings do not fit the data.
    InputError
        There are no rows, or all those of a class have zero weight.
    ContractError
        The coreset breaks a promise, which would be a defect.

    Notes
    -----
    Time and memory: those of the method (`selection.costs`, `selection.memory`) and of calibration
    (`calibration.costs`).
    """
    calibration = calibration or CalibrationSettings(seed=settings.seed)
    with stage("select"):
        if on_disk is not None:
            rows, spill = on_disk
            coreset = select_from_disk(dataset, rows, settings, spill, progress)
        else:
            scores = None
            if settings.method == "importance" and proxy is None:
                scores = importance_scores(dataset, settings.task, calibration)
            coreset = select_by(dataset, proxy, settings, progress, scores)
    if calibration.weights != "cluster":
        if on_disk is not None:
            coreset = replace(coreset, notes=(*coreset.notes, NOT_IN_MEMORY))
        else:
            with stage("calibrate"):
                coreset = calibrated_coreset(dataset, coreset, calibration, progress)
    if dataset.notes:
        coreset = replace(coreset, notes=(*dataset.notes, *coreset.notes))
    check_coreset(coreset)
    return coreset


def calibrated_coreset(
    dataset: Dataset,
    coreset: Coreset,
    settings: CalibrationSettings,
    progress: Progress = no_progress,
) -> Coreset:
    """Return a coreset with the weights that the settings ask for, where calibration helps.

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
    coordinates, picks = problem.n_outputs * (problem.n_columns + 1), len(coreset.index)
    if is_too_wide(coordinates, picks, settings):
        note = TOO_WIDE.format(coordinates=coordinates, picks=picks)
        return replace(coreset, notes=(*coreset.notes, note))
    groups = class_numbers(dataset, coreset.task)
    done = calibrate(problem, groups, coreset.index, coreset.weight, settings, progress)
    facts = {**done.summary.facts(), "base_weights": coreset.weights}
    if not done.summary.kept:
        return replace(coreset, calibration=facts)
    base = coreset.weight
    return replace(
        coreset, weight=done.weight, weights="calibrated", base_weight=base, calibration=facts
    )


def kind_before(coreset: Coreset) -> str:
    """Return what the weights were before they were calibrated."""
    return str((coreset.calibration or {}).get("base_weights", "cluster"))


def importance_scores(dataset: Dataset, task: str, settings: CalibrationSettings) -> Array:
    """Return the length of each row's gradient (n,) at a pilot model (OSMAC).

    The pilot is the loss fitted on some random rows at the first strength. Two passes.
    """
    problem = pilot_problem(dataset, task, settings, "--method importance")
    groups = class_numbers(dataset, task)
    rng = np.random.default_rng([settings.seed, len(groups)])
    some = sample_rows(groups, settings.pilot_rows, rng, problem.weights)
    first = replace(settings, pilot_l2=settings.pilot_l2[:1])
    pilot = fit_path(problem.subset(*some), first)[0]
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
