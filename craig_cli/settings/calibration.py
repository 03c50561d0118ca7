"""Settings of calibration, and the only home of their defaults. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

from craig_cli.errors import UsageError
from craig_cli.settings.catalog import LOSSES, WEIGHTINGS, names
from craig_cli.settings.checks import (
    Threaded,
    check_at_least,
    check_name,
    check_positive,
    check_seed,
    check_threads,
)


@dataclass(frozen=True)
class CalibrationSettings(Threaded):
    """How weights are made, and what pilots and importance scores are fitted by; see ``craig select
    --help`` for each option.

    Parameters
    ----------
    weights : {'cluster', 'calibrated', 'auto'}
    loss : str or None
        None stands for the usual one of the data.
    pilot_l2 : tuple of float
        A pilot model each.
    rounds : int
        At most.
    intercept : bool
    ridge : float
        c of the penalty c / k on the multiplier of a constraint of root mean square one.
    pilot_rows : int
        Rows that the first pilots are fitted on, about.
    rows_a_constraint : float
        Picks that a constraint must have at least; where there are fewer, leading directions take
        the place of coordinates.
    seed : int
    threads : int
    """

    weights: str = "cluster"
    loss: str | None = None
    pilot_l2: tuple[float, ...] = (1e-5, 1e-3, 1e-1, 1.0)
    rounds: int = 4
    intercept: bool = True
    ridge: float = 0.03
    pilot_rows: int = 2000
    rows_a_constraint: float = 0.5
    seed: int = 0
    threads: int = 0

    def __post_init__(self) -> None:
        check_name("--weights", self.weights, names(WEIGHTINGS))
        check_name("--pilot-loss", self.loss, names(LOSSES))
        for strength in self.pilot_l2:
            check_positive("--pilot-l2", strength)
        if not self.pilot_l2 or len(set(self.pilot_l2)) < len(self.pilot_l2):
            raise UsageError("--pilot-l2: give one number, or several that differ.")
        check_at_least("--calibration-rounds", self.rounds, 1)
        check_seed(self.seed)
        check_threads(self.threads)
