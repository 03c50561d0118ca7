"""The report of ``craig evaluate`` as one HTML page, with style and pictures in it."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from functools import partial
from html import escape
from importlib.metadata import version

from craig_cli import __version__
from craig_cli.errors import printable
from craig_cli.evaluation import Comparison
from craig_cli.reports.base import bears
from craig_cli.reports.comparison import HEAD, footing, heading, label, table_rows
from craig_cli.reports.evaluate import EvaluateReport
from craig_cli.reports.evaluation_plot import COLOURS, INCLUDED, is_dashed, panels_of
from craig_cli.reports.panel import GREY
from craig_cli.reports.panel_svg import element
from craig_cli.reports.verdict import Verdict
from craig_cli.settings.evaluation import BASELINES

GENERATOR = '<meta name="generator" content="craig evaluate">'
STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --quiet: #57606a; --paper: #fff; --line: #d0d7de;
  --good: #009E73; --mixed: #E69F00; --bad: #D55E00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --quiet: #a3abb5; --paper: #16181c;
  --line: #3a4048; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1240px; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.1rem; font-weight: 600; color: var(--quiet); margin: 0; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem; } h3 { font-size: .95rem; margin: 0; }
.answer { font-size: 1.5rem; line-height: 1.3; font-weight: 600; margin: .2rem 0 1.2rem; }
.failed { border-left: 4px solid var(--bad); padding-left: .8rem; font-weight: 600; }
.verdicts, .pictures { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); }
.verdicts { grid-template-columns: repeat(auto-fit, minmax(min(260px, 100%), 1fr)); }
.verdicts > div { border: 1px solid var(--line); border-left: 4px solid var(--mixed);
  border-radius: 4px; padding: .6rem .9rem; }
.verdicts > .good { border-left-color: var(--good); }
.verdicts > .bad { border-left-color: var(--bad); }
.verdicts p { margin: .2rem 0 0; } .verdicts strong { font-size: 1.15rem; }
figure { margin: 0; max-width: 560px; } svg { display: block; width: 100%; height: auto; }
.table { overflow-x: auto; margin-top: 1rem; }
table { border-collapse: separate; border-spacing: 0; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .5rem; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { font-weight: 600; color: var(--quiet); white-space: normal; overflow-wrap: normal;
  vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; }
.own { font-weight: 600; }
.keys { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .6rem 0; padding: 0;
  list-style: none; font-size: .9rem; }
.key { display: inline-block; width: 1.1em; margin-right: .45em; vertical-align: middle;
  border-top: 3px solid; } .dashed { border-top-style: dashed; }
.small { color: var(--quiet); font-size: .9rem; white-space: pre-line; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem; font-size: .9rem; }
dt { font-weight: 600; } dd { margin: 0; color: var(--quiet); }
@media (max-width: 600px) { dl { display: block; } dd { margin-bottom: .5rem; }
  .answer { font-size: 1.25rem; } th:first-child, td:first-child { position: sticky; left: 0;
  background: var(--paper); white-space: normal; min-width: 9.5em; } }
footer { border-top: 1px solid var(--line); margin-top: 2.4rem; }
code { font-size: .9em; }
"""
TERMS = (
    ("f, f*", "the loss on all rows with the regulariser (its strength is l2), and its least"),
    ("rows", "those trained on; as many in each kind of subset"),
    (
        "residual",
        "f - f* on all rows at the model that the subset gives when it is trained to its end: 0 is "
        "the best; for drawn rows the mean over seeds",
    ),
    ("lowest to highest", "the residuals of the single seeds"),
    (
        "test error",
        "of that model on the test rows: the share classified wrongly, or, where the label is a "
        "number, the root mean squared error",
    ),
    (
        "gradient error",
        "how far the weighted mean gradient of the subset is from that of all rows, at most over "
        "models in reach of the best",
    ),
    ("epochs", "passes of the solver over the subset's own rows, to the residual below the table"),
    ("passes", "the same work, counted in passes over all rows"),
    ("seconds", "of training, to the same residual"),
    ("speed-up", "seconds on all rows over seconds on the subset"),
    ("selection s", "seconds that it takes to select the rows and weights"),
)
"""What the columns of the table, and the letters around it, mean."""
SUBSETS = (
    ("all rows", "what the others are compared with"),
    ("coreset", "the rows and weights that are evaluated"),
    *((entry.name, entry.help) for entry in BASELINES),
)
"""What the rows of the table are."""
PACKAGES = ("numpy", "scipy", "numba")

is_page = partial(bears, GENERATOR)


def page(report: EvaluateReport) -> str:
    """Return the page."""
    failures = "".join(
        f"<p class=failed>FAILED {escape(failure)}</p>" for failure in report.failures()
    )
    facts = (
        f"{report.rows:,} rows, {report.columns:,} columns; {report.picks:,} rows of "
        f"{printable(report.source)}{report.epsilon_in_words}. Solver {report.solver}. "
        f"{report.selection.text()}"
    )
    notes = "".join(f"<p class=small>{escape(printable(note))}</p>" for note in report.notes)
    return f"""<!DOCTYPE html>
<html lang=en>
<head>
<meta charset=utf-8>
<meta name="viewport" content="width=device-width, initial-scale=1">
{GENERATOR}
<title>craig evaluate</title>
<style>{STYLE}</style>
</head>
<body>
<h1>Is the coreset worth it?</h1>
<p class=answer>{escape(report.headline())}</p>
{failures}<div class=verdicts>{"".join(map(card, report.verdicts()))}</div>
<p class=small>{escape(facts)}</p>
{"".join(section(c, report) for c in report.comparisons)}
<h2>What the words mean</h2>
{listed(TERMS)}{listed(SUBSETS)}
{notes}<footer>{foot(report.command)}</footer>
</body>
</html>
"""


def listed(terms: Sequence[tuple[str, str]]) -> str:
    """Return terms and what they mean as a list."""
    items = (f"<dt>{escape(term)}</dt><dd>{escape(means)}</dd>" for term, means in terms)
    return f"<dl>{''.join(items)}</dl>"


def card(verdict: Verdict) -> str:
    """Return a question with its answer."""
    reason = verdict.reason[0].upper() + verdict.reason[1:]
    return (
        f"<div class={verdict.mood}><h3>{escape(verdict.question)}</h3>"
        f"<strong>{escape(verdict.answer)}</strong><p>{escape(reason)}.</p></div>"
    )


def section(comparison: Comparison, report: EvaluateReport) -> str:
    """Return the part of the page on one loss and one l2: pictures, then the table."""
    names = [result.name for result in comparison.results]
    keys = "".join(
        f"<li>{key(name)}{escape(label(name))}</li>" for name in names if name not in INCLUDED
    )
    keys += f"<li>{piece(GREY, True)}the residual that seconds and passes are counted to</li>"
    pictures = "".join(f"<figure>{element(p)}</figure>" for p in panels_of(comparison))
    head = "".join(f"<th>{name}</th>" for name in HEAD)
    cells = zip(names, table_rows(comparison, report.is_regression), strict=True)
    rows = "".join(table_row(name, texts) for name, texts in cells)
    below = escape(footing(comparison, report.selection.seconds))
    return (
        f"<h2>{escape(heading(comparison))}</h2>\n<ul class=keys>{keys}</ul>\n"
        f"<div class=pictures>{pictures}</div>\n"
        f"<div class=table><table><tr>{head}</tr>{rows}</table></div>\n<p class=small>{below}</p>\n"
    )


def key(name: str) -> str:
    """Return a piece of the line of a kind of subset."""
    return piece(COLOURS[name], is_dashed(name))


def piece(colour: str, dashed: bool) -> str:
    """Return a piece of a line."""
    return f'<span class="key{" dashed" * dashed}" style="color:{colour}"></span>'


def table_row(name: str, cells: Sequence[str]) -> str:
    """Return a row of the table, with the colour of its curves."""
    own = " class=own" if name == "coreset" else ""
    rest = "".join(f"<td>{cell}</td>" for cell in cells[1:])
    return f"<tr{own}><td>{key(name)}{cells[0]}</td>{rest}</tr>"


def foot(command: str) -> str:
    """Return what was typed, and the versions it was run with."""
    used = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    typed = f"<p class=small><code>{escape(printable(command))}</code></p>" if command else ""
    return (
        f"{typed}<p class=small>craig {__version__}, Python {platform.python_version()}, {used}</p>"
    )
