"""What ``craig plot`` shows: curves, weights and rows in the plane, and these as plain text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from craig_cli.errors import printable
from craig_cli.reports.base import Report, aligned, counted
from craig_cli.reports.manifest_plot import curve_panels
from craig_cli.reports.panel_text import in_text
from craig_cli.reports.skipped import skipped_facts, skipped_lines
from craig_cli.skipped import SkipReason

SHADES = " .:-=+*#%@"
"""From nothing to most, in plain ASCII, so that any terminal shows it."""
CLASSES_SHOWN = 12


@dataclass(frozen=True)
class Weights:
    """The weights of one class.

    Parameters
    ----------
    label : str or None
    picks : int
    smallest, median, largest : float
    bins : tuple of int
        Picks by weight; bin edges are `PlotReport.edges`.
    """

    label: str | None
    picks: int
    smallest: float
    median: float
    largest: float
    bins: tuple[int, ...]


@dataclass(frozen=True)
class View:
    """Rows and picks in the plane.

    Parameters
    ----------
    rows : tuple of (float, float)
        Those shown: all, or some, drawn at random.
    picks : tuple of (float, float, str, float)
        With class and weight.
    share : float
        Of the variance of the rows shown.
    n_picks : int
        All picks.
    """

    rows: tuple[tuple[float, float], ...]
    picks: tuple[tuple[float, float, str, float], ...]
    share: float
    n_picks: int

    @property
    def in_words(self) -> str:
        """How much is shown."""
        first = "" if len(self.picks) == self.n_picks else "the first "
        return f"{len(self.rows):,} rows and {first}{counted(len(self.picks), 'pick')}"


@dataclass(frozen=True)
class PlotReport(Report):
    """Everything that is drawn.

    Parameters
    ----------
    manifest : str
    picks, rows : int
    method : str
    curve : tuple of (int, float or None, float)
        Picks, epsilon over all classes (None before each has a pick), and gain; at most some
        hundred points.
    edges : tuple of float
    weights : tuple of Weights
    view : View or None
        Where the data was given.
    output : str or None
        The picture that was written.
    width : int
        Columns of the text.
    skipped : tuple of SkipReason
        Why rows of the data were skipped.
    """

    manifest: str
    picks: int
    rows: int
    method: str
    curve: tuple[tuple[int, float | None, float], ...]
    edges: tuple[float, ...]
    weights: tuple[Weights, ...]
    view: View | None
    output: str | None
    width: int
    skipped: tuple[SkipReason, ...] = ()

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types; of the view only its size."""
        facts = super().facts()
        facts["curve"] = [
            {"picks": picks, "epsilon": epsilon, "gain": gain}
            for picks, epsilon, gain in self.curve
        ]
        if self.view is not None:
            facts["view"] |= {"rows": len(self.view.rows), "picks": len(self.view.picks)}
            del facts["view"]["n_picks"]
        facts["skipped"] = skipped_facts(self.skipped)
        return facts if self.skipped else {k: v for k, v in facts.items() if k != "skipped"}

    def lines(self) -> list[tuple[str, str]]:
        """Return where the picture is."""
        where = printable(str(self.output))
        lines = [("picture", f"of {counted(self.picks, 'pick')} written to {where}")]
        return lines + skipped_lines(self.rows, self.skipped)

    def text(self) -> str:
        """Return the plots in plain text, or where the picture is."""
        if self.output is not None:
            return super().text()
        parts = [
            f"{printable(self.manifest)}: {self.picks:,} of {self.rows:,} rows, method "
            f"{printable(self.method)}",
            *(in_text(panel, self.width) for panel in curve_panels(self)),
            weights_table(self.weights, self.edges),
        ]
        if self.view is not None:
            parts.append(view_plot(self.view, self.width))
        if self.skipped:
            parts.append(aligned(skipped_lines(self.rows, self.skipped)))
        return "\n\n".join(parts)


def weights_table(weights: Sequence[Weights], edges: Sequence[float]) -> str:
    """Return a line for each class: picks, weights, and how many picks have which, in shades."""
    shown = weights[:CLASSES_SHOWN]
    names = ["all rows" if w.label is None else printable(w.label, 20) for w in shown]
    width = max(5, *map(len, names))
    lines = [f"Weights, {edges[0]:.4g} to {edges[-1]:.4g} in equal ratios"]
    lines.append(
        f"{'class':<{width}}  {'picks':>8}  {'smallest':>9}  {'median':>9}  {'largest':>9}"
    )
    for name, w in zip(names, shown, strict=True):
        top = max(w.bins) or 1
        bars = "".join(SHADES[-(-count * (len(SHADES) - 1) // top)] for count in w.bins)
        lines.append(
            f"{name:<{width}}  {w.picks:>8,}  {w.smallest:>9.4g}  {w.median:>9.4g}  "
            f"{w.largest:>9.4g}  |{bars}|"
        )
    if len(weights) > len(shown):
        lines.append(f"and {len(weights) - len(shown):,} more")
    return "\n".join(lines)


def view_plot(view: View, width: int) -> str:
    """Return rows as shades and picks as letters, one a class for the first 26 classes."""
    n_lines = max(10, width // 3)
    points = [*view.rows, *((x, y) for x, y, _, _ in view.picks)]
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    low, high = min(y for _, y in points), max(y for _, y in points)

    def cell(x: float, y: float) -> tuple[int, int]:
        column = int((x - left) / (right - left) * (width - 1)) if right > left else 0
        line = int((high - y) / (high - low) * (n_lines - 1)) if high > low else 0
        return line, column

    counts: dict[tuple[int, int], int] = {}
    for x, y in view.rows:
        counts[cell(x, y)] = counts.get(cell(x, y), 0) + 1
    most = max(counts.values(), default=1)
    grid = [[" "] * width for _ in range(n_lines)]
    for (line, column), count in counts.items():
        grid[line][column] = SHADES[1 + int(4 * math.log1p(count) / math.log1p(most))]
    letters = letters_of(sorted({label for _, _, label, _ in view.picks}))
    for x, y, label, _ in view.picks:
        line, column = cell(x, y)
        grid[line][column] = letters[label]
    legend = ", ".join(
        f"{letter} {printable(label, 20)}"
        for label, letter in list(letters.items())[:CLASSES_SHOWN]
    )
    head = (
        f"Rows (shades) and picks ({legend}) in the two directions of the largest spread, "
        f"{view.share:.0%} of the variance; {view.in_words}"
    )
    return head + "\n" + "\n".join("".join(row).rstrip() for row in grid)


def letters_of(labels: Sequence[str]) -> Mapping[str, str]:
    """Return a letter for each class."""
    return {label: chr(ord("A") + min(number, 25)) for number, label in enumerate(labels)}
