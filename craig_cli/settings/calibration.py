"""Settings of calibration, and the only home of their defaults. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from craig_cli.settings.catalog import LOSSES, WEIGHTINGS
from craig_cli.settings.checks import (
    POSITIVE,
    SEED,
    THREADS,
    Checked,
    Threaded,
    check_number,
    refuse,
)


@dataclass(frozen=True)
class CalibrationSettings(Checked, Threaded):
    """How weights are made, and what pilots and importance scores are fitted by.

    See ``craig select --help`` for each option.

    Parameters
    ----------
    weights : {'cluster', 'calibrated', 'auto'}
    loss : str or None
        None stands for the usual one of the data.
    pilot_l2 : tuple of float
        A pilot model each.
    intercept : bool
    ridge : float
        c of the penalty c / k on the multiplier of a constraint of root mean square one.
    pilot_rows : int
        Random rows that pilots start from, at least: their curvature stands for that of all rows.
    rows_a_constraint : float
        Picks that a constraint must have at least; where there are fewer, there are fewer pilots,
        and then leading directions in place of the columns.
    seed : int
    threads : int
    """

    weights: str = "cluster"
    loss: str | None = None
    pilot_l2: tuple[float, ...] = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    intercept: bool = True
    ridge: float = 0.003
    pilot_rows: int = 2000
    rows_a_constraint: float = 0.5
    seed: int = 0
    threads: int = 0

    CHECKS: ClassVar = {
        "weights": WEIGHTINGS,
        "loss": LOSSES,
        "seed": SEED,
        "threads": THREADS,
    }
    OPTIONS: ClassVar = {"loss": "--pilot-loss"}

    def __post_init__(self) -> None:
        super().__post_init__()
        for strength in self.pilot_l2:
            check_number("--pilot-l2", strength, POSITIVE)
        refuse(
            not self.pilot_l2 or len(set(self.pilot_l2)) < len(self.pilot_l2),
            "--pilot-l2: give one number, or several that differ.",
        )
