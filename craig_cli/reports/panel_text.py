"""Panels as plain text, so that any terminal shows them."""

from __future__ import annotations

from collections.abc import Sequence

from craig_cli.reports.panel import Panel

HEIGHT = 12


def in_text(panel: Panel, width: int) -> str:
    """Return a panel of so many columns, its points as asterisks, in plain ASCII."""
    lines = {line_of(panel.y.share(value)): words for value, words in reversed(panel.y.ticks)}
    margin = max(map(len, lines.values()), default=0)
    columns = max(10, width - margin - 2)
    grid = [[" "] * columns for _ in range(HEIGHT)]
    for series in panel.series:
        for x, y in series.points:
            grid[line_of(panel.y.share(y))][column_of(panel.x.share(x), columns)] = "*"
    drawn = [
        f"{lines.get(number, ''):>{margin}} |{''.join(row)}".rstrip()
        for number, row in enumerate(grid)
    ]
    marks = [(column_of(panel.x.share(value), columns), words) for value, words in panel.x.ticks]
    rule = "".join("+" if c in dict(marks) else "-" for c in range(columns))
    below = " " * (margin + 1)
    return "\n".join(
        [
            panel.title,
            panel.y.label,
            *drawn,
            f"{below}+{rule}",
            f"{below} {under(marks, columns)}".rstrip(),
            f"{below} {panel.x.label:>{columns}}",
        ]
    )


def line_of(share: float) -> int:
    """Return the line of a height, the first being the highest."""
    return round((1 - share) * (HEIGHT - 1))


def column_of(share: float, columns: int) -> int:
    """Return the column of a place."""
    return round(share * (columns - 1))


def under(marks: Sequence[tuple[int, str]], columns: int) -> str:
    """Return words, each under the middle of its column, but for those that have no room."""
    line = ""
    for column, words in marks:
        start = min(max(column - len(words) // 2, 0), columns - len(words))
        if not line or start > len(line):
            line = f"{line:<{start}}{words}"
    return line
