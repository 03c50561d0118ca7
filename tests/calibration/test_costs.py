"""The memory that a calibration is said to take, against what it does take."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from tools import slow

from craig_cli.arrays import sparse_rows
from craig_cli.calibration import (
    calibrated_coreset,
    calibrating_bytes,
    calibrating_work,
    make_coreset,
    shape_of_calibration,
)
from craig_cli.dataset import Dataset
from craig_cli.selection import select
from craig_cli.selection.memory import ROW_BYTES
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings

SHAPES = {
    "many rows": (60_000, 8, 2, 600, None),
    "many picks": (12_000, 30, 2, 6_000, None),
    "many columns": (4_000, 200, 2, 2_000, None),
    "classes": (12_000, 12, 5, 3_000, None),
    "sparse": (6_000, 600, 2, 900, 0.01),
    "few sparse columns": (6_000, 300, 2, 900, 0.01),
    "numbers": (12_000, 20, 0, 8_000, None),
    "joined outputs": (4_000, 25, 10, 1_000, None),
    "directions": (4_000, 300, 2, 200, None),
}
"""Rows, columns, classes (0: a number), picks, and the share of values that are not zero, if not
all.
"""
SMALL = 1 << 20


def made(shape: str) -> Dataset:
    n_rows, n_columns, n_classes, _, density = SHAPES[shape]
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_columns)) * (
        1 if density is None else rng.random((n_rows, n_columns)) < density
    )
    scores = X[:, : max(1, n_classes)] + rng.gumbel(size=(n_rows, max(1, n_classes)))
    labels = np.argmax(scores, axis=1) if n_classes else scores[:, 0]
    return Dataset(X if density is None else sparse_rows(sp.csr_array(X)), labels)


@pytest.mark.parametrize("representative", ["medoid", "exchanged"])
@pytest.mark.parametrize("shape", [*SHAPES][:1] + slow(*[*SHAPES][1:]))
def test_memory_stays_within_the_formula_and_near_it(shape, representative):
    """An exchange is made while some numbers a row of the selection are there."""
    dataset, is_exchanged = made(shape), representative == "exchanged"
    selection = SelectionSettings(
        Budget(size=SHAPES[shape][3]),
        method="cells" if is_exchanged else "random",
        representative=representative,
        task="classification" if SHAPES[shape][2] else "regression",
        threads=1,
    )
    settings = CalibrationSettings("calibrated", threads=1)
    coreset = None if is_exchanged else select(dataset, selection)

    def run():
        if coreset is None:
            return make_coreset(dataset, selection, settings)
        return calibrated_coreset(dataset, coreset, settings)

    run()  # kernels are compiled, or loaded, before anything is counted
    tracemalloc.start()
    run()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    stated = calibrating_bytes(dataset, selection, settings)
    beside = ROW_BYTES * dataset.n_rows if is_exchanged else 0
    assert 0.3 * stated < peak < stated + beside + SMALL, (stated, peak)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_sizes_are_those_of_the_calibration(shape):
    n_columns, n_classes, k = SHAPES[shape][1:4]
    dataset = made(shape)
    selection = SelectionSettings(
        Budget(size=k), task="classification" if n_classes else "regression"
    )
    found = shape_of_calibration(dataset, selection, CalibrationSettings("calibrated"))
    m = n_classes if n_classes > 2 else 1
    assert (found.picks, found.outputs, found.columns) == (k, m, n_columns + 1)
    moments = (n_columns + 2) * (n_columns + 3) // 2
    pilots = max(1, min(7, k // (m * (n_columns + 1))))
    expected = min(k, pilots * m * (n_columns + 1)) if n_classes else moments
    assert found.constraints == expected
    assert not found.is_too_wide
    auto = shape_of_calibration(dataset, selection, CalibrationSettings("auto"))
    assert auto.is_too_wide == (shape == "directions")
    assert shape_of_calibration(dataset, selection, CalibrationSettings("cluster")) is None


@pytest.mark.parametrize("shape", slow(*SHAPES))
def test_a_calibration_has_the_constraints_that_were_foreseen(shape):
    n_classes, k = SHAPES[shape][2:4]
    dataset, settings = made(shape), CalibrationSettings("calibrated")
    selection = SelectionSettings(
        Budget(size=k), method="random", task="classification" if n_classes else "regression"
    )
    foreseen = shape_of_calibration(dataset, selection, settings).constraints
    said = make_coreset(dataset, selection, settings).calibration
    assert 0.9 * foreseen <= said["constraints"] <= foreseen


def test_work_grows_with_what_is_read_and_solved_and_shrinks_with_zeros_left_out():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3000, 40)), rng.integers(0, 2, 3000)
    selection = SelectionSettings(Budget(size=600))

    def work(rows, **options):
        return calibrating_work(
            Dataset(rows, y[: len(rows)]), selection, CalibrationSettings("calibrated", **options)
        )

    assert work(X) > work(X[:1500])
    assert work(X) > work(X, pilot_l2=(1e-3, 1e-5)) > work(X, pilot_l2=(1e-3,))
    exchanged = SelectionSettings(Budget(size=600), representative="exchanged")
    more = calibrating_work(Dataset(X, y), exchanged, CalibrationSettings("calibrated"))
    assert more > work(X)
    assert work(X) > work(X * (rng.random(X.shape) < 0.1))
    assert calibrating_work(Dataset(X, y), selection, CalibrationSettings("cluster")) == 0
    assert (
        calibrating_work(
            Dataset(X, y), SelectionSettings(Budget(size=10)), CalibrationSettings("auto")
        )
        == 0
    )
