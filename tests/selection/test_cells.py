"""Greedy in compact cells."""

from __future__ import annotations

import numpy as np
import pytest
from reference import distance_matrix, naive_greedy
from test_lazy_greedy import KINDS, made, sparse

from craig_cli.dataset import Dataset
from craig_cli.kernels.tiles import TILE
from craig_cli.selection import cells as cells_module
from craig_cli.selection import check_coreset, select
from craig_cli.selection.groups import make_group
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.threads import Workers


def chosen(rows, size, labels=None, method="cells", cell_size=128, **settings):
    coreset = select(
        Dataset(rows, labels),
        SelectionSettings(Budget(size=size), method=method, cell_size=cell_size, **settings),
    )
    check_coreset(coreset)
    return coreset


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", (np.asarray, sparse))
def test_epsilon_is_near_that_of_exact_greedy(kind, form):
    rows = made(kind, n=1500)
    exact, cells = chosen(form(rows), 100, method="exact"), chosen(form(rows), 100)
    assert (
        cells.epsilon_total <= 1.06 * exact.epsilon_total + 1e-9
    )  # cells of 128 rows: the borders cost a few percent, the medoids gain some


def test_one_cell_is_plain_greedy_then_medoids(monkeypatch):
    rows = made("normal", n=120)
    distances = distance_matrix(rows)
    picks, _, _ = naive_greedy(distances, 20)
    monkeypatch.setattr(cells_module, "oversampled", lambda size, n_rows: size)
    with monkeypatch.context() as patch:
        patch.setattr(
            cells_module, "kept_medoids", lambda group, picks, size: (np.arange(size), picks)
        )
        np.testing.assert_array_equal(np.sort(chosen(rows, 20).index), np.sort(picks))
    cluster = distances[:, picks].argmin(axis=1)
    medoids = [
        np.flatnonzero(cluster == c)[
            distances[np.ix_(cluster == c, cluster == c)].sum(axis=0).argmin()
        ]
        for c in range(20)
    ]
    coreset = chosen(rows, 20)
    assert len(set(coreset.index) ^ set(medoids)) <= 2  # members equally good
    assert coreset.epsilon_total == pytest.approx(distances[:, medoids].min(axis=1).sum(), rel=1e-9)


@pytest.mark.parametrize("is_sparse", (False, True))
def test_medoids_have_the_least_sum_of_distances(is_sparse):
    rows = made("text", n=200)
    with Workers(2) as workers:
        group = make_group(sparse(rows) if is_sparse else rows.copy(), False, workers)
        members, starts = np.random.default_rng(0).permutation(200), np.array([0, 1, 60, 200])
        medoids = group.medoids(starts, members, 1000)
    distances = distance_matrix(rows)[np.ix_(group.rank, group.rank)]
    for c in range(3):
        own = members[starts[c] : starts[c + 1]]
        sums = distances[np.ix_(own, own)].sum(axis=0)
        assert sums[own == medoids[c]] == pytest.approx(sums.min(), rel=1e-6)


@pytest.mark.parametrize("form", (np.asarray, sparse))
def test_same_bytes_for_any_number_of_threads(form):
    rows, labels = form(made("clusters", n=900)), np.arange(900) % 2
    one, three = chosen(rows, 100, labels, threads=1), chosen(rows, 100, labels, threads=3)
    for name in ("index", "weight", "gain", "epsilon"):
        assert getattr(one, name).tobytes() == getattr(three, name).tobytes(), name


def test_cells_of_very_unequal_spread_get_picks_by_what_they_gain():
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(size=(1000, 4)) * 1e-3, rng.normal(size=(200, 4)) + 50])
    coreset = chosen(rows, 150)
    assert (coreset.index >= 1000).sum() > 100
    assert coreset.epsilon_total <= 1.05 * chosen(rows, 150, method="exact").epsilon_total


@pytest.mark.parametrize(
    "rows", (np.array([[1.0, 2.0]]), np.zeros((300, 2)), np.arange(500.0)[:, None] // 100)
)
def test_equal_rows_fill_up_from_the_lowest(rows):
    for size in (1, min(7, len(rows)), len(rows)):
        coreset = chosen(rows, size)
        assert len(coreset.index) == size
    assert (coreset.weight == 1).all()
    assert coreset.epsilon_total == 0


def test_cells_cover_the_rows():
    with Workers(1) as workers:
        for rows in (made("normal", n=1000), sparse(made("text", n=1000))):
            group = make_group(rows, False, workers)
            for size in (128, 300, 5000):
                cells = group.cut(size)
                np.testing.assert_array_equal(np.sort(np.concatenate(cells)), np.arange(1000))
                assert max(map(len, cells)) <= max(size, TILE)


@pytest.mark.parametrize("form", (np.asarray, sparse))
@pytest.mark.parametrize("kind", ("normal", "text"))
def test_stochastic_greedy_is_near_exact_and_threads_do_not_matter(kind, form):
    rows = form(made(kind, n=800))
    exact, stochastic = (
        chosen(rows, 80, method="exact"),
        chosen(rows, 80, method="stochastic", delta=0.01),
    )
    assert exact.epsilon_total <= stochastic.epsilon_total <= 1.04 * exact.epsilon_total
    np.testing.assert_array_equal(
        stochastic.index, chosen(rows, 80, method="stochastic", threads=1).index
    )
    assert not np.array_equal(stochastic.index, chosen(rows, 80, method="stochastic", seed=1).index)


def test_stochastic_greedy_with_every_candidate_is_plain_greedy(monkeypatch):
    rows = made("clusters", n=600)
    monkeypatch.setattr(
        "craig_cli.selection.selector.draw_candidates",
        lambda rng, positions, m, n_picks: np.tile(positions, (n_picks, 1)),
    )
    np.testing.assert_array_equal(
        chosen(rows, 50, method="stochastic").index, chosen(rows, 50, method="exact").index
    )


@pytest.mark.parametrize("method", ("exact", "cells"))
def test_greedy_on_a_sample_of_the_rows(method):
    rows, labels = made("clusters", n=1200), np.arange(1200) % 3
    full, sampled = (
        chosen(rows, 60, labels, method),
        chosen(rows, 60, labels, method, sample_rows=400),
    )
    assert sampled.epsilon_total == pytest.approx(
        sum(
            distance_matrix(rows[labels == c])[
                :, np.isin(np.flatnonzero(labels == c), sampled.index)
            ]
            .min(axis=1)
            .sum()
            for c in range(3)
        ),
        rel=1e-9,
    )
    assert full.epsilon_total < sampled.epsilon_total < 1.25 * full.epsilon_total
    assert chosen(rows, 60, labels, method, sample_rows=1200).index.tolist() == full.index.tolist()
    assert (
        len(chosen(rows, 600, labels, method, sample_rows=90).index) == 600
    )  # a sample is never smaller than the picks


def test_auto_says_what_it_took():
    small = chosen(made("normal", n=300), 20, method="auto")
    assert (small.method, small.reason) == ("exact", "it is quick on this many rows")
    large = chosen(np.random.default_rng(0).normal(size=(50_000, 3)), 500, method="auto")
    assert large.method == "cells"
    assert large.reason.startswith("exact would take about ")


@pytest.mark.parametrize("far", (1e3, 1e5, 1e7))
def test_one_far_row_does_not_blur_the_others(far):
    rows = np.random.default_rng(0).normal(size=(1500, 8))
    rows[700] = far
    exact, cells = chosen(rows, 150, method="exact"), chosen(rows, 150, cell_size=2048)
    assert cells.epsilon_total <= 1.01 * exact.epsilon_total
    assert 700 in cells.index


def test_a_row_far_from_its_tile_knows_its_own_pick():
    rows = np.random.default_rng(0).normal(size=(50_000, 8))
    # So many blocks of picks are nearer to the mean of its tile that its own is not looked at.
    rows[25_000] = 1e6
    assert 25_000 in chosen(rows, 5000, cell_size=512).index
