"""The report of ``craig evaluate`` as one HTML page, with style and curves in it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape

from craig_cli.evaluation import Comparison
from craig_cli.reports.base import bears
from craig_cli.reports.comparison import HEAD, footing, heading, table_rows
from craig_cli.reports.evaluate import EvaluateReport
from craig_cli.reports.evaluation_plot import COLOURS, curves_svg, has_matplotlib

GENERATOR = '<meta name="generator" content="craig evaluate">'
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2937; max-width: 1120px; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.verdict li { font-size: 1.05rem; } .bad { color: #b91c1c; font-weight: 600; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block;
  overflow-x: auto; }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid #e5e7eb;
  white-space: nowrap; }
th { font-weight: 600; color: #4b5563; white-space: normal; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .5em; }
.drawings { display: flex; flex-wrap: wrap; gap: 1rem; margin-top: 1rem; }
figure { margin: 0; } figcaption { color: #4b5563; } svg { max-width: 100%; height: auto; }
.small { color: #4b5563; font-size: .9rem; white-space: pre-line; }
"""
CAPTIONS = {
    "passes": "Residual f - f* on all rows, by passes over all rows",
    "seconds": "The same by seconds of training",
}
NO_CURVES = "Curves are drawn where matplotlib is installed: pip install 'craig-cli[plot]'."

is_page = partial(bears, GENERATOR)


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
        f"{report.source}{report.epsilon_in_words}."
    )
    unsaid = () if has_matplotlib() else (NO_CURVES,)
    notes = "".join(f"<p class=small>{escape(note)}</p>" for note in (*report.notes, *unsaid))
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
    rows = "".join(
        table_row(COLOURS[result.name], cells)
        for result, cells in zip(
            comparison.results, table_rows(comparison, report.is_regression), strict=True
        )
    )
    drawings = "".join(
        f"<figure>{curves_svg(comparison, axis)}<figcaption>{caption}</figcaption></figure>"
        for axis, caption in CAPTIONS.items()
        if has_matplotlib()
    )
    return (
        f"<h2>{escape(heading(comparison))}</h2>\n<table><tr>{head}</tr>{rows}</table>\n<p "
        f"class=small>{escape(footing(comparison))}</p>\n<div class=drawings>{drawings}</div>\n"
    )


def table_row(colour: str, cells: Sequence[str]) -> str:
    """Return a row of the table, with the colour of its curves."""
    first = f'<td><span class=key style="background:{colour}"></span>{cells[0]}</td>'
    return f"<tr>{first}{''.join(f'<td>{cell}</td>' for cell in cells[1:])}</tr>"
