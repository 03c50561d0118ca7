"""A section of EVIDENCE.md: the loss on all rows of the model that a weighted subset gives, over
that of the best there is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bench import table
from calibration_study import fitted
from evidence import Kept, Record, say
from subsets import CALIBRATED, LOSSES, RECIPES, data_set, drawn, problem_of, task_of

from craig_cli.calibration import calibrated_coreset
from craig_cli.selection import Coreset
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.training import Problem

L2 = 1e-5
SEEDS = 3
FEW_SEEDS = {"reuters": 1}
"""Sets with thousands of columns."""
NAMES = ("random", "stratified", "importance", "paper", "clusters")


def measure(part: str, max_rows: int) -> list[Record]:
    """Return the residual of each recipe and seed for a data set and size, plain and calibrated; f*
    is computed once.
    """
    data, _, size = part.partition("-")
    fraction, dataset, task = float(size), data_set(data, max_rows), task_of(data)
    problem = problem_of(data, dataset)
    best = problem.full_pass(fitted(problem, L2), L2)[0]
    records: list[Record] = [
        {"rows": problem.n_rows, "columns": problem.n_columns, "optimum": best}
    ]
    for name in NAMES:
        for seed in range(1 if RECIPES[name].is_fixed else FEW_SEEDS.get(data, SEEDS)):
            coreset = drawn(dataset, task, name, fraction, seed)
            settings = CalibrationSettings("calibrated", seed=seed)
            facts = {"fraction": fraction, "name": name, "seed": seed, "picks": len(coreset.index)}
            records.append({**facts, "residual": residual(problem, coreset, best)})
            facts["name"] = name + CALIBRATED
            records.append(
                {
                    **facts,
                    "residual": residual(
                        problem, calibrated_coreset(dataset, coreset, settings), best
                    ),
                }
            )
        say(f"{part}: {name}")
    return records


def by_data(kept: Kept) -> dict[str, list[Record]]:
    """Return the records of each data set, all sizes together."""
    merged: dict[str, list[Record]] = {}
    for part, records in kept.items():
        merged.setdefault(part.partition("-")[0], []).extend(records)
    return merged


def residual(problem: Problem, coreset: Coreset, best: float) -> float:
    """Return f - f* on all rows at the optimum of the weighted subset; not below 0, whatever
    rounding says.
    """
    model = fitted(problem.subset(coreset.index, coreset.weight), L2)
    return max(problem.full_pass(model, L2)[0] - best, 0.0)


def fractions_of(records: Sequence[Record]) -> list[float]:
    """Return the sizes that were measured, ascending."""
    return sorted({r["fraction"] for r in records if "fraction" in r})


def found(records: Sequence[Record], name: str, fraction: float) -> list[float]:
    """Return the residuals of all seeds."""
    return [
        r["residual"] for r in records if r.get("name") == name and r.get("fraction") == fraction
    ]


def mean(records: Sequence[Record], name: str, fraction: float) -> float:
    """Return the mean over the seeds."""
    return float(np.mean(found(records, name, fraction)))


def cell(values: Sequence[float], is_best: bool) -> str:
    """Return a mean with the lowest and the highest, bold for the best of a line."""
    text = f"{np.mean(values):.1e}"
    text = f"**{text}**" if is_best else text
    return text if len(values) == 1 else f"{text} ({min(values):.0e} to {max(values):.0e})"


def one_table(records: Sequence[Record], names: Sequence[str]) -> str:
    """Return the table of a data set for some subsets, a line a size."""
    lines = []
    for fraction in fractions_of(records):
        means = {name: mean(records, name, fraction) for name in names}
        picks = next(r["picks"] for r in records if r.get("fraction") == fraction)
        cells = [
            cell(found(records, name, fraction), means[name] == min(means.values()))
            for name in names
        ]
        lines.append([f"{fraction:.1%}", f"{picks:,}", *cells])
    return table(" | ".join(["rows", "k", *names]), lines)


def text(kept: Kept) -> str:
    """Return the section."""
    out = [
        f"The residual f - f* on all rows, f the mean loss + {L2:g}/2 ||w||^2 at the optimum of "
        f"the weighted subset, f* the least there is (both by "
        f"Newton's method; reuters by L-BFGS). Means of {SEEDS} seeds (reuters: one), and the "
        f"lowest and highest; the paper's picks need no seed. "
        "Logistic loss; squared loss for abalone. Bold: the least of a line of a table.\n",
        *(f"- *{name}*: {RECIPES[name].words}." for name in NAMES),
        "- *calibrated*: the same rows, with weights that give the gradients of all rows at pilot "
        "models, by the defaults of `craig select`; where "
        "calibration was not kept, the weights before.\n",
    ]
    for data, records in by_data(kept).items():
        facts = records[0]
        out.append(
            f"### {data}\n\n{facts['rows']:,} x {facts['columns']:,}, "
            f"{LOSSES.get(data, 'logistic')} loss, f* = {facts['optimum']:.6f}\n"
        )
        out.append(one_table(records, NAMES))
        out.append(one_table(records, [name + CALIBRATED for name in NAMES]))
    return "\n".join(out)
