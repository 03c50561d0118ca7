"""What a command reports, as text for people and as JSON for programs. A report owns the exit code of its command."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from craig_cli.errors import printable

CLASSES_SHOWN = 10
"""Classes that a text report lists one by one."""

VARIED = {"varied": ", rare values seen to"}


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


@dataclass(frozen=True)
class SelectReport:
    """What ``craig select`` did.

    Parameters
    ----------
    output : str
    rows, columns, skipped_rows, selected : int
    method, reason : str
        And why ``auto`` took it; empty if the user chose it.
    classes : sequence of mapping
        As in the manifest: label, n, k, epsilon, epsilon_mean, medoid_epsilon.
    epsilon, epsilon_mean : float
    epsilon_share : float or None
        Epsilon over that of one medoid a class; None where the method does not compute the latter.
    representative, weights : str
    calibration : mapping or None
        What was calibrated, as in the manifest.
    seconds : mapping of str to float
        Wall-clock time of each stage.
    peak_memory_bytes, temporary_bytes : int
        The latter on disk, under ``--memory-limit``.
    notes : tuple of str
    weight_sum : float or None
        The weights of the rows added up; None where they have none.
    cost : mapping or None
        The budget of costs and what was spent, where there is one.
    """

    output: str
    rows: int
    columns: int
    skipped_rows: int
    selected: int
    method: str
    reason: str
    classes: Sequence[Mapping[str, Any]]
    epsilon: float
    epsilon_mean: float
    epsilon_share: float | None
    representative: str
    weights: str
    calibration: Mapping[str, Any] | None
    seconds: Mapping[str, float]
    peak_memory_bytes: int
    temporary_bytes: int
    notes: tuple[str, ...]
    weight_sum: float | None = None
    cost: Mapping[str, float] | None = None
    exit_code: ClassVar[int] = 0

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        facts = asdict(self)
        return {name: value for name, value in facts.items() if value is not None or name not in ("weight_sum", "cost")}

    def text(self) -> str:
        """Return the closing summary."""
        temporary = f", and {self.temporary_bytes / 1e6:,.0f} MB of temporary files" if self.temporary_bytes else ""
        share = "" if self.epsilon_share is None else f", {self.epsilon_share:.2%} of one medoid a class"
        lines = [
            ("rows", read_in_words(self.rows, self.columns, self.skipped_rows)),
            *([] if self.weight_sum is None else [("", f"their weights add up to {self.weight_sum:g}")]),
            ("picks", f"{self.selected:,} ({self.selected / self.rows:.2%}) written to {place(self.output)}"),
            *([] if self.cost is None else [("cost", cost_in_words(self.cost))]),
            *class_lines(self.classes),
            ("epsilon", f"{self.epsilon:.6g} in all, {self.epsilon_mean:.6g} a row{share}"),
            ("method", f"{self.method} (chosen by auto: {self.reason})" if self.reason else self.method),
            *([] if self.representative == "medoid" else [("", f"a random row of each cluster stands for it{VARIED.get(self.representative, '')}")]),
            *calibration_lines(self.calibration, self.weights),
            *closing_lines(self.seconds, self.peak_memory_bytes, self.notes, temporary),
        ]
        return aligned(lines)


@dataclass(frozen=True)
class PlanReport:
    """What ``craig select`` would do.

    Parameters
    ----------
    rows, columns : int
    classes : sequence of mapping
        label, n and k (under a budget of epsilon or of costs the most that may be picked).
    is_cover : bool
        Whether the budget is a bound on epsilon.
    cost_budget : float or None
        What the picks may cost at most, where that is the budget.
    method, reason : str
        And why ``auto`` would take it; empty if the user chose it.
    weights : str
        ``auto`` and ``calibrated`` add a calibration.
    predicted_seconds : float
        Of selection and calibration, at the speed of this machine now.
    predicted_memory_bytes : int
        At the peak of the command.
    notes : tuple of str
    """

    rows: int
    columns: int
    classes: Sequence[Mapping[str, Any]]
    is_cover: bool
    cost_budget: float | None
    method: str
    reason: str
    weights: str
    predicted_seconds: float
    predicted_memory_bytes: int
    notes: tuple[str, ...]
    exit_code: ClassVar[int] = 0

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        return {"dry_run": True, **asdict(self)}

    def text(self) -> str:
        """Return the report for people."""
        picked = sum(entry["k"] for entry in self.classes)
        picks = f"{picked:,} ({picked / self.rows:.2%})"
        if self.is_cover or self.cost_budget is not None:
            picks = "as many as epsilon needs" if self.is_cover else f"as many as may cost {self.cost_budget:g}"
        lines = [
            ("rows", f"{self.rows:,} read, {counted(self.columns, 'column')}"),
            ("picks", picks),
            *class_lines([{"epsilon_mean": None, **entry} for entry in self.classes]),
            ("method", f"{self.method} (chosen by auto: {self.reason})" if self.reason else self.method),
            *([] if self.weights == "cluster" else [("weights", f"{self.weights}, by a calibration")]),
            ("time", f"about {self.predicted_seconds:.1f} s for the selection"),
            ("memory", f"about {self.predicted_memory_bytes / 1e6:,.0f} MB at the peak"),
            *(("note", note) for note in self.notes),
            ("", "Nothing was selected (--dry-run)."),
        ]
        return aligned(lines)


def counted(number: int, noun: str) -> str:
    """Return a number and what it counts, in the plural unless it is one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def cost_in_words(cost: Mapping[str, Any]) -> str:
    """Return what is said of a budget of costs."""
    return f"{cost['spent']:.6g} of {cost['budget']:g} spent"


def class_lines(classes: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return a line for each class, or for the first of them and the rest together; none for a single group."""
    if len(classes) == 1 and classes[0]["label"] is None:
        return []
    shown = classes if len(classes) <= CLASSES_SHOWN + 1 else classes[:CLASSES_SHOWN]
    labels = [printable(str(entry["label"]), 40) for entry in shown]
    picked = [f"{entry['k']:,}" for entry in shown]
    width, digits = max(map(len, labels)), max(map(len, picked))
    lines = [
        ("class", f"{label:<{width}}  {k:>{digits}} of {entry['n']:,}{'' if entry['epsilon_mean'] is None else epsilon_of(entry)}")
        for label, k, entry in zip(labels, picked, shown, strict=True)
    ]
    rest = classes[len(shown) :]
    if rest:
        lines.append(("class", f"and {len(rest):,} more: {sum(e['k'] for e in rest):,} of {sum(e['n'] for e in rest):,}"))
    return lines


def calibration_lines(facts: Mapping[str, Any] | None, weights: str) -> list[tuple[str, str]]:
    """Return what is said of a calibration; nothing where none was asked for."""
    if facts is None:
        return []
    pilots = f"{counted(len(facts['pilot_l2']), 'pilot')} of {facts['loss']} loss (l2 {', '.join(f'{l2:g}' for l2 in facts['pilot_l2'])})"
    if not facts["kept"]:
        return [("weights", f"{weights}; calibration at {pilots} was not kept: {facts['reason']}")]
    before, after = max(facts["gradient_error_before"]), max(facts["gradient_error_after"])
    sums = f"{facts['constraints']:,} {'leading directions' if facts['is_reduced'] else 'coordinates'} ({facts['rows_a_constraint']:.3g} rows each)"
    largest, zero = f"the largest {facts['largest_weight']:.4g}", f"{facts['zero_weights']:,} are zero"
    losses = ", ".join(f"{b:.6g} -> {a:.6g}" for b, a in zip(facts["loss_before"], facts["loss_after"], strict=True))
    return [
        ("weights", f"calibrated at {pilots}, {facts['rounds_kept']} of {counted(facts['rounds'], 'round')} kept"),
        ("gradient", f"error {before:.2g} -> {after:.2g} of its root mean square, {sums}"),
        ("loss", f"on all rows {losses}"),
        ("worth", f"{facts['effective_rows']:,.0f} rows of equal weight; {largest}, {zero}"),
    ]


def epsilon_of(entry: Mapping[str, Any]) -> str:
    """Return what a class line says of epsilon."""
    return f", epsilon {entry['epsilon_mean']:.6g} a row"


def aligned(lines: Sequence[tuple[str, str]]) -> str:
    """Return lines of a word and what follows it, the latter in one column; a word is not said twice running."""
    width = max(len(word) for word, _ in lines)
    repeated = [""] + [word for word, _ in lines[:-1]]
    listed = ("class", "file", "note")
    shown = ["" if word == before and word in listed else word for (word, _), before in zip(lines, repeated, strict=True)]
    return "\n".join(f"{word:<{width}}  {rest}" for word, (_, rest) in zip(shown, lines, strict=True))


def read_in_words(rows: int, columns: int, skipped: int) -> str:
    """Return what was read."""
    return f"{rows:,} read, {counted(columns, 'column')}" + (f", {counted(skipped, 'bad row')} skipped" if skipped else "")


def place(output: str) -> str:
    """Return where an output went."""
    return "stdout" if output == "-" else printable(output)


def closing_lines(seconds: Mapping[str, float], peak_memory_bytes: int, notes: Sequence[str] = (), temporary: str = "") -> list[tuple[str, str]]:
    """Return the lines that end every summary: time of each stage, memory, and notes; `temporary` is what else was taken."""
    return [
        ("time", ", ".join(f"{stage} {spent:.2f} s" for stage, spent in seconds.items())),
        ("memory", f"{peak_memory_bytes / 1e6:,.0f} MB at the peak{temporary}"),
        *(("note", note) for note in notes),
    ]
