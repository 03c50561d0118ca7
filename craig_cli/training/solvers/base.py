"""All that is known of a solver, in one class."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, TypeAlias

from craig_cli.dataset import Progress
from craig_cli.settings.training import TrainSettings
from craig_cli.training.problem import Array, Problem
from craig_cli.training.result import Fit, Watch
from craig_cli.training.schedules import Visits

MakeVisits: TypeAlias = Callable[[], Visits]
"""Gives the visits of a run, each time the same ones from the start."""


STEPPING = ("step", "schedule", "decay", "order", "tune")
"""Options that only a solver which chooses its steps, or takes a row a step, can use."""


def no_steps_to_choose(name: str) -> dict[str, str]:
    """Return why a solver refuses each of `STEPPING`."""
    reason = f"--solver {name} has no steps to choose. Leave it out, or choose another solver."
    return dict.fromkeys(STEPPING, reason)


class Solver(ABC):
    """A way to minimise F.

    Attributes
    ----------
    name : str
        In the catalog.
    usual_order, usual_schedule : str or None
        Where the user gives none; None for solvers that have neither.
    usual_tolerance : float
        Of the norm of the gradient, relative to that at zero.
    remedy : str
        What to say to a user where it stopped short of the tolerance; empty for solvers that are
        not expected to reach one.
    refused : mapping
        Options that it cannot use, by their name in `TrainSettings`, and why.
    """

    name: ClassVar[str]
    usual_order: ClassVar[str | None] = None
    usual_schedule: ClassVar[str | None] = None
    usual_tolerance: ClassVar[float] = 1e-6
    remedy: ClassVar[str] = ""
    refused: ClassVar[Mapping[str, str]] = {
        "radius": "the projection is a step of --solver sgd, not of {solver}."
    }

    @classmethod
    def usual_epochs(cls, n_rows: int) -> int:
        """Return the most epochs where the user names no number."""
        return 30

    @classmethod
    @abstractmethod
    def minimise(
        cls,
        problem: Problem,
        settings: TrainSettings,
        start: Array,
        make_visits: MakeVisits,
        progress: Progress,
        watch: Watch | None,
    ) -> Fit:
        """Return the fit from `start` (m, d + 1); of `settings` only the steps may be left open."""
