"""What a calibration costs, before it is made."""

from __future__ import annotations

import numpy as np

from craig_cli.calibration.rounds import is_too_wide, most_constraints
from craig_cli.dataset import Dataset, SparseRows
from craig_cli.selection.budgets import budget_size
from craig_cli.settings import SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.training.newton import MOST_COLUMNS
from craig_cli.training.normal_equations import MOSTLY_ZEROS

PASS_COORDINATES = 30
"""What the loss of a row costs besides its coordinates, in coordinates."""
PASS_COST, EQUATION_COST, START_COST = 4.0, 12.0, 1.5e9
"""Of a coordinate of a pass, of a multiplication of normal equations, and of a calibration however
small, in coordinates of pairs as `selection.costs` counts them.
"""
FIT_STEPS, DUAL_STEPS = 3, 12
"""Newton steps that a fit and a calibration take, about."""
CHUNKS = 256
"""Bytes a coefficient of the pilots: the sums and squares of 16 pieces of a pass."""


def shape_of_calibration(
    dataset: Dataset, selection: SelectionSettings, settings: CalibrationSettings
) -> tuple[int, int, int, int]:
    """Return the picks, the outputs of a model, the coefficients of an output, and the constraints
    of all pilots. Time n log n.
    """
    n_classes = (
        1
        if dataset.labels is None or selection.task == "regression"
        else len(np.unique(dataset.labels))
    )
    k = (
        dataset.n_rows
        if selection.budget.is_open
        else budget_size(selection.budget, dataset.n_rows, n_classes)
    )
    m, columns = (
        n_classes if n_classes > 2 or settings.loss == "softmax" else 1,
        dataset.n_columns + 1,
    )
    return k, m, columns, min(len(settings.pilot_l2) * m * columns, most_constraints(k, settings))


def calibrating_bytes(
    dataset: Dataset, selection: SelectionSettings, settings: CalibrationSettings
) -> int:
    """Return the memory that a calibration takes besides the rows; 0 if there is none.

    Slopes and groups of all rows; the picks as dense rows, for a fit at each pilot on as many
    threads; their constraints, twice while they are joined, and once more for one pilot; the normal
    equations; and the pilots.
    """
    if settings.weights == "cluster" or dataset.labels is None:
        return 0
    k, m, columns, q = shape_of_calibration(dataset, selection, settings)
    labelled = 8 * dataset.n_rows * (m + 5)
    if is_too_wide(m * columns, k, settings):
        return labelled
    pilots = len(settings.pilot_l2)
    is_dense = not isinstance(dataset.rows, SparseRows) or columns <= MOST_COLUMNS
    picks = 24 * k * columns * min(settings.n_threads, pilots) if is_dense else 0
    return (
        labelled
        + picks
        + 16 * k * q
        + 16 * k * m * columns
        + 32 * q**2
        + CHUNKS * pilots * m * columns
    )


def calibrating_work(
    dataset: Dataset, selection: SelectionSettings, settings: CalibrationSettings
) -> float:
    """Return what a calibration takes, in coordinates of pairs as `selection.costs` counts them; 0
    if there is none. Time n (log n + d).
    """
    if settings.weights == "cluster" or dataset.labels is None:
        return 0.0
    k, m, columns, q = shape_of_calibration(dataset, selection, settings)
    if is_too_wide(m * columns, k, settings):
        return 0.0
    pilots, rounds, held = (
        len(settings.pilot_l2),
        settings.rounds,
        dataset.n_rows * dataset.n_columns,
    )
    is_sparse, is_reduced = isinstance(dataset.rows, SparseRows), q < pilots * m * columns
    entries = (
        len(dataset.rows.values)
        if isinstance(dataset.rows, SparseRows)
        else int(np.count_nonzero(dataset.rows))
    )
    squares = (
        (entries / held) ** 2 if entries <= MOSTLY_ZEROS * held else 1.0
    )  # of the products in normal equations, those that are not left out
    passes = (
        pilots
        * (1 + rounds)
        * m
        * ((entries if is_sparse else held) + PASS_COORDINATES * dataset.n_rows)
    )
    fits = (
        pilots
        * (1 + rounds)
        * FIT_STEPS
        * m
        * k
        * columns
        * (squares * columns / 2 if columns <= MOST_COLUMNS else 1)
    )
    solving = rounds * (
        k * q**2 / 2 * (1.0 if is_reduced else squares) + DUAL_STEPS * (2 * k * q + q**3 / 6)
    )
    return START_COST + PASS_COST * passes + EQUATION_COST * (fits + solving)
