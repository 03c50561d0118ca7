"""Settings of a network, and the only home of their defaults. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

from craig_cli.errors import UsageError
from craig_cli.settings.catalog import ACTIVATIONS, RESELECTION_PROXIES, RESELECTIONS, names
from craig_cli.settings.checks import (
    Threaded,
    check_at_least,
    check_finite,
    check_name,
    check_positive,
    check_seed,
    check_share,
    check_threads,
)

LEAST_SHARE = 0.005
"""Of the rows, that method groups selects: its groups would become too large for less."""


@dataclass(frozen=True)
class NetworkSettings(Threaded):
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
        check_at_least("--hidden", self.hidden, 1)
        check_at_least("--batch", self.batch, 1)
        check_at_least("--epochs", self.epochs, 1)
        check_at_least("--reselect-every", self.reselect_every, 1)
        check_positive("--step", self.step)
        check_finite("--l2", self.l2)
        check_share("--fraction", self.fraction)
        if self.fraction is not None and self.method == "groups" and self.fraction < LEAST_SHARE:
            raise UsageError(
                f"--fraction: {self.fraction} is less than {LEAST_SHARE}, and groups become too "
                "large. Use --reselect-method cells."
            )
        check_seed(self.seed)
        check_threads(self.threads)
