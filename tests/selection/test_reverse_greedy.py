"""Giving up picks: greedy in reverse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from reference import distance_matrix, thinned_greedily
from test_lazy_greedy import made, sparse

from craig_cli.kernels import reverse_greedy
from craig_cli.selection.fixed_point import make_fixed_point
from craig_cli.selection.groups import make_group
from craig_cli.selection.reverse_greedy import clusters, reverse_greedy_picks
from craig_cli.selection.tiles import make_layout
from craig_cli.threads import Workers


def group_of(rows, workers, is_sparse=False):
    group = make_group(sparse(rows) if is_sparse else rows.copy(), False, workers)
    return group, distance_matrix(rows)[np.ix_(group.rank, group.rank)]


@pytest.mark.parametrize("kind", ("normal", "clusters", "text"))
@pytest.mark.parametrize("size", (1, 2, 4, 6))
@pytest.mark.parametrize("is_sparse", (False, True))
def test_the_pick_that_is_missed_least_goes_first(kind, size, is_sparse):
    with Workers(2) as workers:
        group, distances = group_of(made(kind, n=400), workers, is_sparse)
        picks = np.random.default_rng(1).choice(
            400, reverse_greedy.K, replace=False
        )  # so few that every row knows them all
        kept, cluster, nearest = reverse_greedy_picks(group, picks, size)
    assert kept.tolist() == thinned_greedily(distances[:, picks], size)
    np.testing.assert_array_equal(cluster, distances[:, picks[kept]].argmin(axis=1))
    np.testing.assert_allclose(
        nearest * group.unit, distances[:, picks[kept]].min(axis=1), atol=1e-4
    )


def test_five_points_on_a_line():
    rows = np.array([[0.0], [1.0], [2.0], [10.0], [11.0]])
    with Workers(1) as workers:
        group, _ = group_of(rows, workers)
        position = np.argsort(group.rank)
        for size, left in (
            (4, [0, 1, 2, 3]),
            (3, [0, 1, 3]),
            (2, [1, 3]),
            (1, [1]),
        ):  # costs of 1, of which the last goes; then 1, 1 and 18
            assert reverse_greedy_picks(group, position, size)[0].tolist() == left


@pytest.mark.parametrize("is_sparse", (False, True))
def test_the_near_picks_are_the_nearest_wherever_few_blocks_are_enough(is_sparse):
    with Workers(3) as workers:
        group, distances = group_of(made("normal", n=1000), workers, is_sparse)
        picks = np.random.default_rng(0).choice(
            1000, reverse_greedy.BLOCK * reverse_greedy.BLOCKS, replace=False
        )
        near, whole = group.near_picks(picks)
    np.testing.assert_allclose(
        whole * group.unit, np.sort(distances[:, picks], axis=1)[:, : reverse_greedy.K], atol=1e-4
    )
    np.testing.assert_allclose(
        np.take_along_axis(distances[:, picks], near.astype(np.int64), axis=1),
        whole * group.unit,
        atol=1e-4,
    )


def test_equal_picks_are_told_apart_by_their_number():
    with Workers(1) as workers:
        group, _ = group_of(np.zeros((50, 2)), workers)
        kept, cluster, _ = reverse_greedy_picks(group, np.arange(20), 5)
    assert len(kept) == 5
    assert set(np.unique(cluster)) <= {-1, 0, 1, 2, 3, 4}


def test_kernels_plain_and_compiled_agree():
    rng = np.random.default_rng(3)
    tiles = rng.normal(size=(3, 4, 128)).astype(np.float32)
    fixed_point = make_fixed_point(tiles[0].T, False, Workers(1))
    layout = make_layout(tiles, 380, replace(fixed_point, scale=1e6), Workers(1))
    vectors, numbers = (
        np.ascontiguousarray(tiles[:, :, ::4].transpose(0, 2, 1).reshape(-1, 4)),
        rng.permutation(96).astype(np.int32),
    )
    blocks = vectors.reshape(-1, reverse_greedy.BLOCK, 4).mean(axis=1)
    lanes = np.zeros((1, 4, 128), np.float32)
    lanes[0, :, : len(blocks)] = blocks.T
    shelves = np.zeros((1, 4, 128), np.float32)
    shelves[0, :, 0] = blocks.mean(axis=0)
    results = []
    for near_kernel, rows_kernel, drop_kernel in (
        (reverse_greedy.near_picks, reverse_greedy.rows_of_picks, reverse_greedy.drop_picks),
        (
            reverse_greedy.near_picks.py_func,
            reverse_greedy.rows_of_picks.py_func,
            reverse_greedy.drop_picks.py_func,
        ),
    ):
        near, distances = (
            np.empty((380, reverse_greedy.K), np.int32),
            np.zeros((380, reverse_greedy.K), np.int32),
        )
        near_kernel(layout, lanes, shelves, vectors, numbers, (0, 3), (near, distances))
        starts, rows = np.zeros(98, np.int64), np.empty(near.size, np.int32)
        rows_kernel(near, starts, rows)
        is_kept, first = np.ones(96, bool), np.empty(380, np.int8)
        assert drop_kernel((near, distances), starts, rows, 40, 96, is_kept, first) == 40
        results.append((near, distances, rows, is_kept, first))
    for compiled, plain in zip(*results, strict=True):
        np.testing.assert_array_equal(compiled, plain)
    assert results[0][3].sum() == 40


def test_clusters_list_the_lowest_row_first():
    starts, members = clusters(np.array([1, 0, -1, 1], np.int32), np.array([3, 2, 1, 0]), 2)
    assert starts.tolist() == [0, 1, 3]
    assert members.tolist() == [1, 3, 0]
