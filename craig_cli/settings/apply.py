"""Settings of ``craig apply``, and the only home of their defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from craig_cli.errors import UsageError
from craig_cli.settings.catalog import EXPORTS, PICK_ORDERS, WEIGHT_PLACES
from craig_cli.settings.checks import THREADS, Checked


@dataclass(frozen=True)
class ApplySettings(Checked):
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

    CHECKS: ClassVar = {
        "to": EXPORTS,
        "order": PICK_ORDERS,
        "weight_as": WEIGHT_PLACES,
        "threads": THREADS,
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.weight_name:
            raise UsageError("--weight-name: the name of the column of weights is empty.")
