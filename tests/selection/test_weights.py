"""Rows that have weights: against plain greedy, against repeated rows, and what must not change the
picks.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from reference import clusters, distance_matrix, naive_greedy
from test_lazy_greedy import made, sparse

from craig_cli.dataset import Dataset
from craig_cli.errors import InputError
from craig_cli.selection import check_coreset, dense_group, lazy_greedy, measure, select
from craig_cli.selection.methods import METHODS
from craig_cli.selection.prefix import first_picks
from craig_cli.selection.row_weights import (
    FLOAT64_SHARE,
    LARGEST_TOTAL,
    drawn_by_weight,
    row_weights,
)
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.settings.catalog import methods_that


def chosen(rows, weights, labels=None, threads=2, **settings):
    budget = Budget(
        **{
            k: settings.pop(k)
            for k in ("fraction", "size", "epsilon", "mean_epsilon")
            if k in settings
        }
    )
    dataset = Dataset(
        rows, labels, weights=None if weights is None else np.asarray(weights, np.float64)
    )
    coreset = select(
        dataset, SelectionSettings(budget, threads=threads, **({"method": "exact"} | settings))
    )
    check_coreset(coreset)
    return coreset


def some_weights(n, seed=1):
    """Whole numbers, many of them 0."""
    return np.random.default_rng(seed).integers(0, 8, n)


@pytest.mark.parametrize("is_sparse", (False, True))
@pytest.mark.parametrize("kind", ("normal", "clusters", "one-hot", "integers", "text"))
def test_picks_of_plain_weighted_greedy(kind, is_sparse):
    rows = made(kind, n=500)
    weights, distances = some_weights(500), distance_matrix(rows)
    picks, gains, remaining = naive_greedy(distances, 100, weights=weights)
    gaining = np.concatenate([[True], gains[1:] > 1e-9])
    coreset = chosen(sparse(rows) if is_sparse else rows, weights, size=100)
    np.testing.assert_array_equal(coreset.index[gaining], picks[gaining])
    np.testing.assert_allclose(coreset.epsilon, remaining, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(coreset.gain[1:], gains[1:], rtol=1e-3, atol=1e-5 * gains[1])
    cluster = clusters(distances, coreset.index)
    np.testing.assert_allclose(
        coreset.epsilon_total,
        (weights * distances[np.arange(500), coreset.index[cluster]]).sum(),
        rtol=1e-9,
        atol=1e-9,
    )
    assert coreset.epsilon_mean == coreset.epsilon_total / weights.sum()
    assert coreset.weight.sum() == weights.sum() and coreset.cluster_size.sum() == 500
    if kind in ("normal", "clusters"):
        np.testing.assert_array_equal(coreset.weight, np.bincount(cluster, weights, 100))


@pytest.mark.parametrize("first_look", (1, 5, 10_000))
@pytest.mark.parametrize("kind", ("normal", "text"))
def test_lists_and_lazy_evaluation_make_the_same_picks(monkeypatch, first_look, kind):
    monkeypatch.setattr(dense_group, "ROWS_ALL_DISTANCES", 0)
    monkeypatch.setattr(lazy_greedy, "LIST_PAIRS_MINIMUM", 1 << 15)
    monkeypatch.setattr(lazy_greedy, "FIRST_LOOK", first_look)
    rows, weights = made(kind, n=600), some_weights(600)
    picks, _, _ = naive_greedy(distance_matrix(rows), 80, weights=weights)
    np.testing.assert_array_equal(chosen(rows, weights, size=80).index, picks)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("is_sparse", (False, True))
def test_equal_weights_change_no_byte(method, is_sparse):
    rows = made("clusters", n=600)
    rows, labels = sparse(rows) if is_sparse else rows, np.arange(600) % 3
    plain, ones = (
        chosen(rows, weights, labels, size=60, method=method) for weights in (None, np.ones(600))
    )
    halves = chosen(rows, np.full(600, 0.5), labels, size=60, method=method)
    for name in ("index", "order", "weight", "cluster_size", "label", "gain", "epsilon"):
        assert getattr(plain, name).tobytes() == getattr(ones, name).tobytes(), name
    assert plain.index.tolist() == halves.index.tolist()
    np.testing.assert_allclose(halves.weight, plain.weight / 2)
    np.testing.assert_allclose(halves.epsilon, plain.epsilon / 2)
    assert (ones.epsilon_total, ones.epsilon_mean) == (plain.epsilon_total, plain.epsilon_mean)


@pytest.mark.parametrize("method", ("exact", "cells"))
def test_whole_weights_are_repeated_rows(method):
    rows = (
        np.random.default_rng(3).integers(0, 60, (300, 2)).astype(np.float64)
    )  # their distances are told apart, or tie, exactly
    rows = rows[np.sort(np.unique(rows, axis=0, return_index=True)[1])]
    weights = np.random.default_rng(4).integers(1, 5, len(rows))
    source = np.repeat(np.arange(len(rows)), weights)
    one = chosen(rows, weights, size=40, method=method)
    many = chosen(rows[source], None, size=40, method=method)
    if method == "exact":
        assert source[many.index].tolist() == one.index.tolist()
        assert many.weight.tolist() == one.weight.tolist()
    assert one.epsilon_total == pytest.approx(
        many.epsilon_total, rel=1e-9 if method == "exact" else 0.05
    )


@pytest.mark.parametrize("method", METHODS)
def test_same_bytes_for_any_number_of_threads(method):
    rows, labels = made("clusters", n=900), np.arange(900) % 2
    weights = np.random.default_rng(5).exponential(size=900)
    one, other = (
        chosen(rows, weights, labels, threads=threads, size=90, method=method) for threads in (1, 3)
    )
    for name in ("index", "weight", "gain", "epsilon"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name


@pytest.mark.parametrize("method", METHODS)
def test_weights_of_a_class_add_up_and_rows_of_weight_zero_are_taken_last(method):
    rows, labels = made("normal", n=400), np.arange(400) % 2
    weights = np.random.default_rng(6).exponential(size=400)
    weights[labels == 1] *= np.arange(200) < 20
    coreset = chosen(rows, weights, labels, size=60, method=method)
    for summary in coreset.classes:
        own = coreset.label == summary.label
        assert coreset.weight[own].sum() == pytest.approx(
            weights[labels == summary.label].sum(), rel=1e-12
        )
        assert summary.n_selected == 30
    if method != "cells":  # that gives up what is missed least, not what weighs least
        assert np.count_nonzero(weights[coreset.index[coreset.label == 1]]) >= (
            20 if method in methods_that("draws") else 15
        )


@pytest.mark.slow
@pytest.mark.parametrize("method", methods_that("draws"))
def test_drawn_rows_are_unbiased(method):
    rng = np.random.default_rng(7)
    rows, weights = rng.normal(size=(60, 2)), rng.exponential(size=60)
    function = rows[:, 0] + 3
    means = []
    for seed in range(600):
        coreset = chosen(rows, weights, size=12, method=method, seed=seed)
        means.append(coreset.weight @ function[coreset.index])
    assert np.mean(means) == pytest.approx(weights @ function, rel=0.02)


def test_representatives_are_drawn_by_weight():
    rows, weights = (
        np.repeat([[0.0], [10.0]], 50, axis=0) + np.arange(100)[:, None] / 1000,
        np.ones(100),
    )
    weights[[7, 70]] = 200
    found = [
        chosen(rows, weights, size=2, representative=kind, seed=seed)
        for kind in ("random", "varied")
        for seed in range(40)
    ]
    share = np.mean([len({7, 70} & set(c.index.tolist())) / 2 for c in found])
    assert 0.7 < share < 0.9
    weights[[0, 1, 2, 50]] = 0
    assert all(
        not {0, 1, 2, 50}
        & set(chosen(rows, weights, size=2, representative="varied", seed=seed).index.tolist())
        for seed in range(40)
    )


@pytest.mark.parametrize("budget", ({"epsilon": 900.0}, {"mean_epsilon": 0.5}))
def test_cover_bounds_the_weighted_epsilon(budget):
    rows, labels, weights = made("clusters", n=300), np.arange(300) % 2, some_weights(300)
    bound = budget.get("epsilon", 0.5 * weights.sum())
    coreset = chosen(rows, weights, labels, **budget)
    assert coreset.epsilon_total <= bound
    fewer = measure(
        Dataset(rows, labels, weights=weights.astype(float)),
        SelectionSettings(Budget(size=2)),
        coreset.index[:-1],
    )
    assert fewer.epsilon_total > bound


def test_a_prefix_and_rows_measured_again():
    rows, labels, weights = (
        made("clusters", n=300),
        np.arange(300) % 2,
        some_weights(300).astype(float),
    )
    dataset, settings = (
        Dataset(rows, labels, weights=weights),
        SelectionSettings(Budget(size=40), "exact"),
    )
    coreset = select(dataset, settings)
    again = measure(dataset, settings, coreset.index)
    assert (again.index.tolist(), again.weight.tolist()) == (
        coreset.index.tolist(),
        coreset.weight.tolist(),
    )
    assert again.classes[0].epsilon == coreset.classes[0].epsilon
    for method in ("exact", "random"):
        prefix = first_picks(
            dataset, settings, select(dataset, replace(settings, method=method)), 20
        )
        assert prefix.weight.sum() == pytest.approx(weights.sum())


def test_float64_where_float32_does_not_do():
    rows = np.concatenate([np.random.default_rng(8).normal(size=(200, 2)) * 1e-6, [[1e3, 1e3]]])
    weights = some_weights(201)
    picks, _, _ = naive_greedy(distance_matrix(rows), 30, weights=weights)
    assert chosen(rows, weights, size=30).index.tolist() == picks.tolist()


def test_given_rows_and_a_sample():
    rows, weights = made("clusters", n=300), some_weights(300)
    picks, _, _ = naive_greedy(
        distance_matrix(rows), 20, weights=weights, first=(3, 5), excluded=range(100, 120)
    )
    assert (
        chosen(
            rows, weights, size=20, include=(3, 5), exclude=tuple(range(100, 120))
        ).index.tolist()
        == picks.tolist()
    )
    sampled = chosen(rows, weights, size=20, sample_rows=100)
    assert sampled.weight.sum() == weights.sum()


def test_a_class_of_weight_zero_is_refused():
    with pytest.raises(InputError, match="all rows of class '1' have zero weight"):
        chosen(made("normal", n=10), [1, 0] * 5, np.arange(10) % 2, size=4)
    with pytest.raises(InputError, match="all rows have zero weight"):
        chosen(made("normal", n=10), np.zeros(10), size=4)


def test_whole_numbers():
    assert row_weights(None, 3, False).whole is None
    assert (
        row_weights(np.full(3, 0.25), 3, False).whole,
        row_weights(np.full(3, 0.25), 3, False).unit,
    ) == (None, 0.25)
    assert row_weights(np.array([0.0, 3.0, 5.0]), 3, True).whole.tolist() == [0, 3, 5]
    weights = np.array([0.0, 1e-30, 0.5, 1e6, 7.25])
    for is_float64, total in ((False, LARGEST_TOTAL), (True, 5 * FLOAT64_SHARE)):
        made_whole = row_weights(weights, 5, is_float64)
        assert made_whole.whole.tolist()[:2] == [0, 1] and abs(made_whole.total - total) <= 5
        np.testing.assert_allclose(
            made_whole.whole * made_whole.unit, weights, atol=made_whole.unit
        )
    assert row_weights(np.array([1.0, 2.0**40]), 2, False).total <= LARGEST_TOTAL + 2


def test_places_are_drawn_in_proportion():
    weights, bounds = np.array([1.0, 3.0, 0.0, 0.0, 0.0, 2.0]), np.array([0, 2, 4, 6])
    drawn = np.array(
        [drawn_by_weight(weights, bounds, np.random.default_rng(seed)) for seed in range(400)]
    )
    assert set(drawn[:, 2].tolist()) == {5} and set(drawn[:, 1].tolist()) <= {2, 3}
    assert 0.68 < np.mean(drawn[:, 0] == 1) < 0.82
