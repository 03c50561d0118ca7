"""What ``craig evaluate`` reports: the verdict in plain words first, then what it rests on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from craig_cli.errors import CheckError, printable
from craig_cli.evaluation import Comparison
from craig_cli.reports.base import RunReport, aligned, counted, listed
from craig_cli.reports.comparison import (
    HEAD,
    IN_WORDS,
    comparison_facts,
    footing,
    heading,
    in_columns,
    listing,
    measures,
    pay_in_words,
    rivals,
    table_rows,
    title,
)
from craig_cli.settings.evaluation import Threshold

STANDINGS = {"loses": "loses to", "level": "is level with", "beats": "beats"}
"""How the coreset does, in words; what is bad is said first."""


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
        """The selection in epochs of SGD; None where it is unknown."""
        return None if self.seconds is None else self.seconds / self.sgd_epoch_seconds

    def text(self) -> str:
        """Return the cost in a sentence."""
        epoch = f"an epoch of SGD over all rows {self.sgd_epoch_seconds:.3g} s"
        if self.seconds is None:
            return (
                f"What the selection took is not known (--selection-seconds would tell); {epoch}."
            )
        how = "the recorded request, run again" if self.source == "measured" else "as given"
        took = f"The selection took {self.seconds:.3g} s ({how})"
        return f"{took}, {epoch}: it costs {self.epochs:,.3g} epochs."


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
    """

    source: str
    picks: int
    is_regression: bool
    epsilon_mean: float | None
    selection: SelectionCost
    solver: str
    comparisons: tuple[Comparison, ...]
    thresholds: tuple[Threshold, ...]

    @property
    def exit_code(self) -> int:
        """0, or that of a failed check where a threshold is met."""
        return CheckError.exit_code if self.failures() else 0

    @property
    def epsilon_in_words(self) -> str:
        """What to say of epsilon."""
        return "" if self.epsilon_mean is None else f", epsilon {self.epsilon_mean:.6g} a row"

    def verdict(self) -> list[str]:
        """Return what the coreset loses to, is level with and beats, and with what residuals: a
        sentence for each loss and l2, first those where it loses.
        """
        sentences = [
            f"The coreset is worse than no training: residual {c.coreset.residual:.3g} "
            f"against {c.residual_at_zero:.3g} of w = 0 at {title(c)}."
            for c in self.comparisons
            if c.coreset.residual >= c.residual_at_zero
        ]
        for standing, words in STANDINGS.items():
            for c in self.comparisons:
                others = [
                    f"{IN_WORDS[name]} ({c.result(name).residual:.3g})"
                    for name in rivals(c)
                    if c.standing(name) == standing
                ]
                if others:
                    own = f"The coreset (residual {c.coreset.residual:.3g})"
                    sentences.append(f"{own} {words} {listing(others)} at {title(c)}.")
        return sentences

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
            "verdict": self.verdict(),
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
            *listed("verdict", self.verdict()),
            *listed("cost", self.costs()),
            *self.read_lines(),
            ("coreset", f"{picks}{self.epsilon_in_words}"),
        ]

    def text(self) -> str:
        """Return the report for people."""
        tables = [
            f"{heading(c)}\n{in_columns([HEAD, *table_rows(c, self.is_regression)])}\n{footing(c)}"
            for c in self.comparisons
        ]
        return "\n\n".join([super().text(), *tables, aligned(self.closing_lines())])
