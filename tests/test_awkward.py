"""Data of awkward shapes, the same as in ``make bench`` but small: right results, whatever the
method.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from shapes import SHAPES, make

from craig_cli.selection import check_coreset, measure, select
from craig_cli.settings import Budget, SelectionSettings, catalog

ROWS = {"one row": 1, "d = 10,000": 60, "1,000 classes of 50": 1000, "one huge class, 50 tiny": 900}
USUAL_ROWS = 700
METHODS = tuple(name for name in catalog.names(catalog.METHODS) if name != "importance")


@pytest.fixture(params=tuple(SHAPES))
def dataset(request):
    """Return each awkward shape, small."""
    return make(request.param, ROWS.get(request.param, USUAL_ROWS))


def settings(size, method="auto", **options):
    return SelectionSettings(Budget(size=size), method, cell_size=128, **options)


def plain_loss(dataset, index):
    """Return L(S) by scipy's cdist, class by class."""
    total = 0.0
    for label in np.unique(dataset.labels):
        rows = dataset.rows[dataset.labels == label].astype(np.float64)
        picks = dataset.rows[index[dataset.labels[index] == label]].astype(np.float64)
        total += cdist(rows, picks).min(axis=1).sum()
    return total


def tenth(dataset):
    return max(len(np.unique(dataset.labels)), dataset.n_rows // 10)


def distinct_rows(dataset):
    """Return the first of each set of equal rows of a class."""
    return np.unique(np.column_stack([dataset.labels, dataset.rows]), axis=0, return_index=True)[1]


@pytest.mark.parametrize("method", METHODS)
def test_a_coreset_is_sound_and_its_epsilon_true(dataset, method):
    coreset = select(dataset, settings(tenth(dataset), method))
    check_coreset(coreset)
    assert len(coreset.index) == tenth(dataset)
    assert coreset.epsilon_total == pytest.approx(
        plain_loss(dataset, coreset.index), rel=1e-6, abs=1e-9
    )


@pytest.mark.thinned
@pytest.mark.parametrize("method", METHODS)
def test_all_rows_leave_no_error(dataset, method):
    coreset = select(dataset, settings(dataset.n_rows, method))
    check_coreset(coreset)
    assert sorted(coreset.index) == list(range(dataset.n_rows))
    assert coreset.epsilon_total == 0


def test_exact_picks_each_distinct_row_once_and_leaves_no_error(dataset):
    size = len(distinct_rows(dataset))
    many = (
        size != dataset.n_rows and len(np.unique(dataset.labels)) > 1
    )  # class quotas may then ask for equal rows
    coreset = select(dataset, settings(size, "exact"))
    assert many or coreset.epsilon_total == 0


@pytest.mark.parametrize("method", ("exact", "cells"))
def test_measure_agrees_with_the_selection(dataset, method):
    coreset = select(dataset, settings(tenth(dataset), method))
    measured = measure(dataset, settings(tenth(dataset)), coreset.index)
    np.testing.assert_array_equal(measured.cluster_size, coreset.cluster_size)
    assert measured.epsilon_total == pytest.approx(coreset.epsilon_total, rel=1e-12)


def test_measure_finds_no_error_where_each_distinct_row_is_picked(dataset):
    index = distinct_rows(dataset)
    assert measure(dataset, settings(len(index)), index).epsilon_total == 0


def test_greedy_methods_are_near_each_other_and_beat_random_rows(dataset):
    exact, cells, random = (
        select(dataset, settings(tenth(dataset), method)).epsilon_total
        for method in ("exact", "cells", "random")
    )
    assert cells <= 1.1 * exact + 1e-9
    assert exact <= random + 1e-9
