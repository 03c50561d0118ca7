"""``craig train --search``: candidates compared by folds, each fitted on coresets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.calibration import make_coreset
from craig_cli.dataset import Dataset, Progress
from craig_cli.errors import UsageError
from craig_cli.selection import Coreset
from craig_cli.settings import Budget, InputSettings, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.purpose import Purpose
from craig_cli.settings.search import SearchSettings
from craig_cli.settings.training import TrainSettings
from craig_cli.training import Problem
from craig_cli.workflows.fitting import fit_path, whole_problem

CLASSES = "classification"


@dataclass(frozen=True)
class Candidate:
    """What a loss and a strength of the regulariser came to, on average over the folds.

    Parameters
    ----------
    loss : str
    l2 : float
    fold_loss, fold_error : float
        Of the rows that were left out: the loss, and the share of wrong classes or the root mean
        squared error.
    spread : float
        Standard deviation of the error over the folds.
    """

    loss: str
    l2: float
    fold_loss: float
    fold_error: float
    spread: float


def search(
    dataset: Dataset,
    inputs: InputSettings,
    settings: TrainSettings,
    l2: Sequence[float],
    how: SearchSettings,
    progress: Progress,
) -> list[Candidate]:
    """Return all candidates, the best first: by their loss on rows left out; of several losses,
    which are not alike, by their error.

    Cost: for each fold a selection, and for each candidate a fit on the coreset and one pass over
    the rows left out.
    """
    losses = how.losses or (settings.loss,)
    problems = [whole_problem(dataset, inputs, replace(settings, loss=loss)) for loss in losses]
    folds = folds_of(problems[0], how)
    found: dict[tuple[str, float], list[tuple[float, float]]] = {}
    for number in range(how.folds):
        progress("search", number, how.folds)
        train, test = np.flatnonzero(folds != number), np.flatnonzero(folds == number)
        coreset = coreset_of(dataset, train, inputs.task, settings, how)
        for problem in problems:
            part = problem.subset(train[coreset.index], coreset.weight)
            left_out = problem.subset(test)
            own = replace(settings, loss=problem.loss.name)
            for strength, fit in zip(l2, fit_path(part, own, tuple(l2), None), strict=True):
                model = fit.coef, fit.intercept
                outcome = left_out.objective(*model, 0.0), left_out.errors(*model)
                found.setdefault((problem.loss.name, strength), []).append(outcome)
    candidates = [
        Candidate(
            loss=loss,
            l2=strength,
            fold_loss=float(np.mean([lost for lost, _ in outcomes])),
            fold_error=float(np.mean([error for _, error in outcomes])),
            spread=float(np.std([error for _, error in outcomes])),
        )
        for (loss, strength), outcomes in found.items()
    ]
    by = "fold_loss" if len(losses) == 1 else "fold_error"
    return sorted(candidates, key=lambda candidate: float(getattr(candidate, by)))


def folds_of(problem: Problem, how: SearchSettings) -> NDArray[np.int64]:
    """Return the fold of each row (n,): at random, of each class as many in each."""
    if how.folds > problem.n_rows:
        raise UsageError(f"--folds: there are {problem.n_rows} rows only, for {how.folds} folds.")
    rng = np.random.default_rng(how.seed)
    order = rng.permutation(problem.n_rows)
    if problem.classes is not None:
        order = order[np.argsort(problem.class_numbers()[order], kind="stable")]
        few = int(np.bincount(problem.class_numbers()).min())
        if few < 2:
            raise UsageError(
                "--search: a class has one row only, which cannot be fitted and left out."
            )
    folds = np.empty(problem.n_rows, np.int64)
    folds[order] = np.arange(problem.n_rows) % how.folds
    return folds


def coreset_of(
    dataset: Dataset,
    train: NDArray[np.int64],
    task: str,
    settings: TrainSettings,
    how: SearchSettings,
) -> Coreset:
    """Return a coreset of some rows, which it counts from 0."""
    assert dataset.labels is not None
    labels = dataset.labels[train]
    own = Dataset(
        dataset.rows.take(train, axis=0),
        labels,
        weights=None if dataset.weights is None else dataset.weights[train],
    )
    n_classes = len(np.unique(labels)) if task == CLASSES else 1
    budget = Budget(size=fitted_rows(len(train), n_classes, how))
    method = SelectionSettings.method
    representative, weights = Purpose().choices(method, budget.is_open, True, False)
    selection = SelectionSettings(
        budget, representative=representative, task=task, seed=how.seed, threads=settings.threads
    )
    calibration = CalibrationSettings(weights, seed=how.seed, threads=settings.threads)
    return make_coreset(own, selection, calibration)


def fitted_rows(n_rows: int, n_classes: int, how: SearchSettings) -> int:
    """Return how many of the rows of all folds but one each candidate is fitted on."""
    return max(n_classes, round(how.search_fraction * n_rows))


def search_notes(problem: Problem, how: SearchSettings) -> tuple[str, ...]:
    """Return what the user should know of a search besides."""
    n_classes = 1 if problem.classes is None else len(problem.classes)
    n_rows = fitted_rows(problem.n_rows * (how.folds - 1) // how.folds, n_classes, how)
    if n_rows > problem.n_columns:
        return ()
    return (
        f"Each candidate was fitted on about {n_rows:,} rows, no more than there are columns: the "
        "best of all rows may be another. --search-fraction takes more of them.",
    )


def search_facts(candidates: Sequence[Candidate], how: SearchSettings) -> Mapping[str, Any]:
    """Return what is told of a search, in JSON types."""
    settings = {"folds": how.folds, "fraction": how.search_fraction}
    return {**settings, "candidates": [asdict(candidate) for candidate in candidates]}
