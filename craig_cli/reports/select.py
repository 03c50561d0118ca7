"""What ``craig select`` and its dry run report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from craig_cli.reports.base import (
    aligned,
    calibration_lines,
    class_lines,
    closing_lines,
    cost_in_words,
    counted,
    place,
    read_in_words,
)

VARIED = {"varied": ", rare values seen to"}


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
        return {
            name: value
            for name, value in facts.items()
            if value is not None or name not in ("weight_sum", "cost")
        }

    def text(self) -> str:
        """Return the closing summary."""
        temporary = (
            f", and {self.temporary_bytes / 1e6:,.0f} MB of temporary files"
            if self.temporary_bytes
            else ""
        )
        share = (
            ""
            if self.epsilon_share is None
            else (f", {self.epsilon_share:.2%} of one medoid a class")
        )
        lines = [
            ("rows", read_in_words(self.rows, self.columns, self.skipped_rows)),
            *(
                []
                if self.weight_sum is None
                else [("", f"their weights add up to {self.weight_sum:g}")]
            ),
            (
                "picks",
                f"{self.selected:,} ({self.selected / self.rows:.2%}) written to "
                f"{place(self.output)}",
            ),
            *([] if self.cost is None else [("cost", cost_in_words(self.cost))]),
            *class_lines(self.classes),
            ("epsilon", f"{self.epsilon:.6g} in all, {self.epsilon_mean:.6g} a row{share}"),
            (
                "method",
                f"{self.method} (chosen by auto: {self.reason})" if self.reason else self.method,
            ),
            *(
                []
                if self.representative == "medoid"
                else [
                    (
                        "",
                        f"a random row of each cluster "
                        f"stands for "
                        f"it{VARIED.get(self.representative, '')}",
                    )
                ]
            ),
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
            picks = (
                "as many as epsilon needs"
                if self.is_cover
                else (f"as many as may cost {self.cost_budget:g}")
            )
        lines = [
            ("rows", f"{self.rows:,} read, {counted(self.columns, 'column')}"),
            ("picks", picks),
            *class_lines([{"epsilon_mean": None, **entry} for entry in self.classes]),
            (
                "method",
                f"{self.method} (chosen by auto: {self.reason})" if self.reason else self.method,
            ),
            *(
                []
                if self.weights == "cluster"
                else [("weights", f"{self.weights}, by a calibration")]
            ),
            ("time", f"about {self.predicted_seconds:.1f} s for the selection"),
            ("memory", f"about {self.predicted_memory_bytes / 1e6:,.0f} MB at the peak"),
            *(("note", note) for note in self.notes),
            ("", "Nothing was selected (--dry-run)."),
        ]
        return aligned(lines)
