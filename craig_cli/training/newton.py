"""Newton's method: the optimum of a loss on few rows and not too many columns, in some ten passes
and as many normal equations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

import numpy as np

from craig_cli.dataset import as_dense
from craig_cli.threads import Workers, one_blas_thread
from craig_cli.training import Problem
from craig_cli.training.normal_equations import WORTH_THREADS, normal_matrix, solution
from craig_cli.training.problem import Array

MOST_COLUMNS = 600
MOST_JOINT = 300
"""Coefficients of all classes together, where the loss joins them."""
MOST_STEPS = 50
TOLERANCE = 1e-9
"""Of the fall of F that a step promises, over F: the step after it would promise about the square
of that.
"""
ENOUGH_FALL = 1e-4
"""Of the fall that the slope promises (Armijo; Nocedal and Wright 2006, 3.1)."""
SHORTEST_STEP = 2.0**-20
DAMPING = 1e-10
"""Added to the curvature by the intercepts, which nothing else bounds where a loss is flat, or the
same for all classes.
"""


def suits(problem: Problem) -> bool:
    """Return whether the normal equations are small enough to be worth their while."""
    columns = problem.n_columns + 1
    return columns <= MOST_COLUMNS and (
        not problem.loss.is_joint or problem.n_outputs * columns <= MOST_JOINT
    )


@one_blas_thread()
def minimise(problem: Problem, l2: float, start: Array) -> Array:
    """Return the model (m, d + 1) that minimises F, by Newton's method from `start`.

    Notes
    -----
    With backtracking. A step takes a pass and, for n rows, m n (d + 1)^2 / 2 multiplications; for
    softmax (m + 1) / 2 times that. Memory 16 n (d + 1). The squared hinge, whose second derivative
    jumps, comes to its end in finitely many steps.
    """
    inputs = np.column_stack([as_dense(problem.rows), np.full(problem.n_rows, problem.constant)])
    equations = Equations(problem, inputs, l2)
    if problem.n_rows * problem.n_columns < WORTH_THREADS:  # of a pass: a step's equations are more
        problem = replace(problem, threads=1)
    model, gradient, there = start.copy(), np.empty_like(start), np.empty_like(start)
    value, slopes = problem.full_pass(model, l2, gradient)
    least = float(problem.loss.is_straight_somewhere)
    for _ in range(MOST_STEPS):
        gradient[:, -1] *= problem.constant
        step = -equations.direction(slopes, least, gradient)
        slope, length = float(np.einsum("mi,mi->", gradient, step)), 1.0
        if not slope < 0:
            break
        while True:
            new_value, new_slopes = problem.full_pass(model + length * step, l2, there)
            if new_value <= value + ENOUGH_FALL * length * slope or length < SHORTEST_STEP:
                break
            length /= 2
        if not new_value < value:
            break
        # As Levenberg's: where the loss is straight, the Hessian says nothing of its bends.
        least = min(1.0, least * (0.1 if length == 1.0 else 10.0))
        model, value, slopes = model + length * step, new_value, new_slopes
        gradient, there = there, gradient
        if -slope <= 2 * TOLERANCE * value:
            break
    return model


@dataclass(frozen=True)
class Equations:
    """The normal equations of Newton's steps; `inputs` (n, d + 1) are the rows and the constant."""

    problem: Problem
    inputs: Array
    l2: float

    def direction(self, slopes: Array, least: float, gradient: Array) -> Array:
        """Return the inverse of the Hessian of F times the gradient (m, d + 1).

        `slopes` (n, m) are those at the model; no second derivative counts as less than `least`.
        """
        problem, (m, columns) = self.problem, gradient.shape
        ridge = np.append(np.full(columns - 1, self.l2), DAMPING)
        if problem.loss.is_joint:
            chances = slopes.copy()
            chances[np.arange(problem.n_rows), problem.class_numbers()] += 1
            hessian = self.joint_hessian(chances)
            return solution(hessian, np.tile(ridge, m), gradient.ravel()).reshape(m, columns)
        curvatures = np.maximum(problem.loss.second_derivatives(slopes), least)
        hessians = (self.weighted(curvature) for curvature in curvatures.T)
        pairs = zip(hessians, gradient, strict=True)
        return np.stack([solution(hessian, ridge, right) for hessian, right in pairs])

    def joint_hessian(self, chances: Array) -> Array:
        """Return the Hessian of softmax where rows have these chances (n, m) of each class.

        By the scores it is p_b (1 - p_b) within a class, and -p_b p_c between two.
        """
        m, columns = chances.shape[1], self.inputs.shape[1]
        hessian = np.zeros((m, columns, m, columns))  # the upper triangle is enough
        for b, c in combinations_with_replacement(range(m), 2):
            hessian[b, :, c] = (
                self.weighted(chances[:, b] * (1 - chances[:, b]))
                if b == c
                else -self.weighted(chances[:, b] * chances[:, c])
            )
        return hessian.reshape(m * columns, -1)

    def weighted(self, curvature: Array) -> Array:
        """Return the mean of the products of inputs, each row's by its curvature (n,)."""
        with Workers(self.problem.threads) as workers:
            return normal_matrix(self.inputs, self.problem.shares * curvature, workers)
