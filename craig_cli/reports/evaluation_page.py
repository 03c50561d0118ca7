"""The report of ``craig evaluate`` as one HTML page: style and drawings are within it, and it loads
nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from craig_cli.evaluation import Comparison, Result
from craig_cli.evaluation.measures import Point
from craig_cli.reports.evaluate import (
    HEAD,
    EvaluateReport,
    epsilon_in_words,
    footing,
    heading,
    table_rows,
    title,
)

GENERATOR = '<meta name="generator" content="craig evaluate">'
COLOURS = {
    "all rows": "#6b7280",
    "coreset": "#c2410c",
    "random": "#2563eb",
    "stratified": "#15803d",
    "importance": "#7e22ce",
}
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 520, 320, 64, 44, 12, 14
"""Of a drawing, and its margins, in pixels."""
DECADES = 9
"""Most powers of ten that an axis of residuals shows."""
LOWEST = 1e-12

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2937; max-width: 1120px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.verdict li { font-size: 1.05rem; } .bad { color: #b91c1c; font-weight: 600; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid #e5e7eb; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; color: #4b5563; white-space: normal; vertical-align: bottom; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .5em; }
.drawings { display: flex; flex-wrap: wrap; gap: 1rem; margin-top: 1rem; } figure { margin: 0; } figcaption { color: #4b5563; }
.small { color: #4b5563; font-size: .9rem; white-space: pre-line; } svg { max-width: 100%; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: #4b5563; }
"""


def is_page(path: Path) -> bool:
    """Return whether a file is a page that craig has made."""
    try:
        with path.open("rb") as file:
            return GENERATOR.encode() in file.read(1000)
    except OSError:
        return False


def page(report: EvaluateReport) -> str:
    """Return the page."""
    verdict = "".join(
        f"<li{' class=bad' if is_bad(sentence) else ''}>{escape(sentence)}</li>"
        for sentence in report.verdict()
    )
    failures = "".join(
        f"<p class=bad>FAILED {escape(failure)}</p>" for failure in report.failures()
    )
    costs = "".join(f"<li>{escape(sentence)}</li>" for sentence in report.costs())
    facts = (
        f"{report.rows:,} rows, {report.columns:,} columns; {report.picks:,} rows of "
        f"{report.source}{epsilon_in_words(report.epsilon_mean)}."
    )
    notes = "".join(f"<p class=small>{escape(note)}</p>" for note in report.notes)
    sections = "".join(section(c, report) for c in report.comparisons)
    return f"""<!DOCTYPE html>
<html lang=en>
<head>
<meta charset=utf-8>
{GENERATOR}
<title>craig evaluate</title>
<style>{STYLE}</style>
</head>
<body>
<h1>Is the coreset worth it?</h1>
{failures}<ul class=verdict>{verdict}</ul>
<ul>{costs}</ul>
<p class=small>{escape(facts)} Solver {escape(report.solver)}.</p>
{sections}{notes}
</body>
</html>
"""


def is_bad(sentence: str) -> bool:
    """Return whether a sentence of the verdict is against the coreset."""
    return " loses to " in sentence or " worse than " in sentence


def section(comparison: Comparison, report: EvaluateReport) -> str:
    """Return the part of the page on one loss and one l2."""
    head = "".join(f"<th>{name}</th>" for name in HEAD)
    rows = "".join(table_row(cells) for cells in table_rows(comparison, report.is_regression))
    drawings = "".join(
        f"<figure>{drawing(comparison, axis)}<figcaption>{caption}</figcaption></figure>"
        for axis, caption in (
            ("passes", "Residual f - f* on all rows, by passes over all rows"),
            ("seconds", "The same by seconds of training"),
        )
    )
    return (
        f"<h2>{escape(heading(comparison))}</h2>\n<table><tr>{head}</tr>{rows}</table>\n<p "
        f"class=small>{escape(footing(comparison))}</p>\n"
        f"<div class=drawings>{drawings}</div>\n"
    )


def table_row(cells: Sequence[str]) -> str:
    """Return a row of the table, with the colour of its curves."""
    first = f'<td><span class=key style="background:{COLOURS[cells[0]]}"></span>{cells[0]}</td>'
    return f"<tr>{first}{''.join(f'<td>{cell}</td>' for cell in cells[1:])}</tr>"


class Axes:
    """Where values stand in a drawing: both axes in powers of ten.

    Parameters
    ----------
    across, up : sequence of float
        All values to show, above 0.
    """

    def __init__(self, across: Sequence[float], up: Sequence[float]) -> None:
        self.left, self.right = (
            math.log10(min(across)),
            max(math.log10(max(across)), math.log10(min(across)) + 0.1),
        )
        self.top = math.ceil(math.log10(max(up)))
        self.bottom = max(min(math.floor(math.log10(min(up))), self.top - 1), self.top - DECADES)

    def x(self, value: float) -> float:
        """Return the pixel of a value on the axis across."""
        return LEFT + (math.log10(value) - self.left) / (self.right - self.left) * (
            WIDTH - LEFT - RIGHT
        )

    def y(self, value: float) -> float:
        """Return the pixel of a value on the axis up; what lies below is drawn at the bottom."""
        share = (self.top - max(math.log10(max(value, LOWEST)), self.bottom)) / (
            self.top - self.bottom
        )
        return TOP + share * (HEIGHT - TOP - BOTTOM)

    def grid(self) -> str:
        """Return the lines and numbers of both axes."""
        across = [10.0**power for power in range(math.ceil(self.left), math.floor(self.right) + 1)]
        lines = [
            tick(
                self.x(v),
                TOP,
                self.x(v),
                HEIGHT - BOTTOM,
                self.x(v),
                HEIGHT - BOTTOM + 18,
                f"{v:g}",
                "middle",
            )
            for v in across
        ]
        for power in range(self.bottom, self.top + 1):
            y = self.y(10.0**power)
            lines.append(tick(LEFT, y, WIDTH - RIGHT, y, LEFT - 6, y + 4, f"1e{power}", "end"))
        return "".join(lines)


def tick(*place: float | str) -> str:
    """Return a line of the grid and its number."""
    x1, y1, x2, y2, x, y, text, anchor = place
    line = f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#e5e7eb"/>'
    return f'{line}<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def drawing(comparison: Comparison, axis: str) -> str:
    """Return the curves of all runs over `axis`, passes or seconds, and the target as a dashed
    line.
    """
    curves = [
        (result, shown(run.curve, axis)) for result in comparison.results for run in result.runs
    ]
    points = [point for _, curve in curves for point in curve]
    axes = Axes([x for x, _ in points], [max(y, LOWEST) for _, y in points] + [comparison.target])
    target = axes.y(comparison.target)
    lines = [
        axes.grid(),
        f'<line x1="{LEFT}" y1="{target:.1f}" x2="{WIDTH - RIGHT}" '
        f'y2="{target:.1f}" stroke="#9ca3af" stroke-dasharray="4 4"/>',
    ]
    lines += [
        polyline(result, [(axes.x(x), axes.y(y)) for x, y in curve]) for result, curve in curves
    ]
    label = f'<text x="{(WIDTH + LEFT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{axis}</text>'
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label="{escape(title(comparison))}: residual by '
        f'{axis}">{"".join(lines)}{label}</svg>'
    )


def shown(curve: Sequence[Point], axis: str) -> list[tuple[float, float]]:
    """Return the points that a logarithmic axis can show."""
    return [
        (x, point.residual)
        for point in curve
        if (x := float(getattr(point, axis))) > 0 and math.isfinite(point.residual)
    ]


def polyline(result: Result, pixels: Sequence[tuple[float, float]]) -> str:
    """Return one curve, the coreset's the broadest, with its name as a tooltip."""
    width = 2.5 if result.name == "coreset" else 1.3
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)
    drawn = (
        f'<polyline points="{places}" fill="none" stroke="{COLOURS[result.name]}" '
        f'stroke-width="{width}" stroke-linejoin="round">'
    )
    return f"{drawn}<title>{result.name}</title></polyline>"
