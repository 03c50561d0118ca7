"""One comparison of ``craig evaluate`` in words, as a table, and in JSON types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from craig_cli.evaluation import Comparison, Result

IN_WORDS = {
    "random": "random rows",
    "stratified": "stratified rows",
    "importance": "importance-sampled rows",
    "lewis": "rows by Lewis weights",
    "leverage": "rows by leverage",
    "local-case-control": "local case-control rows",
    "newton-1": "random rows + 1 Newton step",
    "newton-2": "random rows + 2 Newton steps",
    "newton-3": "random rows + 3 Newton steps",
}
"""What the coreset may be compared with, in the order told."""
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


def title(comparison: Comparison) -> str:
    """Return which loss and l2 a comparison is of."""
    return f"{comparison.loss}, l2 {comparison.l2:g}"


def label(name: str) -> str:
    """Return the name of a line of the table."""
    return IN_WORDS[name] if name.startswith("newton") else name


def rivals(comparison: Comparison) -> list[str]:
    """Return the names of what the coreset was compared with."""
    return [name for name in IN_WORDS if comparison.has(name)]


def measures(comparison: Comparison, epsilon_mean: float | None) -> dict[str, float | None]:
    """Return what thresholds are compared with, by name."""
    return {
        "residual": comparison.coreset.residual,
        "residual_ratio": comparison.ratio_to("random") if comparison.has("random") else None,
        "test_error": comparison.coreset.test_error,
        "gradient_error": comparison.coreset.gradient_error,
        "epsilon_mean": epsilon_mean,
        "speedup": comparison.coreset.speedup,
    }


def pay_in_words(comparison: Comparison, selection_seconds: float | None) -> str:
    """Return what training takes with and without the coreset, and when the selection has paid."""
    full, part = comparison.results[0].reached, comparison.coreset.reached
    start = f"At {title(comparison)}, to a residual of {comparison.target:.3g},"
    never = "not come there in the epochs allowed"
    if full is None and part is None:
        return (
            f"{start} neither training on all rows nor on the coreset comes there in the epochs "
            "allowed."
        )
    if part is None:
        return f"{start} training on the coreset does {never}: the selection never pays."
    if full is None:
        seconds = f"{part.seconds:.3g} s"
        return f"{start} training on the coreset takes {seconds}; on all rows it does {never}."
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
    facts["standing"] = {name: comparison.standing(name) for name in rivals(comparison)}
    facts["residual_ratio"] = {name: comparison.ratio_to(name) for name in rivals(comparison)}
    facts["results"] = [result_facts(r) for r in comparison.results]
    return facts


def result_facts(result: Result) -> dict[str, Any]:
    """Return the runs of one kind of subset in JSON types."""
    low, high = result.residual_range
    runs = [
        asdict(r)
        | {
            "gradient_error": None if r.gradient_error is None else r.gradient_error._asdict(),
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
        "passes": result.passes,
        "reached": None if result.reached is None else asdict(result.reached),
        "speedup": result.speedup,
        "runs": runs,
    }


def heading(comparison: Comparison) -> str:
    """Return the line above a table."""
    doubt = "" if comparison.is_optimal else " (the search stopped short of it)"
    return f"{title(comparison)}: f* = {comparison.optimum:.6g}{doubt}"


def footing(comparison: Comparison, selection_seconds: float | None) -> str:
    """Return the lines below a table: what its columns count, what pays, and the bound."""
    text = (
        "Epochs, passes over all rows, and seconds are those to a residual of "
        f"{comparison.target:.3g} (- where a run does not come there).\n"
        f"{pay_in_words(comparison, selection_seconds)}\n{newton_in_words(comparison)}"
    )
    if comparison.bound is None:
        return f"{text}There is no bound on the gradient error: a class has no pick."
    return (
        f"{text}The coreset's gradient error is at most {comparison.bound.mean:.3g} a row for "
        f"||w|| <= {comparison.bound.w_norm:.4g}; the largest seen there is "
        f"{comparison.coreset.gradient_error:.3g}."
    )


def newton_in_words(comparison: Comparison) -> str:
    """Return a line on what Newton's steps took; empty where there are none."""
    passes = [
        f"{r.passes:.3g}"
        for r in comparison.results
        if r.name.startswith("newton") and r.passes is not None
    ]
    if not passes:
        return ""
    return (
        "Newton's steps are no subset: each has the gradient of all rows, and serves this loss and "
        f"l2 alone. They took {listing(passes)} passes over all rows, the fit on the random rows "
        "included.\n"
    )


def listing(words: Sequence[str]) -> str:
    """Return words with commas between, and "and" before the last."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def table_rows(comparison: Comparison, is_regression: bool) -> list[tuple[str, ...]]:
    """Return the cells of a table, a row for each kind of subset."""
    rows = []
    for r in comparison.results:
        low, high = r.residual_range
        test, way, selection = "-", ["-"] * 4, "-"
        if r.test_error is not None:
            test = f"{r.test_error:.4g}" if is_regression else f"{r.test_error:.2%}"
        if r.reached is not None:
            to_target = (r.reached.epochs, r.reached.passes, r.reached.seconds, r.speedup)
            way = [f"{number:.3g}" for number in to_target]
        if r.selection_seconds is not None:
            selection = f"{r.selection_seconds:.3g}"
        spread = f"{low:.3g} to {high:.3g}" if len(r.runs) > 1 else ""
        gradient = "-" if r.gradient_error is None else f"{r.gradient_error:.3g}"
        found = (f"{r.residual:.3g}", spread, test, gradient)
        rows.append((label(r.name), f"{r.runs[0].rows:,}", *found, *way, selection))
    return rows


def in_columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as lines, columns to the right but for the first."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([f"{first:<{widths[0]}}", *cells]).rstrip())
    return "\n".join(lines)
