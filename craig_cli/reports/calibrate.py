"""What ``craig calibrate`` reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from craig_cli.reports.base import RunReport, calibration_lines, picks_line


@dataclass(frozen=True, kw_only=True)
class CalibrateReport(RunReport):
    """What ``craig calibrate`` did.

    Parameters
    ----------
    output : str
    selected : int
    weights : str
        What they are now.
    calibration : mapping or None
        As in the manifest.
    """

    output: str
    selected: int
    weights: str
    calibration: Mapping[str, Any] | None

    def lines(self) -> list[tuple[str, str]]:
        """Return the closing summary."""
        return [
            *self.read_lines(),
            picks_line(self.selected, self.rows, self.output),
            *calibration_lines(self.calibration, self.weights, self.selected),
            *self.closing_lines(),
        ]
