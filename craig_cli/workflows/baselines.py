"""The subsets that an evaluated coreset must beat, and what it took to select it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.calibration import make_coreset
from craig_cli.dataset import Dataset, Progress
from craig_cli.evaluation import Subset, sgd_epoch_seconds, warm_up
from craig_cli.evaluation.timing import timed
from craig_cli.files.manifest import Manifest
from craig_cli.reports.evaluate import SelectionCost
from craig_cli.settings import Budget, InputSettings, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.evaluation import EvaluateSettings
from craig_cli.training import Problem
from craig_cli.training.problem import Array

WARM_ROWS = 2000


@dataclass(frozen=True)
class Evaluation:
    """What all comparisons of a run share.

    Parameters
    ----------
    dataset : Dataset
    inputs : InputSettings
    selection : SelectionSettings
        Those of the manifest: what the baselines are drawn by, and rows assigned to picks.
    calibration : CalibrationSettings
        Those of the manifest.
    index, weights : ndarray, shape (k,)
        The coreset, each row once.
    test : Dataset or None
    test_notes : tuple of str
        On its labels.
    """

    dataset: Dataset
    inputs: InputSettings
    selection: SelectionSettings
    calibration: CalibrationSettings
    index: NDArray[np.int64]
    weights: Array
    test: Dataset | None
    test_notes: tuple[str, ...] = ()


def selection_cost(
    evaluation: Evaluation,
    manifest: Manifest | None,
    problem: Problem,
    settings: EvaluateSettings,
    progress: Progress,
) -> SelectionCost:
    """Return what the selection took, given or measured now, beside an epoch of SGD.

    The recorded request is made again: scores and calibration, where it asks for them, are part of
    it and of its time.
    """
    warm_up(problem, settings.train)
    epoch = sgd_epoch_seconds(problem)
    if settings.selection_seconds is not None:
        return SelectionCost(settings.selection_seconds, "given", epoch)
    if manifest is None or "proxy" in manifest.request:  # the rows it was selected by are not here
        return SelectionCost(None, "unknown", epoch)
    selection, calibration = evaluation.selection, evaluation.calibration
    warm = replace(
        without_constraints(selection), method=manifest.coreset.method, sample_rows=0, budget=ALL
    )
    make_coreset(some_rows(evaluation.dataset), warm, calibration)
    _, seconds = timed(
        lambda: make_coreset(evaluation.dataset, selection, calibration, progress=progress)
    )
    return SelectionCost(seconds, "measured", epoch)


ALL = Budget(fraction=1.0)


def without_constraints(selection: SelectionSettings) -> SelectionSettings:
    """Return settings by which all rows may be picked, and none must."""
    return replace(selection, include=(), exclude=(), extend=())


def some_rows(dataset: Dataset) -> Dataset:
    """Return a few rows, evenly taken, for kernels to be loaded by."""
    index = np.linspace(0, dataset.n_rows - 1, min(WARM_ROWS, dataset.n_rows)).astype(np.int64)
    weights = None
    if dataset.weights is not None:  # any that differ: there are kernels for such
        weights = 1.0 + np.arange(len(index), dtype=np.float64) % 2
    labels = None if dataset.labels is None else dataset.labels[index]
    return Dataset(dataset.rows.take(index, axis=0), labels, weights=weights)


def drawn_baselines(evaluation: Evaluation, settings: EvaluateSettings) -> dict[str, list[Subset]]:
    """Return random and stratified rows, as many as the coreset has, for each seed."""
    methods = ("random", "stratified")
    return {method: drawn_by(evaluation, method, settings) for method in methods}


def drawn_by_importance(
    evaluation: Evaluation, loss: str, settings: EvaluateSettings
) -> list[Subset]:
    """Return the rows of ``--method importance`` with pilots of a loss, for each seed."""
    return drawn_by(evaluation, "importance", settings, loss)


def drawn_by(
    evaluation: Evaluation, method: str, settings: EvaluateSettings, loss: str | None = None
) -> list[Subset]:
    """Return as many rows as the coreset has by a method that draws them, for each seed.

    Each is made through the door that all coresets come by; its pilot is part of what it takes.
    """
    like = replace(
        without_constraints(evaluation.selection),
        budget=Budget(size=len(evaluation.index)),
        method=method,
        sample_rows=0,
        refine=False,
        representative="medoid",
        memory_limit=0,
    )
    make_coreset(some_rows(evaluation.dataset), replace(like, budget=ALL), pilots(loss, like))
    subsets = []
    for seed in range(settings.train.seed, settings.train.seed + settings.seeds):
        own = replace(like, seed=seed)
        subsets.append(drawn(evaluation.dataset, own, pilots(loss, own)))
    return subsets


def pilots(loss: str | None, selection: SelectionSettings) -> CalibrationSettings:
    """Return the settings of the pilot model that rows are scored by."""
    return CalibrationSettings(loss=loss, seed=selection.seed, threads=selection.threads)


def drawn(
    dataset: Dataset, selection: SelectionSettings, calibration: CalibrationSettings
) -> Subset:
    """Return the rows that settings select, and what that took."""
    coreset, seconds = timed(lambda: make_coreset(dataset, selection, calibration))
    index = dataset.skipped.positions_of(coreset.index)
    return Subset(index, coreset.weight, selection.seed, seconds)
