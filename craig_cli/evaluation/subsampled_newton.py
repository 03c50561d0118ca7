"""The rival that is no subset: a fit on random rows, and Newton steps with the gradient of all."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from craig_cli.evaluation.comparison import Result
from craig_cli.evaluation.measures import Point, Reference, Run, Subset
from craig_cli.evaluation.timing import quickest
from craig_cli.training import Problem, newton
from craig_cli.training.problem import Array

NAMES = ("newton-1", "newton-2", "newton-3")
"""Of the results after so many steps."""


class Step(NamedTuple):
    """Where the path stood after a step; step 0 is the fit on the random rows.

    Parameters
    ----------
    model : ndarray, shape (m, d + 1)
    passes : float
        Over all rows, from the start: gradients, lengths tried, and Hessians.
    sample_passes : float
        Those of the fit on the random rows, over these.
    seconds : float
    """

    model: Array
    passes: float
    sample_passes: float
    seconds: float


def newton_path(whole: Problem, sample: Problem, l2: float, n_steps: int) -> tuple[Step, ...]:
    """Return the fit on some rows and what each step from there gives, `n_steps` + 1 in all.

    The steps have the gradient of all rows and the Hessian of the sample, and are safeguarded as
    `newton.steps` does: halved until the objective of all rows falls enough, and with the Hessian
    of all rows from a step on that was halved. Where no step is any good, the model stays.

    Parameters
    ----------
    whole, sample : Problem
        All rows, and some of them with weights that stand for all.
    l2 : float
    n_steps : int
    """
    begun = time.perf_counter()
    own = newton.descend(sample, l2, np.zeros((whole.n_outputs, whole.n_columns + 1)))
    path = [Step(own.model, 0.0, own.passes, time.perf_counter() - begun)]
    points = newton.steps(whole, l2, own.model, sample)
    for latest in islice(points, 1, n_steps + 1):
        path.append(Step(latest.model, latest.passes, own.passes, time.perf_counter() - begun))
    return (*path, *(path[-1:] * (n_steps + 1 - len(path))))


def newton_results(reference: Reference, subsets: Sequence[Subset]) -> tuple[Result, ...]:
    """Return what random rows and 1, 2, ... Newton steps give, a run a subset.

    An epoch of their curves is a step, and a pass one over all rows, as of other subsets.
    """
    paths = [newton_runs(reference, subset) for subset in subsets]
    return tuple(
        Result(name, tuple(path[number] for path in paths)) for number, name in enumerate(NAMES)
    )


def newton_runs(reference: Reference, subset: Subset) -> list[Run]:
    """Return the runs from the model of one subset, one for each number of steps."""
    whole, l2 = reference.whole, reference.settings.l2
    sample = whole.subset(subset.rows, subset.weights)

    def work() -> tuple[tuple[Step, ...], float]:
        path = newton_path(whole, sample, l2, len(NAMES))
        return path, path[-1].seconds

    path, _ = quickest(work)
    share = sample.n_rows / whole.n_rows
    models = [(step.model[:, :-1], step.model[:, -1]) for step in path]
    points = [
        Point(
            number,
            step.passes + share * step.sample_passes,
            step.seconds,
            reference.residual(*model),
        )
        for number, (step, model) in enumerate(zip(path, models, strict=True))
    ]
    return [
        Run(
            rows=sample.n_rows,
            seed=subset.seed,
            residual=points[number].residual,
            test_error=None
            if reference.test_error is None
            else reference.test_error(*models[number]),
            gradient_error=None,
            curve=tuple(points[: number + 1]),
            selection_seconds=subset.selection_seconds,
            passes=points[number].passes,
        )
        for number in range(1, len(path))
    ]
