"""What ``craig calibrate`` reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from craig_cli.reports.base import aligned, calibration_lines, closing_lines, place, read_in_words


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
            ("rows", read_in_words(self.rows, self.columns, 0)),
            (
                "picks",
                f"{self.selected:,} ({self.selected / self.rows:.2%}) written to "
                f"{place(self.output)}",
            ),
            *calibration_lines(self.calibration, self.weights),
            *closing_lines(self.seconds, self.peak_memory_bytes, self.notes),
        ]
        return aligned(lines)
