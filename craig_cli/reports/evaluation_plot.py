"""The pictures of ``craig evaluate``: how far each subset's model is from the best, and the way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import BinaryIO

from craig_cli.evaluation import Comparison
from craig_cli.evaluation.comparison import CORESET
from craig_cli.evaluation.measures import Point
from craig_cli.reports.base import bears
from craig_cli.reports.comparison import label, title
from craig_cli.reports.evaluate import EvaluateReport
from craig_cli.reports.panel import GREY, INK, PALETTE, Axis, Panel, Series, make_axis
from craig_cli.reports.panel_png import write_png

SOFTWARE = "craig evaluate"
"""In the file, so that it is known again."""
COLOURS = {
    "all rows": INK,
    "coreset": PALETTE[1],
    "random": PALETTE[0],
    "stratified": PALETTE[2],
    "importance": PALETTE[5],
    "lewis": PALETTE[4],
    "leverage": PALETTE[3],
    "local-case-control": GREY,
    **dict.fromkeys(("newton-1", "newton-2", "newton-3"), INK),
}
INCLUDED = ("newton-1", "newton-2")
"""Their curves are the start of that of ``newton-3``."""
AXES = {"seconds": "seconds of training", "passes": "passes over all rows"}
RESIDUAL = "residual f - f* on all rows"
DECADES = 9
"""Most powers of ten that an axis of residuals shows."""
LOWEST = 1e-12

is_plot = partial(bears, SOFTWARE)


def write_plot(out: BinaryIO, report: EvaluateReport) -> None:
    """Write a picture."""
    write_png(out, *picture(report), SOFTWARE)


def picture(report: EvaluateReport) -> tuple[str, list[Panel], int]:
    """Return the title of a picture, its panels, a row for each loss and l2, and how many stand
    side by side.
    """
    panels = []
    for comparison in report.comparisons:
        first, *others = panels_of(comparison)
        panels += [replace(first, title=f"{title(comparison)}: {first.title.lower()}"), *others]
    return report.headline(), panels, len(AXES) + 1


def panels_of(comparison: Comparison) -> list[Panel]:
    """Return the panels of a comparison: the ends, then the way there by each of AXES."""
    return [ends(comparison), *(way(comparison, axis) for axis in AXES)]


def is_dashed(name: str) -> bool:
    """Return whether lines of a kind of subset are dashed: those that are no subset."""
    return name.startswith("newton")


def ends(comparison: Comparison) -> Panel:
    """Return the residual of each kind of subset, a line each, from the lowest to the highest."""
    results = comparison.results[1:]
    top = max(comparison.residual_at_zero, *(r.residual_range[1] for r in results), LOWEST)
    bottom = max(LOWEST, top / 10 ** (DECADES + 3))
    names = [*(label(r.name).replace(" rows", "") for r in results), "no training"]
    heights = [float(len(names) - 1 - number) for number in range(len(names))]
    zero = ((max(comparison.residual_at_zero, bottom), heights[-1]),)
    series = [Series(zero, INK, kind="dots", width=8)]
    for height, result in zip(heights, results, strict=False):
        colour = COLOURS[result.name]
        low, high = (max(value, bottom) for value in result.residual_range)
        mean = max(result.residual, bottom)
        series.append(Series(((low, height), (high, height)), colour, width=2))
        width = 12 if result.name == CORESET else 8
        series.append(Series(((mean, height),), colour, kind="dots", width=width))
    reach = [x for one in series for x, _ in one.points]
    return Panel(
        "How far from the best",
        make_axis(f"{RESIDUAL}, mean and range", reach, is_log=True),
        Axis(
            "further left is better",
            -0.6,
            len(names) - 0.4,
            tuple(zip(heights, names, strict=True)),
        ),
        tuple(series),
    )


def way(comparison: Comparison, axis: str) -> Panel:
    """Return the curves of all runs over `axis`, and the target as a dashed line."""
    series = []
    for result in sorted(comparison.results, key=lambda r: r.name == CORESET):  # it lies above
        if result.name in INCLUDED:
            continue
        for place, run in enumerate(result.runs):
            series.append(
                Series(
                    shown(run.curve, axis),
                    COLOURS[result.name],
                    label(result.name) if place == 0 else None,
                    width=3 if result.name == CORESET else 1.2,
                    is_dashed=is_dashed(result.name),
                )
            )
    points = [point for one in series for point in one.points] or [(1.0, comparison.target)]
    heights = [comparison.target, *(y for _, y in points)]
    lowest = max(min(heights), max(heights) / 10**DECADES)
    across = make_axis(AXES[axis], [x for x, _ in points], is_log=True)
    target = ((across.low, comparison.target), (across.high, comparison.target))
    return Panel(
        f"The way there, by {AXES[axis]}",
        across,
        make_axis(RESIDUAL, [max(y, lowest) for y in heights], is_log=True),
        (Series(target, GREY, "target", width=1, is_dashed=True), *series),
    )


def shown(curve: Sequence[Point], axis: str) -> tuple[tuple[float, float], ...]:
    """Return the points that logarithmic axes can show; what is lower than LOWEST stands there."""
    return tuple(
        (x, max(point.residual, LOWEST))
        for point in curve
        if (x := float(getattr(point, axis))) > 0 and math.isfinite(point.residual)
    )
