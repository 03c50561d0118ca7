"""Settings of training, and the only home of their defaults. Standard library only."""

from __future__ import annotations

import math
from dataclasses import dataclass

from craig_cli.errors import UsageError
from craig_cli.settings import check_name, usable_threads
from craig_cli.settings.catalog import LOSSES, ORDERS, SCHEDULES, SOLVERS, names


@dataclass(frozen=True)
class TrainFiles:
    """What training reads and writes.

    Parameters
    ----------
    paths : tuple of str
        The data.
    output : str
        Where the model goes; ``-`` is stdout.
    coreset, weights : str or None
        A manifest, or a hand-made Parquet file with columns index and weight; all rows where there
        is neither.
    init : str or None
        A model to start from.
    force : bool
        Replace an output that is not a model.
    force_mismatch : bool
        Use a manifest of other data.
    first : int or None
        How many of the manifest's picks to train on, with clusters and weights anew; None for all.
    """

    paths: tuple[str, ...]
    output: str
    coreset: str | None = None
    weights: str | None = None
    init: str | None = None
    force: bool = False
    force_mismatch: bool = False
    first: int | None = None

    def __post_init__(self) -> None:
        if self.coreset is not None and self.weights is not None:
            raise UsageError("--coreset and --weights exclude each other: leave one out.")
        if self.force_mismatch and self.coreset is None:
            raise UsageError("--force-mismatch: there is no --coreset to match.")
        if self.first is not None and (self.coreset is None or self.force_mismatch):
            raise UsageError(
                "--first: it takes the first picks of a --coreset, and their weights "
                "anew from its data."
            )
        if sum(name == "-" for name in (*self.paths, self.coreset, self.weights, self.init)) > 1:
            raise UsageError(
                "Only one of DATA, --coreset, --weights and --init can be read from "
                "stdin: name a file for the others."
            )

    @property
    def inputs(self) -> tuple[str, ...]:
        """All files that are read."""
        others = (self.coreset, self.weights, self.init)
        return (*self.paths, *(name for name in others if name is not None))


def parse_l2(text: str) -> tuple[float, ...]:
    """Return the strengths of the regulariser in a text with commas between; raises `UsageError`
    for anything else.
    """
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(
            f"--l2: '{text}' is not a number, or several with commas between."
        ) from error
    if len(set(values)) < len(values):
        raise UsageError(f"--l2: '{text}' names a number twice.")
    return values


@dataclass(frozen=True)
class TrainSettings:
    """How a model is trained; see ``craig train --help`` for each option.

    None stands for the choice of the solver, or of the data. Whether the solver can use the options
    is for `training.check_options`, which knows the solvers.
    """

    loss: str | None = None
    l2: float = 1e-5
    intercept: bool = True
    solver: str = "saga"
    epochs: int | None = None
    tolerance: float | None = None
    step: float | None = None
    schedule: str | None = None
    decay: float | None = None
    order: str | None = None
    momentum: float = 0.9
    radius: float = 0.0
    tune: bool = False
    seed: int = 0
    threads: int = 0

    def __post_init__(self) -> None:
        for option, value, table in (
            ("--loss", self.loss, LOSSES),
            ("--solver", self.solver, SOLVERS),
            ("--schedule", self.schedule, SCHEDULES),
            ("--order", self.order, ORDERS),
        ):
            if value is not None:
                check_name(option, value, names(table))
        for option, number in (
            ("--l2", self.l2),
            ("--tolerance", self.tolerance),
            ("--decay", self.decay),
            ("--radius", self.radius),
        ):
            if number is not None and not (number >= 0 and math.isfinite(number)):
                raise UsageError(f"{option}: {number} is not a finite number of at least 0.")
        if self.step is not None and not (self.step > 0 and math.isfinite(self.step)):
            raise UsageError(f"--step: {self.step} is not a finite number above 0.")
        if not 0 <= self.momentum < 1:
            raise UsageError(f"--momentum: {self.momentum} is not at least 0 and below 1.")
        if self.epochs is not None and self.epochs < 1:
            raise UsageError(f"--epochs: {self.epochs} is not at least 1.")
        if not 0 <= self.seed < 2**63:
            raise UsageError(f"--seed: {self.seed} is not between 0 and 2^63 - 1.")
        if self.threads < 0:
            raise UsageError(f"--threads: {self.threads} is not at least 1.")
        if self.schedule == "exponential" and self.decay is not None and not 0 < self.decay <= 1:
            raise UsageError(
                f"--decay: {self.decay} is not above 0 and at most 1, as --schedule "
                f"exponential needs."
            )

    @property
    def n_threads(self) -> int:
        """Threads to run: those asked for, else the CPUs this process may use."""
        return self.threads or usable_threads()
