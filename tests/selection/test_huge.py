"""Numbers far from 1: what is below the limit is right, by long double; what float64 loses is
refused by row and column.
"""

import numpy as np
import pytest
import scipy.sparse as sp
from reference import long_distances, long_epsilon

from craig_cli import select_coreset
from craig_cli.errors import InputError
from craig_cli.kernels.decimals import LARGEST
from craig_cli.selection.column_summary import merged, summarise
from craig_cli.selection.resolution import count_lost
from craig_cli.selection.row_weights import row_weights
from craig_cli.threads import Workers

N = 160
METHODS = ("exact", "cells", "stochastic", "stratified", "random")
POWERS = (-300, -60, 60, 300)


def made(kind="dense", seed=3):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(N, 6)) * np.geomspace(1, 4, 6)
    if kind == "dense":
        return rows, (rows[:, 0] > 0).astype(int)
    rows = np.hstack([rows, rng.normal(size=(N, 54))])
    rows[rng.random(rows.shape) < 0.93] = 0
    rows[:, 59] = np.where(rng.random(N) < 0.5, 1.0, 2.0)
    return sp.csr_array(rows), np.arange(N) % 2


def epsilon(coreset):
    return sum(c.epsilon for c in coreset.classes)


def select(rows, labels, **options):
    return select_coreset(rows, labels, size=24, purpose="local", **options)


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("method", METHODS)
def test_rows_times_a_power_of_two_have_the_same_picks_and_epsilon_times_it(kind, power, method):
    rows, labels = made(kind)
    plain = select(rows, labels, method=method)
    scaled = select(rows * 2.0**power, labels, method=method)
    assert scaled.index.tolist() == plain.index.tolist()
    assert scaled.weight.tolist() == plain.weight.tolist()
    assert epsilon(scaled) == epsilon(plain) * 2.0**power
    assert (scaled.gain[1:] == plain.gain[1:] * 2.0**power).all()


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize(
    "options", [{"scale": "standard"}, {"scale": "minmax"}, {"scale": "unit"}, {"metric": "cosine"}]
)
def test_scales_do_not_see_a_power_of_two(kind, power, options):
    rows, labels = made(kind)
    plain, scaled = (select(x, labels, **options) for x in (rows, rows * 2.0**power))
    assert scaled.index.tolist() == plain.index.tolist()
    assert epsilon(scaled) == epsilon(plain)


@pytest.mark.parametrize("size", [1e138, 1e100, 1e39, 1e20, 1e-39, 1e-100, 1e-200, 1e-300, 1e-306])
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_epsilon_and_clusters_are_those_of_long_double(kind, size):
    rows, labels = made(kind)
    rows = rows * size
    coreset = select(rows, labels)
    told, sizes = long_epsilon(rows, labels, coreset.index)
    assert epsilon(coreset) == pytest.approx(told, rel=1e-12, abs=0)
    assert coreset.cluster_size.tolist() == sizes.tolist()


@pytest.mark.parametrize("size", [1e100, 1e25, 1e-100, 1e-200, 1e-310])
def test_a_column_of_another_size_counts_by_scale(size):
    """Of 1e-310, whose digits are few, up to these."""
    rows, labels = made()
    other = rows.copy()
    other[:, 3] *= size
    rel = 1e-9 if size > 1e-300 else 1e-3
    for options in ({"scale": "standard"}, {"scale": "minmax"}):
        plain, changed = (select(x, labels, **options) for x in (rows, other))
        assert epsilon(changed) == pytest.approx(epsilon(plain), rel=rel)
        assert size < 1e-300 or changed.index.tolist() == plain.index.tolist()


def test_shifted_rows_have_the_same_picks():
    rng = np.random.default_rng(0)
    rows = rng.integers(-1000, 1000, size=(N, 4)).astype(float)
    plain, shifted = (select(x, None) for x in (rows, rows + 2.0**40))
    assert shifted.index.tolist() == plain.index.tolist()
    assert epsilon(shifted) == epsilon(plain)


@pytest.mark.thinned
@pytest.mark.parametrize("value", [1e18, -1e30, 1e39, -1e139])
@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("method", METHODS)
def test_one_value_beside_which_all_others_are_lost_is_named(kind, value, method):
    rows, labels = made(kind)
    rows = sp.lil_array(rows) if kind == "sparse" else rows
    rows[7, 2] = value
    rows = sp.csr_array(rows) if kind == "sparse" else rows
    with pytest.raises(InputError) as caught:
        select(rows, labels, method=method)
    assert str(caught.value) == (
        "<memory>: row 7, from 0, lies so far off in column 3 that distances of the other rows "
        "are lost beside it. Correct it, leave the row out, or use scale='minmax'."
    )
    assert epsilon(select(rows, labels, method=method, scale="minmax")) > 1


def test_far_rows_whose_others_are_told_apart_are_no_fault():
    rows, labels = made()
    rows[7, 2] = 1e9
    coreset = select(rows, labels)
    told, sizes = long_epsilon(rows, labels, coreset.index)
    assert epsilon(coreset) == pytest.approx(told, rel=1e-9)
    assert coreset.cluster_size.tolist() == sizes.tolist()


def test_rows_equal_but_for_rounding_are_no_fault():
    rng = np.random.default_rng(1)
    rows = np.repeat(rng.normal(size=(12, 3)), 30, axis=0)
    rows = rows * (1 + 1e-15 * rng.normal(size=rows.shape))
    assert epsilon(select_coreset(rows, size=24, weights="cluster")) < 1e-11


def test_lost_distances_are_counted():
    points = np.array([[1.0, 2.0], [3.0, 0.0], [5.0, 5.0]])
    distances, errors = np.array([1.0, 1.0, 1e-14]), np.array([0.5, 1e-9, 1e-14])
    assert count_lost(points, distances, errors) == 1


def test_a_budget_of_epsilon_beside_a_far_value_ends():
    rows, labels = made()
    rows[7, 2] = 1e30
    with pytest.raises(InputError, match="row 7, from 0"):
        select_coreset(rows, labels, epsilon=30.0, weights="cluster")


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        (np.array([[0.0, 1.0], [2.0, 1e141]]), "row 1 and column 1"),
        (np.array([[0.0, -1.7e308], [2.0, 1.0]]), "row 0 and column 1"),
        (sp.csr_array(np.array([[0.0, 1.0], [0.0, 0.0], [1e200, 3.0]])), "row 2 and column 0"),
    ],
)
def test_what_cannot_be_squared_is_refused_by_row_and_column(rows, place):
    with pytest.raises(InputError) as caught:
        select_coreset(rows, size=1)
    assert str(caught.value).startswith(
        f"X: the value in {place}, counted from 0, is beyond 1e+140, too large to be squared and "
        "summed (value '"
    )


def test_the_largest_numbers_can_be_squared_and_summed():
    rows = np.where(np.arange(40).reshape(20, 2) % 3, LARGEST, -LARGEST)
    rows[::2, 0] = 0
    for options in ({}, {"scale": "standard"}, {"metric": "cosine"}):
        assert np.isfinite(epsilon(select_coreset(rows, size=3, weights="cluster", **options)))
    assert np.finfo(float).max > 2**31 * 2**58 * (2 * LARGEST) ** 2


def test_float32_rows_beyond_the_squares_of_float32():
    rows, labels = made()
    small, large = (rows.astype(np.float32) * np.float32(s) for s in (1, 2.0**90))
    plain, scaled = (select(x, labels) for x in (small, large))
    assert scaled.index.tolist() == plain.index.tolist()
    assert epsilon(scaled) == epsilon(plain) * 2.0**90
    calibrated = select_coreset(large, labels, size=24, weights="calibrated")
    assert np.isfinite(calibrated.weight).all()


@pytest.mark.parametrize("size", [1e-120, 1e-250, 1e130])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_summaries_of_narrow_columns(size, is_sparse):
    rows = np.random.default_rng(5).normal(size=(300, 3)) * np.array([1.0, size, size])
    rows[rows < 0] = 0
    rows[:40, 2] = 0.5 * size
    exact = rows.astype(np.longdouble).std(axis=0).astype(float)

    def summary(part):
        if is_sparse:
            matrix = sp.csr_array(part)
            from craig_cli.arrays import sparse_rows

            part = sparse_rows(matrix)
        return summarise(part, alone)

    with Workers(1) as alone:
        whole, parts = summary(rows), merged([summary(rows[:40]), summary(rows[40:])])
    for found in (whole, parts):
        np.testing.assert_allclose(found.deviations, exact, rtol=1e-9)


def test_weights_and_costs_too_large_are_refused_and_tiny_ones_count():
    rows, labels = made()
    weights = np.ones(N)
    weights[3] = 1e300
    with pytest.raises(
        InputError, match=r"^sample_weight: the value in row 3, counted from 0, is beyond 1e\+140"
    ):
        select_coreset(rows, labels, size=5, sample_weight=weights)
    uneven = 1.0 + np.arange(N) % 4
    plain, tiny = (select(rows, labels, sample_weight=uneven * w) for w in (1.0, 1e-250))
    assert tiny.index.tolist() == plain.index.tolist()
    assert tiny.weight == pytest.approx(plain.weight * 1e-250, rel=1e-12, abs=0)
    assert epsilon(tiny) == pytest.approx(epsilon(plain) * 1e-250, rel=1e-9, abs=0)
    large = select(rows, labels, sample_weight=uneven * 1e139)
    assert large.index.tolist() == plain.index.tolist()


def test_whole_weights_of_tiny_ones():
    made_of = row_weights(np.array([1e-305, 2e-305]), 2, False)
    assert made_of.whole is not None
    assert made_of.whole[1] == pytest.approx(2 * made_of.whole[0], rel=1e-6)


def test_long_distances_are_those_of_the_formula():
    points = np.array([[0.0, 0.0], [3.0, 4.0]])
    assert long_distances(points).astype(float).tolist() == [[0, 5], [5, 0]]
