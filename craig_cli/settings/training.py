"""Settings of training, and the only home of their defaults. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from craig_cli.settings.catalog import LOSSES, ORDERS, SCHEDULES, SOLVERS
from craig_cli.settings.checks import (
    COUNT,
    NOT_NEGATIVE,
    POSITIVE,
    SEED,
    THREADS,
    Checked,
    Rule,
    Threaded,
    check_number,
    parse_numbers,
    refuse,
)

AUTO = "auto"
"""The solver that is chosen by the data and the options."""


@dataclass(frozen=True)
class TrainFiles:
    """What training reads and writes.

    Parameters
    ----------
    paths : tuple of str
        The data.
    output : str
        Where the model goes; ``-`` is stdout.
    coreset, weights_file : str or None
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
    weights_file: str | None = None
    init: str | None = None
    force: bool = False
    force_mismatch: bool = False
    first: int | None = None

    def __post_init__(self) -> None:
        refuse(
            self.coreset is not None and self.weights_file is not None,
            "--coreset and --weights-file exclude each other: leave one out.",
        )
        refuse(
            self.force_mismatch and self.coreset is None,
            "--force-mismatch: there is no --coreset to match.",
        )
        refuse(
            self.first is not None and (self.coreset is None or self.force_mismatch),
            "--first: it takes the first picks of a --coreset, and their weights anew from its "
            "data.",
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """All files that are read."""
        others = (self.coreset, self.weights_file, self.init)
        return (*self.paths, *(name for name in others if name is not None))


def parse_l2(text: str) -> tuple[float, ...]:
    """Return the strengths of the regulariser in a text with commas between."""
    values = parse_numbers("--l2", text)
    for value in values:
        check_number("--l2", value, NOT_NEGATIVE)
    refuse(len(set(values)) < len(values), f"--l2: '{text}' names a number twice.")
    return values


@dataclass(frozen=True)
class TrainSettings(Checked, Threaded):
    """How a model is trained; see ``craig train --help``.

    None stands for the choice of the solver, or of the data. Whether the solver can use the options
    is for `training.check_options`, which knows the solvers.
    """

    loss: str | None = None
    l2: float = 1e-5
    intercept: bool = True
    solver: str = AUTO
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

    CHECKS: ClassVar = {
        "loss": LOSSES,
        "solver": SOLVERS,
        "schedule": SCHEDULES,
        "order": ORDERS,
        "l2": NOT_NEGATIVE,
        "tolerance": NOT_NEGATIVE,
        "decay": NOT_NEGATIVE,
        "radius": NOT_NEGATIVE,
        "step": POSITIVE,
        "momentum": Rule("at least 0 and below 1", lambda number: 0 <= number < 1),
        "epochs": COUNT,
        "seed": SEED,
        "threads": THREADS,
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse(
            self.schedule == "exponential" and self.decay is not None and not 0 < self.decay <= 1,
            f"--decay: {self.decay} is not above 0 and at most 1, as --schedule exponential needs.",
        )
