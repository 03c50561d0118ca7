"""The loop of the solvers that take one row a step: an epoch, a look at F, and so on."""

from __future__ import annotations

import time
from abc import abstractmethod
from dataclasses import replace
from types import ModuleType
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Progress
from craig_cli.errors import UsageError
from craig_cli.settings.training import TrainSettings
from craig_cli.training.problem import Array, Problem
from craig_cli.training.result import Fit, Tracer, Watch
from craig_cli.training.schedules import SCHEDULES
from craig_cli.training.solvers.base import MakeVisits, Solver
from craig_cli.training.tuning import tuned


class Incremental(Solver):
    """Steps of one row at a time, from a model that is changed in place; an object is one run.

    Parameters
    ----------
    problem : Problem
    settings : TrainSettings
        With nothing left open.
    scales : ndarray, shape (n,)
        What the gradients of the rows are multiplied by.
    model : ndarray, shape (m, d + 1)

    Attributes
    ----------
    passes : float
        Gradients computed so far, over the number of rows.
    """

    usual_order = "shuffled"
    usual_schedule: ClassVar[str] = "exponential"

    def __init__(
        self, problem: Problem, settings: TrainSettings, scales: Array, model: Array
    ) -> None:
        # Here, since selecting has no use for them.
        from craig_cli.kernels import dense_epochs, sparse_epochs

        self.problem, self.settings, self.scales, self.model = problem, settings, scales, model
        self.passes = 0.0
        self.kernels: ModuleType = sparse_epochs if problem.is_sparse else dense_epochs
        self.rows = (problem.arrays, problem.targets, scales)

    @classmethod
    def usual_step(cls, problem: Problem, settings: TrainSettings, scales: Array) -> float:
        """Return the first step size where the user gives none."""
        return 1 / steepest(problem, settings.l2, scales)

    @abstractmethod
    def take_steps(self, visits: NDArray[np.int64], step: float) -> None:
        """Take a step of size `step` for each of the rows `visits`."""

    def run_epoch(self, visits: NDArray[np.int64], step: float) -> None:
        """Take the steps of an epoch, and count the gradients that it takes."""
        self.take_steps(visits, step)
        self.passes += len(visits) / self.problem.n_rows

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
        """Return the fit, under ``--tune`` the best one; raises `UsageError` if it diverged."""

        def run(candidate: TrainSettings) -> Fit:
            return cls.descend(problem, candidate, start, make_visits, progress, watch)

        schedule = settings.schedule or cls.usual_schedule
        usual_decay, scales = SCHEDULES[schedule].usual_decay, make_visits().scales
        complete = replace(
            settings,
            schedule=schedule,
            decay=usual_decay if settings.decay is None else settings.decay,
            step=settings.step or cls.usual_step(problem, settings, scales),
        )
        result = (
            tuned(complete, settings.decay is not None, run, progress)
            if settings.tune
            else run(complete)
        )
        if not np.isfinite(result.objective):
            raise UsageError(
                f"--step: {result.settings.step:.6g} is too large, --solver "
                f"{settings.solver} diverged. Try a smaller one, or --tune."
            )
        return result

    @classmethod
    def descend(
        cls,
        problem: Problem,
        settings: TrainSettings,
        start: Array,
        make_visits: MakeVisits,
        progress: Progress,
        watch: Watch | None,
    ) -> Fit:
        """Return the fit of complete settings; an infinite objective says that it diverged."""
        assert settings.epochs and settings.step and settings.schedule
        assert settings.decay is not None and settings.tolerance is not None
        model, visits = start.copy(), make_visits()
        tracer = Tracer(problem, settings.l2, watch)
        # A step on one row is thrown away: compiling and loading kernels is not to be on the clock.
        with np.errstate(all="ignore"):
            first = cls(problem.first_row(), settings, np.ones(1), model.copy())
            first.run_epoch(np.zeros(1, np.int64), 1e-300)
        begun = time.perf_counter()
        solver = cls(problem, settings, visits.scales, model)
        seconds = time.perf_counter() - begun
        point = tracer.look(solver.passes, seconds, model)
        while (
            point.epoch < settings.epochs
            and point.gradient_norm > settings.tolerance
            and np.isfinite(point.objective)
        ):
            step = SCHEDULES[settings.schedule].step(settings.step, settings.decay, point.epoch)
            begun = time.perf_counter()
            solver.run_epoch(visits.next(), step)
            seconds += time.perf_counter() - begun
            point = tracer.look(solver.passes, seconds, model)
            progress("train", point.epoch, settings.epochs)
        return tracer.fit(model, settings)


def steepest(problem: Problem, l2: float, scales: Array) -> float:
    """Return the Lipschitz constant of the gradient of a row's scaled loss and the regulariser.

    Of rows that have a weight; never 0, as it would be where all rows are and l2 is.
    """
    lengths = problem.squares()[0] + problem.constant
    return max(
        float((scales * lengths)[problem.weights > 0].max()) * problem.loss.curvature + l2, 1e-300
    )
