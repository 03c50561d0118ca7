"""The solver that ``--solver auto`` takes, and why."""

from __future__ import annotations

from dataclasses import replace

from craig_cli.settings.training import AUTO, TrainSettings
from craig_cli.training.solvers import STEPPING

STEPPING_SOLVER = "saga"


def option_of_steps(settings: TrainSettings) -> str | None:
    """Return the first option given that only a solver of many small steps can use, or whose
    meaning hangs on that.
    """
    options = (*STEPPING, "epochs", "radius", "momentum")
    return next((o for o in options if getattr(settings, o) != getattr(TrainSettings, o)), None)


def resolved(settings: TrainSettings) -> tuple[TrainSettings, str | None]:
    """Return settings that name their solver, and why it was taken; None where it was named.

    Notes
    -----
    With narrow rows and wide, dense and sparse, one output and many, Newton's method was the
    quickest to 1e-6 of the optimum: the section "Training" of BENCHMARKS.md.
    """
    if settings.solver != AUTO:
        return settings, None
    option = option_of_steps(settings)
    if option is not None:
        return replace(settings, solver=STEPPING_SOLVER), f"auto: --{option} is of its steps"
    return replace(settings, solver="newton"), "auto: the quickest to the optimum"
