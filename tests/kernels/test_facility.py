"""Distances, gains and lists of the dense and the sparse kernels against slow twins."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from reference import distance_matrix
from test_lazy_greedy import made
from test_lazy_greedy import sparse as sparse_rows

from craig_cli.kernels import (
    cells,
    dense,
    gains,
    in_cells,
    lists,
    reverse_greedy,
    sparse,
    squares,
    tree,
)
from craig_cli.kernels import tiles as tile_kernels
from craig_cli.kernels.tiles import TILE
from craig_cli.selection import dense_group
from craig_cli.selection.base_group import GroupKernels
from craig_cli.selection.dense_group import FIRST_PICKS, DenseGroup
from craig_cli.selection.groups import make_group
from craig_cli.selection.lazy_greedy import LazyGreedy
from craig_cli.selection.row_weights import RowWeights
from craig_cli.selection.sparse_group import SparseGroup
from craig_cli.threads import Workers


def quantised_distances(group):
    """The matrix of quantised distances of a group, found by absorbing one pick at a time."""
    columns = []
    for pick in range(group.n_rows):
        group.reset()
        group.absorb(np.array([pick]))
        columns.append(group.nearest().astype(np.int64))
    group.reset()
    return np.array(columns).T


def evaluate(group):
    """What every row would gain as the next pick."""
    return group.gains(np.arange(group.n_rows))


@pytest.fixture(
    params=[
        ("normal", False, False),
        ("clusters", False, True),
        ("text", True, False),
        ("text", True, True),
        ("one-hot", False, False),
    ]
)
def group(request):
    kind, is_sparse, is_float64 = request.param
    rows = made(kind, n=310)
    with Workers(2) as workers:
        yield make_group(sparse_rows(rows) if is_sparse else rows.copy(), is_float64, workers), rows


def test_quantised_distances_are_the_distances(group):
    group, rows = group
    whole = quantised_distances(group)
    expected = distance_matrix(rows)[np.ix_(group.rank, group.rank)]
    np.testing.assert_allclose(whole * group.unit, expected, atol=2e-6 * expected.max())
    np.testing.assert_array_equal(whole, whole.T)
    assert whole.max() <= group.auxiliary_distance
    assert (np.diag(whole) == 0).all()


def test_gains_bounds_and_lists_against_the_matrix(group):
    group, _ = group
    whole = quantised_distances(group)
    n = group.n_rows
    everyone = np.arange(n)
    nearest = np.full(n, group.auxiliary_distance)
    assert (group.first_gain_bounds() >= evaluate(group)).all()
    for pick in (5, 300, 77, 120, 121, 9):
        expected = np.maximum(nearest[:, None] - whole, 0).sum(axis=0)
        np.testing.assert_array_equal(evaluate(group), expected)
        np.testing.assert_array_equal(group.all_gains(), expected)
        some = np.random.default_rng(pick).permutation(n)[:pick]
        np.testing.assert_array_equal(group.gains(some), expected[some])
        assert group.absorb(np.array([pick])) == [np.maximum(nearest - whole[:, pick], 0).sum()]
        nearest = np.minimum(nearest, whole[:, pick])
        np.testing.assert_array_equal(group.nearest(), nearest)
    found = group.neighbours(everyone, n * n)
    for position in range(n):
        span = slice(found.starts[position], found.ends[position])
        by_column = np.argsort(found.columns[span])
        expected = np.flatnonzero(whole[position] < nearest[position])
        np.testing.assert_array_equal(found.columns[span][by_column], expected)
        np.testing.assert_array_equal(found.distances[span][by_column], whole[position, expected])
    assert group.neighbours(everyone, len(found.columns) - 1) is None


def test_all_distances_are_those_of_pairs(group):
    group, _ = group
    found, n = group.all_distances(), group.n_rows
    if found is None:
        assert isinstance(group, SparseGroup)
        return
    np.testing.assert_array_equal(found[:n, :n], quantised_distances(group))
    np.testing.assert_array_equal(group.gains_from_distances(found), evaluate(group))


@pytest.mark.parametrize("most", (0, dense_group.ROWS_ALL_DISTANCES))
def test_gains_kept_up_to_date_are_those_of_a_new_evaluation(group, monkeypatch, most):
    monkeypatch.setattr(dense_group, "ROWS_ALL_DISTANCES", most)
    group, _ = group
    greedy = LazyGreedy(group)
    greedy.extend(1)
    greedy.extend(40)
    assert greedy._known is not None
    kept = greedy._bounds.copy()
    evaluated = evaluate(group)
    open_ = kept >= 0
    np.testing.assert_array_equal(kept[open_], evaluated[open_])
    assert (evaluated[~open_] == 0).all()
    assert greedy.remaining == int(group.nearest().astype(np.int64).sum())


def test_squared_distances_are_those_of_differences():
    rng = np.random.default_rng(0)
    tiles = rng.normal(size=(1, 24, TILE)).astype(np.float32)
    vectors, found = rng.normal(size=(2, 24)).astype(np.float32), np.empty(TILE, np.float32)
    for v in range(2):
        squares.squared_distances(tiles, 0, vectors, v, found)
        expected = ((tiles[0].astype(float) - vectors[v][:, None]) ** 2).sum(axis=0)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", (np.float32, np.float64))
def test_one_and_four_vectors_give_the_same_bits_where_any_is_within_its_limit(dtype):
    rng = np.random.default_rng(0)
    tiles = rng.normal(size=(2, 20, TILE)).astype(dtype)
    vectors = rng.normal(size=(6, 20)).astype(dtype)
    one, four, chosen = np.empty(TILE, dtype), np.empty((4, TILE), dtype), (5, 0, 3, 3)
    expected = np.empty_like(four)
    for r, v in enumerate(chosen):
        squares.squared_distances(tiles, 1, vectors, v, expected[r])
    for limit in (np.inf, *np.quantile(expected, (0.5, 0.02, 0.001)), 0.0):
        within = expected <= limit
        for own in (0.0, limit):
            limits = np.full((1, 3, TILE), limit - own if own < limit else 0.0, dtype)
            squares.squares_of_four_within(tiles, 1, vectors, chosen, limits, 2, dtype(own), four)
            np.testing.assert_array_equal(four[within], expected[within])
            assert (four[~within] > limit).all()
            assert (four <= expected).all()
        for r, v in enumerate(chosen):
            limits = np.full((3, TILE), limit, dtype)
            assert squares.squares_within(tiles, 1, vectors, v, limits, 2, one) == within[r].any()
            if within[r].any():
                np.testing.assert_array_equal(one, expected[r])


@pytest.mark.parametrize("dtype", (np.float32, np.float64))
@pytest.mark.parametrize("n_columns", (4, 8, 12, 100))
def test_columns_in_which_all_are_equal_are_passed_over_to_the_bit(dtype, n_columns):
    rng = np.random.default_rng(n_columns)
    for share in (0.0, 0.3, 0.9, 1.0):
        tiles = rng.normal(size=(2, n_columns, TILE)).astype(dtype)
        vectors = rng.normal(size=(4, n_columns)).astype(dtype)
        constant, equal = rng.random((2, n_columns)) < share
        tiles[1, constant] = rng.normal(size=(constant.sum(), 1))
        for v in range(4):
            vectors[v, equal] = tiles[1, equal, 0]
        low, high = tiles.min(axis=2), tiles.max(axis=2)
        marks, columns = np.empty(n_columns, np.uint8), np.arange(n_columns)
        four, expected = np.empty((2, 4, TILE), dtype)
        for v in range(4):
            squares.squared_distances(tiles, 1, vectors, v, expected[v])
        for limit in (np.inf, *np.quantile(expected, (0.9, 0.5, 0.02)), 0.0):
            limits = np.full((1, 1, TILE), limit, dtype)
            box = squares.Box(low, high, marks, columns, bool((low == high).any()))
            within = expected <= limit
            squares.squares_of_four_within(
                tiles, 1, vectors, (0, 1, 2, 3), limits, 0, dtype(0), four, box
            )
            np.testing.assert_array_equal(four[within], expected[within])
            assert (four[~within] > limit).all()
        n_apart = squares.columns_apart(box, 1, vectors, (0, 1, 2, 3))
        expected_columns = np.flatnonzero(~(constant & equal) | (np.arange(n_columns) < 8))
        np.testing.assert_array_equal(columns[:n_apart], expected_columns)


@pytest.mark.parametrize(
    "real, whole, top", ((np.float32, np.int32, 30), (np.float64, np.int64, 50))
)
def test_above_its_limit_a_square_rounds_to_more(real, whole, top):
    rng = np.random.default_rng(0)
    for scale in (real(2.0**20), real(3.7)):
        distances = (2.0 ** rng.uniform(0, top, TILE)).astype(whole)
        limits, found = np.empty((1, TILE), real), np.empty(TILE, whole)
        squares.write_limits(distances[None], scale, limits)
        squares.quantise(np.nextafter(limits[0], real(np.inf)), scale, found)
        assert (found > distances).all()


@pytest.mark.parametrize("plain", (True, False))
def test_best_candidate_takes_the_lowest_rank_of_equals(plain):
    function = lists.best_candidate.py_func if plain else lists.best_candidate
    assert function(np.array([3, 7, 7, 7, -1]), np.array([0, 9, 4, 5, 1])) == 2


@pytest.mark.parametrize("n_leaves", (1, 2, 3, 7, 64, 500))
def test_balanced_cells_partition_the_rows(n_leaves):
    points = made("clusters", n=500)
    order = np.arange(500)
    cells.split_rows(points, order, np.arange(n_leaves + 1) * 500 // n_leaves)
    np.testing.assert_array_equal(np.sort(order), np.arange(500))


def test_cells_are_compact_and_equal_rows_split_too():
    points = made("clusters", n=600)
    order, bounds = np.arange(600), np.arange(41) * 15
    cells.split_rows(points, order, bounds)
    within = np.mean([points[order[a:b]].var(axis=0).sum() for a, b in pairwise(bounds)])
    assert within < 0.2 * points.var(axis=0).sum()
    order = np.arange(600)
    cells.split_rows(
        np.ones((600, 3)), order, bounds + 1000
    )  # what comes before the first cell does not count
    np.testing.assert_array_equal(np.sort(order), np.arange(600))


def test_quickselect_splits_by_key_then_row():
    rng = np.random.default_rng(0)
    for _ in range(200):
        n = int(rng.integers(1, 40))
        order, keys = rng.permutation(n), rng.integers(0, 5, n).astype(float)
        key_of = dict(zip(order.tolist(), keys, strict=True))
        middle = int(rng.integers(0, n))
        cells.quickselect(keys, order, 0, n, middle)
        expected = sorted(key_of, key=lambda row: (key_of[row], row))
        assert set(order[:middle].tolist()) == set(expected[:middle])
        assert order[middle] == expected[middle]
        assert keys[middle] == key_of[order[middle]]


@pytest.mark.parametrize("dtype", (np.float32, np.float64))
@pytest.mark.parametrize("d", (1, 3, 4, 6, 8, 21))
def test_projections_are_four_running_sums_to_the_bit(d, dtype):
    rng = np.random.default_rng(d)
    points, direction = rng.normal(size=(30, d)).astype(dtype), rng.normal(size=d)
    order, keys = rng.permutation(30), np.full(30, np.nan)
    direction.setflags(write=False)  # as that of a tree that came from another process
    cells.project(points, order, 2, 29, direction, keys)
    for i in range(2, 29):
        sums = [0.0] * 4
        for k in range(d):
            place = k % 4 if k < d // 4 * 4 else 0
            sums[place] += float(points[order[i], k]) * float(direction[k])
        assert keys[i] == (sums[0] + sums[1]) + (sums[2] + sums[3])
        assert cells.projection(points, order[i], direction) == keys[i]
    assert np.isnan(keys[[0, 1, 29]]).all()


def test_sign_projection_is_the_same_in_python_and_keeps_distances():
    rows = sparse_rows(made("text", n=80))
    out, plain = np.zeros((80, 64)), np.zeros((80, 64))
    cells.sign_projection(rows.indptr, rows.indices, rows.values, out)
    with np.errstate(over="ignore"):
        cells.sign_projection.py_func(rows.indptr, rows.indices, rows.values, plain)
    np.testing.assert_array_equal(out, plain)
    apart = np.triu_indices(80, 1)
    projected, true = distance_matrix(out / 8)[apart], distance_matrix(made("text", n=80))[apart]
    assert 0.9 < projected.sum() / true.sum() < 1.1


def test_pair_distances_agree():
    rows = made("text", n=50)
    first, second = np.arange(50), np.arange(50)[::-1].copy()
    of_dense, of_sparse = np.empty(50), np.empty(50)
    tile_kernels.pair_distances(2 * rows, 2.0, rows, second, of_dense)
    sparse.pair_distances(sparse_rows(rows).arrays, first, second, of_sparse)
    np.testing.assert_allclose(of_dense, of_sparse, rtol=1e-12)
    np.testing.assert_allclose(
        of_dense, np.sqrt(((rows - rows[::-1]) ** 2).sum(axis=1)), rtol=1e-12
    )


MODULES = (cells, dense, gains, in_cells, lists, reverse_greedy, sparse, squares, tile_kernels)
CALLED_BY_INLINED = ("columns_apart", "mark_apart", "number_marked")


def run_plain(monkeypatch):
    """Have Python run the kernels, but for those that are compiled into others and what they
    call.
    """
    for module in MODULES:
        for name, function in vars(module).copy().items():
            how = getattr(function, "targetoptions", {"inline": "always"}).get("inline")
            if how != "always" and name not in CALLED_BY_INLINED:
                monkeypatch.setattr(module, name, function.py_func)
    for kind, module, medoids in (
        (DenseGroup, dense, in_cells.cluster_medoids),
        (SparseGroup, sparse, sparse.cluster_medoids),
    ):
        kernels = GroupKernels(module.neighbours, module.take_picks, medoids)
        monkeypatch.setattr(kind, "kernels", kernels)


@pytest.mark.thinned
@pytest.mark.parametrize("kind", ("normal", "text"))
@pytest.mark.parametrize("weighted", (False, True))
def test_kernels_plain_and_compiled_agree(monkeypatch, kind, weighted):
    rows = made(kind, n=140)
    whole = np.random.default_rng(0).integers(1, 4, 140).astype(np.int32) if weighted else None

    def results():
        with Workers(1) as workers:
            points = sparse_rows(rows) if kind == "text" else rows.copy()
            group = make_group(points, False, workers, weights=RowWeights(whole, 1.0, 140))
            yield from (group.first_gain_bounds(), group.all_gains(), group.gains(np.arange(7)))
            yield from (group.absorb(np.array([3, 139])), group.cluster().copy())
            found = group.neighbours(np.arange(140), 140 * 140)
            gain, starts = np.zeros(140, np.int64), np.array([0, 9, 140])
            lists.gains_from_lists(found, group.nearest(), gain, group.weights)
            yield from group.take_picks(found, gain, np.empty((4, 0), np.int64))
            yield from (gain, group.nearest().copy(), group.medoids(starts, np.arange(140), 50))
            yield from group.near_picks(np.arange(5, 140, 9))
            if kind == "normal":
                yield from group.greedy_in_cell(np.arange(140), 4)

    compiled = list(results())
    run_plain(monkeypatch)
    for found, plain in zip(compiled, results(), strict=True):
        np.testing.assert_array_equal(found, plain)


@pytest.mark.parametrize("is_sparse", (False, True))
def test_weighted_gains_against_the_matrix(is_sparse):
    rows, whole = made("text", n=200), np.random.default_rng(0).integers(1, 9, 200)
    with Workers(2) as workers:
        points = sparse_rows(rows) if is_sparse else rows.copy()
        weights = RowWeights(whole.astype(np.int32), 1.0, 200)
        group = make_group(points, False, workers, weights=weights)
        distances, own = quantised_distances(group), whole[group.rank]
        nearest = np.full(200, group.auxiliary_distance)
        for pick in (20, 199):
            expected = (own[:, None] * np.maximum(nearest[:, None] - distances, 0)).sum(axis=0)
            np.testing.assert_array_equal(evaluate(group), expected)
            np.testing.assert_array_equal(group.all_gains(), expected)
            np.testing.assert_array_equal(group.absorb(np.array([pick])), expected[[pick]])
            nearest = np.minimum(nearest, distances[:, pick])
        found, gain = group.neighbours(np.arange(200), 40_000), np.zeros(200, np.int64)
        lists.gains_from_lists(found, group.nearest(), gain, group.weights)
        np.testing.assert_array_equal(gain, evaluate(group))
        group.take_picks(found, gain, np.empty((9, 0), np.int64))
        np.testing.assert_array_equal(np.maximum(gain, 0), evaluate(group))


def test_a_tree_sends_its_sample_to_the_cells_of_equal_splits():
    points = np.random.default_rng(0).integers(2, size=(300, 2)) * 1.0  # cuts go through equal rows
    rows, order = np.arange(300) * 3, np.arange(300)
    bounds = np.arange(8) * 300 // 7
    splits = np.empty((7, points.shape[1])), np.empty(7), np.empty(7, np.int64)
    tree.grow_tree(points, rows, 7, *splits)
    cells.split_rows(points, order, bounds)
    for number, (first, last) in enumerate(pairwise(bounds)):
        for row in order[first:last]:
            leaf = np.empty(1, np.int32)
            tree.route(points[row : row + 1], rows[row], *splits, leaf)
            assert leaf[0] == number


@pytest.mark.thinned
@pytest.mark.parametrize("is_float64", [False, True])
@pytest.mark.parametrize("n_columns", [3, 40])
def test_many_picks_at_once_do_what_they_do_one_by_one(n_columns, is_float64):
    """Far tiles never meet some picks: nothing is lost by that."""
    rng = np.random.default_rng(n_columns)
    centres = 20 * rng.normal(size=(40, n_columns))
    rows = centres[rng.integers(40, size=9_000)] + rng.normal(size=(9_000, n_columns))
    picks = rng.permutation(9_000)[: 3 * FIRST_PICKS + 57]
    with Workers(2) as workers:
        group = make_group(rows, is_float64, workers)
        at_once = group.absorb(picks)
        found = group.nearest().copy(), group.cluster().copy()
        group.reset()
        one_by_one = np.concatenate([group.absorb(picks[p : p + 1]) for p in range(len(picks))])
    np.testing.assert_array_equal(at_once, one_by_one)
    np.testing.assert_array_equal(found[0], group.nearest())
    np.testing.assert_array_equal(found[1], group.cluster())


def test_near_picks_of_many_are_looked_for_on_near_shelves():
    """Where the shelves are too many to be looked through, most rows still know their nearest."""
    rng = np.random.default_rng(0)
    rows = 20 * rng.normal(size=(30, 6))[rng.integers(30, size=80_000)]
    rows += rng.normal(size=rows.shape)
    picks = rng.permutation(80_000)[:70_000]
    assert len(picks) > reverse_greedy.SHELVES * reverse_greedy.BLOCK * TILE
    with Workers(2) as workers:
        group = make_group(rows, False, workers)
        near, distances = group.near_picks(picks)
        group.absorb(picks)
    assert (near[:, 0] >= 0).all()
    assert (distances[:, 0] == group.nearest()).mean() > 0.95
