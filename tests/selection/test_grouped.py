"""Greedy in small groups: what it promises; in one group it is plain greedy."""

from __future__ import annotations

import numpy as np
import pytest

from craig_cli.kernels.in_groups import greedy_in_groups
from craig_cli.selection.grouped import grouped_rows, random_rows
from craig_cli.threads import Workers


def plain_greedy(points: np.ndarray, size: int) -> tuple[list[int], list[int]]:
    """Facility location by trying every row at every pick; weights are the rows nearest to each,
    ties to the earlier pick.
    """
    distances = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
    nearest, picks = np.full(len(points), 2 * distances.max()), []
    for _ in range(size):
        gains = [
            -1.0 if e in picks else np.maximum(nearest - distances[:, e], 0).sum()
            for e in range(len(points))
        ]
        picks.append(int(np.argmax(gains)))
        nearest = np.minimum(nearest, distances[:, picks[-1]])
    owner = distances[:, picks].argmin(axis=1)
    owner[picks] = np.arange(size)
    return picks, np.bincount(owner, minlength=size).tolist()


@pytest.mark.parametrize("size", [1, 3, 20, 40])
def test_one_group_is_plain_greedy(size):
    points = (
        np.random.default_rng(1).integers(0, 60, size=(40, 1)).astype(np.float32)
    )  # whole distances: ties are exact
    points[7] = points[3]
    expected = plain_greedy(points.astype(np.float64), size)
    for kernel in (greedy_in_groups, greedy_in_groups.py_func):
        picks, weights = np.zeros(size, np.int64), np.zeros(size)
        kernel(points, np.arange(40), np.array([0, 40]), np.array([0, size]), 0, 1, picks, weights)
        assert (picks.tolist(), weights.tolist()) == expected


@pytest.mark.parametrize("fraction", [0.01, 0.3, 0.97, 1.0])
def test_promises_and_threads(fraction):
    rng = np.random.default_rng(2)
    classes = np.repeat([0, 1, 3], [900, 333, 7])
    points = rng.normal(size=(1240, 4)).astype(np.float32)
    found = []
    for threads in (1, 2):
        with Workers(threads) as workers:
            found.append(grouped_rows(points, classes, fraction, workers))
            by_columns = grouped_rows(np.asfortranarray(points), classes, fraction, workers)
    index, weights = found[0]
    np.testing.assert_array_equal(index, by_columns[0])
    np.testing.assert_array_equal(index, found[1][0])
    np.testing.assert_array_equal(weights, found[1][1])
    assert len(np.unique(index)) == len(index) == int(np.floor(fraction * 1240 + 0.5))
    assert (weights >= 1).all() and (weights == np.floor(weights)).all()
    for c in (0, 1, 3):
        assert weights[classes[index] == c].sum() == (classes == c).sum()


def test_it_is_near_to_greedy_and_better_than_random():
    rng = np.random.default_rng(3)
    points = rng.normal(size=(600, 2)).astype(np.float32)
    with Workers(1) as workers:
        index, _ = grouped_rows(points, np.zeros(600, np.int64), 0.2, workers)

    def loss(rows):
        return float(
            np.sqrt(((points[:, None].astype(float) - points[rows][None]) ** 2).sum(axis=2))
            .min(axis=1)
            .sum()
        )

    best = loss(plain_greedy(points.astype(np.float64), 120)[0])
    drawn, weights = random_rows(np.zeros(600, np.int64), 0.2, rng)
    assert loss(index) < 1.2 * best < loss(drawn)
    assert weights.sum() == pytest.approx(600)
