"""The rival that is no subset: a fit on random rows, and Newton steps with the gradient of all."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from craig_cli.dataset import as_dense
from craig_cli.threads import one_blas_thread
from craig_cli.training import Problem
from craig_cli.training.newton import Equations
from craig_cli.training.problem import Array

ENOUGH_FALL = 1e-4
"""Of the fall that the slope promises (Armijo)."""
SHORTEST_STEP = 2.0**-10
MOST_START_STEPS = 30
START_TOLERANCE = 1e-9
"""Of the fall that a step on the random rows promises, over their objective."""


class Step(NamedTuple):
    """Where the path stood after a step; step 0 is the fit on the random rows.

    `passes` are those over all rows, `sample_passes` those over the random rows, both from the
    start; so are `seconds`.
    """

    model: Array
    passes: int
    sample_passes: int
    seconds: float


def newton_path(whole: Problem, sample: Problem, l2: float, n_steps: int) -> tuple[Step, ...]:
    """Return the fit on some rows and up to how many steps from there, `n_steps` + 1 in all.

    Each step has the Hessian of the sample and the gradient of all rows (subsampled Newton:
    Roosta-Khorasani and Mahoney 2019), and is halved until the objective of all rows falls by
    Armijo's rule; where it does not, the model stays.

    Parameters
    ----------
    whole, sample : Problem
        All rows, and some of them with weights that stand for all.
    l2 : float
    n_steps : int

    Notes
    -----
    A pass over all rows for the first gradient, and one for each length tried: the last of a step
    gives the gradient of the next. Memory: 16 k (d + 1) for k rows of the sample.
    """
    begun = time.perf_counter()
    own = Descent(sample, sample, l2, np.zeros((whole.n_outputs, whole.n_columns + 1)))
    for _ in range(MOST_START_STEPS):
        if not own.step() or own.promised <= START_TOLERANCE * own.value:
            break
    sample_passes = own.passes + own.sample_passes
    path = [Step(own.model, 0, sample_passes, time.perf_counter() - begun)]
    descent = Descent(whole, sample, l2, own.model)
    for _ in range(n_steps):
        descent.step()
        passes = descent.passes, sample_passes + descent.sample_passes
        path.append(Step(descent.model, *passes, time.perf_counter() - begun))
    return tuple(path)


class Descent:
    """Newton steps on a problem with the Hessian of a sample of its rows.

    Parameters
    ----------
    problem, sample : Problem
        The same one for Newton's method itself.
    l2 : float
    model : ndarray, shape (m, d + 1)
        Where to start.

    Attributes
    ----------
    model : ndarray, shape (m, d + 1)
    value : float
        The objective there.
    promised : float
        How much the latest step was to bring it down by.
    passes, sample_passes : int
        Over the rows of the problem, and over those of the sample for its slopes.
    """

    def __init__(self, problem: Problem, sample: Problem, l2: float, model: Array) -> None:
        self._problem, self._sample, self._l2 = problem, sample, l2
        ones = np.full(sample.n_rows, sample.constant)
        self._equations = Equations(sample, np.column_stack([as_dense(sample.rows), ones]), l2)
        self.model, self.promised = model, np.inf
        self._gradient = np.empty_like(model)
        self.value, self._slopes = problem.full_pass(model, l2, self._gradient)
        self.passes, self.sample_passes = 1, 0
        self._least = float(problem.loss.is_straight_somewhere)

    @one_blas_thread()
    def step(self) -> bool:
        """Make a step, and return whether the objective fell; a model it does not fall from stays."""
        slopes = self._slopes
        if self._sample is not self._problem:
            _, slopes = self._sample.full_pass(self.model, 0.0)
            self.sample_passes += 1
        self._gradient[:, -1] *= self._problem.constant
        direction = -self._equations.direction(slopes, self._least, self._gradient)
        slope, length = float(np.einsum("mi,mi->", self._gradient, direction)), 1.0
        self.promised = -slope / 2
        if not slope < 0:
            return False
        there = np.empty_like(self.model)
        while length >= SHORTEST_STEP:
            model = self.model + length * direction
            value, slopes = self._problem.full_pass(model, self._l2, there)
            self.passes += 1
            if value <= self.value + ENOUGH_FALL * length * slope:
                # As Levenberg's: where the loss is straight, the Hessian says nothing of its bends.
                self._least = min(1.0, self._least * (0.1 if length == 1.0 else 10.0))
                self.model, self.value, self._slopes, self._gradient = model, value, slopes, there
                return True
            length /= 2
        return False
