"""Optima of all rows and of weighted picks along a path of strengths, and what picks leave of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from craig_cli.training import Problem, newton, optimum
from craig_cli.training.problem import Array, pack

ROUNDING = 1e-16
"""Of F: what is less than that counts as so much."""


def fitted(problem: Problem, l2: float, start: Array) -> Array:
    """Return the optimum (m, d + 1) from `start`: by Newton's method, with the normal equations
    where there are few columns, else with conjugate gradients.
    """
    if newton.suits(problem):
        return newton.minimise(problem, l2, start)
    found = optimum(problem, l2, (start[:, :-1], start[:, -1]))
    return pack(found.coef, found.intercept)


def path_of(problem: Problem, strengths: Sequence[float]) -> list[Array]:
    """Return the optimum at each strength, each from that of the next larger."""
    models, latest = {}, np.zeros((problem.n_outputs, problem.n_columns + 1))
    for l2 in sorted(strengths, reverse=True):
        models[l2] = latest = fitted(problem, l2, latest)
    return [models[l2] for l2 in strengths]


@dataclass(frozen=True)
class Reference:
    """The least that there is of F on all rows, f*, at each strength."""

    problem: Problem
    strengths: tuple[float, ...]
    least: tuple[float, ...]

    def residuals(self, models: Sequence[Array]) -> list[float]:
        """Return f - f* on all rows of the model of each strength."""
        values = (
            self.problem.full_pass(model, l2)[0]
            for model, l2 in zip(models, self.strengths, strict=True)
        )
        return [
            max(value - best, ROUNDING * best)
            for value, best in zip(values, self.least, strict=True)
        ]

    def residuals_of(self, index: NDArray[np.int64], weight: Array) -> list[float]:
        """Return f - f* on all rows of the optima on weighted picks."""
        return self.residuals(path_of(self.problem.subset(index, weight), self.strengths))


def reference(problem: Problem, strengths: Sequence[float]) -> Reference:
    """Return what models are judged by at some strengths."""
    models = path_of(problem, strengths)
    least = (problem.full_pass(model, l2)[0] for model, l2 in zip(models, strengths, strict=True))
    return Reference(problem, tuple(strengths), tuple(least))
