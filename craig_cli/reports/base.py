"""What a command reports, as text or as JSON; a report owns the exit code of its command."""

from __future__ import annotations

import json
import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from craig_cli.errors import printable
from craig_cli.reports.skipped import skipped_facts, skipped_lines, warnings_of

if TYPE_CHECKING:
    from craig_cli.skipped import SkipReason

ALLOCATED = {
    "power": "picks of a class in proportion to the square root of its rows (power allocation)",
    "equal": "as many picks of each class, while it has rows (equal allocation)",
}
SUMMARY_LINES = 8
"""Of a run, unless ``--verbose`` asks for all."""
CLASSES_SHOWN = 10
"""Classes that a text report lists one by one."""

LAST = ("seconds", "peak_memory_bytes", "notes")
"""What ends the facts of a run."""


@dataclass(frozen=True)
class Report(ABC):
    """What a command did or found."""

    @property
    def exit_code(self) -> int:
        """Exit code of the command."""
        return 0

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        return asdict(self)

    @abstractmethod
    def lines(self) -> list[tuple[str, str]]:
        """Return the report for people: words, and what follows each."""

    def text(self) -> str:
        """Return the report for people."""
        return aligned(self.lines())

    def summary(self) -> str:
        """Return what is said without ``--verbose``: all of it, where that is short."""
        return self.text()


@dataclass(frozen=True, kw_only=True)
class RunReport(Report):
    """What a command did with rows that it read.

    Parameters
    ----------
    rows, columns, skipped_rows : int
    skipped : tuple of SkipReason
        Why rows were skipped.
    seconds : mapping of str to float
        Wall-clock time of each stage.
    peak_memory_bytes : int or None
        None where the system does not tell.
    notes : tuple of str
    """

    rows: int
    columns: int
    skipped_rows: int
    seconds: Mapping[str, float]
    peak_memory_bytes: int | None
    notes: tuple[str, ...] = ()
    skipped: tuple[SkipReason, ...] = ()

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types, times, memory and notes last; why rows were skipped, and
        a warning of that, only where some were.
        """
        facts = super().facts() | self.skipped_facts()
        if not self.skipped:
            del facts["skipped"]
        return facts | {name: facts.pop(name) for name in LAST}

    def skipped_facts(self) -> dict[str, Any]:
        """Return what is told of skipped rows, in JSON types; nothing where there were none."""
        if not self.skipped:
            return {}
        notes = (*self.notes, *warnings_of(self.rows, self.skipped))
        return {"skipped": skipped_facts(self.skipped), "notes": list(notes)}

    def read_lines(self) -> list[tuple[str, str]]:
        """Return the lines on what was read, and what of it was skipped."""
        read = f"{self.rows:,} read, {counted(self.columns, 'column')}"
        return [("rows", read), *skipped_lines(self.rows, self.skipped)]

    def closing_lines(self, temporary: str = "") -> list[tuple[str, str]]:
        """Return the last lines: times, memory and notes; `temporary` is what else was taken."""
        n_bytes = self.peak_memory_bytes
        peak = "unknown" if n_bytes is None else f"{n_bytes / 1e6:,.0f} MB"
        memory = f"{peak} at the peak{temporary}"
        return [self.time_line(), ("memory", memory), *(("note", note) for note in self.notes)]

    def time_line(self) -> tuple[str, str]:
        """Return the line on the time of each stage."""
        return "time", ", ".join(f"{stage} {spent:.2f} s" for stage, spent in self.seconds.items())

    def brief_lines(self) -> list[tuple[str, str]]:
        """Return the lines of the summary, but for notes: all but memory."""
        return [line for line in self.lines() if line[0] not in ("memory", "note")]

    def summary(self) -> str:
        """Return what is said without ``--verbose``: some lines, and as many notes as leave it at
        `SUMMARY_LINES`, or one.
        """
        lines = self.brief_lines()
        room = max(1, SUMMARY_LINES - len(lines))
        shown = self.notes if len(self.notes) <= room else self.notes[: room - 1]
        rest = len(self.notes) - len(shown)
        more = [("note", f"{counted(rest, 'note')}{' more' * bool(shown)}: see -v")] if rest else []
        return aligned([*lines, *(("note", note) for note in shown), *more])


def bears(mark: str, path: Path) -> bool:
    """Return whether a file is one that craig has made: its beginning bears the mark of these."""
    try:
        with path.open("rb") as file:
            return mark.encode() in file.read(1000)
    except OSError:
        return False


def to_json(facts: object) -> str:
    """Return facts as one JSON object on one line; numbers that are not finite become null."""
    return json.dumps(without_nan(facts), allow_nan=False)


def without_nan(value: object) -> object:
    """Return a copy of nested mappings and sequences, numbers that are not finite as None."""
    if isinstance(value, Mapping):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def counted(number: int, noun: str) -> str:
    """Return a number and what it counts, in the plural unless it is one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def class_lines(
    classes: Sequence[Mapping[str, Any]], allocation: str = "proportional"
) -> list[tuple[str, str]]:
    """Return a line for each class, or for the first and the rest together, and how picks were
    shared out among them, unless by class ratios.

    None for a single group.
    """
    if len(classes) == 1 and classes[0]["label"] is None:
        return []
    shown = classes if len(classes) <= CLASSES_SHOWN + 1 else classes[:CLASSES_SHOWN]
    rest = classes[len(shown) :]
    labels = [printable(str(entry["label"]), 40) for entry in shown]
    picked = [f"{entry['k']:,}" for entry in shown]
    width, digits = max(map(len, labels)), max(map(len, picked))
    lines = []
    for label, k, entry in zip(labels, picked, shown, strict=True):
        mean = entry["epsilon_mean"]
        cost = "" if mean is None else f", coverage cost {mean:.6g} a row"
        lines.append(("class", f"{label:<{width}}  {k:>{digits}} of {entry['n']:,}{cost}"))
    if rest:
        k, n = (sum(entry[name] for entry in rest) for name in "kn")
        lines.append(("class", f"and {len(rest):,} more: {k:,} of {n:,}"))
    if allocation in ALLOCATED:
        lines.append(("", ALLOCATED[allocation]))
    return lines


def aligned(lines: Sequence[tuple[str, str]]) -> str:
    """Return lines of a word and what follows it, the latter in one column.

    A word is not said twice running.
    """
    width = max(len(word) for word, _ in lines)
    texts, before = [], ""
    for word, rest in lines:
        is_said = word == before and word in ("class", "file", "note")
        texts.append(f"{'' if is_said else word:<{width}}  {rest}")
        before = word
    return "\n".join(texts)


def listed(word: str, sentences: Sequence[str]) -> list[tuple[str, str]]:
    """Return lines of which only the first is begun by the word."""
    return [(word if number == 0 else "", sentence) for number, sentence in enumerate(sentences)]


def place(output: str) -> str:
    """Return where an output went."""
    return "stdout" if output == "-" else printable(output)


def picks_line(picks: int, rows: int, output: str) -> tuple[str, str]:
    """Return the line on how many rows were picked, and where they went."""
    return "picks", f"{picks:,} ({picks / rows:.2%}) written to {place(output)}"


def coverage_line(total: float, mean: float, share: float | None = None) -> tuple[str, str]:
    """Return the line on epsilon, and on its share of that of one medoid per class if known."""
    of_medoid = "" if share is None else f", {share:.2%} of that of one medoid per class"
    return "coverage", f"cost {mean:.6g} a row, {total:.6g} in all (epsilon){of_medoid}"


def calibration_lines(
    facts: Mapping[str, Any] | None, weights: str, picks: int
) -> list[tuple[str, str]]:
    """Return what is said of a calibration of the weights of so many picks; nothing where none was
    asked for.
    """
    if facts is None:
        return []
    if "residual_after" not in facts:
        return [("weights", f"{weights}; calibrated by an earlier version of craig")]
    if not facts["kept"]:
        return [("weights", f"{weights}; calibration was not kept: {facts['reason']}")]
    return [
        ("weights", f"calibrated: {constraints_in_words(facts)}"),
        *exchanged_lines(facts["exchanged"]),
        *suboptimality_lines(facts),
        (
            "",
            f"effective sample size {facts['effective_rows']:,.0f} of {picks:,}; largest weight "
            f"{facts['largest_weight']:.4g}, {counted(facts['at_bounds'], 'weight')} at a bound",
        ),
    ]


def constraints_in_words(facts: Mapping[str, Any]) -> str:
    """Return what calibrated weights were to keep to, and how nearly they do."""
    error = f"error {facts['gradient_error_before']:.2g} -> {facts['gradient_error_after']:.2g}"
    told = f"({counted(facts['constraints'], 'constraint')}, {error})"
    if not facts["pilots"]:
        return f"second moments of all rows {told}"
    kind = "leading direction" if facts["is_reduced"] else "column"
    return f"gradients of all rows at {counted(facts['pilots'], 'pilot model')}, by {kind} {told}"


def exchanged_lines(exchanged: int | None) -> list[tuple[str, str]]:
    """Return what is said of medoids that gave way."""
    if not exchanged:
        return []
    verb = "is" if exchanged == 1 else "are"
    return [("", f"representatives: medoids, but {exchanged:,} {verb} another row of the cluster")]


def worst_strength(facts: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """Return the strength of the regulariser at which models of the picks are farthest from the
    optimum, for its size, their suboptimality there, and that of random rows; None if not known.
    """
    after, by_chance = facts.get("residual_after"), facts.get("residual_random")
    if not after or not by_chance:
        return None
    least = [max(value, sys.float_info.min) for value in facts["optimum"]]
    worst = max(range(len(after)), key=lambda place: after[place] / least[place])
    return facts["pilot_l2"][worst], after[worst], by_chance[worst]


def suboptimality_lines(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return how far the models of the picks are from the best there are, and those of random rows;
    nothing where that is not known.
    """
    found = worst_strength(facts)
    if found is None:
        return []
    l2, own, by_chance = found
    return [
        (
            "suboptimality",
            f"{own:.1e} on all rows at worst ({facts['loss']} loss, l2 {l2:g}); of as many random "
            f"rows about {by_chance:.1e}",
        )
    ]


def cost_in_words(cost: Mapping[str, Any]) -> str:
    """Return what is said of a budget of costs."""
    return f"{cost['spent']:.6g} of {cost['budget']:g} spent"


def error_in_words(error: float, is_regression: bool) -> str:
    """Return what an error is, and how large."""
    return f"root mean squared error {error:.6g}" if is_regression else f"{error:.2%} wrong"
