"""What training, searching and evaluating share: the problem of all rows, and a path of fits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from craig_cli.dataset import Dataset, Progress, no_progress
from craig_cli.errors import InputError, UsageError
from craig_cli.selection.class_count import check_task
from craig_cli.settings import InputSettings
from craig_cli.settings.training import TrainSettings
from craig_cli.training import Fit, Problem, fit, make_problem
from craig_cli.training.problem import Array


def whole_problem(dataset: Dataset, inputs: InputSettings, settings: TrainSettings) -> Problem:
    """Return the problem of all rows, by their weights where they have such."""
    if dataset.labels is None:
        raise UsageError(
            "--no-label: training needs a label, or a target. Name its column with --label."
        )
    regression = inputs.task == "regression"
    if regression and dataset.labels.dtype == object:
        raise InputError(
            dataset.files[0],
            "the target is text, not a number",
            value=str(dataset.labels[0]),
            remedy="Leave out --task regression.",
        )
    check_task(inputs, dataset)
    return make_problem(
        dataset.rows,
        dataset.labels,
        settings.loss,
        dataset.weights,
        intercept=settings.intercept,
        regression=regression,
        threads=settings.n_threads,
    )


def fit_path(
    problem: Problem,
    settings: TrainSettings,
    l2: tuple[float, ...],
    init: tuple[Array, Array] | None,
    progress: Progress = no_progress,
) -> list[Fit]:
    """Return a fit for each strength, in the order given; each starts where the next larger one
    ended.
    """
    rng = np.random.default_rng(settings.seed)
    fits: dict[float, Fit] = {}
    for strength in sorted(l2, reverse=True):
        fits[strength] = fit(
            problem, replace(settings, l2=strength), init, rng=rng, progress=progress
        )
        init = fits[strength].coef, fits[strength].intercept
    return [fits[strength] for strength in l2]
