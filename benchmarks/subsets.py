"""Subsets of the rows to train on, by name: how they are drawn, which row stands for a cluster, and
how they are weighted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from competitors import dense
from datasets import SETS
from measuring import REPEATS, SHORT, WARM_UP_ROWS, thinned
from numpy.typing import NDArray

from craig_cli.calibration import make_coreset
from craig_cli.calibration.coresets import Stage, untimed
from craig_cli.dataset import Dataset
from craig_cli.selection import Coreset
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.purpose import Purpose
from craig_cli.training import Problem, make_problem


@dataclass(frozen=True)
class Recipe:
    """How a subset comes about: as ``craig select --for PURPOSE --method METHOD`` makes it, by the
    distances of a proxy if there is one; `is_fixed` says that the seed does not count.
    """

    words: str
    purpose: str = "local"
    method: str = "auto"
    allocation: str = "auto"
    is_fixed: bool = False
    proxy: Callable[[Dataset], NDArray[np.float32]] | None = None


def ranks(dataset: Dataset) -> NDArray[np.float32]:
    """Return the ranks of the values of each column, in 0 ... 1."""
    from scipy.stats import rankdata

    return (rankdata(dense(dataset), axis=0) / dataset.n_rows).astype(np.float32)


def leaves(dataset: Dataset) -> NDArray[np.float32]:
    """Return the leaves of a forest that rows fall into, and what it predicts."""
    from craig_cli.sklearn import LeafEmbedding

    return LeafEmbedding().fit_transform(dense(dataset), dataset.labels)  # type: ignore[no-any-return]


RECIPES = {
    "random": Recipe("random rows, each class by its share, of equal weights", method="random"),
    "random, calibrated": Recipe("the same rows, calibrated weights", "linear", "random"),
    "stratified": Recipe("a random row of each of k balanced cells", method="stratified"),
    "importance": Recipe(
        "rows drawn by the length of their gradient at a pilot (OSMAC)", method="importance"
    ),
    "any": Recipe("`craig select` as it is: medoids, some exchanged, calibrated weights", "any"),
    "linear": Recipe("`--for linear`: the same, with more picks of rare classes", "linear"),
    "local": Recipe(
        "`--for local`, the paper's: medoids, weights the sizes of their clusters", is_fixed=True
    ),
    "ranks": Recipe("the same, by the ranks of the values", "local", is_fixed=True, proxy=ranks),
    "leaves": Recipe(
        "the same, by the leaves of a forest (`LeafEmbedding`)",
        "local",
        is_fixed=True,
        proxy=leaves,
    ),
}


@dataclass(frozen=True)
class Subset:
    """Rows (k,), their weights, the seconds they took to select (calibration included), whether
    calibrated weights were kept, and the method.
    """

    index: NDArray[np.int64]
    weight: NDArray[np.float64]
    seconds: float
    is_calibrated: bool
    method: str = ""


@cache
def data_set(name: str, max_rows: int = 0) -> Dataset:
    """Return all training rows of a real set, or `max_rows` of them, evenly spaced."""
    dataset = SETS[name]()
    return thinned(dataset, max_rows or dataset.n_rows)


def task_of(name: str) -> str:
    """Return what the label of a data set is."""
    return "regression" if name == "abalone" else "classification"


def problem_of(name: str, dataset: Dataset, loss: str | None = None) -> Problem:
    """Return the problem of some rows of a data set, with its usual loss or another."""
    assert dataset.labels is not None
    regression = task_of(name) == "regression"
    return make_problem(dataset.rows, dataset.labels, loss, regression=regression)


def drawn(
    dataset: Dataset,
    name: str,
    recipe: Recipe,
    fraction: float,
    seed: int,
    stage: Stage = untimed,
) -> Coreset:
    """Return the subset of a recipe, of some rows of the data set `name`."""
    task = task_of(name)
    purpose = Purpose(recipe.purpose, allocation=recipe.allocation)
    representative, weights = purpose.choices(recipe.method, False, True)
    settings = SelectionSettings(
        Budget(fraction=fraction),
        recipe.method,
        seed=seed,
        task=task,
        representative=representative,
        allocation=purpose.allocated(recipe.method, False, task == "classification"),
    )
    proxy = None if recipe.proxy is None else recipe.proxy(dataset)
    calibration = CalibrationSettings(weights, seed=seed)
    return make_coreset(dataset, settings, calibration, proxy=proxy, stage=stage)


def make_subset(dataset: Dataset, name: str, kind: str, fraction: float, seed: int = 0) -> Subset:
    """Return a subset of rows of the data set `name`, and what it took, compiled code at hand: the
    shortest of `REPEATS` short times.
    """
    seconds: list[float] = []

    def make(rows: Dataset) -> Coreset:
        return drawn(rows, name, RECIPES[kind], fraction, seed)

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
    is_calibrated = coreset.weights == "calibrated"
    return Subset(coreset.index, coreset.weight, min(seconds), is_calibrated, coreset.method)
