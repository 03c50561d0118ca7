"""The subsets that an evaluated coreset must beat, and what it took to select it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from craig_cli.calibration import make_coreset
from craig_cli.dataset import Dataset, Progress
from craig_cli.evaluation import Subset, sgd_epoch_seconds, warm_up
from craig_cli.evaluation.rivals import MOST_COLUMNS, RIVALS, drawn_by_scores, unfit
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


def is_asked(name: str, settings: EvaluateSettings) -> bool:
    """Return whether a baseline is to be shown, where it applies."""
    return settings.baselines is None or name in settings.baselines


def not_shown(problems: Sequence[Problem], settings: EvaluateSettings) -> tuple[str, ...]:
    """Return notes on baselines that do not apply: those asked for by name, and those that columns
    are too many for.
    """
    notes = []
    for problem in problems:
        for name in (*RIVALS, "newton"):
            reason = unfit(name, problem)
            if reason is None or not is_asked(name, settings):
                continue
            if settings.baselines is not None or problem.n_columns > MOST_COLUMNS:
                notes.append(f"Baseline {name} is not shown for {problem.loss.name}: {reason}.")
    return tuple(notes)


def drawn_baselines(evaluation: Evaluation, settings: EvaluateSettings) -> dict[str, list[Subset]]:
    """Return random and stratified rows, as many as the coreset has, for each seed.

    Random rows are where Newton's steps start, too.
    """
    is_needed = {
        "random": is_asked("random", settings) or is_asked("newton", settings),
        "stratified": is_asked("stratified", settings),
    }
    return {
        method: drawn_by(evaluation, method, settings)
        for method, is_in in is_needed.items()
        if is_in
    }


def drawn_for(
    evaluation: Evaluation, problem: Problem, settings: EvaluateSettings
) -> dict[str, list[Subset]]:
    """Return as many rows as the coreset has, drawn by what a loss makes of them, for each seed.

    Those of ``--method importance`` with pilots of the loss, and those of the rivals that apply.
    """
    subsets = {}
    if is_asked("importance", settings):
        subsets["importance"] = drawn_by(evaluation, "importance", settings, problem.loss.name)
    for name in RIVALS:
        if is_asked(name, settings) and unfit(name, problem) is None:
            subsets[name] = drawn_by_rival(name, problem, len(evaluation.index), settings)
    return subsets


def drawn_by_rival(
    name: str, problem: Problem, size: int, settings: EvaluateSettings
) -> list[Subset]:
    """Return rows drawn as a rival of `RIVALS` draws them, for each seed; scores are part of what
    it takes.
    """
    rival, subsets = RIVALS[name], []
    scores, scored = timed(lambda: rival.scores(problem, settings.train.seed))
    for seed in range(settings.train.seed, settings.train.seed + settings.seeds):
        if rival.is_seeded:
            scores, scored = timed(partial(rival.scores, problem, seed))
        draw = partial(rows_by_scores, scores, problem.weights, size, seed)
        (rows, weights), seconds = timed(draw)
        subsets.append(Subset(rows, weights, seed, scored + seconds))
    return subsets


def rows_by_scores(
    scores: Array, weights: Array, size: int, seed: int
) -> tuple[NDArray[np.int64], Array]:
    """Return `drawn_by_scores` with a generator made of a seed."""
    return drawn_by_scores(scores, weights, size, np.random.default_rng(seed))


def drawn_by(
    evaluation: Evaluation, method: str, settings: EvaluateSettings, loss: str | None = None
) -> list[Subset]:
    """Return as many rows as the coreset has by a method that draws them, for each seed.

    Each is made through the door that all coresets come by; its pilot is part of what it takes.
    Class ratios are kept, as ``craig select`` does for these methods.
    """
    like = replace(
        without_constraints(evaluation.selection),
        budget=Budget(size=len(evaluation.index)),
        method=method,
        sample_rows=0,
        refine=False,
        representative="medoid",
        allocation="proportional",
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
