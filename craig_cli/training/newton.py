"""Newton's method: the optimum of a loss on not too many columns, in some ten passes and as many
normal equations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np

from craig_cli.threads import one_blas_thread
from craig_cli.training.curvature import Curvature
from craig_cli.training.normal_equations import WORTH_THREADS
from craig_cli.training.problem import Array, Problem, norm

MOST_COLUMNS = 600
MOST_JOINT = 300
"""Coefficients of all classes together, where the loss joins them."""
MOST_STEPS = 50
TOLERANCE = 1e-9
"""Of the fall of F that a step promises, over F: the step after it would promise about the square
of that.
"""
LEFT = 1e-12
"""Of F, what a step of the curvature of some rows may leave, by the rate of the falls before."""
ENOUGH_FALL = 1e-4
"""Of the fall that the slope promises (Armijo; Nocedal and Wright 2006, 3.1)."""
SHORTEST_STEP = 2.0**-20
ROUNDING = 1e-12
"""Of F, below which changes of it tell nothing."""
SHORTER = 0.9
"""Of the gradient: less of a gain is not worth another step."""
SLOW = 0.25
"""The curvature of some rows gives way to that of all where a step is not whole, or where the fall
that it promises is more than this of the one before.
"""


def suits(problem: Problem) -> bool:
    """Return whether the normal equations are small enough to be worth their while."""
    columns = problem.n_columns + 1
    return columns <= MOST_COLUMNS and (
        not problem.loss.is_joint or problem.n_outputs * columns <= MOST_JOINT
    )


class Descent(NamedTuple):
    """Where Newton's method stands.

    Parameters
    ----------
    model : ndarray, shape (m, d + 1)
    value : float
        F.
    gradient : ndarray, shape (m, d + 1)
        Of F.
    slopes : ndarray, shape (n, m)
        Of the losses of all rows.
    decrement : float
        The fall of F that the last step has promised, half the square of Newton's decrement: about
        f - f* before that step, and an upper estimate of it here. Infinite before the first step.
    steps : int
    passes : float
        Over all rows, those for Hessians included: a gradient is one, a Hessian is one.
    by_all_rows : bool
        Whether the Hessian of the last step was that of all rows.
    """

    model: Array
    value: float
    gradient: Array
    slopes: Array
    decrement: float
    steps: int
    passes: float
    by_all_rows: bool


def minimise(problem: Problem, l2: float, start: Array, curvature: Problem | None = None) -> Array:
    """Return the model (m, d + 1) that minimises F, by Newton's method from `start`; see `descend`
    for how it went.
    """
    return descend(problem, l2, start, curvature).model


def descend(problem: Problem, l2: float, start: Array, curvature: Problem | None = None) -> Descent:
    """Return where Newton's method ends from `start` (m, d + 1): at the minimum of F.

    Parameters
    ----------
    problem : Problem
    l2 : float
    start : ndarray, shape (m, d + 1)
    curvature : Problem, optional
        Some of the rows, weighted to stand for all: the Hessian is taken from them, F and its
        gradient from all rows. Where such steps get short or slow, the Hessian is that of all rows
        after all.

    Notes
    -----
    With backtracking. A step takes a pass and, for n rows, m n (d + 1)^2 / 2 multiplications; for
    softmax (m + 1) / 2 times that. Memory 8 n m, and that of `Curvature.direction`. The squared
    hinge, whose second derivative jumps, comes to its end in finitely many steps.
    """
    if problem.n_rows * problem.n_columns < WORTH_THREADS:  # of a pass: a step's equations are more
        problem = replace(problem, threads=1)
    before = np.inf
    for latest in steps(problem, l2, start, curvature):
        if latest.steps == MOST_STEPS or is_at_end(latest, before):
            break
        before = latest.decrement
    return latest


def is_at_end(latest: Descent, before: float) -> bool:
    """Return whether the next step would gain nothing worth a pass; `before` is the decrement of
    the step before.
    """
    if latest.by_all_rows:
        return latest.decrement <= TOLERANCE * latest.value
    rate = min(1.0, latest.decrement / before) if np.isfinite(before) else 1.0
    return latest.decrement * rate <= LEFT * latest.value


class Equations(Protocol):
    """A way to solve Newton's equations: `Curvature`, or `ConjugateGradients`."""

    @property
    def problem(self) -> Problem:
        """The problem whose Hessian it is."""

    def direction(self, slopes: Array, least: float, gradient: Array) -> tuple[Array, float]:
        """Return the inverse of the Hessian times the gradient, and the passes that it took."""


def steps(
    problem: Problem,
    l2: float,
    start: Array,
    curvature: Problem | None = None,
    make: Callable[[Problem, float], Equations] = Curvature,
) -> Iterator[Descent]:
    """Give the start and the point after each step; ends where no step is any good.

    `make` gives the equations of a problem.
    """
    gradient = np.empty_like(start)
    value, slopes = problem.full_pass(start, l2, gradient)
    state = Descent(start.copy(), value, gradient, slopes, np.inf, 0, 1.0, curvature is None)
    yield state
    equations = make(problem if curvature is None else curvature, l2)
    least = float(problem.loss.is_straight_somewhere)
    while True:
        own, by_all_rows = equations.problem, equations.problem is problem
        known = state.slopes if by_all_rows else own.full_pass(state.model, l2)[1]
        with one_blas_thread():
            step, read = equations.direction(known, least, state.gradient)
        if not by_all_rows:
            read = (read + 1) * own.n_rows / problem.n_rows
        passes, found = search(problem, l2, state, -step)
        state = state._replace(passes=state.passes + read + passes)
        if found is not None:
            before, length = state.decrement, found.length
            # As Levenberg's: where the loss is straight, the Hessian says nothing of its bends.
            least = min(1.0, least * (0.1 if length == 1.0 else 10.0))
            state = Descent(
                state.model - length * step,
                found.value,
                found.gradient,
                found.slopes,
                found.promised,
                state.steps + 1,
                state.passes,
                by_all_rows,
            )
            yield state
            if length == 1.0 and found.promised <= SLOW * before:
                continue
        elif by_all_rows:
            return
        if not by_all_rows:
            equations = make(problem, l2)


class Found(NamedTuple):
    """A point on the way of a step: how far it is, F with its gradient and slopes there, and the
    fall that the whole step promised.
    """

    length: float
    value: float
    gradient: Array
    slopes: Array
    promised: float


def search(problem: Problem, l2: float, state: Descent, step: Array) -> tuple[int, Found | None]:
    """Return the passes made, and the first point of a falling F from the whole step back to none;
    None where there is no such point.

    So near the optimum that changes of F drown in rounding, the gradient judges.
    """
    slope = float(np.einsum("mi,mi->", state.gradient, step))
    if not slope < 0:
        return 0, None
    length, passes = 1.0, 0
    is_near = -slope <= ROUNDING * state.value
    while length >= SHORTEST_STEP:
        gradient = np.empty_like(step)
        value, slopes = problem.full_pass(state.model + length * step, l2, gradient)
        passes += 1
        if is_near:
            is_good = norm(gradient) < SHORTER * norm(state.gradient)
        else:
            is_good = value <= state.value + ENOUGH_FALL * length * slope
        if is_good:
            return passes, Found(length, value, gradient, slopes, -slope / 2)
        if is_near:
            break
        length /= 2
    return passes, None
