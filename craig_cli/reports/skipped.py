"""What is told of bad rows that were skipped: how many, why, and in which columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from craig_cli.errors import printable

if TYPE_CHECKING:
    from craig_cli.skipped import SkipReason

REASONS_SHOWN = 6
COLUMNS_SHOWN = 5
MANY = 0.01
"""Share of the rows above which skipping them is warned of."""


def count_of(reasons: Sequence[SkipReason]) -> int:
    """Return how many rows were skipped."""
    return sum(reason.rows for reason in reasons)


def skipped_in_words(kept: int, reasons: Sequence[SkipReason]) -> str:
    """Return how many of all rows were skipped, and why, given how many were kept."""
    skipped = count_of(reasons)
    total = kept + skipped
    merged: dict[str, tuple[int, list[str]]] = {}
    for reason in reasons:
        rows, columns = merged.get(reason.problem, (0, []))
        is_told = not reason.column or f"'{printable(reason.column, 60)}'" in reason.problem
        merged[reason.problem] = rows + reason.rows, columns + ([] if is_told else [reason.column])
    ranked = sorted(merged.items(), key=lambda entry: -entry[1][0])
    words = [
        f"in {rows:,} {problem.removesuffix(' in this row')}{columns_in_words(columns)}"
        for problem, (rows, columns) in ranked[:REASONS_SHOWN]
    ]
    if rest := sum(rows for _, (rows, _) in ranked[REASONS_SHOWN:]):
        words.append(f"in {rest:,} something else is wrong")
    return f"skipped {skipped:,} of {total:,} rows ({skipped / total:.2%}): {', '.join(words)}"


def columns_in_words(columns: Sequence[str]) -> str:
    """Return the columns that a problem does not name itself, in brackets."""
    if not columns:
        return ""
    shown = ", ".join(printable(column, 60) for column in columns[:COLUMNS_SHOWN])
    more = f" and {len(columns) - COLUMNS_SHOWN:,} more" if len(columns) > COLUMNS_SHOWN else ""
    return f" (column{'' if len(columns) == 1 else 's'} {shown}{more})"


def warnings_of(kept: int, reasons: Sequence[SkipReason]) -> tuple[str, ...]:
    """Return the warning of many rows skipped; none if they are few."""
    skipped = count_of(reasons)
    if skipped <= MANY * (kept + skipped):
        return ()
    return (
        f"{skipped / (kept + skipped):.1%} of the rows were skipped as bad, and what is left may "
        "differ from the whole: mend the data, or --drop the columns at fault.",
    )


def skipped_lines(kept: int, reasons: Sequence[SkipReason]) -> list[tuple[str, str]]:
    """Return the lines on skipped rows; none if there were none."""
    if not reasons:
        return []
    told = skipped_in_words(kept, reasons).removeprefix("skipped ")
    return [
        ("skipped", told),
        *(("WARNING", warning) for warning in warnings_of(kept, reasons)),
    ]


def skipped_facts(reasons: Sequence[SkipReason]) -> list[dict[str, object]]:
    """Return the reasons in JSON types."""
    return [
        {"rows": reason.rows, "problem": reason.problem, "column": reason.column or None}
        for reason in reasons
    ]
