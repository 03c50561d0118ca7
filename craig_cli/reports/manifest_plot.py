"""The pictures of ``craig plot`` as PNG or SVG, by matplotlib (the extra ``plot``)."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from craig_cli.errors import printable
from craig_cli.reports.plot import PlotReport, View, letters_of

SOFTWARE = "craig plot"
PALETTE = ("#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2", "#be185d", "#4d7c0f")
CLASSES_SHOWN = 12


def draw(out: BinaryIO, report: PlotReport, kind: str) -> None:
    """Write a picture: epsilon, gain and weights, and the rows in the plane where they are known.

    Parameters
    ----------
    out : BinaryIO
    report : PlotReport
    kind : {'png', 'svg'}
        The same report gives the same bytes, with one version of matplotlib.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(
        {"svg.hashsalt": SOFTWARE, "font.family": "DejaVu Sans", "svg.fonttype": "none"}
    ):
        n_panels = 3 if report.view is None else 4
        figure = Figure(figsize=(12, 4) if n_panels == 3 else (11, 9), layout="constrained")
        panels = figure.subplots(1, 3).ravel() if n_panels == 3 else figure.subplots(2, 2).ravel()
        figure.suptitle(
            f"{report.picks:,} of {report.rows:,} rows, {printable(report.method)}", fontsize=11
        )
        curves(panels[0], panels[1], report)
        weights(panels[2], report)
        if report.view is not None:
            view(panels[3], report.view)
        metadata: dict[str, Any] = (
            {"Software": SOFTWARE} if kind == "png" else {"Creator": SOFTWARE, "Date": None}
        )
        figure.savefig(out, format=kind, dpi=120, metadata=metadata)


def curves(epsilon_axes: Any, gain_axes: Any, report: PlotReport) -> None:
    """Draw epsilon and gain against picks."""
    whole = [(picks, epsilon, gain) for picks, epsilon, gain in report.curve if epsilon is not None]
    picks, epsilon, gain = (np.array(column, float) for column in zip(*whole, strict=True))
    for axes, values, name in (
        (epsilon_axes, epsilon, "epsilon, all classes"),
        (gain_axes, gain, "gain of the pick"),
    ):
        is_log = bool((values > 0).all()) and len(values) > 1
        axes.plot(
            picks, values, color=PALETTE[0], linewidth=1.5, marker="." if len(values) < 60 else None
        )
        axes.set(xlabel="picks", ylabel=name, yscale="log" if is_log else "linear")
        if is_log:
            plain_ticks(axes.yaxis, float(values.min()), float(values.max()))
        axes.grid(True, color="#e5e7eb")
        axes.spines[["top", "right"]].set_visible(False)


def plain_ticks(axis: Any, low: float, high: float) -> None:
    """Mark a logarithmic axis by plain numbers: at two or more decades, else at five places."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    if high / low < 100:
        axis.set_major_locator(FixedLocator(np.geomspace(low, high, 5).tolist()))
        axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(
        FuncFormatter(lambda value, place: f"{value:.3g}" if value < 1000 else f"{value:,.0f}")
    )


def weights(axes: Any, report: PlotReport) -> None:
    """Draw how many picks of each class have which weight."""
    edges = np.array(report.edges)
    for number, of_class in enumerate(report.weights[:CLASSES_SHOWN]):
        label = (
            "all rows"
            if of_class.label is None
            else (f"{printable(of_class.label, 20)} ({of_class.picks:,})")
        )
        axes.stairs(
            of_class.bins, edges, color=PALETTE[number % len(PALETTE)], linewidth=1.5, label=label
        )
    if len(report.weights) > CLASSES_SHOWN:
        axes.plot([], [], " ", label=f"and {len(report.weights) - CLASSES_SHOWN:,} more")
    axes.set(xlabel="weight", ylabel="picks", xscale="log")
    plain_ticks(axes.xaxis, float(edges[0]), float(edges[-1]))
    axes.legend(frameon=False, fontsize=8, title="class (picks)", title_fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def view(axes: Any, seen: View) -> None:
    """Draw rows as small grey points and picks as circles, the area that of the weight."""
    if seen.rows:
        x, y = np.array(seen.rows).T
        axes.scatter(x, y, s=2, color="#9ca3af", linewidths=0, rasterized=True)
    largest = max((weight for *_, weight in seen.picks), default=1.0) or 1.0
    for number, label in enumerate(letters_of(sorted({label for _, _, label, _ in seen.picks}))):
        own = np.array(
            [(a, b, 4 + 120 * weight / largest) for a, b, of, weight in seen.picks if of == label]
        )
        name = printable(label, 20) if number < CLASSES_SHOWN else None
        colour = PALETTE[number % len(PALETTE)]
        axes.scatter(
            own[:, 0],
            own[:, 1],
            s=own[:, 2],
            facecolors="none",
            edgecolors=colour,
            linewidths=0.9,
            label=name,
        )
    axes.set(
        xlabel="first direction of spread",
        ylabel="second",
        title=f"{seen.share:.0%} of the variance; area: weight",
    )
    axes.title.set_fontsize(9)
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
