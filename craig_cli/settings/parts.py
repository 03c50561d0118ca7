"""How a selection is cut into parts, and what runs them. Standard library only, so that ``craig
--help`` stays fast.
"""

from __future__ import annotations

from dataclasses import dataclass

from craig_cli.errors import UsageError
from craig_cli.settings.catalog import ENGINES, PARTITIONS, names
from craig_cli.settings.checks import check_finite, check_name


@dataclass(frozen=True)
class PartSettings:
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

    def __post_init__(self) -> None:
        check_name("--partition", self.partition, names(PARTITIONS))
        check_name("--engine", self.engine, names(ENGINES))
        if self.parts is not None and self.parts < 1:
            raise UsageError(f"--parts: {self.parts} is not 'files' or a number of at least 1.")
        check_finite("--oversampling", self.oversampling, 1)
        if self.scheduler is not None and self.engine != "dask":
            raise UsageError("--scheduler: it is for --engine dask. Leave one out, or give both.")


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
    if not text.isascii() or not text.isdigit():
        raise UsageError(f"--parts: '{text}' is not 'files' or a number of at least 1.")
    return int(text)
