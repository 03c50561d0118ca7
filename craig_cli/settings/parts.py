"""How a selection is cut into parts, and what runs them. Standard library only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from craig_cli.errors import UsageError
from craig_cli.settings.catalog import ENGINES, PARTITIONS
from craig_cli.settings.checks import Checked, Rule, refuse


@dataclass(frozen=True)
class PartSettings(Checked):
    """The parts of a selection.

    Parameters
    ----------
    parts : int or None
        Parts of as many rows each; None: a part for each file.
    partition : {'rows', 'cells'}
        Whether a part is rows as they lie, or the rows are sent to so many compact cells.
    oversampling : float
        So many times its share of the picks does a part offer under ``--fraction``.
    engine : {'local', 'dask'}
    scheduler : str or None
        Address of a Dask scheduler; None: a cluster of processes on this machine.
    """

    parts: int | None = None
    partition: str = "rows"
    oversampling: float = 3.0
    engine: str = "local"
    scheduler: str | None = None

    CHECKS: ClassVar = {
        "partition": PARTITIONS,
        "engine": ENGINES,
        "parts": Rule("'files' or a number of at least 1", lambda number: number >= 1),
        "oversampling": Rule(
            "a finite number of at least 1", lambda number: 1 <= number < math.inf
        ),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse(
            self.scheduler is not None and self.engine != "dask",
            "--scheduler: it is for --engine dask. Leave one out, or give both.",
        )


def needs_all_rows(option: str) -> UsageError:
    """Return what to say of an option that has no meaning for parts of the data."""
    return UsageError(
        f"{option}: it needs all rows in one place, and they are selected from in parts. Leave "
        "it out."
    )


def parse_parts(text: str) -> int | None:
    """Return the number of parts that ``--parts`` names; None for ``files``."""
    if text == "files":
        return None
    refuse(
        not text.isascii() or not text.isdigit(),
        f"--parts: '{text}' is not 'files' or a number of at least 1.",
    )
    return int(text)
