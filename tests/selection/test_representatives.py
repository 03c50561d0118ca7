"""Rows that stand for clusters: varied ones bring in what random ones miss, whatever the rows are
held in.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from craig_cli import select_coreset
from craig_cli.arrays import sparse_rows
from craig_cli.dataset import Dataset
from craig_cli.selection import select
from craig_cli.selection.prefix import first_picks
from craig_cli.selection.representatives import varied_members
from craig_cli.settings import Budget, SelectionSettings


def rare_columns(n: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of two common columns, two that few rows have, one that one class alone has, and
    one that is always 1; and labels.
    """
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    rows = np.zeros((n, 6))
    rows[:, :2] = rng.normal(size=(n, 2))
    rows[rng.choice(np.flatnonzero(labels == 0), 3, replace=False), 2] = 1
    rows[rng.choice(np.flatnonzero(labels == 1), 3, replace=False), 2] = 1
    rows[rng.choice(n, 8, replace=False), 3] = 0.5
    rows[rng.choice(np.flatnonzero(labels == 1), 4, replace=False), 4] = 2
    rows[:, 5] = 1
    return rows, labels


def varies(rows: np.ndarray) -> np.ndarray:
    return np.ptp(rows, axis=0) > 0


def test_what_varies_in_a_class_varies_among_its_picks():
    rows, labels = rare_columns()
    missed = 0
    for seed in range(4):
        random, varied = (
            select_coreset(rows, labels, size=40, seed=seed, representative=name, weights="cluster")
            for name in ("random", "varied")
        )
        assert varied.medoid.tolist() == random.medoid.tolist()
        assert varied.weight.tolist() == random.weight.tolist()
        for label in (0, 1):
            of_class = rows[labels == label]
            assert (
                varies(rows[varied.index[varied.label == label]]).tolist()
                == varies(of_class).tolist()
            )
            missed += int(
                np.count_nonzero(
                    varies(rows[random.index[random.label == label]]) != varies(of_class)
                )
            )
    assert missed > 0


def test_only_some_are_exchanged():
    rows, labels = rare_columns()
    random, varied = (
        select_coreset(rows, labels, size=40, representative=name, weights="cluster")
        for name in ("random", "varied")
    )
    assert 0 < np.count_nonzero(random.index != varied.index) <= 6


def test_at_most_half_are_exchanged():
    points = np.eye(12)
    chosen = varied_members(points, np.arange(12) % 4, np.arange(4), np.random.default_rng(0))
    assert np.count_nonzero(chosen != np.arange(4)) == 2
    assert (chosen % 4).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("seed", range(3))
def test_sparse_rows_give_the_picks_of_dense_ones(seed):
    rows, labels = rare_columns(seed=seed)
    dense, sparse = (
        select(
            Dataset(form, labels),
            SelectionSettings(Budget(size=40), method="exact", representative="varied", seed=seed),
        )
        for form in (rows, sparse_rows(sp.csr_array(rows)))
    )
    assert dense.index.tolist() == sparse.index.tolist()


def test_the_same_picks_for_any_threads():
    rows, labels = rare_columns()
    picks = {
        tuple(
            select_coreset(rows, labels, size=40, representative="varied", threads=t).index.tolist()
        )
        for t in (1, 2, 3)
    }
    assert len(picks) == 1


def test_a_prefix_varies_too():
    rows, labels = rare_columns()
    settings = SelectionSettings(Budget(size=40), method="exact", representative="varied")
    coreset = select(Dataset(rows, labels), settings)
    assert (
        first_picks(Dataset(rows, labels), settings, coreset, 40).index.tolist()
        == coreset.index.tolist()
    )
    prefix = first_picks(Dataset(rows, labels), settings, coreset, 24)
    for label in (0, 1):
        assert (
            varies(rows[prefix.index[prefix.label == label]]).tolist()
            == varies(rows[labels == label]).tolist()
        )
