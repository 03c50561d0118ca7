"""Panels as a PNG, by matplotlib (the extra ``plot``)."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from typing import Any, BinaryIO

from craig_cli.errors import UsageError
from craig_cli.reports.panel import INK, Axis, Panel, Series

PAPER_INK = "#1f2328"
STYLE: Any = {"font.family": "DejaVu Sans", "font.size": 9}


def check_plotting(option: str) -> None:
    """Raise `UsageError` unless matplotlib is there; called before hours of work."""
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError(
            f"{option} needs matplotlib, which is not installed. Run: pip install "
            f"'craig-cli[plot]'."
        )


def write_png(
    out: BinaryIO, title: str, panels: Sequence[Panel], columns: int, software: str
) -> None:
    """Write panels as one picture, each with its legend below.

    The same panels give the same bytes, with one version of matplotlib.

    Parameters
    ----------
    out : BinaryIO
    title : str
    panels : sequence of Panel
    columns : int
        Panels side by side.
    software : str
        What made it; it is in the file.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(layout="constrained")
        fill(figure, title, panels, columns)
        figure.savefig(out, format="png", dpi=120, metadata={"Software": software})


def shown(title: str, panels: Sequence[Panel], columns: int) -> Any:
    """Return the axes of panels in a new figure of pyplot, which notebooks show, an array of shape
    (n_panels,).
    """
    import matplotlib
    from matplotlib import pyplot

    with matplotlib.rc_context(STYLE):
        return fill(pyplot.figure(layout="constrained"), title, panels, columns)


def fill(figure: Any, title: str, panels: Sequence[Panel], columns: int) -> Any:
    """Draw panels in a figure, and return their axes, an array of shape (n_panels,)."""
    rows = math.ceil(len(panels) / columns)
    figure.set_size_inches(4.6 * columns, 4.0 * rows)
    figure.suptitle(title, fontsize=11, x=0.01, ha="left", color=PAPER_INK)
    places = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, panel in zip(places, panels, strict=False):
        draw(axes, panel)
    for axes in places[len(panels) :]:
        axes.set_axis_off()
    return places[: len(panels)]


def draw(axes: Any, panel: Panel) -> None:
    """Draw a panel."""
    axes.set_title(f"{panel.title}\n", loc="left", fontsize=9.5, fontweight="bold", color=PAPER_INK)
    axes.text(0, 1.03, panel.y.label, transform=axes.transAxes, color=PAPER_INK, clip_on=False)
    for axis, of in ((axes.xaxis, panel.x), (axes.yaxis, panel.y)):
        mark(axis, of)
    axes.set_xlabel(panel.x.label, loc="right", color=PAPER_INK)
    axes.set_xlim(panel.x.low, panel.x.high)
    axes.set_ylim(panel.y.low, panel.y.high)
    for series in panel.series:
        add(axes, series)
    axes.grid(True, color="#e5e7eb")
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)
    if any(series.name for series in panel.series):
        axes.legend(
            frameon=False, fontsize=8, ncols=2, loc="upper left", bbox_to_anchor=(-0.02, -0.16)
        )


def mark(axis: Any, of: Axis) -> None:
    """Give an axis its scale and its ticks."""
    from matplotlib.ticker import NullLocator

    axis._set_axes_scale("log" if of.is_log else "linear")
    axis.set_ticks([value for value, _ in of.ticks], [words for _, words in of.ticks])
    axis.set_minor_locator(NullLocator())


def add(axes: Any, series: Series) -> None:
    """Draw a series."""
    colour = PAPER_INK if series.colour == INK else series.colour
    x, y = zip(*series.points, strict=True) if series.points else ((), ())
    if series.kind == "line":
        style = "--" if series.is_dashed else "-"
        axes.plot(x, y, style, color=colour, linewidth=series.width, label=series.name)
        return
    is_circle = series.kind == "circles"
    axes.scatter(
        x,
        y,
        s=[4 + 80 * area for area in series.areas] if is_circle else series.width**2,
        facecolors="none" if is_circle else colour,
        edgecolors=colour if is_circle else "none",
        linewidths=series.width if is_circle else 0,
        label=series.name,
    )
