"""The memory that a calibration is said to take, against what it does take."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from tools import slow

from craig_cli.arrays import sparse_rows
from craig_cli.calibration import calibrated_coreset, calibrating_bytes, calibrating_work
from craig_cli.dataset import Dataset
from craig_cli.selection import select
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings

SHAPES = {
    "many rows": (60_000, 8, 2, 600, None),
    "many picks": (12_000, 30, 2, 6_000, None),
    "many columns": (4_000, 200, 2, 2_000, None),
    "classes": (12_000, 12, 5, 3_000, None),
    "sparse": (6_000, 600, 2, 900, 0.01),
}
"""Rows, columns, classes, picks, and the share of values that are not zero, if not all."""
SMALL = 1 << 20


@pytest.mark.parametrize("shape", [*SHAPES][:1] + slow(*[*SHAPES][1:]))
def test_memory_stays_within_the_formula_and_near_it(shape):
    n_rows, n_columns, n_classes, k, density = SHAPES[shape]
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_columns)) * (
        1 if density is None else rng.random((n_rows, n_columns)) < density
    )
    y = np.argmax(X[:, :n_classes] + rng.gumbel(size=(n_rows, n_classes)), axis=1)
    dataset = Dataset(X if density is None else sparse_rows(sp.csr_array(X)), y)
    selection, settings = (
        SelectionSettings(Budget(size=k), method="random", threads=1),
        CalibrationSettings("calibrated", threads=1),
    )
    coreset = select(dataset, selection)
    calibrated_coreset(
        dataset, coreset, settings
    )  # kernels are compiled, or loaded, before anything is counted
    tracemalloc.start()
    calibrated_coreset(dataset, coreset, settings)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    stated = calibrating_bytes(dataset, selection, settings)
    assert 0.3 * stated < peak < stated + SMALL, (stated, peak)


def test_work_grows_with_what_is_read_and_solved_and_shrinks_with_zeros_left_out():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3000, 40)), rng.integers(0, 2, 3000)
    selection = SelectionSettings(Budget(size=600))

    def work(rows, **options):
        return calibrating_work(
            Dataset(rows, y[: len(rows)]), selection, CalibrationSettings("calibrated", **options)
        )

    assert work(X) > work(X[:1500])
    assert work(X) > work(X, rounds=1) > work(X, rounds=1, pilot_l2=(1e-3,))
    assert work(X) > work(X * (rng.random(X.shape) < 0.1))
    assert calibrating_work(Dataset(X, y), selection, CalibrationSettings("cluster")) == 0
    assert (
        calibrating_work(
            Dataset(X, y), SelectionSettings(Budget(size=10)), CalibrationSettings("auto")
        )
        == 0
    )
