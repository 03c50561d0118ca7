"""Tables for pandas and for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from craig_cli.errors import UsageError

LEFT = " style='text-align: left'"


def frame_of(columns: Mapping[str, Any]) -> Any:
    """Return columns as a DataFrame; raises `UsageError` without pandas."""
    try:
        import pandas as pd
    except ImportError as error:
        raise UsageError(
            "to_pandas() needs pandas, which is not installed. Run: pip install pandas."
        ) from error
    return pd.DataFrame(dict(columns))


def html_table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    """Return cells as a table of HTML, escaped: the first cell of a row is its name."""
    lines = ["".join(f"<th{LEFT}>{escape(cell)}</th>" for cell in head)] if head else []
    for first, *others in rows:
        cells = "".join(f"<td{LEFT}>{escape(cell)}</td>" for cell in others)
        lines.append(f"<th{LEFT}>{escape(first)}</th>{cells}")
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
