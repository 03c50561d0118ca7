"""Subsets of the rows to train on, by name: how they are drawn, which row stands for a cluster, and
how they are weighted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from datasets import REAL
from measuring import REPEATS, SHORT, WARM_UP_ROWS, thinned
from numpy.typing import NDArray

from craig_cli.calibration import make_coreset
from craig_cli.dataset import Dataset
from craig_cli.selection import Coreset
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.training import Problem, make_problem

LOSSES = {"abalone": "squared"}
"""Of the others: logistic."""
SAMPLE = 10
"""Greedy on a sample sees one row in so many, but at least the number of picks."""


@dataclass(frozen=True)
class Recipe:
    """How a subset comes about; `is_fixed` says that the seed does not count."""

    method: str
    representative: str = "medoid"
    is_sampled: bool = False
    is_fixed: bool = False
    words: str = ""


RECIPES = {
    "random": Recipe("random", words="random rows of each class"),
    "stratified": Recipe("stratified", words="a random row of each of k balanced cells"),
    "importance": Recipe(
        "importance", words="rows drawn by the length of their gradient at a pilot (OSMAC)"
    ),
    "paper": Recipe(
        "auto",
        is_fixed=True,
        words="the paper's: greedy medoids, weights the sizes of their clusters",
    ),
    "clusters": Recipe("auto", "random", words="the same clusters, a random row of each"),
    "sampled clusters": Recipe(
        "cells",
        "random",
        is_sampled=True,
        words=f"the same, greedy on one row in {SAMPLE} (`--sample-rows`)",
    ),
}
CALIBRATED = ", calibrated"
"""After the name of a recipe: with `--weights calibrated`."""
VARIED = {"random": "varied"}
"""What stands for a cluster where weights are calibrated, by what does where they are not."""


@dataclass(frozen=True)
class Subset:
    """Rows (k,), their weights, the seconds they took to select (calibration included), and whether
    calibrated weights were kept.
    """

    index: NDArray[np.int64]
    weight: NDArray[np.float64]
    seconds: float
    is_calibrated: bool


@cache
def data_set(name: str, max_rows: int = 0) -> Dataset:
    """Return all training rows of a data set of the bench, or `max_rows` of them, evenly spaced."""
    dataset = REAL[name]()
    return thinned(dataset, max_rows or dataset.n_rows)


def task_of(name: str) -> str:
    """Return what the label of a data set is."""
    return "regression" if name == "abalone" else "classification"


def problem_of(name: str, dataset: Dataset) -> Problem:
    """Return the problem of some rows of a data set, with its loss."""
    assert dataset.labels is not None
    return make_problem(
        dataset.rows,
        dataset.labels,
        LOSSES.get(name, "logistic"),
        regression=task_of(name) == "regression",
    )


def drawn(
    dataset: Dataset,
    task: str,
    recipe: str,
    fraction: float,
    seed: int,
    *,
    is_calibrated: bool = False,
) -> Coreset:
    """Return the subset of a recipe, with calibrated weights by the defaults if asked for."""
    how = RECIPES[recipe]
    representative = how.representative
    if is_calibrated:
        representative = VARIED.get(representative, representative)
    settings = SelectionSettings(
        Budget(fraction=fraction),
        how.method,
        seed=seed,
        task=task,
        representative=representative,
        sample_rows=dataset.n_rows // SAMPLE if how.is_sampled else 0,
    )
    weights = "calibrated" if is_calibrated else "cluster"
    return make_coreset(dataset, settings, CalibrationSettings(weights, seed=seed))


def make_subset(dataset: Dataset, task: str, name: str, fraction: float, seed: int = 0) -> Subset:
    """Return a subset by its name, calibrated by the defaults, and what it took, compiled code at
    hand: the shortest of `REPEATS` short times.
    """
    recipe, is_calibrated = name.removesuffix(CALIBRATED), name.endswith(CALIBRATED)
    seconds: list[float] = []

    def make(rows: Dataset) -> Coreset:
        return drawn(rows, task, recipe, fraction, seed, is_calibrated=is_calibrated)

    make(
        thinned(
            replace(dataset, file_starts=np.array([0, dataset.n_rows])),
            max(WARM_UP_ROWS, int(20 / fraction)),
        )
    )
    while len(seconds) < REPEATS and sum(seconds) < SHORT:
        begun = time.perf_counter()
        coreset = make(dataset)
        seconds.append(time.perf_counter() - begun)
    return Subset(coreset.index, coreset.weight, min(seconds), coreset.weights == "calibrated")
