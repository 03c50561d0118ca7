"""What ``craig select --partial`` reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from craig_cli.reports.base import RunReport, place


@dataclass(frozen=True, kw_only=True)
class PartialReport(RunReport):
    """What was done for one shard.

    Parameters
    ----------
    output : str
    candidates : int
    is_kept : bool
        Whether an earlier run had finished the shard, so that nothing was done.
    """

    output: str
    candidates: int
    is_kept: bool

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        return {"partial": True, **super().facts()}

    def lines(self) -> list[tuple[str, str]]:
        """Return the closing summary."""
        where = place(self.output)
        if self.is_kept:
            found = f"{self.candidates:,} of {self.rows:,} rows, finished before"
            return [("kept", f"{where}: {found} (--force makes it again)")]
        share = f"{self.candidates:,} ({self.candidates / self.rows:.2%})"
        return [
            *self.read_lines(),
            ("candidates", f"{share} written to {where}, for craig merge"),
            *self.closing_lines(),
        ]
