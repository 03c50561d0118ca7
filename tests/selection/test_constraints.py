"""Rows that must be picked, that must not, and coresets that are extended."""

from __future__ import annotations

import numpy as np
import pytest
from reference import clusters, distance_matrix, naive_greedy
from test_lazy_greedy import exact, made, sparse

from craig_cli.dataset import Dataset
from craig_cli.errors import UsageError
from craig_cli.selection import check_coreset, lazy_greedy, measure, select
from craig_cli.selection.constraints import PickConstraints, sizes_with
from craig_cli.settings import Budget, SelectionSettings

pytestmark = pytest.mark.usefixtures("road")


def chosen_like(coreset, picks, gains, n_given):
    """Check picks against those of plain greedy, but where nothing is gained any more."""
    gaining = np.concatenate([np.ones(max(1, n_given), bool), gains[max(1, n_given) :] > 1e-9])
    np.testing.assert_array_equal(coreset.index[gaining], picks[gaining])


@pytest.mark.thinned
@pytest.mark.parametrize("kind", ["normal", "one-hot", "text", "duplicates"])
@pytest.mark.parametrize("lists", [True, False])
def test_picks_of_plain_greedy(kind, lists, monkeypatch):
    if not lists:
        monkeypatch.setattr(lazy_greedy, "LIST_PAIRS_MINIMUM", 0)
        monkeypatch.setattr(lazy_greedy, "LIST_PAIRS_A_ROW", 0)
    rows = made(kind, 300)
    distances = distance_matrix(rows)
    rng = np.random.default_rng(1)
    given = rng.permutation(300)[:60].tolist()
    for first, excluded in ((given[:30], []), ([], given), (given[:20], given[20:])):
        picks, gains, remaining = naive_greedy(distances, 80, first=first, excluded=excluded)
        coreset = exact(rows, size=80, include=tuple(first), exclude=tuple(excluded))
        chosen_like(coreset, picks, gains, len(first))
        np.testing.assert_allclose(coreset.epsilon, remaining, rtol=1e-4, atol=1e-4)
        assert coreset.n_given == len(first)
        assert not set(coreset.index.tolist()) & set(excluded)
        cluster = clusters(distances, coreset.index)
        distance = distances[np.arange(300), coreset.index[cluster]]
        assert coreset.epsilon_total == pytest.approx(distance.sum())
        assert coreset.weight.sum() == 300


@pytest.mark.parametrize("as_sparse", [True, False])
def test_extending_is_going_on(as_sparse):
    rows = made("text" if as_sparse else "normal", 300)
    labels = np.arange(300) % 3
    data = sparse(rows) if as_sparse else rows
    small, large = (exact(data, labels, size=size) for size in (60, 120))
    extended = exact(data, labels, size=120, extend=tuple(small.index.tolist()))
    np.testing.assert_array_equal(extended.index[:60], small.index)
    assert set(extended.index.tolist()) == set(large.index.tolist())
    assert extended.epsilon_total == large.epsilon_total
    np.testing.assert_array_equal(np.sort(extended.gain), np.sort(large.gain))


def test_extending_a_cover():
    rows = made("clusters", 300)
    small, wanted = exact(rows, size=20), exact(rows, epsilon=400.0)
    extended = exact(rows, epsilon=400.0, extend=tuple(small.index.tolist()))
    np.testing.assert_array_equal(extended.index, wanted.index)
    first = np.random.default_rng(2).permutation(300)[:15].tolist()
    picks, _, _ = naive_greedy(distance_matrix(rows), 300, epsilon=400.0, first=first)
    np.testing.assert_array_equal(exact(rows, epsilon=400.0, include=tuple(first)).index, picks)
    with pytest.raises(
        UsageError,
        match=r"^--exclude: epsilon is [0-9.]+ with all rows that may "
        r"be picked, above the 1 asked for. Exclude fewer.$",
    ):
        exact(rows, epsilon=1.0, exclude=tuple(range(150)))


def test_a_random_row_of_each_cluster():
    rows, excluded, included = made("normal", 300), tuple(range(100)), (250, 200)
    coreset = exact(rows, size=40, include=included, exclude=excluded, representative="random")
    assert coreset.index[:2].tolist() == coreset.medoid[:2].tolist() == [250, 200]
    assert coreset.index.min() >= 100
    assert (coreset.index != coreset.medoid).sum() > 10
    extended = exact(
        rows,
        size=60,
        exclude=excluded,
        extend=tuple(coreset.medoid.tolist()),
        representative="random",
    )
    assert extended.medoid[:40].tolist() == coreset.medoid.tolist()


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_for_any_number_of_threads(threads):
    rows = made("normal", 600)
    options = {"include": (5, 3), "exclude": tuple(range(100, 400)), "size": 90}
    found, wanted = exact(rows, threads=threads, **options), exact(rows, threads=1, **options)
    assert (
        found.index.tolist() == wanted.index.tolist()
        and found.gain.tolist() == wanted.gain.tolist()
    )


def test_stochastic_and_auto():
    rows = made("normal", 300)
    for method in ("stochastic", "auto"):
        settings = SelectionSettings(Budget(size=40), method, include=(7, 1), exclude=(2, 3))
        coreset = select(Dataset(rows, None), settings)
        check_coreset(coreset)
        assert coreset.index[:2].tolist() == [7, 1] and not {2, 3} & set(coreset.index.tolist())
    assert (coreset.method, coreset.reason) == ("exact", "it goes on from given rows")
    again = measure(Dataset(rows, None), settings, coreset.index)
    np.testing.assert_array_equal(again.index, coreset.index)
    np.testing.assert_array_equal(again.gain, coreset.gain)


@pytest.mark.parametrize(
    ("firsts", "excluded", "size", "wanted"),
    [
        ((0, 0), (0, 0), 10, [8, 2]),
        ((0, 5), (0, 0), 10, [5, 5]),
        ((9, 0), (0, 0), 10, [9, 1]),
        ((0, 0), (76, 0), 10, [4, 6]),
        ((0, 0, 4), (0, 0, 0), 12, [4, 4, 4]),
        ((0, 0, 0), (40, 40, 0), 30, [10, 10, 10]),
    ],
)
def test_sizes_within_limits(firsts, excluded, size, wanted):
    counts = np.array([80, 20] if len(firsts) == 2 else [50, 50, 10])
    given = [
        PickConstraints(np.arange(f), 0, np.arange(n - x) if x else None)
        for f, x, n in zip(firsts, excluded, counts.tolist(), strict=True)
    ]
    assert sizes_with(given, size, counts, Budget(size=size)).tolist() == wanted


def test_sizes_always_add_up():
    rng = np.random.default_rng(0)
    for _ in range(300):
        counts = rng.integers(2, 60, rng.integers(1, 6))
        most = np.array([rng.integers(1, n + 1) for n in counts])
        least = np.array([rng.integers(0, m + 1) for m in most])
        given = [
            PickConstraints(np.arange(low), 0, np.arange(high))
            for low, high in zip(least, most, strict=True)
        ]
        size = int(rng.integers(np.maximum(least, 1).sum(), most.sum() + 1))
        sizes = sizes_with(given, size, counts, Budget(size=size))
        assert (
            sizes.sum() == size and (sizes >= np.maximum(least, 1)).all() and (sizes <= most).all()
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"include": (12,)}, "--include: there is no row 12, counted from 0, but 12 in all."),
        ({"include": (1, 1)}, "--include: rows are numbers of at least 0, each named once."),
        (
            {"include": (1, 2), "exclude": (2,)},
            "--include and --exclude both name row 2: leave it out of one.",
        ),
        (
            {"exclude": (2,), "method": "cells"},
            "--exclude: --method cells cannot go on from given "
            "rows. Use --method exact or stochastic.",
        ),
        (
            {"extend": (2,), "refine": True},
            "--extend and --refine exclude each other: leave one out.",
        ),
        (
            {"exclude": (0, 2, 4, 6, 8, 10)},
            "--exclude: it does not leave any row of class '0' to pick, and each class needs one.",
        ),
        (
            {"include": (0, 2, 4, 6)},
            "--size 4: 4 rows are fewer than the 5 that must be there, with at least one of each "
            "class. Ask for more.",
        ),
        (
            {"exclude": (0, 2, 4, 6, 8, 1, 3, 5, 7)},
            "--size 4: 4 rows are more than the 3 that may be picked. Ask for fewer, or --exclude "
            "fewer.",
        ),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(UsageError) as caught:
        exact(np.arange(12.0)[:, None], np.arange(12) % 2, size=4, **options)
    assert str(caught.value) == message
