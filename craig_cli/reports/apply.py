"""What ``craig apply`` reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from craig_cli.errors import printable
from craig_cli.reports.base import aligned, closing_lines, counted, place


@dataclass(frozen=True)
class ApplyReport:
    """What ``craig apply`` did.

    Parameters
    ----------
    output, format : str
    rows, columns, skipped_rows, written : int
    order : str
    copied : bool
        Whether rows were written as they stand, with all their columns, and not as the numbers they
        were read as.
    weight_place : str
    weights_in : str or None
        The file of weights, or the column, where there is one.
    weight_sum : float
    seconds : mapping of str to float
        Wall-clock time of each stage.
    peak_memory_bytes : int
    notes : tuple of str
    """

    output: str
    format: str
    rows: int
    columns: int
    skipped_rows: int
    written: int
    order: str
    copied: bool
    weight_place: str
    weights_in: str | None
    weight_sum: float
    seconds: Mapping[str, float]
    peak_memory_bytes: int
    notes: tuple[str, ...]
    exit_code: ClassVar[int] = 0

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        return asdict(self)

    def text(self) -> str:
        """Return the closing summary."""
        where = {
            "column": f"in {'dataset' if self.format == 'hdf5' else 'column'} "
            f"{printable(str(self.weights_in))}",
            "file": f"in {printable(str(self.weights_in))}",
            "inline": "after the labels",
            "own": "importance of each line" if self.format == "vw" else "in array weight",
            "none": "not written",
        }[self.weight_place]
        skipped = f", {self.skipped_rows:,} bad ones skipped" if self.skipped_rows else ""
        how = (
            "no rows"
            if self.format == "npz"
            else "rows as they stand"
            if self.copied
            else "rows as the numbers they were read as"
        )
        lines = [
            ("rows", f"{self.rows:,} read{skipped}, {counted(self.columns, 'column')}"),
            ("output", f"{self.written:,} in {self.order} order written to {place(self.output)}"),
            ("format", f"{self.format}, {how}"),
            ("weights", f"{where}, sum {self.weight_sum:g}"),
            *closing_lines(self.seconds, self.peak_memory_bytes, self.notes),
        ]
        return aligned(lines)
