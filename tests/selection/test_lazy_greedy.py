"""Exact greedy against plain greedy, and what must not change the picks."""

from __future__ import annotations

import numpy as np
import pytest
from reference import clusters, distance_matrix, naive_greedy

from craig_cli.dataset import Dataset, SparseRows
from craig_cli.selection import (
    check_coreset,
    cover,
    dense_group,
    lazy_greedy,
    measure,
    neighbour_lists,
    select,
)
from craig_cli.selection.lazy_greedy import LazyGreedy
from craig_cli.selection.methods import greedy
from craig_cli.selection.scaling import Features
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.threads import Workers

pytestmark = pytest.mark.usefixtures("road")


def sparse(rows):
    """The same rows as `SparseRows`."""
    rows = np.asarray(rows, np.float64)
    owner, column = np.nonzero(rows)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(rows)))]).astype(
        np.int64
    )
    return SparseRows(indptr, column.astype(np.int32), rows[owner, column], rows.shape[1])


def exact(rows, labels=None, threads=2, **settings):
    budget = Budget(
        **{
            k: settings.pop(k)
            for k in ("fraction", "size", "epsilon", "mean_epsilon")
            if k in settings
        }
    )
    coreset = select(
        Dataset(rows, labels),
        SelectionSettings(budget, threads=threads, **({"method": "exact"} | settings)),
    )
    check_coreset(coreset)
    return coreset


def made(kind, n=700, seed=0):
    rng = np.random.default_rng(seed)
    if kind == "normal":
        return rng.normal(size=(n, 7))
    if kind == "clusters":
        return rng.normal(size=(n, 5)) + 10 * rng.normal(size=(12, 5))[rng.integers(12, size=n)]
    if kind == "one-hot":  # a great many exact ties
        return np.eye(6)[rng.integers(6, size=n)] * 2.0 + np.eye(6)[rng.integers(6, size=n)]
    if kind == "integers":
        return rng.integers(0, 50, size=(n, 1)).astype(float)
    if kind == "text":  # mostly zeros
        return rng.random((n, 400)) * (rng.random((n, 400)) < 0.01)
    if kind == "duplicates":
        return rng.normal(size=(n // 10, 3))[rng.integers(n // 10, size=n)]
    raise ValueError(kind)


KINDS = ("normal", "clusters", "one-hot", "integers", "text", "duplicates")


@pytest.mark.parametrize("kind", KINDS)
def test_picks_of_plain_greedy(kind):
    rows = made(kind)
    distances = distance_matrix(rows)
    picks, gains, remaining = naive_greedy(distances, 150)
    gaining = np.concatenate([[True], gains[1:] > 1e-9])
    coreset = exact(rows, size=150)
    np.testing.assert_array_equal(coreset.index[gaining], picks[gaining])
    np.testing.assert_allclose(coreset.epsilon, remaining, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(coreset.gain[1:], gains[1:], rtol=1e-3, atol=1e-5 * gains[1])
    nearest = distances[:, coreset.index].min(axis=1)
    np.testing.assert_allclose(coreset.epsilon_total, nearest.sum(), rtol=1e-12, atol=1e-12)
    assert coreset.classes[0].medoid_epsilon == pytest.approx(distances.sum(axis=0).min(), rel=1e-6)


@pytest.mark.parametrize("kind", ("integers", "one-hot"))
def test_ties_go_to_the_lowest_row_and_clusters_to_the_earlier_pick(kind):
    rows = made(kind, n=300)
    distances = distance_matrix(rows)
    coreset = exact(rows, size=12)
    picks, _, _ = naive_greedy(distances, 12)
    np.testing.assert_array_equal(coreset.index, picks)
    np.testing.assert_array_equal(
        coreset.cluster_size, np.bincount(clusters(distances, picks), minlength=12)
    )


@pytest.mark.thinned
@pytest.mark.parametrize("first_look", (1, 5, 10_000))
@pytest.mark.parametrize("kind", ("normal", "text"))
def test_lists_and_lazy_evaluation_make_the_same_picks(monkeypatch, first_look, kind):
    monkeypatch.setattr(lazy_greedy, "LIST_PAIRS_MINIMUM", 1 << 15)
    monkeypatch.setattr(lazy_greedy, "FIRST_LOOK", first_look)
    rows = made(kind, n=900)
    picks, _, _ = naive_greedy(distance_matrix(rows), 120)
    np.testing.assert_array_equal(exact(rows, size=120).index, picks)


@pytest.mark.parametrize("kind", KINDS)
def test_sparse_rows_make_the_picks_of_dense_ones(kind):
    rows = made(kind)
    dense, drop_picks = exact(rows, size=60), exact(sparse(rows), size=60)
    np.testing.assert_array_equal(dense.index, drop_picks.index)
    np.testing.assert_array_equal(dense.weight, drop_picks.weight)


@pytest.mark.parametrize("kind", ("normal", "text", "one-hot"))
def test_same_bytes_for_any_number_of_threads_and_any_cut(monkeypatch, kind):
    rows = sparse(made(kind)) if kind == "text" else made(kind)
    labels = np.arange(len(made(kind))) % 3
    one = exact(rows, labels, threads=1, size=200)
    for threads, candidates, tiles, list_rows in (
        (2, 256, 2048, 256),
        (5, 7, 1, 3),
        (3, 64, 2, 1000),
    ):
        monkeypatch.setattr(dense_group, "CANDIDATES_A_TASK", candidates)
        monkeypatch.setattr(dense_group, "TILES_A_TASK", tiles)
        monkeypatch.setattr(neighbour_lists, "ROWS_A_TASK", list_rows)
        other = exact(rows, labels, threads=threads, size=200)
        for name in ("index", "order", "weight", "cluster_size", "label", "gain", "epsilon"):
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name
        assert one.classes == other.classes


@pytest.mark.parametrize("shift", (1e6, -3.0, 2.0**40))
def test_shifting_all_rows_alike_changes_nothing(shift):
    rows = np.round(made("clusters") * 256) / 256  # so that the shifted values are exact
    plain, shifted = exact(rows, size=80), exact(rows + shift, size=80)
    for name in ("index", "weight", "gain", "epsilon"):
        assert getattr(plain, name).tobytes() == getattr(shifted, name).tobytes(), name


@pytest.mark.parametrize("factor", (2.0**-30, 1e-9, 3.0, 1e9, 1e100, 1e135))
def test_scaling_all_rows_alike_changes_no_pick(factor):
    rows = made("clusters")
    plain, scaled = exact(rows, size=80), exact(rows * factor, size=80)
    np.testing.assert_array_equal(plain.index, scaled.index)
    np.testing.assert_allclose(scaled.epsilon, plain.epsilon * factor, rtol=1e-5)


def test_rows_too_close_together_for_float32_are_compared_in_float64():
    rng = np.random.default_rng(3)
    rows = np.where(rng.random((300, 1)) < 0.5, -5e8, 5e8) + rng.normal(size=(300, 3))
    picks, _, _ = naive_greedy(distance_matrix(rows), 40)
    coreset = exact(rows, size=40)
    np.testing.assert_array_equal(coreset.index, picks)
    np.testing.assert_allclose(
        coreset.epsilon_total, distance_matrix(rows)[:, picks].min(axis=1).sum(), rtol=1e-9
    )


@pytest.mark.parametrize(
    ("shape", "types"), (("two heaps", [True]), ("outlier", [True]), ("clusters", [False]))
)
def test_a_trial_tells_beforehand_whether_float32_is_enough(shape, types, monkeypatch):
    seen = []

    class Counted(LazyGreedy):
        def __init__(self, group, draw=None):
            seen.append(group.is_float64)
            super().__init__(group, draw)

    monkeypatch.setattr(greedy, "LazyGreedy", Counted)
    rng = np.random.default_rng(3)
    rows = made("clusters") if shape == "clusters" else rng.normal(size=(2000, 3))
    if shape == "two heaps":
        rows[::2] += 1e9
    if shape == "outlier":
        rows[700] = 1e6
    exact(rows, size=40)
    assert seen == types


def test_offsets_and_timestamps_keep_their_digits():
    rng = np.random.default_rng(4)
    rows = np.column_stack(
        [1.7e9 + rng.integers(0, 1000, 400), 1e6 + rng.normal(size=400), 5e12 + np.arange(400) % 7]
    )
    picks, _, _ = naive_greedy(distance_matrix(rows), 50)
    np.testing.assert_array_equal(exact(rows, size=50).index, picks)


def test_every_row_once_when_all_are_asked_for():
    rows = made("duplicates")
    coreset = exact(rows, fraction=1)
    np.testing.assert_array_equal(np.sort(coreset.index), np.arange(len(rows)))
    assert (coreset.weight == 1).all()
    assert coreset.epsilon_total == 0
    assert (coreset.gain[len(np.unique(rows, axis=0)) :] == 0).all()


@pytest.mark.parametrize(
    "rows", ([[1.0, 2.0]], [[0.0]], [[5.0, 5.0]] * 4, np.zeros((300, 2)), np.ones((5, 0)))
)
def test_one_row_and_equal_rows(rows):
    rows = np.array(rows)
    coreset = exact(rows, size=1)
    assert coreset.index.tolist() == [0]
    assert coreset.weight.tolist() == [len(rows)]
    assert coreset.epsilon_total == 0
    assert exact(rows, fraction=1).index.tolist() == list(range(len(rows)))


def test_rows_without_entries():
    drop_picks = SparseRows(
        np.array([0, 0, 1, 1, 2]), np.array([7, 9000], np.int32), np.array([1.0, 3.0]), 9001
    )
    coreset = exact(drop_picks, size=2)
    assert coreset.index.tolist() == [0, 3]
    assert coreset.epsilon_total == pytest.approx(1.0)


@pytest.mark.parametrize("share", (0.9, 0.5, 0.1, 0.01, 0.0))
def test_cover_is_the_smallest_greedy_prefix(share):
    rows = made("clusters", n=400)
    distances = distance_matrix(rows)
    _, _, remaining = naive_greedy(distances, 400)
    bound = share * remaining[0]
    coreset = exact(rows, epsilon=bound)
    assert len(coreset.index) == np.argmax(remaining <= bound) + 1
    assert coreset.epsilon_total <= bound
    np.testing.assert_array_equal(coreset.index, exact(rows, size=len(coreset.index)).index)
    assert len(exact(rows, mean_epsilon=bound / len(rows)).index) == len(coreset.index)


def test_cover_takes_from_the_class_that_gains_most():
    rows = made("clusters", n=400)
    labels = np.array(["wide", "narrow"], object)[(np.arange(400) % 2)]
    rows[labels == "narrow"] *= 0.1
    coreset = exact(rows, labels, epsilon=300.0)
    narrow, is_float64 = coreset.classes
    assert is_float64.n_selected > narrow.n_selected >= 1
    assert coreset.epsilon_total <= 300.0
    fewer = measure(Dataset(rows, labels), SelectionSettings(Budget(size=1)), coreset.index[:-1])
    assert fewer.epsilon_total > 300.0
    assert (np.diff(coreset.gain) <= 0).all()


def test_classes_are_selected_apart():
    rows, labels = made("normal"), np.arange(700) % 3
    coreset = exact(rows, labels, size=90)
    for value, summary in zip((0, 1, 2), coreset.classes, strict=True):
        members = np.flatnonzero(labels == value)
        picks, _, remaining = naive_greedy(distance_matrix(rows[members]), 30)
        np.testing.assert_array_equal(coreset.index[coreset.label == value], members[picks])
        assert summary.epsilon == pytest.approx(remaining[-1], rel=1e-9)
        assert (summary.label, summary.n_selected) == (value, 30)


def test_regression_counts_the_target_as_a_coordinate():
    rows, target = made("normal", n=200), np.random.default_rng(1).normal(size=200) * 5
    coreset = exact(rows, target, size=20, task="regression")
    picks, _, _ = naive_greedy(distance_matrix(np.column_stack([rows, target])), 20)
    np.testing.assert_array_equal(coreset.index, picks)
    np.testing.assert_array_equal(coreset.label, target[picks])


@pytest.mark.parametrize(
    ("settings", "transformed"),
    (
        ({"scale": "standard"}, lambda x: x / np.where(x.std(axis=0) > 0, x.std(axis=0), 1)),
        ({"scale": "minmax"}, lambda x: x / np.where(np.ptp(x, axis=0) > 0, np.ptp(x, axis=0), 1)),
        (
            {"scale": "unit"},
            lambda x: x / np.maximum(np.sqrt((x**2).sum(axis=1, keepdims=True)), 1e-300),
        ),
        (
            {"metric": "cosine"},
            lambda x: x / np.maximum(np.sqrt((x**2).sum(axis=1, keepdims=True)), 1e-300),
        ),
    ),
)
@pytest.mark.parametrize("kind", ("normal", "text"))
def test_scales_and_metrics(settings, transformed, kind):
    rows = made(kind, n=400)
    rows[:, 2] = 0.0
    rows[:, 1] *= 30
    picks, _, remaining = naive_greedy(distance_matrix(transformed(rows)), 40)
    for form in (rows, sparse(rows)):
        coreset = exact(form, size=40, **settings)
        np.testing.assert_array_equal(coreset.index, picks)
        assert coreset.epsilon_total == pytest.approx(remaining[-1], rel=1e-9)


def test_unequal_spreads_are_pointed_out():
    rows = made("normal", n=50) * np.array([1, 1, 1, 1, 1, 1, 1000.0])
    assert "Consider --scale standard" in exact(rows, size=5).notes[0]
    assert exact(rows, size=5, scale="standard").notes == ()


def test_float32_rows_are_the_same_as_their_float64_values():
    rows = made("normal").astype(np.float32)
    np.testing.assert_array_equal(
        exact(rows, size=50).index, exact(rows.astype(np.float64), size=50).index
    )


def test_measure_agrees_with_select():
    rows, labels = made("clusters"), np.arange(700) % 2
    coreset = exact(rows, labels, size=60)
    again = measure(Dataset(rows, labels), SelectionSettings(Budget(size=60)), coreset.index)
    for name in ("index", "weight", "cluster_size", "gain", "epsilon"):
        np.testing.assert_array_equal(getattr(coreset, name), getattr(again, name))
    assert coreset.classes == again.classes


def test_five_points_by_hand():
    # 0 1 2 . . . . . . . 10 11: the medoid of {0, 1, 2, 10, 11} is 2 (sum 2+1+0+8+9 = 20), then 10
    # or 11 gains 8+8 = 16 or 7+9 = 16: the lower row, 10; then 0 gains 2 + 0 = 2, and 1 gains 1 + 1
    # = 2: the lower row, 0.
    coreset = exact(np.array([[0.0], [1], [2], [10], [11]]), size=3)
    assert coreset.index.tolist() == [2, 3, 0]
    np.testing.assert_allclose(coreset.epsilon, [20, 4, 2], rtol=1e-6)
    np.testing.assert_allclose(coreset.gain[1:], [16, 2], rtol=1e-6)
    assert coreset.weight.tolist() == [2, 2, 1]  # row 1 lies between 2 and 0: the earlier pick


@pytest.mark.slow
def test_two_rows_as_far_apart_as_the_bound_on_distances():
    rng = np.random.default_rng(0)
    for _ in range(200):
        rows = rng.normal(size=(2, int(rng.integers(1, 9)))) * 10.0 ** rng.integers(-5, 6)
        coreset = exact(rows, size=1)
        assert coreset.weight.tolist() == [2]
        assert coreset.epsilon_total == pytest.approx(float(np.linalg.norm(rows[0] - rows[1])))


@pytest.mark.parametrize("most", (0, 1 << 26))
def test_groups_held_together_keep_distances_only_if_these_are_few(monkeypatch, most):
    monkeypatch.setattr(cover, "PAIRS_TOGETHER", most)
    kept, all_distances = [], dense_group.DenseGroup.all_distances

    def noted(group):
        kept.append(all_distances(group))
        return kept[-1]

    rows, labels = made("clusters", n=600), np.arange(600) % 2
    expected = exact(rows, labels, mean_epsilon=2.0)
    monkeypatch.setattr(dense_group.DenseGroup, "all_distances", noted)
    found = exact(rows, labels, mean_epsilon=2.0)
    has_road = most > 0 and dense_group.ROWS_ALL_DISTANCES > 0
    assert [distances is not None for distances in kept] == [has_road, has_road]
    np.testing.assert_array_equal(found.index, expected.index)


def test_all_rows_in_float32_are_neither_copied_nor_changed():
    rows = made("normal").astype(np.float32)
    before, features, every = rows.copy(), Features(rows), np.arange(len(rows))
    with Workers(2) as workers:
        assert features.points(every, workers) is rows
        for some in (every[1:], every[::-1]):
            taken = features.points(some, workers)
            assert not np.shares_memory(taken, rows)
            np.testing.assert_array_equal(taken, rows[some])
    exact(rows, size=50)
    np.testing.assert_array_equal(rows, before)
    rows.flags.writeable = False
    with Workers(2) as workers:
        assert not np.shares_memory(features.points(every, workers), rows)
