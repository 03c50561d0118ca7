"""Settings of a network, and the only home of their defaults. Standard library only."""

from __future__ import annotations

import math
from dataclasses import dataclass

from craig_cli.errors import UsageError
from craig_cli.settings import check_name, usable_threads
from craig_cli.settings.catalog import ACTIVATIONS, RESELECTION_PROXIES, RESELECTIONS, names

LEAST_SHARE = 0.005
"""Of the rows, that method groups selects: its groups would become too large for less."""


@dataclass(frozen=True)
class NetworkSettings:
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

    def __post_init__(self) -> None:
        check_name("--activation", self.activation, names(ACTIVATIONS))
        check_name("--reselect-by", self.reselect_by, names(RESELECTION_PROXIES))
        check_name("--reselect-method", self.method, names(RESELECTIONS))
        for option, count in (
            ("--hidden", self.hidden),
            ("--batch", self.batch),
            ("--epochs", self.epochs),
            ("--reselect-every", self.reselect_every),
        ):
            if count < 1:
                raise UsageError(f"{option}: {count} is not at least 1.")
        if not (self.step > 0 and math.isfinite(self.step)):
            raise UsageError(f"--step: {self.step} is not a finite number above 0.")
        if not (self.l2 >= 0 and math.isfinite(self.l2)):
            raise UsageError(f"--l2: {self.l2} is not a finite number of at least 0.")
        if self.fraction is not None and not 0 < self.fraction <= 1:
            raise UsageError(f"--fraction: {self.fraction} is not above 0 and at most 1.")
        if self.fraction is not None and self.method == "groups" and self.fraction < LEAST_SHARE:
            raise UsageError(
                f"--fraction: {self.fraction} is less than {LEAST_SHARE}, and groups "
                f"become too large. Use --reselect-method cells."
            )
        if not 0 <= self.seed < 2**63:
            raise UsageError(f"--seed: {self.seed} is not between 0 and 2^63 - 1.")
        if self.threads < 0:
            raise UsageError(f"--threads: {self.threads} is not at least 1.")

    @property
    def n_threads(self) -> int:
        """Threads to run: those asked for, else the CPUs this process may use."""
        return self.threads or usable_threads()
