"""The panels of ``craig plot``: what coverage costs and gains, weights, and rows in the plane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO

from craig_cli.errors import printable
from craig_cli.reports.panel import GREY, INK, PALETTE, Panel, Series, make_axis, percent
from craig_cli.reports.panel_png import write_png
from craig_cli.reports.panel_svg import sheet

if TYPE_CHECKING:
    from craig_cli.reports.plot import PlotReport, View, Weights

SOFTWARE = "craig plot"
FEW_POINTS = 30
"""Points of a curve that are marked, each."""


def draw(out: BinaryIO, report: PlotReport, kind: str) -> None:
    """Write a picture: cost, gain and weights, and the rows in the plane where they are known.

    Parameters
    ----------
    out : BinaryIO
    report : PlotReport
    kind : {'png', 'svg'}
        The same report gives the same bytes, PNG with one version of matplotlib.
    """
    if kind == "png":
        write_png(out, *picture(report), SOFTWARE)
    else:
        out.write(sheet(*picture(report), SOFTWARE).encode())


def picture(report: PlotReport) -> tuple[str, list[Panel], int]:
    """Return the title of a picture, its panels, and how many stand side by side."""
    panels = [*curve_panels(report), weights_panel(report.weights, report.edges)]
    if report.view is not None:
        panels.append(view_panel(report.view))
    title = f"{report.picks:,} of {report.rows:,} rows, {printable(report.method)}"
    return title, panels, 3 if len(panels) == 3 else 2


def curve_panels(report: PlotReport) -> list[Panel]:
    """Return what coverage costs by picks, and what share of the gain by what share of the picks.

    Both begin where each class has its first pick. The cost is on two logarithmic axes: it falls
    about as a power of the picks, so a straight line shows what more picks would buy. The gain is
    its fall so far over its whole fall, and tells what fewer would keep (``--first`` of ``craig
    apply``). The gain of each single pick says neither: between classes it goes up and down.
    """
    whole = [(picks, epsilon) for picks, epsilon, _ in report.curve if epsilon is not None]
    costs = [(float(picks), epsilon / report.rows) for picks, epsilon in whole]
    is_log = all(cost > 0 for _, cost in costs)
    fall = whole[0][1] - whole[-1][1]
    gains = [
        (picks / report.picks, (whole[0][1] - epsilon) / fall if fall > 0 else 1.0)
        for picks, epsilon in whole
    ]
    most = next(share for share, gain in gains if gain >= 0.9)
    told = f"90% of it with the first {rounded_up(most)} of the picks" if fall > 0 else "none"
    return [
        Panel(
            "Coverage: more picks, nearer to every row",
            make_axis("picks", [x for x, _ in costs], is_log=True, is_whole=True),
            make_axis("coverage cost a row (epsilon / rows)", [y for _, y in costs], is_log=is_log),
            curve(costs),
        ),
        Panel(
            f"Gain: {told}",
            make_axis("share of the picks", [0, 1], text=percent),
            make_axis("share of the fall in coverage cost", [0, 1], text=percent),
            curve(gains),
        ),
    ]


def curve(points: Sequence[tuple[float, float]]) -> tuple[Series, ...]:
    """Return a curve, its points marked where they are few."""
    line = Series(tuple(points), PALETTE[0], width=2)
    return (line, replace(line, kind="dots", width=5)) if len(points) <= FEW_POINTS else (line,)


def rounded_up(share: float) -> str:
    """Return a share in whole percent, rounded up."""
    return f"{math.ceil(100 * share - 1e-9)}%"


def weights_panel(weights: Sequence[Weights], edges: Sequence[float]) -> Panel:
    """Return how many picks of each class have which weight."""
    series, ends = [], list(pairwise(edges))

    def add(name: str, bins: Sequence[int], colour: str) -> None:
        steps = [(edge, float(n)) for n, pair in zip(bins, ends, strict=True) for edge in pair]
        line = ((edges[0], 0.0), *steps, (edges[-1], 0.0))
        series.append(Series(line, colour, f"{name} ({sum(bins):,})"))

    for colour, of_class in zip(PALETTE, weights, strict=False):
        label = "all rows" if of_class.label is None else printable(of_class.label, 20)
        add(label, of_class.bins, colour)
    if rest := weights[len(PALETTE) :]:
        bins = [sum(each) for each in zip(*(w.bins for w in rest), strict=True)]
        add(f"{len(rest):,} more", bins, INK)
    return Panel(
        "Weights of the picks",
        make_axis("weight", edges, is_log=True),
        make_axis("picks", [0, *(y for one in series for _, y in one.points)], is_whole=True),
        tuple(series),
    )


def view_panel(view: View) -> Panel:
    """Return rows as small grey points, and picks as circles with the area of the weight."""
    largest = max((weight for *_, weight in view.picks), default=1.0) or 1.0
    labels = sorted({label for _, _, label, _ in view.picks})
    colours = dict(zip(labels, PALETTE, strict=False))
    groups = {label: [p for p in view.picks if p[2] == label] for label in labels}
    circles = [
        Series(
            tuple((x, y) for x, y, _, _ in picks),
            colours.get(label, INK),
            printable(label, 20) if label in colours else None,
            "circles",
            1.0,
            areas=tuple(weight / largest for *_, weight in picks),
        )
        for label, picks in groups.items()
    ]
    both = [*view.rows, *((x, y) for x, y, _, _ in view.picks)]
    return Panel(
        "Rows (points) and picks (circles, area by weight)",
        make_axis(f"first principal direction; {view.in_words}", [x for x, _ in both]),
        make_axis(
            f"second principal direction (both: {view.share:.0%} of the variance)",
            [y for _, y in both],
        ),
        (Series(view.rows, GREY, kind="dots", width=1.8), *circles),
    )
