"""What ``craig calibrate`` reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from craig_cli.errors import printable
from craig_cli.report import aligned, calibration_lines, counted


@dataclass(frozen=True)
class CalibrateReport:
    """What ``craig calibrate`` did.

    Parameters
    ----------
    output : str
    rows, columns, selected : int
    weights : str
        What they are now.
    calibration : mapping or None
        As in the manifest.
    seconds : mapping of str to float
        Wall-clock time of each stage.
    peak_memory_bytes : int
    notes : tuple of str
    """

    output: str
    rows: int
    columns: int
    selected: int
    weights: str
    calibration: Mapping[str, Any] | None
    seconds: Mapping[str, float]
    peak_memory_bytes: int
    notes: tuple[str, ...]
    exit_code: ClassVar[int] = 0

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        return asdict(self)

    def text(self) -> str:
        """Return the closing summary."""
        lines = [
            ("rows", f"{self.rows:,} read, {counted(self.columns, 'column')}"),
            ("picks", f"{self.selected:,} ({self.selected / self.rows:.2%}) written to {'stdout' if self.output == '-' else printable(self.output)}"),
            *calibration_lines(self.calibration, self.weights),
            ("time", ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in self.seconds.items())),
            ("memory", f"{self.peak_memory_bytes / 1e6:,.0f} MB at the peak"),
            *(("note", note) for note in self.notes),
        ]
        return aligned(lines)
