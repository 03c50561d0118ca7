"""Settings of ``craig apply``, and the only home of their defaults."""

from __future__ import annotations

from dataclasses import dataclass

from craig_cli.errors import UsageError
from craig_cli.settings import check_name
from craig_cli.settings.catalog import EXPORTS, PICK_ORDERS, WEIGHT_PLACES, names


@dataclass(frozen=True)
class ApplySettings:
    """What ``craig apply`` writes, and where; see its help for each option."""

    output: str
    to: str | None = None
    order: str = "greedy"
    weight_as: str = "auto"
    weight_name: str = "weight"
    first: int | None = None
    force: bool = False
    force_mismatch: bool = False
    threads: int = 0

    def __post_init__(self) -> None:
        if self.to is not None:
            check_name("--to", self.to, names(EXPORTS))
        check_name("--order", self.order, names(PICK_ORDERS))
        check_name("--weight-as", self.weight_as, names(WEIGHT_PLACES))
        if not self.weight_name:
            raise UsageError("--weight-name: the name of the column of weights is empty.")
        if self.threads < 0:
            raise UsageError(f"--threads: {self.threads} is not at least 1.")
