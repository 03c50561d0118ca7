"""Panels as SVG, with nothing but the standard library: inside a page, or as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from craig_cli.reports.panel import INK, Panel, Series

WIDTH, HEIGHT = 400, 300
TOP, RIGHT, BOTTOM = 48, 14, 42
"""Room around what is drawn; that on the left is what the marks of the y axis take."""
CHARACTER = 6.6
"""About the width of one, so that names stand side by side."""
LINE = 18
CIRCLE = 5.5
"""Radius of the largest."""
SCHEME = (
    "svg { color: #1f2328; background: #fff } "
    "@media (prefers-color-scheme: dark) { svg { color: #e6e6e6; background: #16181c } }"
)


def element(panel: Panel) -> str:
    """Return a panel as an element of a page: colours of text and lines are those of the page."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-size="12" '
        f'fill="{INK}"><title>{escape(panel.title)}</title>{body(panel)}</svg>'
    )


def sheet(title: str, panels: Sequence[Panel], columns: int, software: str) -> str:
    """Return panels as a file of their own, each with its legend below.

    Parameters
    ----------
    title : str
    panels : sequence of Panel
    columns : int
        Panels side by side.
    software : str
        What made it.
    """
    parts, y = [], 34
    for first in range(0, len(panels), columns):
        row = panels[first : first + columns]
        legends = [legend(panel.series) for panel in row]
        for number, (panel, lines) in enumerate(zip(row, legends, strict=True)):
            drawn = f'{body(panel)}<g transform="translate(0 {HEIGHT})">{"".join(lines)}</g>'
            parts.append(f'<g transform="translate({number * WIDTH} {y})">{drawn}</g>')
        y += HEIGHT + 12 + LINE * max(map(len, legends))
    width = columns * WIDTH
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" width="{width}" '
        f'height="{y}" font-family="system-ui, sans-serif" font-size="12" fill="{INK}">\n'
        f"<!-- {software} -->\n<style>{SCHEME}</style>\n"
        f"{text(12, 22, title, 'font-size=15 font-weight=600')}\n" + "\n".join(parts) + "\n</svg>\n"
    )


def text(x: float, y: float, words: str, more: str = "") -> str:
    """Return words at a place; `more` are attributes, as name=value with blanks between."""
    attributes = "".join(
        f' {name}="{value}"' for name, _, value in (pair.partition("=") for pair in more.split())
    )
    return f'<text x="{x:g}" y="{y:g}"{attributes}>{escape(words)}</text>'


def body(panel: Panel) -> str:
    """Return a panel's title, axes and series, in a space of WIDTH by HEIGHT."""
    left = 16 + CHARACTER * max((len(words) for _, words in panel.y.ticks), default=0)
    width, height = WIDTH - left - RIGHT, HEIGHT - TOP - BOTTOM
    quiet = "opacity=0.75"
    parts = [
        text(8, 16, panel.title, "font-size=13 font-weight=600"),
        text(8, 36, panel.y.label, quiet),
        text(WIDTH - RIGHT, HEIGHT - 8, panel.x.label, f"text-anchor=end {quiet}"),
    ]
    grid = ""
    for value, words in panel.y.ticks:
        y = TOP + height * (1 - panel.y.share(value))
        grid += f"M{left:.1f} {y:.1f}h{width:.1f}"
        parts.append(text(left - 6, round(y + 4, 1), words, "text-anchor=end"))
    for value, words in panel.x.ticks:
        x = left + width * panel.x.share(value)
        grid += f"M{x:.1f} {TOP}v{height}"
        parts.append(text(round(x, 1), TOP + height + 17, words, "text-anchor=middle"))
    parts.append(f'<path d="{grid}" stroke="{INK}" stroke-opacity="0.15" fill="none"/>')
    inside = "".join(
        part for series in panel.series for part in marks(panel, series, width, height)
    )
    parts.append(
        f'<svg x="{left:.1f}" y="{TOP}" width="{width:.1f}" height="{height}" fill="none">'
        f"{inside}</svg>"
    )
    bottom = f"M{left:.1f} {TOP + height}h{width:.1f}"
    parts.append(f'<path d="{bottom}" stroke="{INK}" stroke-opacity="0.6" fill="none"/>')
    return "".join(parts)


def marks(panel: Panel, series: Series, width: float, height: float) -> Iterator[str]:
    """Give what a series looks like in a space of `width` by `height`."""
    places = [(width * panel.x.share(x), height * (1 - panel.y.share(y))) for x, y in series.points]
    stroke = f'stroke="{series.colour}" stroke-width="{series.width:g}"'
    if series.kind == "circles":
        for (x, y), area in zip(places, series.areas, strict=True):
            radius = 1 + (CIRCLE - 1) * area**0.5
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" {stroke}/>'
    elif series.kind == "dots":
        dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places)
        yield f'<path d="{dots}" {stroke} stroke-linecap="round"/>'
    elif places:
        line = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        dashes = ' stroke-dasharray="5 3"' if series.is_dashed else ""
        yield f'<path d="M{line}" {stroke}{dashes} stroke-linejoin="round"/>'


def legend(shown: Sequence[Series]) -> list[str]:
    """Return the lines of a legend, each as wide as a panel at most."""
    lines, x = [""], 20.0
    for series in shown:
        if series.name is None:
            continue
        wide = 28 + CHARACTER * len(series.name)
        if x + wide > WIDTH and lines[-1]:
            lines.append("")
            x = 20.0
        y = LINE * (len(lines) - 1) + 12
        dashes = ' stroke-dasharray="5 3"' if series.is_dashed else ""
        lines[-1] += (
            f'<path d="M{x:g} {y - 4}h14" stroke="{series.colour}" stroke-width="3"{dashes}/>'
        ) + text(round(x + 19, 1), y, series.name)
        x += wide
    return lines if lines[0] else []
