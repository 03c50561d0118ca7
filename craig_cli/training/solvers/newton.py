"""Newton's method on all rows, to the optimum: by Cholesky's factor or by conjugate gradients."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from craig_cli.dataset import Progress, SparseRows
from craig_cli.settings.training import TrainSettings
from craig_cli.training import newton
from craig_cli.training.conjugate import ConjugateGradients
from craig_cli.training.curvature import Curvature
from craig_cli.training.normal_equations import MOSTLY_ZEROS
from craig_cli.training.problem import Array, Problem
from craig_cli.training.result import Fit, Tracer, Watch
from craig_cli.training.solvers.base import MakeVisits, Solver, no_steps_to_choose

MOST_COLUMNS = 2000
"""With a matrix of so many squared; of a joint loss all coefficients together."""
MOST_NUMBERS = 2e7
"""In the matrices of all outputs."""


DENSE_COST, SPARSE_COST, FACTOR_COST = 0.1, 3.0, 0.05
"""Nanoseconds, about: of a row's outer product by the square of its columns, or of its entries
where zeros are left out; and of a factor by the cube of its size.
"""
ROW_COST, SPARSE_PRODUCT_COST = 40.0, 3.0
"""Of a product with a vector: of a row, and of its entries; one in a column of dense rows."""
PRODUCTS = 30
"""Of a step by conjugate gradients, about: 10 to 30."""


class Newton(Solver):
    """Newton steps with backtracking. An epoch is a step; a Hessian, and each of its products,
    counts as a pass, as a gradient does.
    """

    name = "newton"
    usual_tolerance = 1e-9
    remedy = (
        "The tolerance was not reached: the --epochs were too few, or this is as near "
        "to the optimum as rounding allows."
    )
    refused: ClassVar[Mapping[str, str]] = {**Solver.refused, **no_steps_to_choose("newton")}

    @classmethod
    def usual_epochs(cls, n_rows: int) -> int:
        return 200

    @classmethod
    def minimise(
        cls,
        problem: Problem,
        settings: TrainSettings,
        start: Array,
        make_visits: MakeVisits,
        progress: Progress,
        watch: Watch | None,
    ) -> Fit:
        """Return the fit, where the relative norm of the gradient is ``settings.tolerance``, or
        where no step makes it any shorter.
        """
        assert settings.epochs is not None and settings.tolerance is not None
        problem.squares()  # which refuses rows that are too long
        make = Curvature if has_matrix(problem) else ConjugateGradients
        compile_for(problem, make)
        tracer, seconds = Tracer(problem, settings.l2, watch), 0.0
        path = newton.steps(problem, settings.l2, start, make=make)
        model, begun = start, time.perf_counter()
        for found in path:
            seconds += time.perf_counter() - begun
            model = found.model
            point = tracer.note(found.passes, seconds, model, found.value, found.gradient)
            if point.epoch:
                progress("train", point.epoch, None)
            if point.epoch == settings.epochs or point.gradient_norm <= settings.tolerance:
                break
            begun = time.perf_counter()
        return tracer.fit(model, settings)


def has_matrix(problem: Problem) -> bool:
    """Return whether the Hessian is to be made and factorised: where it is small enough, and takes
    less time than its products with vectors.
    """
    m, columns, n = problem.n_outputs, problem.n_columns + 1, problem.n_rows
    joined = m * columns if problem.loss.is_joint else columns
    if joined > MOST_COLUMNS or m * columns**2 > MOST_NUMBERS:
        return False
    rows = problem.rows
    entries = np.count_nonzero(rows.values if isinstance(rows, SparseRows) else rows) / n
    is_sparse = entries <= MOSTLY_ZEROS * columns
    of_row = SPARSE_COST * entries**2 if is_sparse else DENSE_COST * columns**2
    matrices, factors = (m * (m + 1) / 2, 1) if problem.loss.is_joint else (m, m)
    matrix = n * matrices * of_row + factors * FACTOR_COST * joined**3
    product = entries * SPARSE_PRODUCT_COST if problem.is_sparse else columns
    return bool(matrix <= PRODUCTS * n * m * (ROW_COST + product))


def compile_for(problem: Problem, make: type[Curvature] | type[ConjugateGradients]) -> None:
    """Take a step on one row: compiling and loading kernels is not to be on the clock."""
    first = problem.first_row()
    start = np.zeros((problem.n_outputs, problem.n_columns + 1))
    for _ in newton.steps(first, 1.0, start, make=make):
        break
    equations, slopes = make(first, 1.0), np.zeros((1, problem.n_outputs))
    equations.direction(slopes, 1.0, np.ones_like(start))
    if isinstance(equations, Curvature):
        for block in (equations.dense_block, equations.sparse_block):
            block(0, 1, np.ones((1, 1)))
