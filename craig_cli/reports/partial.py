"""What ``craig select --partial`` reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from craig_cli.reports.base import aligned, closing_lines, place, read_in_words


@dataclass(frozen=True)
class PartialReport:
    """What was done for one shard.

    Parameters
    ----------
    output : str
    rows, columns, skipped_rows, candidates : int
    is_kept : bool
        Whether an earlier run had finished the shard, so that nothing was done.
    seconds : mapping of str to float
    peak_memory_bytes : int
    """

    output: str
    rows: int
    columns: int
    skipped_rows: int
    candidates: int
    is_kept: bool
    seconds: Mapping[str, float]
    peak_memory_bytes: int
    exit_code: ClassVar[int] = 0

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        return {"partial": True, **asdict(self)}

    def text(self) -> str:
        """Return the closing summary."""
        where = place(self.output)
        if self.is_kept:
            return aligned(
                [
                    (
                        "kept",
                        f"{where}: {self.candidates:,} of {self.rows:,} rows, "
                        f"finished before (--force makes it again)",
                    )
                ]
            )
        return aligned(
            [
                ("rows", read_in_words(self.rows, self.columns, self.skipped_rows)),
                (
                    "offer",
                    f"{self.candidates:,} ({self.candidates / self.rows:.2%}) written to "
                    f"{where}, for craig merge",
                ),
                *closing_lines(self.seconds, self.peak_memory_bytes),
            ]
        )
