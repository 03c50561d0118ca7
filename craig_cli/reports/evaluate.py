"""What ``craig evaluate`` reports: the verdict in plain words first, then what it rests on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from craig_cli.errors import CheckError, printable
from craig_cli.evaluation import Comparison
from craig_cli.reports.base import RunReport, aligned, counted, listed
from craig_cli.reports.comparison import (
    HEAD,
    comparison_facts,
    footing,
    heading,
    in_columns,
    measures,
    pay_in_words,
    table_rows,
    title,
)
from craig_cli.reports.verdict import Verdict, headline, verdicts
from craig_cli.settings.evaluation import Threshold


@dataclass(frozen=True)
class SelectionCost:
    """What the selection took.

    Parameters
    ----------
    seconds : float or None
        None where it is unknown.
    source : {'measured', 'given', 'unknown'}
        The recorded request run again (calibration included), the user's word, or weights made by
        hand.
    sgd_epoch_seconds : float
        An epoch of plain SGD over all rows, in the same process.
    """

    seconds: float | None
    source: str
    sgd_epoch_seconds: float

    @property
    def epochs(self) -> float | None:
        """The selection in epochs of SGD; None where it is unknown, or where these take no time, as
        there is nothing to learn.
        """
        if self.seconds is None or self.sgd_epoch_seconds == 0:
            return None
        return self.seconds / self.sgd_epoch_seconds

    def text(self) -> str:
        """Return the cost in a sentence."""
        epoch = f"an epoch of SGD over all rows {self.sgd_epoch_seconds:.3g} s"
        if self.seconds is None:
            return (
                f"What the selection took is not known (--selection-seconds would tell); {epoch}."
            )
        how = "the recorded request, run again" if self.source == "measured" else "as given"
        took = f"The selection took {self.seconds:.3g} s ({how})"
        if self.epochs is None:
            return f"{took}."
        costs = f"{self.epochs:,.0f}" if self.epochs >= 100 else f"{self.epochs:.3g}"
        return f"{took}, {epoch}: it costs {costs} epochs."


@dataclass(frozen=True, kw_only=True)
class EvaluateReport(RunReport):
    """How a coreset compares.

    Parameters
    ----------
    source : str
        The manifest, or the file of weights.
    picks : int
    is_regression : bool
    epsilon_mean : float or None
        That of the manifest.
    selection : SelectionCost
    solver : str
    comparisons : tuple of Comparison
        One for each loss and l2.
    thresholds : tuple of Threshold
    command : str
        What was typed; empty where it is not known.
    """

    source: str
    picks: int
    is_regression: bool
    epsilon_mean: float | None
    selection: SelectionCost
    solver: str
    comparisons: tuple[Comparison, ...]
    thresholds: tuple[Threshold, ...]
    command: str = ""

    @property
    def exit_code(self) -> int:
        """0, or that of a failed check where a threshold is met."""
        return CheckError.exit_code if self.failures() else 0

    @property
    def epsilon_in_words(self) -> str:
        """What to say of epsilon."""
        mean = self.epsilon_mean
        return "" if mean is None else f", coverage cost {mean:.6g} a row"

    def headline(self) -> str:
        """Return the answer in one line."""
        return headline(self.comparisons, self.picks, self.rows, self.selection.seconds)

    def verdicts(self) -> list[Verdict]:
        """Return the answer to each question, over all losses and strengths of l2."""
        return verdicts(self.comparisons, self.selection.seconds, self.is_regression)

    def costs(self) -> list[str]:
        """Return what the selection costs and whether it pays, a sentence for each loss and l2."""
        return [
            self.selection.text(),
            *(pay_in_words(c, self.selection.seconds) for c in self.comparisons),
        ]

    def failures(self) -> list[str]:
        """Return the thresholds that are met, each with what was seen."""
        seen = [(c, measures(c, self.epsilon_mean)) for c in self.comparisons]
        return [
            f"{threshold}: {value:.6g} at {title(c)}"
            for threshold in self.thresholds
            for c, values in seen
            if (value := values[threshold.measure]) is not None and threshold.is_met(value)
        ]

    def facts(self) -> dict[str, Any]:
        """Return the report in JSON types."""
        return {
            "coreset": self.source,
            "headline": self.headline(),
            "verdict": [str(verdict) for verdict in self.verdicts()],
            "costs": self.costs(),
            "rows": self.rows,
            "columns": self.columns,
            "skipped_rows": self.skipped_rows,
            **self.skipped_facts(),
            "picks": self.picks,
            "epsilon_mean": self.epsilon_mean,
            "selection": {**asdict(self.selection), "epochs": self.selection.epochs},
            "solver": self.solver,
            "comparisons": [comparison_facts(c) for c in self.comparisons],
            "failed": self.failures(),
            "seconds": dict(self.seconds),
            "peak_memory_bytes": self.peak_memory_bytes,
            "notes": self.skipped_facts().get("notes", list(self.notes)),
        }

    def lines(self) -> list[tuple[str, str]]:
        """Return the verdict, the costs and what they rest on."""
        picks = f"{counted(self.picks, 'row')} of {printable(self.source)}"
        return [
            *(("FAILED", failure) for failure in self.failures()),
            *listed("verdict", [f"{self.headline()}.", *map(str, self.verdicts())]),
            ("cost", self.selection.text()),
            *self.read_lines(),
            ("coreset", f"{picks}{self.epsilon_in_words}"),
        ]

    def text(self) -> str:
        """Return the report for people."""
        tables = [
            f"{heading(c)}\n{in_columns([HEAD, *table_rows(c, self.is_regression)])}\n"
            f"{footing(c, self.selection.seconds)}"
            for c in self.comparisons
        ]
        return "\n\n".join([super().text(), *tables, aligned(self.closing_lines())])
