"""L-BFGS: scipy's L-BFGS-B on full passes, to the optimum."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from craig_cli.dataset import Progress
from craig_cli.settings.training import TrainSettings
from craig_cli.training.problem import Array, Problem, norm
from craig_cli.training.result import Fit, Tracer, Watch
from craig_cli.training.solvers.base import MakeVisits, Solver, no_steps_to_choose

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult
    from scipy.sparse.linalg import LinearOperator

STARTS = 5
"""Times the search begins anew, at the point reached, when rounding has ended it early."""
MEMORY = 20
"""Pairs of steps and gradients kept."""
SHORTER = 0.9
"""Of the gradient: less of a gain is not worth another pass."""


class Lbfgs(Solver):
    """Full gradient steps. An epoch is an iteration."""

    name = "lbfgs"
    usual_tolerance = 1e-9
    remedy = (
        "The tolerance was not reached: the --epochs were too few, or this is as near "
        "to the optimum as rounding allows."
    )
    refused: ClassVar[Mapping[str, str]] = {**Solver.refused, **no_steps_to_choose("lbfgs")}

    @classmethod
    def usual_epochs(cls, n_rows: int) -> int:
        return 2000

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
        """Return the fit, where the relative norm of the gradient is ``settings.tolerance``.

        Coordinates are scaled by the root of their curvature at most, so that columns of different
        units do no harm.
        """
        from scipy.optimize import minimize  # here: selecting starts faster without it

        tracer = Tracer(problem, settings.l2, watch)
        # Compiled before the clock runs, as the passes are by the tracer.
        problem.first_row().squares()
        search = Search(problem, settings, tracer, progress)
        tracer.look(0, 0.0, start)
        position = (start * search.roots).ravel()
        limits = {"maxiter": search.most_epochs, "maxfun": 20 * search.most_epochs}
        options = {**limits, "ftol": 0.0, "gtol": 0.0, "maxcor": MEMORY, "maxls": 40}
        for _ in range(STARTS):
            if search.is_done():
                break
            result = minimize(
                search.evaluate,
                position,
                jac=True,
                method="L-BFGS-B",
                callback=search.stop,
                options=options,
            )
            position = search.polish(result.x, result.hess_inv)
        return tracer.fit(position.reshape(start.shape) / search.roots, settings)


class Search:
    """The objective as scipy calls it, in scaled coordinates.

    Parameters
    ----------
    problem : Problem
    settings : TrainSettings
    tracer : Tracer
    progress : Progress

    Attributes
    ----------
    roots : ndarray, shape (d + 1,)
        What a coordinate is multiplied by.
    most_epochs : int
    """

    def __init__(
        self, problem: Problem, settings: TrainSettings, tracer: Tracer, progress: Progress
    ) -> None:
        assert settings.epochs is not None and settings.tolerance is not None
        self.most_epochs, self._tolerance = settings.epochs, settings.tolerance
        self._problem, self._l2, self._tracer, self._progress = (
            problem,
            settings.l2,
            tracer,
            progress,
        )
        self._begun, self._passes = time.perf_counter(), 0
        most = problem.loss.curvature
        curvature = np.append(most * problem.squares()[1] + settings.l2, most)
        self.roots = np.sqrt(np.where(curvature > 0, curvature, 1.0))
        self._latest: tuple[float, Array] | None = None

    def evaluate(self, position: Array) -> tuple[float, Array]:
        """Return F and its gradient."""
        model = position.reshape(-1, len(self.roots)) / self.roots
        gradient = np.zeros_like(model)
        value, _ = self._problem.full_pass(model, self._l2, gradient)
        if not self._problem.intercept:
            gradient[:, -1] = 0
        self._passes += 1
        self._latest = value, gradient
        return value, (gradient / self.roots).ravel()

    def polish(self, position: Array, inverse: LinearOperator) -> Array:
        """Return a position of a shorter gradient, by steps that the gradient judges.

        So near the optimum, changes of F drown in rounding. ``inverse`` stands for the inverse of
        the Hessian. Ends with the first step after which the gradient is not shorter by a tenth.
        """
        _, gradient = self.evaluate(position)
        while not self.is_done():
            trial = position - inverse.matvec(gradient)
            _, there = self.evaluate(trial)
            if not norm(there) < SHORTER * norm(gradient):
                break
            position, gradient = trial, there
            self.note(position)
        return position

    def is_done(self) -> bool:
        """Return whether the last point noted is good enough, or the last allowed."""
        point = self._tracer.points[-1]
        return point.gradient_norm <= self._tolerance or point.epoch >= self.most_epochs

    def stop(self, intermediate_result: OptimizeResult) -> None:
        """Note an iteration; ends the search by `StopIteration`.

        The point is the one evaluated last: there the line search has stopped.
        """
        self.note(intermediate_result.x)
        if self.is_done():
            raise StopIteration

    def note(self, position: Array) -> None:
        """Note the point that was evaluated last."""
        assert self._latest is not None
        now = time.perf_counter()
        model = position.reshape(-1, len(self.roots)) / self.roots
        point = self._tracer.note(self._passes, now - self._begun, model, *self._latest)
        self._progress("train", point.epoch, None)
        self._begun += time.perf_counter() - now
