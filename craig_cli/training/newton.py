"""Newton's method: the optimum of a loss on few rows and not too many columns, in some ten passes
and as many normal equations.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from craig_cli.dataset import as_dense
from craig_cli.threads import Workers
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


def minimise(problem: Problem, l2: float, start: Array, workers: Workers) -> Array:
    """Return the model (m, d + 1) that minimises F, by Newton's method with backtracking from
    `start`.

    Notes
    -----
    A step takes a pass and, for n rows, m n (d + 1)^2 / 2 multiplications; for softmax m n (m (d +
    1))^2 / 2. Memory 8 n (d + 1), or m times that for softmax. The squared hinge, whose second
    derivative jumps, comes to its end in finitely many steps.
    """
    if problem.n_rows * problem.n_columns < WORTH_THREADS:
        problem = replace(problem, threads=1)
    inputs = np.column_stack([as_dense(problem.rows), np.full(problem.n_rows, problem.constant)])
    model, gradient, there = start.copy(), np.empty_like(start), np.empty_like(start)
    value, slopes = problem.full_pass(model, l2, gradient)
    least = float(problem.loss.is_straight_somewhere)
    for _ in range(MOST_STEPS):
        gradient[:, -1] *= problem.constant
        curvatures = np.maximum(problem.loss.second_derivatives(slopes), least)
        step = -direction(problem, inputs, slopes, curvatures, gradient, l2, workers)
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
        least = min(
            1.0, least * (0.1 if length == 1.0 else 10.0)
        )  # as Levenberg's: where the loss is straight, the Hessian says nothing
        model, value, slopes = model + length * step, new_value, new_slopes
        gradient, there = there, gradient
        if -slope <= 2 * TOLERANCE * value:
            break
    return model


def direction(
    problem: Problem,
    inputs: Array,
    slopes: Array,
    curvatures: Array,
    gradient: Array,
    l2: float,
    workers: Workers,
) -> Array:
    """Return the inverse of the Hessian of F times the gradient (m, d + 1), at the model that
    `slopes` and `curvatures` (n, m) are of.
    """
    ridge, shares = np.append(np.full(problem.n_columns, l2), DAMPING), problem.shares
    m = problem.n_outputs
    if not problem.loss.is_joint:
        return np.stack(
            [
                solution(
                    normal_matrix(inputs, shares * curvatures[:, c], workers), ridge, gradient[c]
                )
                for c in range(m)
            ]
        )
    chances = slopes.copy()
    chances[np.arange(problem.n_rows), problem.class_numbers()] += 1
    total = np.zeros((gradient.size, gradient.size))
    for c in range(
        m
    ):  # the Hessian by the scores is the sum over the classes of p_c (e_c - p) (e_c - p)^T
        weighted_slopes = (np.arange(m) == c) - chances
        total += normal_matrix(
            (weighted_slopes[:, :, None] * inputs[:, None, :]).reshape(problem.n_rows, -1),
            shares * chances[:, c],
            workers,
        )
    return solution(total, np.tile(ridge, m), gradient.ravel()).reshape(gradient.shape)
