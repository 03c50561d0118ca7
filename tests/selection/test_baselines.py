"""Random, stratified and importance-sampled selection, and random representatives."""

from __future__ import annotations

import numpy as np
import pytest
from reference import clusters, distance_matrix
from test_lazy_greedy import made, sparse

from craig_cli.dataset import Dataset
from craig_cli.selection import assign, check_coreset, select
from craig_cli.selection.methods.importance import importance_picks, inclusion_chances
from craig_cli.selection.methods.stratified import stratified_picks
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.threads import Workers


def chosen(rows, method, size=60, labels=None, **settings):
    coreset = select(
        Dataset(rows, labels), SelectionSettings(Budget(size=size), method=method, **settings)
    )
    check_coreset(coreset)
    return coreset


@pytest.mark.parametrize("method", ("random", "stratified"))
@pytest.mark.parametrize("kind", ("normal", "text", "duplicates"))
def test_epsilon_and_clusters_are_recomputed(method, kind):
    rows = made(kind)
    distances = distance_matrix(rows)
    for form in (rows, sparse(rows)):
        coreset = chosen(form, method)
        assert coreset.epsilon_total == pytest.approx(
            distances[:, coreset.index].min(axis=1).sum(), rel=1e-9
        )
        expected = np.bincount(clusters(np.round(distances, 9), coreset.index), minlength=60)
        np.testing.assert_array_equal(coreset.cluster_size, expected)


@pytest.mark.parametrize("method", ("random", "stratified"))
def test_seed_decides_and_threads_do_not(method):
    rows, labels = made("normal"), np.arange(700) % 2
    first = chosen(rows, method, labels=labels, threads=1)
    np.testing.assert_array_equal(first.index, chosen(rows, method, labels=labels, threads=3).index)
    assert not np.array_equal(first.index, chosen(rows, method, labels=labels, seed=1).index)


def test_random_weights_and_order():
    coreset = chosen(made("normal"), "random", labels=np.arange(700) % 10 > 6, size=100)
    assert coreset.weight.tolist() == [7.0] * 100
    assert abs(int(coreset.label[:50].sum()) - 15) <= 1  # every prefix keeps the class ratios


def test_stratified_cells_are_balanced_and_the_weighted_mean_is_unbiased():
    points = made("clusters", n=500)
    estimates = []
    workers = Workers(1)
    for seed in range(300):
        picks, weights = stratified_picks(points.copy(), 37, np.random.default_rng(seed), workers)
        assert set(weights) <= {13.0, 14.0}
        assert weights.sum() == 500
        assert len(np.unique(picks)) == 37
        estimates.append(weights @ points[picks] / 500)
    error = np.abs(np.mean(estimates, axis=0) - points.mean(axis=0)) / (
        np.std(estimates, axis=0) / np.sqrt(300)
    )
    assert (error < 4).all()
    assert np.std(estimates, axis=0).max() < 0.5 * points.std(axis=0).max() / np.sqrt(37)


def test_importance_picks_are_as_likely_as_their_scores():
    scores = np.concatenate([np.full(40, 1.0), np.full(9, 5.0), [1000.0]])
    counts, estimates = np.zeros(50), []
    for seed in range(2000):
        picks, weights = importance_picks(scores, 12, np.random.default_rng(seed))
        assert len(set(picks.tolist())) == 12
        assert weights.sum() == pytest.approx(50)
        counts[picks] += 1
        estimates.append(weights @ np.sqrt(scores[picks]))
    mixed = 0.8 * scores / scores.sum() + 0.2 / 50
    probability = np.append(
        11 * mixed[:-1] / mixed[:-1].sum(), 1.0
    )  # the last is drawn for certain
    assert np.abs(counts / 2000 - probability).max() < 0.05
    assert np.mean(estimates) == pytest.approx(np.sqrt(scores).sum(), rel=0.1)


@pytest.mark.parametrize("scores", (np.zeros(20), np.ones(20), np.append(np.zeros(19), 1e300)))
def test_importance_of_scores_without_meaning(scores):
    picks, weights = importance_picks(scores, 20, np.random.default_rng(0))
    assert sorted(picks.tolist()) == list(range(20))
    np.testing.assert_allclose(weights, 1.0)


@pytest.mark.slow
def test_random_representatives_are_rows_of_their_clusters_and_unbiased():
    rows = made("clusters", n=300)
    distances, estimates = distance_matrix(rows), []
    for seed in range(200):
        coreset = chosen(rows, "exact", size=30, representative="random", seed=seed)
        cluster = clusters(np.round(distances, 9), coreset.medoid)
        np.testing.assert_array_equal(cluster[coreset.index], np.arange(30))
        np.testing.assert_array_equal(coreset.cluster_size, np.bincount(cluster, minlength=30))
        assert coreset.epsilon_total == pytest.approx(
            distances[np.arange(300), coreset.index[cluster]].sum(), rel=1e-9
        )
        estimates.append(coreset.weight @ rows[coreset.index] / 300)
    error = np.abs(np.mean(estimates, axis=0) - rows.mean(axis=0)) / (
        np.std(estimates, axis=0) / np.sqrt(200)
    )
    assert (error < 4).all()


def test_random_representatives_do_not_depend_on_threads():
    first, second = (
        chosen(
            made("normal"), "cells", representative="random", labels=np.arange(700) % 3, threads=t
        )
        for t in (1, 3)
    )
    assert first.index.tobytes() == second.index.tobytes()
    assert first.epsilon_total == second.epsilon_total


@pytest.mark.parametrize("method", ("random", "stratified"))
def test_all_rows(method):
    coreset = chosen(made("normal", n=150), method, size=150)
    assert (coreset.weight == 1).all()
    assert coreset.epsilon_total == 0


SCORES = np.array([0.0, 0, 1, 1, 2, 3, 5, 8, 13, 400])


@pytest.mark.parametrize("size", (1, 4, 9, 10))
def test_inclusion_chances_add_up_and_follow_the_scores(size):
    chances = inclusion_chances(SCORES, size)
    assert chances.sum() == pytest.approx(size)
    assert (
        (np.diff(chances) >= -1e-12).all()
        and chances.max() <= 1
        and chances.min() >= 0.2 * size / 10 * 0.99
    )
    assert inclusion_chances(np.zeros(10), size) == pytest.approx(np.full(10, size / 10))


@pytest.mark.slow
def test_importance_picks_are_distinct_drawn_by_their_chances_and_weighted_by_the_inverse():
    chances = inclusion_chances(SCORES, 4)
    drawn = [importance_picks(SCORES, 4, np.random.default_rng(seed)) for seed in range(20_000)]
    assert all(len(set(picks.tolist())) == 4 for picks, _ in drawn)
    counts = np.bincount(np.concatenate([picks for picks, _ in drawn]), minlength=10) / len(drawn)
    assert counts == pytest.approx(chances, abs=0.015)
    for picks, weights in drawn[:100]:
        assert weights.sum() == pytest.approx(10)
        np.testing.assert_allclose(weights * chances[picks], weights[0] * chances[picks[0]])


def test_importance_rows_keep_the_class_ratios():
    labels = np.arange(700) % 10 > 6
    dataset = Dataset(made("normal"), labels.astype(np.int64))
    settings = SelectionSettings(Budget(size=100), method="importance", seed=3)
    coreset = select(dataset, settings, scores=np.arange(700.0))
    rows, weights = coreset.index, coreset.weight
    assert len(np.unique(rows)) == 100 and np.count_nonzero(labels[rows]) == 30
    assert rows.mean() > 400 and weights[rows < 100].mean() > weights[rows > 600].mean()
    np.testing.assert_array_equal(rows, select(dataset, settings, scores=np.arange(700.0)).index)


@pytest.mark.parametrize("form", (np.asarray, sparse))
def test_rows_are_assigned_to_the_nearest_pick_of_their_class(form):
    rows, labels = made("normal"), np.arange(700) % 3
    coreset = chosen(form(rows), "random", labels=labels)
    distances = distance_matrix(rows)[:, coreset.index]
    distances[labels[:, None] != coreset.label[None, :]] = np.inf
    picks = assign(
        Dataset(form(rows), labels), SelectionSettings(Budget(size=60), threads=1), coreset.index
    )
    np.testing.assert_array_equal(picks, np.argmin(distances, axis=1))
    np.testing.assert_array_equal(np.bincount(picks, minlength=60), coreset.cluster_size)
