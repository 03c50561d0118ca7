"""What a calibration costs, before it is made."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from craig_cli.calibration.calibrator import is_too_wide, most_constraints
from craig_cli.calibration.pilots import ROWS_A_COLUMN
from craig_cli.dataset import Dataset, SparseRows
from craig_cli.selection.budgets import budget_size
from craig_cli.selection.memory import program_bytes
from craig_cli.settings import SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.training.losses import find_loss
from craig_cli.training.newton import MOST_COLUMNS, MOST_JOINT
from craig_cli.training.normal_equations import MOSTLY_ZEROS
from craig_cli.training.problem import CHUNK_ROWS

PASS_COORDINATES = 30
"""What the loss of a row costs besides its coordinates, in coordinates."""
PASS_COST, EQUATION_COST, START_COST = 4.0, 12.0, 1.5e9
"""Of a coordinate of a pass, of a multiplication of normal equations, and of a calibration however
small, in coordinates of pairs as `selection.costs` counts them.
"""
FIT_STEPS, PILOT_PASSES, DUAL_STEPS = 5, 6, 30
"""Newton steps that a fit takes, passes that a pilot takes with the losses of the models fitted on
the picks, and Newton steps of the weights, about.
"""
DUAL_SOLUTIONS, EXCHANGE_SOLUTIONS, EXCHANGE_PASSES = 5, 15, 15
"""How often the weights are solved for, at falling ridges, and in an exchange of medoids; and the
passes of the latter, about.
"""
CHUNKS = 128
"""Bytes a coefficient of a model: the gradients of 16 pieces of a pass."""
ROW_ARRAYS = 12
"""Numbers a row besides: classes, targets, weights, clusters, what a row is worth."""


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
    carried = most_constraints(k, settings)
    n_pilots = min(len(settings.pilot_l2), max(1, carried // (m * columns)))
    q = min(n_pilots * m * columns, carried)
    is_squared = settings.loss == "squared" or (settings.loss is None and is_regression)
    moments = (columns + 1) * (columns + 2) // 2
    if is_squared and m == 1 and moments <= carried:
        q = moments
    return Shape(k, m, columns, q, is_too_wide(m * columns, k, settings))


def calibrating_bytes(
    dataset: Dataset, selection: SelectionSettings, settings: CalibrationSettings
) -> int:
    """Return the memory that a calibration takes besides the rows; 0 if there is none.

    Slopes of all rows at each pilot, and some numbers a row; the sample of the pilots; and either
    what random rows leave by it, or the picks three times, once for each weighting, the parts of
    the picks, twice while they are joined, and the normal equations; and what a pass adds up.
    """
    shape = shape_of_calibration(dataset, selection, settings)
    if shape is None:
        return 0
    k, m, columns, q, is_too_wide = shape
    labelled = 8 * dataset.n_rows * (m + 5)
    if is_too_wide:
        return labelled
    n_threads, pilots = settings.n_threads, len(settings.pilot_l2)
    of_rows = 8 * dataset.n_rows * (ROW_ARRAYS + m * (pilots + 1))
    size = min(dataset.n_rows, max(settings.pilot_rows, ROWS_A_COLUMN * columns))
    sample = 8 * size * columns
    if isinstance(dataset.rows, SparseRows):
        sample = size * dataset.rows.nbytes // dataset.n_rows
    joint = m if m * columns <= MOST_JOINT else 1
    by_newton = columns <= MOST_COLUMNS
    residuals = 8 * size * columns * (1 + 4 * joint) + 24 * (joint * columns) ** 2
    picks = 8 * k * (3 * columns + 2 * q)
    equations = 8 * q**2 * (n_threads + 5)
    fits = 8 * m * columns**2 * (n_threads + 2)
    solving = picks + equations + fits * by_newton
    return of_rows + sample + max(residuals * by_newton, solving) + CHUNKS * m * columns


def fits_beside(
    dataset: Dataset, selection: SelectionSettings, settings: CalibrationSettings
) -> bool:
    """Return whether the memory limit has room for a calibration of rows on disk, whatever the
    threads: they change no weight.
    """
    blocks = 32 * CHUNK_ROWS * dataset.n_columns
    own = calibrating_bytes(dataset, selection, replace(settings, threads=1))
    return program_bytes(dataset.n_rows) + own + blocks <= selection.memory_limit


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
    fits, is_exchanged = len(settings.pilot_l2) * m, selection.representative == "exchanged"
    passes = fits * PILOT_PASSES + EXCHANGE_PASSES * is_exchanged
    reading = passes * ((entries if is_sparse else held) + PASS_COORDINATES * dataset.n_rows)
    products = squares * columns / 2 if columns <= MOST_COLUMNS else 1
    fitting = fits * FIT_STEPS * (2 * k + settings.pilot_rows) * columns * products
    first = k * q**2 / 2 * squares
    steps = DUAL_STEPS + 5 * EXCHANGE_SOLUTIONS * is_exchanged
    solutions = DUAL_SOLUTIONS + EXCHANGE_SOLUTIONS * is_exchanged
    solving = solutions * first + steps * (2 * k * q + q**3 / 6)
    return START_COST + PASS_COST * reading + EQUATION_COST * (fitting + solving)
