"""Passes over columns: the same bits as numpy's, shared out in any way."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from craig_cli.kernels import columns as passes
from craig_cli.kernels.tiles import TILE
from craig_cli.selection.column_summary import middles, summarise
from craig_cli.selection.fixed_point import (
    box_of,
    centred,
    longest_square,
    make_fixed_point,
    with_factors,
)
from craig_cli.selection.groups import make_group
from craig_cli.selection.row_weights import RowWeights
from craig_cli.selection.tiles import fill_tiles
from craig_cli.threads import Workers

SHAPES = ((1, 2), (7, 3), (300, 17), (40_000, 2), (130, 400))


def made(shape, dtype=np.float64):
    rng = np.random.default_rng(shape)
    rows = rng.normal(size=shape) * np.geomspace(1, 1e3, shape[1]) + 5
    rows[:, ::3] = np.maximum(rows[:, ::3] - 5, 0)  # columns that are mostly zeros
    return rows.astype(dtype)


def box_round(rows):
    low, high = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
    return box_of(low, high, np.median(rows.astype(np.float64), axis=0))


def added(kernel, d, *arguments):
    """What a kernel adds up, its columns in three spans."""
    total = np.zeros(d)
    cuts = [0, d // 3, d // 2, d]
    for span in pairwise(cuts):
        kernel(*arguments, span, total)
    return total


@pytest.mark.parametrize("dtype", (np.float32, np.float64))
@pytest.mark.parametrize("shape", SHAPES)
def test_columns_are_added_up_as_numpy_adds_them(shape, dtype):
    rows, d = made(shape, dtype), shape[1]
    box, units = box_round(rows), np.where(np.arange(d) % 2, 1.0, 0.25)
    inside = centred(rows, *box)
    mean = inside.sum(axis=0) / len(rows)
    deviations = (rows - rows.mean(axis=0, dtype=np.float64)) / units
    for found, expected in (
        (added(passes.add_values, d, rows), rows.sum(axis=0, dtype=np.float64)),
        (added(passes.add_centred, d, *with_factors(rows, box)), inside.sum(axis=0)),
        (
            added(passes.add_squares, d, *with_factors(rows, box), mean),
            np.square(inside - mean).sum(axis=0),
        ),
        (
            added(passes.add_deviations, d, rows, rows.mean(axis=0, dtype=np.float64), 1 / units),
            np.square(deviations).sum(axis=0),
        ),
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", (np.float32, np.float64))
@pytest.mark.parametrize("shape", SHAPES)
def test_the_longest_row_is_that_of_numpy(shape, dtype):
    rows = made(shape, dtype)
    rows[-1] = rows[0]
    box = box_round(rows)
    mean = centred(rows, *box).mean(axis=0)
    expected = np.square(centred(rows, *box) - mean).sum(axis=1).max()
    assert longest_square(rows, box, mean) == expected
    assert longest_square(rows[:0], box, mean) == 0.0


@pytest.mark.parametrize("shape", [*SHAPES, (9000, 1), (8, 70)])
def test_middles_are_medians(shape):
    for dtype in (np.float32, np.float64):
        rows = made(shape, dtype)
        sample = rows[:: max(1, len(rows) // 4096)]
        expected = np.sort(sample, axis=0)[len(sample) // 2]
        with Workers(2) as workers:
            np.testing.assert_array_equal(middles(rows, workers), expected)


@pytest.mark.parametrize("shape", [(3000, 1), (20_000, 5), (500, 90)])
def test_summary_and_fixed_point_are_the_same_for_any_number_of_threads(shape):
    for dtype in (np.float32, np.float64):
        rows, found = made(shape, dtype), []
        for n_threads in (1, 2, 5):
            with Workers(n_threads) as workers:
                summary = summarise(rows, workers, with_middle=True)
                point = make_fixed_point(rows, False, workers)
            found.append(([*vars(summary).values()], [*vars(point).values()]))
        as_double = make_fixed_point(rows.astype(np.float64), False, Workers(1))
        np.testing.assert_equal(found[1:], found[:1] * 2)
        np.testing.assert_equal(found[0][1], [*vars(as_double).values()])


@pytest.mark.parametrize("scale", (2.0**-1060, 2.0**-1030, 2.0**900))
def test_numbers_of_any_size_have_the_coordinates_of_a_division(scale):
    rows = np.random.default_rng(1).integers(-40, 40, (200, 5)) * scale
    rows[:, 0] = 0.0
    point = make_fixed_point(rows, True, Workers(1))
    expected = centred(rows, point.outer, point.centre, point.inner)[:, point.columns]
    np.testing.assert_array_equal(point.coordinates(rows), expected)
    assert np.abs(expected).max() <= 1


def test_tiles_hold_the_rows_in_their_order():
    rng = np.random.default_rng(0)
    points, order = rng.normal(size=(300, 70)), rng.permutation(300)
    tiles = np.zeros((3, 72, TILE))
    for first, last in ((0, TILE), (TILE, 300)):
        fill_tiles(tiles, first, points[order[first:last]])
    flat = tiles.transpose(0, 2, 1).reshape(-1, 72)
    np.testing.assert_array_equal(flat[:300, :70], points[order])
    assert not flat[300:].any()
    assert not flat[:, 70:].any()


@pytest.mark.parametrize("is_float64", (False, True))
@pytest.mark.parametrize("d", (60, 64, 150))
def test_picks_that_come_together_take_what_they_take_one_by_one(d, is_float64):
    rng = np.random.default_rng(d)
    rows = rng.normal(size=(5, d))[rng.integers(5, size=400)] + 0.1 * rng.normal(size=(400, d))
    rows[:399:7] = rows[1:400:7]
    weights = RowWeights(rng.integers(1, 9, 400).astype(np.int32), 1.0, 400)
    for own in (None, weights):
        group = make_group(rows, is_float64, Workers(1), weights=own)
        vectors = group.vectors(rng.permutation(400)[:150])
        group.reset()
        gained = group.absorb_vectors(vectors)
        nearest, cluster = group.nearest().copy(), group.cluster().copy()
        group.reset()
        one_by_one = [group.absorb_vectors(vector[None])[0] for vector in vectors]
        np.testing.assert_array_equal(gained, one_by_one)
        np.testing.assert_array_equal(nearest, group.nearest())
        np.testing.assert_array_equal(cluster, group.cluster())
        points = group.vectors(np.arange(400)).astype(np.float64)
        apart = np.sqrt(np.square(points[:, None] - vectors[None]).sum(axis=2))
        scaled = apart.min(axis=1) * float(group.layout.scale)
        np.testing.assert_allclose(nearest, scaled, rtol=1e-5, atol=float(nearest.max()) * 1e-6)
