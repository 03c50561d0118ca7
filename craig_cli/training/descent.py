"""The loop of the incremental solvers: an epoch, a look at the objective, and so on."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Progress, no_progress
from craig_cli.settings.training import TrainSettings
from craig_cli.training.problem import Array, Problem
from craig_cli.training.result import Fit, Tracer, Watch
from craig_cli.training.schedules import USUAL_DECAY, Visits, step_at
from craig_cli.training.solvers import SOLVERS


def descend(
    problem: Problem,
    settings: TrainSettings,
    start: Array,
    visits: Visits,
    progress: Progress = no_progress,
    watch: Watch | None = None,
) -> Fit:
    """Return the fit that an incremental solver makes from `start` (m, d + 1); an infinite
    objective says that it diverged.

    Parameters
    ----------
    problem : Problem
    settings : TrainSettings
        With nothing left open, as `filled_in` gives them.
    start : ndarray, shape (m, d + 1)
    visits : Visits
    progress : Progress
        Called with stage "train", the epochs done, and their number at most.
    watch : Watch, optional
    """
    assert (
        settings.epochs
        and settings.step
        and settings.schedule
        and settings.decay is not None
        and settings.tolerance is not None
    )
    model = start.copy()
    tracer = Tracer(problem, settings.l2, watch)
    compile_steps(problem, settings, model)
    begun = time.perf_counter()
    solver = SOLVERS[settings.solver](problem, settings, visits.scales, model)
    seconds = time.perf_counter() - begun
    point = tracer.look(solver.passes, seconds, model)
    while (
        point.epoch < settings.epochs
        and point.gradient_norm > settings.tolerance
        and np.isfinite(point.objective)
    ):
        begun = time.perf_counter()
        solver.run_epoch(
            visits.next(), step_at(settings.schedule, settings.step, settings.decay, point.epoch)
        )
        seconds += time.perf_counter() - begun
        point = tracer.look(solver.passes, seconds, model)
        progress("train", point.epoch, settings.epochs)
    return tracer.fit(model, settings)


def compile_steps(problem: Problem, settings: TrainSettings, model: Array) -> None:
    """Take a step that is thrown away, on one row: kernels not run before are compiled or loaded by
    it, and not while the clock runs.
    """
    one, scale = problem.first_row(), np.ones(1)
    with np.errstate(all="ignore"):
        SOLVERS[settings.solver](one, settings, scale, model.copy()).run_epoch(
            np.zeros(1, np.int64), 1e-300
        )


def filled_in(problem: Problem, settings: TrainSettings, scales: Array) -> TrainSettings:
    """Return settings with what they leave open chosen by the solver."""
    solver = SOLVERS[settings.solver]
    schedule = settings.schedule or solver.usual_schedule
    return replace(
        settings,
        loss=problem.loss,
        schedule=schedule,
        decay=USUAL_DECAY[schedule] if settings.decay is None else settings.decay,
        step=settings.step or solver.usual_step(problem, settings, scales),
    )


def make_visits(
    problem: Problem, order: str, rng: np.random.Generator, sequence: NDArray[np.int64] | None
) -> Visits:
    """Return the visits of a run that draws from a copy of `rng`: every run from the same generator
    visits the same rows.
    """
    copied = np.random.Generator(type(rng.bit_generator)())
    copied.bit_generator.state = rng.bit_generator.state
    return Visits(problem, order, copied, sequence)
