"""What ``craig select`` and its dry run report."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from craig_cli.errors import printable
from craig_cli.reports.base import (
    Report,
    RunReport,
    calibration_lines,
    class_lines,
    cost_in_words,
    counted,
    coverage_line,
    picks_line,
    place,
    worst_strength,
)
from craig_cli.reports.skipped import skipped_facts, skipped_lines
from craig_cli.skipped import SkipReason

ONE_A_CLUSTER = "representatives: one random row per cluster"
UNLABELLED = "weight: rows represented, those nearest to the pick"
TOLD = ("data", "is_labelled")
"""What only the command to go on with is made of."""
CLASSES_NAMED = 4
"""Classes whose picks the summary gives one by one."""
NAMES_LENGTH = 60
"""Of the names of data files in a command to go on with."""
REPRESENTATIVES = {"random": ONE_A_CLUSTER, "varied": f"{ONE_A_CLUSTER}, rare values seen to"}


@dataclass(frozen=True, kw_only=True)
class SelectReport(RunReport):
    """What ``craig select`` did.

    Parameters
    ----------
    output : str
    selected : int
    method, reason : str
        And why ``auto`` took it; empty if the user chose it.
    classes : sequence of mapping
        As in the manifest: label, n, k, epsilon, epsilon_mean, medoid_epsilon.
    epsilon, epsilon_mean : float
    epsilon_share : float or None
        Epsilon over that of one medoid a class; None where the method does not compute the latter.
    representative, weights, allocation : str
    calibration : mapping or None
        What was calibrated, as in the manifest.
    temporary_bytes : int
        On disk, under ``--memory-limit``.
    weight_sum : float or None
        The weights of the rows added up; None where they have none.
    cost : mapping or None
        The budget of costs and what was spent, where there is one.
    data : tuple of str
        Files that the next command may be given.
    is_labelled : bool
        Whether there are labels or targets.
    """

    output: str
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
    temporary_bytes: int
    allocation: str = "proportional"
    weight_sum: float | None = None
    cost: Mapping[str, float] | None = None
    data: tuple[str, ...] = ()
    is_labelled: bool = True

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        return {
            name: value
            for name, value in super().facts().items()
            if name not in TOLD and (value is not None or name not in ("weight_sum", "cost"))
        }

    def lines(self) -> list[tuple[str, str]]:
        """Return the closing summary."""
        temporary = ""
        if self.temporary_bytes:
            temporary = f", and {self.temporary_bytes / 1e6:,.0f} MB of temporary files"
        lines = self.read_lines()
        if self.weight_sum is not None:
            lines.append(("", f"their weights add up to {self.weight_sum:g}"))
        lines.append(picks_line(self.selected, self.rows, self.output))
        if self.cost is not None:
            lines.append(("cost", cost_in_words(self.cost)))
        lines += [
            *class_lines(self.classes, self.allocation),
            coverage_line(self.epsilon, self.epsilon_mean, self.epsilon_share),
            ("method", method_in_words(self.method, self.reason)),
        ]
        if self.representative in REPRESENTATIVES:
            lines.append(("", REPRESENTATIVES[self.representative]))
        elif self.weights == "cluster" and self.is_one_group:
            lines.append(("", UNLABELLED))
        return [
            *lines,
            *calibration_lines(self.calibration, self.weights, self.selected),
            *self.closing_lines(temporary),
        ]

    @property
    def is_one_group(self) -> bool:
        """Whether rows were selected without classes."""
        return [entry["label"] for entry in self.classes] == [None]

    def brief_lines(self) -> list[tuple[str, str]]:
        """Return the lines of the summary, in the order that a person asks."""
        (_, read), *skipped = self.read_lines()
        groups = "" if self.is_one_group else f", {len(self.classes):,} classes"
        coverage = f"cost {self.epsilon_mean:.6g} a row"
        if self.epsilon_share is not None:
            per = "" if self.is_one_group else " per class"
            coverage += f", {self.epsilon_share:.2%} of that of one medoid{per}"
        if self.cost is not None:
            coverage += f"; {cost_in_words(self.cost)}"
        return [
            ("read", f"{read.replace(' read', ' rows')}{groups}"),
            *skipped,
            ("picked", f"{self.picks_in_words()}, method {self.method}"),
            ("quality", self.quality_in_words()),
            ("coverage", coverage),
            ("written", f"{place(self.output)}, after {sum(self.seconds.values()):.2f} s"),
            *self.next_lines(),
        ]

    def picks_in_words(self) -> str:
        """Return how many rows were picked, and of which classes if those are few."""
        picked = f"{counted(self.selected, 'row')} ({self.selected / self.rows:.2%})"
        if self.is_one_group or len(self.classes) > CLASSES_NAMED:
            return picked
        shares = (
            f"{entry['k']:,} of {entry['n']:,} in class {printable(str(entry['label']), 20)}"
            for entry in self.classes
        )
        return f"{picked}: {', '.join(shares)}"

    def quality_in_words(self) -> str:
        """Return how good models of the picks are on all rows, against those of random rows."""
        facts = self.calibration or {}
        found = worst_strength(facts) if facts.get("kept") else None
        if not self.is_labelled:
            return "not measured: a model needs labels"
        if found is None:
            return f"not measured with weights {self.weights}: craig evaluate compares with random"
        l2, own, by_chance = found
        return (
            f"loss {own:.1e} above the best on all rows; {self.selected:,} random rows: about "
            f"{by_chance:.1e} ({facts['loss']}, at l2 {l2:g})"
        )

    def next_lines(self) -> list[tuple[str, str]]:
        """Return a command to go on with; none where the manifest is not a file."""
        if self.output == "-":
            return []
        output, data = shlex.quote(self.output), shlex.join(self.data)
        if not data or "-" in self.data or len(data) > NAMES_LENGTH:
            data = "DATA"
        if not self.is_labelled:
            return [("next", printable(f"craig apply {data} {output} -o subset.parquet"))]
        return [("next", printable(f"craig evaluate {data} --coreset {output}"))]


@dataclass(frozen=True)
class PlanReport(Report):
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
    skipped : tuple of SkipReason
        Why rows were skipped.
    allocation : str
        How the picks would be shared out among the classes.
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
    skipped: tuple[SkipReason, ...] = ()
    allocation: str = "proportional"

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        facts = {"dry_run": True, **super().facts(), "skipped": skipped_facts(self.skipped)}
        return facts if self.skipped else {k: v for k, v in facts.items() if k != "skipped"}

    def lines(self) -> list[tuple[str, str]]:
        """Return the report for people."""
        picked = sum(entry["k"] for entry in self.classes)
        picks = f"{picked:,} ({picked / self.rows:.2%})"
        if self.is_cover:
            picks = "as many as epsilon needs"
        elif self.cost_budget is not None:
            picks = f"as many as may cost {self.cost_budget:g}"
        weights = [("weights", f"{self.weights}, by a calibration")]
        return [
            ("rows", f"{self.rows:,} read, {counted(self.columns, 'column')}"),
            *skipped_lines(self.rows, self.skipped),
            ("picks", picks),
            *class_lines(
                [{"epsilon_mean": None, **entry} for entry in self.classes], self.allocation
            ),
            ("method", method_in_words(self.method, self.reason)),
            *(weights if self.weights != "cluster" else []),
            ("time", f"about {self.predicted_seconds:.1f} s for the selection"),
            ("memory", f"about {self.predicted_memory_bytes / 1e6:,.0f} MB at the peak"),
            *(("note", note) for note in self.notes),
            ("", "Nothing was selected (--dry-run)."),
        ]


def method_in_words(method: str, reason: str) -> str:
    """Return what is said of a method, and of why it was chosen."""
    return f"{method} (chosen by auto: {reason})" if reason else method
