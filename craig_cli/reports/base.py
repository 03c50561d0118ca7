"""What a command reports, as text for people and as JSON for programs. A report owns the exit code
of its command.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from craig_cli.errors import printable

CLASSES_SHOWN = 10
"""Classes that a text report lists one by one."""


def to_json(facts: object) -> str:
    """Return facts as one JSON object on one line; numbers that are not finite become null."""
    return json.dumps(without_nan(facts), allow_nan=False)


def without_nan(value: object) -> object:
    """Return a copy of nested mappings and sequences in which numbers that are not finite are None."""
    if isinstance(value, Mapping):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def counted(number: int, noun: str) -> str:
    """Return a number and what it counts, in the plural unless it is one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def class_lines(classes: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return a line for each class, or for the first of them and the rest together; none for a
    single group.
    """
    if len(classes) == 1 and classes[0]["label"] is None:
        return []
    shown = classes if len(classes) <= CLASSES_SHOWN + 1 else classes[:CLASSES_SHOWN]
    labels = [printable(str(entry["label"]), 40) for entry in shown]
    picked = [f"{entry['k']:,}" for entry in shown]
    width, digits = max(map(len, labels)), max(map(len, picked))
    lines = [
        (
            "class",
            f"{label:<{width}}  {k:>{digits}} of "
            f"{entry['n']:,}{'' if entry['epsilon_mean'] is None else epsilon_of(entry)}",
        )
        for label, k, entry in zip(labels, picked, shown, strict=True)
    ]
    rest = classes[len(shown) :]
    if rest:
        lines.append(
            (
                "class",
                f"and {len(rest):,} more: {sum(e['k'] for e in rest):,} of "
                f"{sum(e['n'] for e in rest):,}",
            )
        )
    return lines


def epsilon_of(entry: Mapping[str, Any]) -> str:
    """Return what a class line says of epsilon."""
    return f", epsilon {entry['epsilon_mean']:.6g} a row"


def aligned(lines: Sequence[tuple[str, str]]) -> str:
    """Return lines of a word and what follows it, the latter in one column; a word is not said
    twice running.
    """
    width = max(len(word) for word, _ in lines)
    repeated = [""] + [word for word, _ in lines[:-1]]
    listed = ("class", "file", "note")
    shown = [
        "" if word == before and word in listed else word
        for (word, _), before in zip(lines, repeated, strict=True)
    ]
    return "\n".join(
        f"{word:<{width}}  {rest}" for word, (_, rest) in zip(shown, lines, strict=True)
    )


def read_in_words(rows: int, columns: int, skipped: int) -> str:
    """Return what was read."""
    return f"{rows:,} read, {counted(columns, 'column')}" + (
        f", {counted(skipped, 'bad row')} skipped" if skipped else ""
    )


def place(output: str) -> str:
    """Return where an output went."""
    return "stdout" if output == "-" else printable(output)


def closing_lines(
    seconds: Mapping[str, float],
    peak_memory_bytes: int,
    notes: Sequence[str] = (),
    temporary: str = "",
) -> list[tuple[str, str]]:
    """Return the lines that end every summary: time of each stage, memory, and notes; `temporary`
    is what else was taken.
    """
    return [
        ("time", ", ".join(f"{stage} {spent:.2f} s" for stage, spent in seconds.items())),
        ("memory", f"{peak_memory_bytes / 1e6:,.0f} MB at the peak{temporary}"),
        *(("note", note) for note in notes),
    ]


def calibration_lines(facts: Mapping[str, Any] | None, weights: str) -> list[tuple[str, str]]:
    """Return what is said of a calibration; nothing where none was asked for."""
    if facts is None:
        return []
    pilots = (
        f"{counted(len(facts['pilot_l2']), 'pilot')} of {facts['loss']} loss (l2 "
        f"{', '.join(f'{l2:g}' for l2 in facts['pilot_l2'])})"
    )
    if not facts["kept"]:
        return [("weights", f"{weights}; calibration at {pilots} was not kept: {facts['reason']}")]
    before, after = max(facts["gradient_error_before"]), max(facts["gradient_error_after"])
    sums = (
        f"{facts['constraints']:,} "
        f"{'leading directions' if facts['is_reduced'] else 'coordinates'} "
        f"({facts['rows_a_constraint']:.3g} rows each)"
    )
    largest, zero = (
        f"the largest {facts['largest_weight']:.4g}",
        (f"{facts['zero_weights']:,} are zero"),
    )
    losses = ", ".join(
        f"{b:.6g} -> {a:.6g}"
        for b, a in zip(facts["loss_before"], facts["loss_after"], strict=True)
    )
    return [
        (
            "weights",
            f"calibrated at {pilots}, {facts['rounds_kept']} of "
            f"{counted(facts['rounds'], 'round')} kept",
        ),
        ("gradient", f"error {before:.2g} -> {after:.2g} of its root mean square, {sums}"),
        ("loss", f"on all rows {losses}"),
        ("worth", f"{facts['effective_rows']:,.0f} rows of equal weight; {largest}, {zero}"),
    ]


def cost_in_words(cost: Mapping[str, Any]) -> str:
    """Return what is said of a budget of costs."""
    return f"{cost['spent']:.6g} of {cost['budget']:g} spent"
