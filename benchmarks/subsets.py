"""Subsets of the rows to train on, by every method, and the data sets split into rows to train and to test on."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from datasets import REAL, shared

from craig_cli.blocks import Dataset, SparseRows
from craig_cli.selection import select
from craig_cli.selection.baselines import importance_picks
from craig_cli.selection.budgets import class_sizes
from craig_cli.selection.classes import split_classes
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.training import Problem, make_problem, optimum
from craig_cli.training.problem import take_rows

TEST_FILES = {"ijcnn1": {}, "adult": {"index_base": 0}, "reuters": {}}
PILOT_ROWS = 2000
METHODS = ("random", "stratified", "importance", "craig")
"""The last is the paper's choice: greedy picks, weights the sizes of their clusters."""


@dataclass(frozen=True)
class Split:
    """Rows to train on and rows to test on, and whether the label is a number."""

    train: Dataset
    test: Dataset
    is_regression: bool

    def problem(self, loss: str, part: Dataset | None = None) -> Problem:
        """Return the problem of the training rows, or of others with the same classes."""
        data = part or self.train
        classes = None if self.is_regression else np.unique(self.train.labels)
        return make_problem(data.rows, data.labels, loss, classes=classes, regression=self.is_regression)


def part_of(dataset: Dataset, index: np.ndarray) -> Dataset:
    """Return some rows of a data set."""
    return replace(dataset, rows=take_rows(dataset.rows, index), labels=dataset.labels[index], file_starts=np.array([0, len(index)]))


def with_columns(dataset: Dataset, n_columns: int) -> Dataset:
    """Return sparse rows with so many columns, those beyond left out: a test file may name more or fewer."""
    rows = dataset.rows
    if not isinstance(rows, SparseRows) or rows.n_columns == n_columns:
        return dataset
    kept = rows.indices < n_columns
    owner = np.repeat(np.arange(rows.n_rows), np.diff(rows.indptr))[kept]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=rows.n_rows))])
    return replace(dataset, rows=SparseRows(indptr, rows.indices[kept], rows.values[kept], n_columns))


@cache
def split(name: str) -> Split:
    """Return a data set of the bench, split: by its test file, or a fifth of the rows drawn at random."""
    whole = REAL[name]()
    if name in TEST_FILES:
        return Split(whole, with_columns(shared(f"{name}.tst.bz2", **TEST_FILES[name]), whole.n_columns), False)
    order = np.random.default_rng(0).permutation(whole.n_rows)
    cut = whole.n_rows // 5
    return Split(part_of(whole, np.sort(order[cut:])), part_of(whole, np.sort(order[:cut])), name == "abalone")


def thin_weights(name: str, method: str, fraction: float, seed: int, loss: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Return rows of a training set, their weights, and the seconds that it took to select them."""
    data = split(name)
    task = "regression" if data.is_regression else "classification"
    begun = time.perf_counter()
    if method == "importance":
        index, weights = importance(data, fraction, seed, loss)
    else:
        choice = "auto" if method == "craig" else method
        coreset = select(data.train, SelectionSettings(Budget(fraction=fraction), choice, seed=seed, task=task))
        index, weights = coreset.index, coreset.weight
    return index, weights, time.perf_counter() - begun


def importance(data: Split, fraction: float, seed: int, loss: str) -> tuple[np.ndarray, np.ndarray]:
    """Return rows drawn by the norm of their gradient at a pilot, within each class (OSMAC, Wang, Zhu and Ma 2018)."""
    rng = np.random.default_rng(seed)
    problem = data.problem(loss)
    pilot = optimum(problem.subset(rng.choice(problem.n_rows, min(PILOT_ROWS, problem.n_rows), replace=False)), 1e-3)
    _, slopes = problem.full_pass(np.column_stack([pilot.coef, pilot.intercept]), 0.0, np.zeros((problem.n_outputs, problem.n_columns + 1)))
    scores = np.linalg.norm(slopes, axis=1) * np.sqrt(problem.squares()[0] + 1)
    groups = split_classes(data.train.labels, problem.n_rows, "regression" if data.is_regression else "classification")
    counts = np.array([len(group.index) for group in groups])
    index, weights = [], []
    for group, size in zip(groups, class_sizes(round(fraction * problem.n_rows), counts).tolist(), strict=True):
        picks, own = importance_picks(scores[group.index], size, rng)
        index.append(group.index[picks])
        weights.append(own)
    return np.concatenate(index), np.concatenate(weights)
