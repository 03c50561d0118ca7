"""The curves of ``craig evaluate``, by matplotlib (the extra ``plot``): a PNG, or SVG in a page."""

from __future__ import annotations

import importlib.util
import io
import math
from collections.abc import Sequence
from functools import partial
from typing import Any, BinaryIO

from craig_cli.errors import UsageError
from craig_cli.evaluation import Comparison
from craig_cli.evaluation.measures import Point
from craig_cli.reports.base import bears
from craig_cli.reports.comparison import label, title
from craig_cli.reports.evaluate import EvaluateReport

SOFTWARE = "craig evaluate"
"""In the file, so that it is known again."""
COLOURS = {
    "all rows": "#6b7280",
    "coreset": "#c2410c",
    "random": "#2563eb",
    "stratified": "#15803d",
    "importance": "#7e22ce",
    "lewis": "#0e7490",
    "leverage": "#a16207",
    "local-case-control": "#be185d",
    **dict.fromkeys(("newton-1", "newton-2", "newton-3"), "#111827"),
}
INCLUDED = ("newton-1", "newton-2")
"""Their curves are the start of that of ``newton-3``."""
AXES = {"passes": "passes over all rows", "seconds": "seconds of training"}
DECADES = 9
"""Most powers of ten that an axis of residuals shows."""
LOWEST = 1e-12

is_plot = partial(bears, SOFTWARE)


def has_matplotlib() -> bool:
    """Return whether pictures can be made."""
    return importlib.util.find_spec("matplotlib") is not None


def check_plotting(option: str = "--plot") -> None:
    """Raise `UsageError` unless matplotlib is there; called before hours of work."""
    if not has_matplotlib():
        raise UsageError(
            f"{option} needs matplotlib, which is not installed. Run: pip install "
            f"'craig-cli[plot]'."
        )


def write_plot(out: BinaryIO, report: EvaluateReport) -> None:
    """Write a picture: for each loss and l2 the residual by passes and by seconds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.8 * len(report.comparisons)), layout="constrained")
    panels = figure.subplots(len(report.comparisons), 2, squeeze=False)
    for row, comparison in zip(panels, report.comparisons, strict=True):
        for axes, axis in zip(row, AXES, strict=True):
            draw_curves(axes, comparison, axis)
            axes.set_title(title(comparison))
    panels[0][0].legend(frameon=False)
    figure.savefig(out, format="png", dpi=120, metadata={"Software": SOFTWARE})


def curves_svg(comparison: Comparison, axis: str) -> str:
    """Return the curves by passes or by seconds as an SVG element, to stand in a page."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": SOFTWARE, "svg.fonttype": "none"}):
        figure = Figure(figsize=(5.4, 3.3), layout="constrained")
        draw_curves(figure.subplots(), comparison, axis)
        out = io.StringIO()
        unsaid = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(out, format="svg", transparent=True, metadata=unsaid)
    return out.getvalue().partition("<svg")[2].join(("<svg", ""))


def draw_curves(axes: Any, comparison: Comparison, axis: str) -> None:
    """Draw the curves of all runs over `axis`, and the target as a dashed line."""
    top = comparison.target
    for result in comparison.results:
        if result.name in INCLUDED:
            continue
        for number, run in enumerate(result.runs):
            points = shown(run.curve, axis)
            top = max(top, *(residual for _, residual in points))
            axes.plot(
                *zip(*points, strict=True),
                color=COLOURS[result.name],
                linewidth=2.5 if result.name == "coreset" else 1.2,
                label=label(result.name) if number == 0 else None,
            )
    axes.axhline(comparison.target, color="#9ca3af", linestyle="--", linewidth=1)
    axes.set(xscale="log", yscale="log", xlabel=AXES[axis], ylabel="f - f* on all rows")
    axes.set_ylim(bottom=max(axes.get_ylim()[0], top / 10**DECADES))
    axes.grid(True, color="#e5e7eb")


def shown(curve: Sequence[Point], axis: str) -> list[tuple[float, float]]:
    """Return the points that logarithmic axes can show; what is lower than LOWEST stands there."""
    return [
        (x, max(point.residual, LOWEST))
        for point in curve
        if (x := float(getattr(point, axis))) > 0 and math.isfinite(point.residual)
    ]
