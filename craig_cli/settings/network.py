"""Settings of a network, and the only home of their defaults. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from craig_cli.settings.catalog import ACTIVATIONS, RESELECTION_PROXIES, RESELECTIONS
from craig_cli.settings.checks import (
    COUNT,
    NOT_NEGATIVE,
    POSITIVE,
    SEED,
    THREADS,
    Checked,
    Threaded,
    refuse,
)
from craig_cli.settings.shares import check_share

LEAST_SHARE = 0.005
"""Of the rows, that method groups selects: its groups would become too large for less."""

MOST_UNITS = 1_000_000


@dataclass(frozen=True)
class NetworkSettings(Checked, Threaded):
    """How a network of one hidden layer is trained; see ``craig train --help`` for each option.
    `fraction` None: no rows are selected.
    """

    hidden: int = 100
    activation: str = "sigmoid"
    batch: int = 10
    epochs: int = 20
    step: float = 1e-2
    l2: float = 1e-4
    fraction: float | None = None
    reselect_every: int = 1
    reselect_by: str = "residual"
    method: str = "groups"
    seed: int = 0
    threads: int = 0

    CHECKS: ClassVar = {
        "activation": ACTIVATIONS,
        "reselect_by": RESELECTION_PROXIES,
        "method": RESELECTIONS,
        "hidden": COUNT,
        "batch": COUNT,
        "epochs": COUNT,
        "reselect_every": COUNT,
        "step": POSITIVE,
        "l2": NOT_NEGATIVE,
        "seed": SEED,
        "threads": THREADS,
    }
    OPTIONS: ClassVar = {"method": "--reselect-method"}

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share("--fraction", self.fraction, "--fraction ")
        refuse(
            self.hidden > MOST_UNITS, f"--hidden: {self.hidden} is more than {MOST_UNITS:,} units."
        )
        refuse(
            self.fraction is not None and self.method == "groups" and self.fraction < LEAST_SHARE,
            f"--fraction: {self.fraction} is less than {LEAST_SHARE}, and groups become too "
            "large. Use --reselect-method cells.",
        )
