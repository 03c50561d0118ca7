"""What a fit gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from craig_cli.settings.training import TrainSettings
from craig_cli.training.problem import Array, Problem, norm

Watch: TypeAlias = Callable[[int, float, float, Array, Array], None]
"""Called after each epoch, and before the first, as ``watch(epoch, passes, seconds, coef,
intercept)``; must not keep the arrays.
"""


class TracePoint(NamedTuple):
    """Where a fit stood after an epoch; epoch 0 is the start.

    `passes` counts gradients of a row over the number of rows. `seconds` are those of the solver:
    what it takes to trace the objective is not in them. `gradient_norm` is relative to the gradient
    at zero.
    """

    epoch: int
    passes: float
    seconds: float
    objective: float
    gradient_norm: float


class Candidate(NamedTuple):
    """A first step and decay that ``--tune`` tried, and the training loss they came to (infinite if
    they diverged).
    """

    step: float
    decay: float
    objective: float


@dataclass(frozen=True)
class Fit:
    """A model and how it came about.

    Parameters
    ----------
    coef : ndarray of float64, shape (m, d)
    intercept : ndarray of float64, shape (m,)
        0 where there is none.
    objective : float
        F at the end.
    trace : tuple of TracePoint
    seconds, passes : float
        Those of the trace, and those of all candidates of ``--tune``.
    settings : TrainSettings
        Nothing left open: what the solver has chosen is filled in.
    converged : bool
        Whether the relative norm of the gradient came down to ``settings.tolerance``.
    tried : tuple of Candidate
    why : str or None
        Why this solver; None where it was named.
    """

    coef: Array
    intercept: Array
    objective: float
    trace: tuple[TracePoint, ...]
    seconds: float
    passes: float
    settings: TrainSettings
    converged: bool
    tried: tuple[Candidate, ...] = ()
    why: str | None = None


class Tracer:
    """Notes where a fit stands.

    Parameters
    ----------
    problem : Problem
    l2 : float
    watch : Watch or None

    Attributes
    ----------
    points : list of TracePoint
    """

    def __init__(self, problem: Problem, l2: float, watch: Watch | None) -> None:
        self.points: list[TracePoint] = []
        self._problem, self._l2, self._watch = problem, l2, watch
        self._gradient = np.zeros((problem.n_outputs, problem.n_columns + 1))
        problem.full_pass(self._gradient.copy(), 0.0, self._gradient)
        self.scale = norm(self._gradient) or 1.0

    def look(self, passes: float, seconds: float, model: Array) -> TracePoint:
        """Note the objective and the gradient of a model (m, d + 1); costs a pass."""
        objective, _ = self._problem.full_pass(model, self._l2, self._gradient)
        return self.note(passes, seconds, model, objective, self._gradient)

    def note(
        self, passes: float, seconds: float, model: Array, objective: float, gradient: Array
    ) -> TracePoint:
        """Note an objective and a gradient that are known already."""
        with np.errstate(over="ignore", invalid="ignore"):
            relative = norm(gradient) / self.scale
        value = objective if np.isfinite(objective) else np.inf
        point = TracePoint(len(self.points), passes, seconds, value, relative)
        self.points.append(point)
        if self._watch is not None:
            self._watch(point.epoch, passes, seconds, model[:, :-1], model[:, -1])
        return point

    def fit(self, model: Array, settings: TrainSettings) -> Fit:
        """Return the fit that ends at `model`."""
        last = self.points[-1]
        converged = settings.tolerance is not None and last.gradient_norm <= settings.tolerance
        return Fit(
            model[:, :-1].copy(),
            model[:, -1].copy(),
            last.objective,
            tuple(self.points),
            last.seconds,
            last.passes,
            settings,
            converged,
        )
