"""Labels that differ in writing only, such as ``Yes`` and ``yes``, or that mix numbers and text."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from craig_cli.errors import printable
from craig_cli.readers.labels import exact_number
from craig_cli.selection.coreset import ClassSummary

GROUPS_SHOWN, LABEL_SHOWN = 3, 40
AT_THE_END = ".,;:!?'\"`"
"""Punctuation that a label may have more or less of at its end."""


def look(label: str) -> str:
    """Return what labels that look alike have in common: blanks, case, and the end do not count."""
    text = " ".join(unicodedata.normalize("NFKC", label).casefold().split())
    return text.strip("'\"`").rstrip(AT_THE_END + " ") or text


def look_alikes(labels: Iterable[Any]) -> list[list[str]]:
    """Return the groups of two texts or more that look alike, each sorted; numbers never do."""
    groups: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        if isinstance(label, str):
            groups[look(label)].append(label)
    return [sorted(group) for group in groups.values() if len(group) > 1]


def shown_label(label: Any, n_rows: int) -> str:
    """Return a label and its rows, for a message."""
    rows = "1 row" if n_rows == 1 else f"{n_rows:,} rows"
    return f"'{printable(str(label), LABEL_SHOWN)}' ({rows})"


def notes_on_classes(classes: Sequence[ClassSummary]) -> tuple[str, ...]:
    """Return what the user should know of the labels of all classes."""
    counts = {c.label: c.n_rows for c in classes if isinstance(c.label, str)}
    notes = []
    groups = look_alikes(counts)
    if groups:
        shown = "; ".join(
            " beside ".join(shown_label(label, counts[label]) for label in group)
            for group in groups[:GROUPS_SHOWN]
        )
        more = f"; and {len(groups) - GROUPS_SHOWN:,} more" if len(groups) > GROUPS_SHOWN else ""
        notes.append(
            f"Classes whose labels look alike: {shown}{more}. Give them one label if they mean "
            "the same."
        )
    numbers = [label for label in counts if exact_number(label) is not None]
    if 0 < len(numbers) < len(counts):
        text = next(label for label in counts if exact_number(label) is None)
        notes.append(
            f"The labels mix numbers and text ({shown_label(numbers[0], counts[numbers[0]])} "
            f"beside {shown_label(text, counts[text])}): all are taken as text."
        )
    return tuple(notes)
