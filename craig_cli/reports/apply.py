"""What ``craig apply`` reports."""

from __future__ import annotations

from dataclasses import dataclass

from craig_cli.errors import printable
from craig_cli.reports.base import RunReport, place


@dataclass(frozen=True, kw_only=True)
class ApplyReport(RunReport):
    """What ``craig apply`` did.

    Parameters
    ----------
    output, format : str
    written : int
    order : str
    copied : bool
        Whether rows were written as they stand, with all their columns, and not as the numbers they
        were read as.
    weight_place : str
    weights_in : str or None
        The file of weights, or the column, where there is one.
    weight_sum : float
    """

    output: str
    format: str
    written: int
    order: str
    copied: bool
    weight_place: str
    weights_in: str | None
    weight_sum: float

    def lines(self) -> list[tuple[str, str]]:
        """Return the closing summary."""
        name = printable(str(self.weights_in))
        where = {
            "column": f"in {'dataset' if self.format == 'hdf5' else 'column'} {name}",
            "file": f"in {name}",
            "inline": "after the labels",
            "own": "importance of each line" if self.format == "vw" else "in array weight",
            "none": "not written",
        }[self.weight_place]
        how = "rows as they stand" if self.copied else "rows as the numbers they were read as"
        return [
            *self.read_lines(),
            ("output", f"{self.written:,} in {self.order} order written to {place(self.output)}"),
            ("format", f"{self.format}, {'no rows' if self.format == 'npz' else how}"),
            ("weights", f"{where}, sum {self.weight_sum:g}"),
            *self.closing_lines(),
        ]
