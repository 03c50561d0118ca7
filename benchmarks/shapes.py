"""Awkward shapes of data, on which a selection must neither break nor fall off a cliff: `make
bench` times them, the tests check them small.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from craig_cli.dataset import Dataset

ROWS_A_CLASS = 50


def dataset(rows: np.ndarray, labels: np.ndarray | None = None) -> Dataset:
    """Return rows, and labels of one class if none are given, as a `Dataset`."""
    return Dataset(
        rows,
        np.zeros(len(rows), np.int64) if labels is None else labels,
        file_starts=np.array([0, len(rows)]),
    )


def duplicated(n: int, rng: np.random.Generator) -> Dataset:
    """Return rows each of which occurs about a hundred times."""
    return dataset(rng.normal(size=(max(1, n // 100), 8))[rng.integers(max(1, n // 100), size=n)])


def huge_and_tiny(n: int, rng: np.random.Generator) -> Dataset:
    """Return one class of most rows and 50 of three rows each."""
    return dataset(
        rng.normal(size=(n, 8)),
        np.concatenate([np.repeat(np.arange(1, 51), 3), np.zeros(n - 150, np.int64)]),
    )


def many_classes(n: int, rng: np.random.Generator) -> Dataset:
    """Return classes of 50 rows, in random order."""
    return dataset(rng.normal(size=(n, 8)), rng.permutation(n) // ROWS_A_CLASS)


def constant_columns(n: int, rng: np.random.Generator) -> Dataset:
    """Return rows of four columns that vary and sixteen that do not, some of them large."""
    return dataset(np.hstack([rng.normal(size=(n, 4)), np.tile(np.linspace(0, 1e6, 16), (n, 1))]))


def one_column(n: int, rng: np.random.Generator) -> Dataset:
    """Return numbers."""
    return dataset(rng.normal(size=(n, 1)))


def many_columns(n: int, rng: np.random.Generator) -> Dataset:
    """Return rows of 10,000 columns."""
    return dataset(rng.normal(size=(n, 10_000)).astype(np.float32))


def all_equal(n: int, rng: np.random.Generator) -> Dataset:
    """Return one row again and again."""
    return dataset(np.tile(rng.normal(size=(1, 8)), (n, 1)))


def far_outlier(n: int, rng: np.random.Generator) -> Dataset:
    """Return rows within a unit of each other, and one a million units away."""
    rows = rng.normal(size=(n, 8))
    rows[n // 2] = 1e6
    return dataset(rows)


SHAPES: dict[str, tuple[Callable[[int, np.random.Generator], Dataset], int]] = {
    "duplicated rows": (duplicated, 100_000),
    "one huge class, 50 tiny": (huge_and_tiny, 50_000),
    "1,000 classes of 50": (many_classes, 50_000),
    "constant columns": (constant_columns, 50_000),
    "one far outlier": (far_outlier, 50_000),
    "d = 1": (one_column, 200_000),
    "d = 10,000": (many_columns, 2_000),
    "all rows equal": (all_equal, 50_000),
    "one row": (all_equal, 1),
}
"""Each shape, and its rows in the bench."""


def make(name: str, n: int = 0) -> Dataset:
    """Return a shape with `n` rows, or as many as in the bench."""
    build, n_bench = SHAPES[name]
    return build(n or n_bench, np.random.default_rng(0))
