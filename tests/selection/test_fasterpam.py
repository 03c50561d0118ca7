"""Swaps after greedy."""

from __future__ import annotations

import numpy as np
import pytest
from reference import distance_matrix
from test_lazy_greedy import made, sparse

from craig_cli.dataset import Dataset
from craig_cli.errors import UsageError
from craig_cli.kernels import fasterpam as kernels
from craig_cli.selection import check_coreset, select
from craig_cli.settings import Budget, SelectionSettings


def chosen(rows, size, labels=None, **settings):
    coreset = select(
        Dataset(rows, labels),
        SelectionSettings(Budget(size=size), **({"method": "exact"} | settings)),
    )
    check_coreset(coreset)
    return coreset


@pytest.mark.parametrize("kind", ("normal", "clusters", "one-hot", "duplicates"))
@pytest.mark.parametrize("method", ("exact", "cells"))
def test_no_single_swap_lowers_epsilon(kind, method):
    rows = made(kind, n=300)
    greedy, refined = chosen(rows, 25, method=method), chosen(rows, 25, method=method, refine=True)
    assert refined.epsilon_total <= greedy.epsilon_total * (1 + 1e-6)
    distances = distance_matrix(rows)
    picks = refined.index
    for position in range(25):
        others = np.delete(distances[:, picks], position, axis=1).min(axis=1)
        best = np.minimum(others[:, None], distances).sum(axis=0).min()
        assert best >= refined.epsilon_total - 1e-5 * distances.max()


def test_it_lowers_epsilon_and_keeps_a_greedy_order():
    rows, labels = made("normal", n=700), np.arange(700) % 2
    greedy, refined = chosen(rows, 80, labels), chosen(rows, 80, labels, refine=True)
    assert refined.epsilon_total < 0.995 * greedy.epsilon_total
    assert (np.diff(refined.gain) <= 0).all()
    np.testing.assert_array_equal(
        refined.index, chosen(rows, 80, labels, refine=True, threads=1).index
    )
    assert np.isnan(refined.classes[0].medoid_epsilon)


@pytest.mark.parametrize("size", (1, 299, 300))
def test_edges(size):
    assert len(chosen(made("normal", n=300), size, refine=True).index) == size


def test_rows_as_near_to_two_picks(monkeypatch):
    for name in ("start_swaps", "two_nearest", "try_swaps", "best_swap", "swap_in"):
        # Plain Python: it tells of places beyond the end of an array.
        monkeypatch.setattr(kernels, name, getattr(kernels, name).py_func)
    rows = np.eye(6)[np.random.default_rng(0).integers(6, size=200)]
    assert len(chosen(rows, 3, refine=True).index) == 3


def test_what_it_does_not_go_with():
    with pytest.raises(UsageError, match="--refine: it needs dense rows"):
        chosen(sparse(made("text")), 10, refine=True)
    with pytest.raises(
        UsageError, match="--refine: the picks of --method random are meant to be random"
    ):
        SelectionSettings(Budget(size=3), method="random", refine=True)
    with pytest.raises(
        UsageError, match="--refine: the picks of an epsilon budget are a greedy prefix"
    ):
        SelectionSettings(Budget(epsilon=3), refine=True)
