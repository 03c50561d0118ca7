"""The rule that decides between float32 and float64, on every road: some rows lie far away."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from test_greedi import by_cells, by_rows, cut
from test_outofcore import from_disk, small_cells  # noqa: F401 (a fixture)

from craig_cli.dataset import Dataset
from craig_cli.selection import measure, select
from craig_cli.selection.assignment import NEAR_SHARE, errors_of, sum_of
from craig_cli.settings import Budget, SelectionSettings

ROWS, SIZE = 3000, 20
SPREADS = (1e3, 1e6, 1e9, 1e12)
SHARES = (1, 25, 60, 600)
"""Rows of the 3,000 that lie far: some below the share that the near rows leave, some above."""


def made(spread, n_far):
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(ROWS, 3))
    rows[rng.choice(ROWS, n_far, replace=False)] *= spread
    return rows


def settings(**options):
    return SelectionSettings(Budget(size=SIZE), **{"method": "cells", "cell_size": 128, **options})


ROADS = {
    "memory": lambda rows: select(Dataset(rows, None), settings()),
    "memory, exact": lambda rows: select(Dataset(rows, None), settings(method="exact")),
    "disk": lambda rows: from_disk(rows, SIZE),
    "parts": lambda rows: by_rows(cut(rows, None, 2), settings())[0],
    "cells of parts": lambda rows: by_cells(cut(rows, None, 3), settings(), 3),
}


@pytest.mark.thinned
@pytest.mark.usefixtures("small_cells")
@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("n_far", SHARES)
def test_what_a_road_states_is_what_a_measurement_finds(road, spread, n_far):
    rows = made(spread, n_far)
    coreset = ROADS[road](rows)
    found = measure(Dataset(rows, None), settings(), coreset.index, parts=coreset.parts)
    mine, theirs = np.argsort(coreset.index), np.argsort(found.index)
    for name in ("cluster_size", "gain", "epsilon"):
        stated, seen = getattr(coreset, name)[mine], getattr(found, name)[theirs]
        np.testing.assert_array_equal(stated, seen, name)
    assert coreset.epsilon_total == pytest.approx(found.epsilon_total, rel=1e-12)


def test_near_rows_count_though_far_ones_drown_their_errors():
    """25 far rows in 3,000: the sum over all is resolved, that over the nearest 99 % is not."""
    distances, errors = np.ones(ROWS), np.full(ROWS, 0.5)
    distances[:25], errors[:25] = 1e9, 1.0
    whole = errors_of(distances, errors)
    assert not whole.are_small()
    assert not whole.are_small_near()
    distances[:60] = 1e9  # more rows than are left out: the border is among the far ones
    assert errors_of(distances, errors).are_small()


@pytest.mark.parametrize("n_parts", (1, 2, 7))
def test_the_rule_does_not_hang_on_the_cut(n_parts):
    rng = np.random.default_rng(0)
    distances = rng.exponential(size=ROWS) * 10.0 ** rng.integers(-3, 4, ROWS)
    distances[:100] = 0
    errors = 1e-3 * distances * rng.random(ROWS)
    whole = errors_of(distances, errors)
    bounds = np.arange(n_parts + 1) * ROWS // n_parts
    parts = [errors_of(distances[a:b], errors[a:b]) for a, b in pairwise(bounds)]
    merged = parts[0] if n_parts == 1 else sum_of_errors(parts)
    np.testing.assert_array_equal(merged.bins, whole.bins)
    np.testing.assert_array_equal(merged.rows, whole.rows)
    np.testing.assert_allclose(merged.distances, whole.distances)
    near = np.sort(distances)[: int(NEAR_SHARE * ROWS)]
    last = np.searchsorted(np.cumsum(whole.rows), NEAR_SHARE * (ROWS - 1), side="right")
    assert whole.rows[: last + 1].sum() >= len(near)  # the border's bin counts as a whole
    assert whole.rows[:last].sum() <= len(near)


def sum_of_errors(parts):
    """What `sum_of` makes of the errors of parts without picks."""
    from craig_cli.selection.assignment import Assigned

    none, whole = np.zeros(0), np.zeros(0, np.int64)
    return sum_of([Assigned(whole, whole, none, none, 0.0, part) for part in parts]).errors
