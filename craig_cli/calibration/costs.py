"""What a calibration costs, before it is made."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from craig_cli.calibration.calibrator import is_too_wide, most_constraints
from craig_cli.dataset import Dataset, SparseRows
from craig_cli.selection.budgets import budget_size
from craig_cli.settings import SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.training.losses import find_loss
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


class Shape(NamedTuple):
    """The sizes of a calibration; `columns` are the coefficients of an output."""

    picks: int
    outputs: int
    columns: int
    constraints: int
    is_too_wide: bool


def shape_of_calibration(
    dataset: Dataset, selection: SelectionSettings, settings: CalibrationSettings
) -> Shape | None:
    """Return the sizes of a calibration; None where none is asked for. Time n log n."""
    if settings.weights == "cluster" or dataset.labels is None:
        return None
    is_regression = selection.task == "regression"
    n_classes = 1 if is_regression else len(np.unique(dataset.labels))
    k = (
        dataset.n_rows
        if selection.budget.is_open
        else budget_size(selection.budget, dataset.n_rows, n_classes)
    )
    m = find_loss(settings.loss, n_classes).n_outputs(n_classes)
    columns = dataset.n_columns + 1
    q = min(len(settings.pilot_l2) * m * columns, most_constraints(k, settings))
    return Shape(k, m, columns, q, is_too_wide(m * columns, k, settings))


def calibrating_bytes(
    dataset: Dataset, selection: SelectionSettings, settings: CalibrationSettings
) -> int:
    """Return the memory that a calibration takes besides the rows; 0 if there is none.

    Slopes and groups of all rows; the picks as dense rows, for a fit at each pilot on as many
    threads; their constraints, twice while they are joined, and once more for one pilot; the normal
    equations; and the pilots.
    """
    shape = shape_of_calibration(dataset, selection, settings)
    if shape is None:
        return 0
    k, m, columns, q, is_too_wide = shape
    labelled = 8 * dataset.n_rows * (m + 5)
    if is_too_wide:
        return labelled
    pilots = len(settings.pilot_l2)
    is_dense = not isinstance(dataset.rows, SparseRows) or columns <= MOST_COLUMNS
    picks = 24 * k * columns * min(settings.n_threads, pilots) if is_dense else 0
    constraints = 16 * k * (q + m * columns)
    return labelled + picks + constraints + 32 * q**2 + CHUNKS * pilots * m * columns


def calibrating_work(
    dataset: Dataset, selection: SelectionSettings, settings: CalibrationSettings
) -> float:
    """Return what a calibration takes, in coordinates of pairs as `selection.costs` counts them.

    0 if there is none. Time n (log n + d).
    """
    shape = shape_of_calibration(dataset, selection, settings)
    if shape is None or shape.is_too_wide:
        return 0.0
    k, m, columns, q, _ = shape
    held, is_sparse = dataset.n_rows * dataset.n_columns, isinstance(dataset.rows, SparseRows)
    entries = (
        len(dataset.rows.values)
        if isinstance(dataset.rows, SparseRows)
        else int(np.count_nonzero(dataset.rows))
    )
    # Of the products in normal equations, those that are not left out.
    squares = (entries / held) ** 2 if entries <= MOSTLY_ZEROS * held else 1.0
    fits = len(settings.pilot_l2) * (1 + settings.rounds) * m
    passes = fits * ((entries if is_sparse else held) + PASS_COORDINATES * dataset.n_rows)
    products = squares * columns / 2 if columns <= MOST_COLUMNS else 1
    fitting = fits * FIT_STEPS * k * columns * products
    is_reduced = q < len(settings.pilot_l2) * m * columns
    first = k * q**2 / 2 * (1.0 if is_reduced else squares)
    solving = settings.rounds * (first + DUAL_STEPS * (2 * k * q + q**3 / 6))
    return START_COST + PASS_COST * passes + EQUATION_COST * (fitting + solving)
