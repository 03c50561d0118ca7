"""What ``craig evaluate`` reports: the verdict in plain words first, then what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from craig_cli.errors import CheckError, printable
from craig_cli.evaluation import Comparison, Result
from craig_cli.reports.base import aligned, closing_lines, counted, read_in_words
from craig_cli.settings.evaluation import Threshold

IN_WORDS = {
    "random": "random rows",
    "stratified": "stratified rows",
    "importance": "importance-sampled rows",
}
"""What the coreset is compared with, in the order told."""
SENTENCES = {
    "loses": "The coreset loses to",
    "level": "The coreset is level with",
    "beats": "The coreset beats",
}
HEAD = (
    "subset",
    "rows",
    "residual",
    "lowest to highest",
    "test error",
    "gradient error",
    "epochs",
    "passes",
    "seconds",
    "speed-up",
    "selection s",
)


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
        return (
            f"The selection took {self.seconds:.3g} s ({how}), {epoch}: it costs "
            f"{self.epochs:,.3g} epochs."
        )


@dataclass(frozen=True)
class EvaluateReport:
    """How a coreset compares.

    Parameters
    ----------
    source : str
        The manifest, or the file of weights.
    rows, columns, skipped_rows, picks : int
    is_regression : bool
    epsilon_mean : float or None
        That of the manifest.
    selection : SelectionCost
    solver : str
    comparisons : tuple of Comparison
        One for each loss and l2.
    thresholds : tuple of Threshold
    seconds : mapping of str to float
    peak_memory_bytes : int
    notes : tuple of str
    """

    source: str
    rows: int
    columns: int
    skipped_rows: int
    picks: int
    is_regression: bool
    epsilon_mean: float | None
    selection: SelectionCost
    solver: str
    comparisons: tuple[Comparison, ...]
    thresholds: tuple[Threshold, ...]
    seconds: Mapping[str, float]
    peak_memory_bytes: int
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0, or that of a failed check where a threshold is met."""
        return CheckError.exit_code if self.failures() else 0

    def verdict(self) -> list[str]:
        """Return how the coreset compares, a sentence for each rival, loss and l2: where it loses
        first.
        """
        sentences: dict[str, list[str]] = {standing: [] for standing in SENTENCES}
        for name, words in IN_WORDS.items():
            for c in self.comparisons:
                standing = c.standing(name)
                residuals = (
                    f"residual {c.coreset.residual:.3g} against {c.result(name).residual:.3g}"
                )
                sentences[standing].append(
                    f"{SENTENCES[standing]} {words}: {residuals} at {title(c)}."
                )
        useless = [
            f"The coreset is worse than no training: residual {c.coreset.residual:.3g} against "
            f"{c.residual_at_zero:.3g} of w = 0 at {title(c)}."
            for c in self.comparisons
            if c.coreset.residual >= c.residual_at_zero
        ]
        return useless + [sentence for some in sentences.values() for sentence in some]

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
            "picks": self.picks,
            "epsilon_mean": self.epsilon_mean,
            "selection": {**asdict(self.selection), "epochs": self.selection.epochs},
            "solver": self.solver,
            "comparisons": [comparison_facts(c) for c in self.comparisons],
            "failed": self.failures(),
            "seconds": dict(self.seconds),
            "peak_memory_bytes": self.peak_memory_bytes,
            "notes": list(self.notes),
        }

    def text(self) -> str:
        """Return the report for people."""
        lines = [
            *(("FAILED", failure) for failure in self.failures()),
            *listed("verdict", self.verdict()),
            *listed("cost", self.costs()),
            ("rows", read_in_words(self.rows, self.columns, self.skipped_rows)),
            (
                "coreset",
                f"{counted(self.picks, 'row')} of "
                f"{printable(self.source)}{epsilon_in_words(self.epsilon_mean)}",
            ),
        ]
        tables = [
            f"{heading(c)}\n{in_columns([HEAD, *table_rows(c, self.is_regression)])}\n{footing(c)}"
            for c in self.comparisons
        ]
        return "\n\n".join(
            [
                aligned(lines),
                *tables,
                aligned(closing_lines(self.seconds, self.peak_memory_bytes, self.notes)),
            ]
        )


def title(comparison: Comparison) -> str:
    """Return which loss and l2 a comparison is of."""
    return f"{comparison.loss}, l2 {comparison.l2:g}"


def epsilon_in_words(epsilon_mean: float | None) -> str:
    """Return what to say of epsilon."""
    return "" if epsilon_mean is None else f", epsilon {epsilon_mean:.6g} a row"


def measures(comparison: Comparison, epsilon_mean: float | None) -> dict[str, float | None]:
    """Return what thresholds are compared with, by name."""
    return {
        "residual": comparison.coreset.residual,
        "residual_ratio": comparison.ratio_to("random"),
        "test_error": comparison.coreset.test_error,
        "gradient_error": comparison.coreset.gradient_error,
        "epsilon_mean": epsilon_mean,
        "speedup": comparison.coreset.speedup,
    }


def pay_in_words(comparison: Comparison, selection_seconds: float | None) -> str:
    """Return what training takes with and without the coreset, and after how many runs the
    selection has paid.
    """
    full, part = comparison.results[0].reached, comparison.coreset.reached
    start = f"At {title(comparison)}, to a residual of {comparison.target:.3g},"
    if full is None and part is None:
        return (
            f"{start} neither training on all rows nor on the coreset comes there in the "
            f"epochs "
            f"allowed."
        )
    if part is None:
        return (
            f"{start} training on the coreset does not come there in the epochs allowed: the "
            f"selection never pays."
        )
    if full is None:
        return (
            f"{start} training on the coreset takes {part.seconds:.3g} s; on all rows it does "
            f"not come there in the epochs allowed."
        )
    times = (
        f"{start} training takes {full.seconds:.3g} s on all rows and {part.seconds:.3g} s on "
        f"the coreset"
    )
    if full.seconds <= part.seconds:
        return f"{times}: the selection never pays."
    if selection_seconds is None:
        return f"{times}, {comparison.coreset.speedup:.3g} times less."
    once = f"{selection_seconds + part.seconds:.3g} s with the selection"
    if comparison.pays_after == 1:
        return f"{times}, {once}: the selection has paid after the first run."
    return (
        f"{times}, {once}: for one run the selection does not pay, it has paid after "
        f"{comparison.pays_after:,} runs."
    )


def comparison_facts(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison in JSON types."""
    facts = asdict(comparison) | {
        "bound": None if comparison.bound is None else comparison.bound._asdict()
    }
    facts["standing"] = {name: comparison.standing(name) for name in IN_WORDS}
    facts["residual_ratio"] = {name: comparison.ratio_to(name) for name in IN_WORDS}
    facts["results"] = [result_facts(r) for r in comparison.results]
    return facts


def result_facts(result: Result) -> dict[str, Any]:
    """Return the runs of one kind of subset in JSON types."""
    low, high = result.residual_range
    runs = [
        asdict(r)
        | {
            "gradient_error": r.gradient_error._asdict(),
            "curve": [point._asdict() for point in r.curve],
        }
        for r in result.runs
    ]
    return {
        "name": result.name,
        "rows": result.runs[0].rows,
        "residual": {"mean": result.residual, "lowest": low, "highest": high},
        "test_error": result.test_error,
        "gradient_error": result.gradient_error,
        "selection_seconds": result.selection_seconds,
        "reached": None if result.reached is None else asdict(result.reached),
        "speedup": result.speedup,
        "runs": runs,
    }


def heading(comparison: Comparison) -> str:
    """Return the line above a table."""
    doubt = "" if comparison.is_optimal else " (L-BFGS stopped short of it)"
    return f"{title(comparison)}: f* = {comparison.optimum:.6g}{doubt}"


def footing(comparison: Comparison) -> str:
    """Return the line below a table: what its columns count, and the bound."""
    lines = [
        f"Epochs, passes over all rows, and seconds are those to a residual of "
        f"{comparison.target:.3g} (- where a run does not come there)."
    ]
    if comparison.bound is None:
        lines.append("There is no bound on the gradient error: a class has no pick.")
    else:
        ball = f"||w|| <= {comparison.bound.w_norm:.4g}"
        lines.append(
            f"The coreset's gradient error is at most {comparison.bound.mean:.3g} a row for "
            f"{ball}; the largest seen there is "
            f"{comparison.coreset.gradient_error:.3g}."
        )
    return "\n".join(lines)


def table_rows(comparison: Comparison, is_regression: bool) -> list[tuple[str, ...]]:
    """Return the cells of a table, a row for each kind of subset."""
    rows: list[tuple[str, ...]] = []
    for r in comparison.results:
        low, high = r.residual_range
        spread = f"{low:.3g} to {high:.3g}" if len(r.runs) > 1 else ""
        test = (
            "-"
            if r.test_error is None
            else f"{r.test_error:.4g}"
            if is_regression
            else f"{r.test_error:.2%}"
        )
        way = ("-", "-", "-", "-")
        if r.reached is not None:
            way = (
                f"{r.reached.epochs:.3g}",
                f"{r.reached.passes:.3g}",
                f"{r.reached.seconds:.3g}",
                f"{r.speedup:.3g}",
            )
        selection = "-" if r.selection_seconds is None else f"{r.selection_seconds:.3g}"
        rows.append(
            (
                r.name,
                f"{r.runs[0].rows:,}",
                f"{r.residual:.3g}",
                spread,
                test,
                f"{r.gradient_error:.3g}",
                *way,
                selection,
            )
        )
    return rows


def in_columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as lines, columns to the right but for the first."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [
                f"{row[0]:<{widths[0]}}",
                *(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        ).rstrip()
        for row in rows
    )


def listed(word: str, sentences: Sequence[str]) -> list[tuple[str, str]]:
    """Return lines of which only the first is begun by the word."""
    return [(word if number == 0 else "", sentence) for number, sentence in enumerate(sentences)]
