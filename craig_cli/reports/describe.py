"""What ``craig describe`` reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from craig_cli.errors import printable
from craig_cli.reports.base import Report, aligned, counted


@dataclass(frozen=True)
class DescribeReport(Report):
    """What some data holds.

    Parameters
    ----------
    files : sequence of str
    formats : sequence of str
    rows, columns : int
    described : sequence of mapping
        Of a table, what each column is and what becomes of it.
    table : sequence of str
        The same as lines for people.
    numbers : mapping
        Of a matrix: the share of cells that are not 0, the lowest and the highest number, and what
        the labels are.
    command : str
        What selects from it; empty where nothing can.
    seconds : float
    notes : sequence of str
    """

    files: Sequence[str]
    formats: Sequence[str]
    rows: int
    columns: int
    described: Sequence[Mapping[str, Any]]
    table: Sequence[str]
    numbers: Mapping[str, Any]
    command: str
    seconds: float
    notes: Sequence[str]

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        facts = super().facts()
        del facts["table"]
        return {**facts, "described": list(self.described)}

    def lines(self) -> list[tuple[str, str]]:
        """Return the report for people, but for the lines on columns."""
        several = f" and {len(self.files) - 1:,} more" if len(self.files) > 1 else ""
        found = [
            ("data", f"{printable(self.files[0])}{several}, {', '.join(self.formats)}"),
            ("size", f"{counted(self.rows, 'row')}, {counted(self.columns, 'column')}"),
        ]
        if self.numbers:
            found += [("numbers", self.numbers_in_words()), ("labels", self.labels_in_words())]
        return found

    def numbers_in_words(self) -> str:
        """Return what the numbers of a matrix are."""
        said = self.numbers
        return f"{said['low']:g} to {said['high']:g}, {said['density']:.3%} of them not 0"

    def labels_in_words(self) -> str:
        """Return what the labels of a matrix are."""
        labels = self.numbers["labels"]
        if labels is None:
            return "none"
        shown = ", ".join(f"{printable(str(name), 30)} ({n:,})" for name, n in labels["most"])
        if labels["distinct"] is None:
            return "many different ones"
        more = ", ..." if labels["distinct"] > len(labels["most"]) else ""
        return f"{labels['distinct']:,} different: {shown}{more}"

    def text(self) -> str:
        """Return the report for people."""
        parts = [aligned(self.lines())]
        if self.table:
            parts.append("\n".join(self.table))
        notes = [f"note  {printable(note)}" for note in self.notes]
        works = ["This command works:", f"  {printable(self.command)}"] if self.command else []
        parts.append("\n".join([*notes, *works]))
        return "\n\n".join(parts)
