"""What ``craig info`` reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from craig_cli.errors import printable
from craig_cli.reports.base import (
    Report,
    calibration_lines,
    class_lines,
    cost_in_words,
    counted,
    coverage_line,
)


@dataclass(frozen=True)
class InfoReport(Report):
    """What a manifest says.

    Parameters
    ----------
    manifest : str
        The file.
    stated : mapping
        The footer.
    weight_min, weight_median, weight_max : float
    """

    manifest: str
    stated: Mapping[str, Any]
    weight_min: float
    weight_median: float
    weight_max: float

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        weight = {"min": self.weight_min, "median": self.weight_median, "max": self.weight_max}
        return {"manifest": self.manifest, **self.stated, "weight": weight}

    def lines(self) -> list[tuple[str, str]]:
        """Return the report for people."""
        said = self.stated
        share = f"{said['k']:,} of {said['n']:,} rows ({said['k'] / said['n']:.2%})"
        asked = {**said["request"].get("budget", {}), **said["request"].get("input", {})}
        given = [
            f"{key} {value}"
            for key, value in asked.items()
            if value is not None and value is not False and value != []
        ]
        skipped = []
        if "skipped" in said:
            n, lost = said["n"], said["skipped"]["rows"]
            words = f"{lost:,} bad rows of {n + lost:,}; index counts them"
            skipped = [("skipped", words)]
        parts = [("parts", f"selected in {len(said['parts'])} parts")] if "parts" in said else []
        return [
            (
                "manifest",
                f"{printable(self.manifest)}, schema {said['schema_version']}, written by "
                f"craig {said['craig_version']}",
            ),
            ("picks", f"{share}, {counted(said['d'], 'column')}"),
            *skipped,
            *(
                ("file", f"{printable(file['name'])}: {counted(file['rows'], 'row')}")
                for file in said["files"]
            ),
            *parts,
            *amount_lines(said),
            *class_lines(said["classes"], said.get("allocation", "proportional")),
            (
                "method",
                f"{said['method']}, metric {said['metric']}, scale {said['scale']}, task "
                f"{said['task']}, seed {said['seed']}",
            ),
            (
                "weights",
                f"{said['weights']}: smallest {self.weight_min:g}, median "
                f"{self.weight_median:g}, largest {self.weight_max:g}",
            ),
            *calibration_lines(said["calibration"], said["weights"], said["k"])[1:],
            coverage_line(said["epsilon"]["total"], said["epsilon"]["mean"]),
            ("", said["epsilon"]["definition"]),
            ("bound", said["gradient_error_bound"]["form"]),
            ("", said["gradient_error_bound"]["assumptions"]),
            ("request", printable(", ".join(given))),
            ("data", said["data_fingerprint"]),
            *(("note", printable(note)) for note in said["notes"]),
        ]


def amount_lines(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a footer states of weights of rows and of costs."""
    weights, cost = said.get("row_weights"), said.get("cost")
    lines = []
    if weights is not None:
        column = printable(str(weights["column"]))
        lines.append(("rows", f"weighted by column '{column}', {weights['sum']:g} in all"))
    if cost is not None:
        column = printable(str(cost["column"]))
        lines.append(("cost", f"{cost_in_words(cost)}, by column '{column}'"))
    return lines
