"""The problem that pilots are fitted to, and the scores of importance sampling, which are taken at
one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from craig_cli.calibration.pilots import fit_pilot, sample_rows
from craig_cli.dataset import Dataset
from craig_cli.errors import UsageError
from craig_cli.selection.classes import classes_of
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.training import Problem, make_problem
from craig_cli.training.problem import Array

PILOT_L2 = 1e-5
"""Of the pilot that importance scores are taken at."""


def importance_scores(dataset: Dataset, task: str, settings: CalibrationSettings) -> Array:
    """Return the length of each row's gradient (n,) at a pilot model (OSMAC).

    The pilot is the loss fitted on some random rows at `PILOT_L2`. Two passes.
    """
    problem = pilot_problem(dataset, task, settings, "--method importance")
    groups = class_numbers(dataset, task)
    rng = np.random.default_rng([settings.seed, len(groups)])
    some = sample_rows(groups, settings.pilot_rows, rng, problem.weights)
    start = np.zeros((problem.n_outputs, problem.n_columns + 1))
    pilot = fit_pilot(problem.subset(*some), PILOT_L2, start)
    _, slopes = problem.full_pass(pilot, 0.0, np.empty_like(pilot))
    lengths, _ = problem.squares()
    steepness, lengths = np.einsum("jm,jm->j", slopes, slopes), lengths + problem.constant
    with np.errstate(over="ignore"):
        squares = steepness * lengths
    usual = np.isfinite(squares) & (squares > 0)
    return np.asarray(np.where(usual, np.sqrt(squares), np.sqrt(steepness) * np.sqrt(lengths)))


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
