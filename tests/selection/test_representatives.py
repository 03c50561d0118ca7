"""Rows that stand for clusters: varied ones bring in what random ones miss, whatever the rows are
held in; exchanged ones are those that are asked for, within what may be.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from craig_cli import select_coreset
from craig_cli.arrays import sparse_rows
from craig_cli.dataset import Dataset
from craig_cli.errors import InputError
from craig_cli.selection import Coreset, select
from craig_cli.selection.prefix import first_picks
from craig_cli.selection.representatives import Standing, varied_members
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.skipped import SkippedRows


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


def standing_of(
    weights: np.ndarray | None = None, move=None, **options
) -> tuple[Coreset, Standing, np.ndarray, np.ndarray]:
    """Return a coreset of exchanged medoids, and what was to be exchanged; `move` gives the rows
    that are to stand for the clusters, by what may be.
    """
    rows, labels = rare_columns()
    seen = []

    def exchanged(standing: Standing) -> np.ndarray:
        seen.append(standing)
        return standing.rows if move is None else move(standing)

    settings = SelectionSettings(
        Budget(size=40), method="exact", representative="exchanged", **options
    )
    coreset = select(Dataset(rows, labels, weights=weights), settings, exchanged=exchanged)
    (standing,) = seen
    return coreset, standing, rows, labels


def farthest(standing: Standing) -> np.ndarray:
    """Return the last row of each cluster that may stand for it."""
    rows, allowed = standing.rows.copy(), standing.is_allowed
    for number in range(len(rows)):
        own = (
            standing.cluster == number
            if allowed is None
            else allowed & (standing.cluster == number)
        )
        if own.any() and not standing.is_fixed[number]:
            rows[number] = np.flatnonzero(own)[-1]
    return rows


def test_what_stands_is_told_of_all_classes_together():
    coreset, standing, _, labels = standing_of()
    medoids = select(Dataset(*rare_columns()), SelectionSettings(Budget(size=40), method="exact"))
    assert sorted(standing.rows.tolist()) == sorted(medoids.index.tolist())
    assert coreset.index.tolist() == coreset.picks.tolist() == medoids.index.tolist()
    assert standing.cluster[standing.rows].tolist() == list(range(40))
    assert np.bincount(standing.cluster).tolist() == standing.weight.tolist()
    assert labels.tolist() == labels[standing.rows][standing.cluster].tolist()
    assert standing.is_allowed is None
    assert not standing.is_fixed.any()


def test_rows_that_are_asked_for_stand_for_their_clusters():
    coreset, standing, rows, labels = standing_of(move=farthest)
    order = np.argsort(standing.rows)[np.argsort(np.argsort(coreset.picks))]
    assert coreset.picks.tolist() == standing.rows[order].tolist()
    assert coreset.index.tolist() == farthest(standing)[order].tolist()
    assert coreset.weight.tolist() == standing.weight[order].tolist()
    assert coreset.label.tolist() == labels[coreset.index].tolist()
    distances = np.linalg.norm(rows - rows[farthest(standing)][standing.cluster], axis=1)
    assert coreset.epsilon_total == pytest.approx(distances.sum())


def test_a_row_of_another_cluster_is_refused():
    with pytest.raises(InputError, match=r"row \d+ is not in the cluster that it represents"):
        standing_of(move=lambda standing: standing.rows[[1, 0, *range(2, 40)]])


@pytest.mark.parametrize("exclude", [(), (3, 5, 599)])
def test_given_rows_are_told(exclude):
    include = (7, 100, 222)
    coreset, standing, _, _ = standing_of(include=include, exclude=exclude, move=farthest)
    assert standing.rows[standing.is_fixed].tolist() == [
        row for row in standing.rows.tolist() if row in include
    ]
    may = standing.is_allowed
    assert not may[list(exclude)].any()
    fixed = standing.is_fixed[standing.cluster]
    assert not may[fixed].any()
    assert may[~fixed & ~np.isin(np.arange(600), exclude)].all()
    assert set(include) <= set(coreset.index.tolist())
    assert not set(exclude) & set(coreset.index.tolist())


def test_rows_without_weight_may_not_stand_for_others():
    weights = np.random.default_rng(0).integers(0, 3, 600).astype(float)
    coreset, standing, _, _ = standing_of(weights, move=farthest)
    assert standing.is_allowed.tolist() == (weights > 0).tolist()
    assert standing.weight == pytest.approx(np.bincount(standing.cluster, weights))
    assert (weights[coreset.index] > 0).all()


def test_rows_of_one_weight_may_all():
    _, standing, _, _ = standing_of(np.full(600, 2.0))
    assert standing.is_allowed is None
    assert standing.weight.sum() == 1200


def test_exchanged_medoids_are_the_medoids_where_nobody_asks_for_others():
    rows, labels = rare_columns()
    settings = SelectionSettings(Budget(size=40), method="cells", representative="exchanged")
    coreset = select(Dataset(rows, labels), settings)
    medoids = select(Dataset(rows, labels), SelectionSettings(Budget(size=40), method="cells"))
    assert coreset.index.tolist() == coreset.picks.tolist() == medoids.index.tolist()
    assert coreset.weight.tolist() == medoids.weight.tolist()
    assert coreset.epsilon_total == pytest.approx(medoids.epsilon_total, rel=1e-12)
    assert coreset.representative == "exchanged"


def test_a_prefix_is_exchanged_anew():
    rows, labels = rare_columns()
    settings = SelectionSettings(Budget(size=40), method="exact", representative="exchanged")
    coreset = select(Dataset(rows, labels), settings, exchanged=farthest)
    again = first_picks(Dataset(rows, labels), settings, coreset, 40, farthest)
    assert again.index.tolist() == coreset.index.tolist()
    prefix = first_picks(Dataset(rows, labels), settings, coreset, 24, farthest)
    assert prefix.picks.tolist() == coreset.picks[:24].tolist()
    assert (prefix.index != prefix.picks).any()
    plain = first_picks(Dataset(rows, labels), settings, coreset, 24)
    assert plain.index.tolist() == plain.picks.tolist() == prefix.picks.tolist()


@pytest.mark.parametrize("representative", ["random", "varied", "exchanged"])
def test_a_prefix_keeps_given_rows_in_and_out(representative):
    rows, labels = rare_columns()
    dataset, move = Dataset(rows, labels), farthest if representative == "exchanged" else None
    settings = SelectionSettings(Budget(size=40), method="exact", representative=representative)
    free = select(dataset, settings, exchanged=move)
    drawn = first_picks(dataset, settings, free, 24, move)
    exclude = tuple(set(drawn.index.tolist()) - set(free.picks.tolist()))
    include = tuple(free.picks[:6:2].tolist())
    bound = replace(settings, include=include, exclude=exclude)
    coreset = select(dataset, bound, exchanged=move)
    for first in (24, 40):
        prefix = first_picks(dataset, bound, coreset, first, move)
        assert not set(prefix.index.tolist()) & set(exclude)
        assert prefix.index[:3].tolist() == list(include)
    assert prefix.index.tolist() == coreset.index.tolist()
    later = tuple(coreset.picks[-4:].tolist())
    assert len(first_picks(dataset, replace(bound, extend=later), coreset, 24, move).index) == 24


def test_rows_that_were_skipped_have_numbers():
    """Given rows are named as they lie in the input, in a prefix too."""
    rows, labels = rare_columns()
    settings = SelectionSettings(Budget(size=40), method="exact", representative="random")
    coreset = select(Dataset(rows, labels), settings)
    skipped = SkippedRows(np.arange(5), ())
    excluded = coreset.index[(coreset.index != coreset.picks)][:3]
    moved = replace(settings, exclude=tuple((excluded + 5).tolist()))
    prefix = first_picks(Dataset(rows, labels, skipped=skipped), moved, coreset, 40)
    assert not set(prefix.index.tolist()) & set(excluded.tolist())
