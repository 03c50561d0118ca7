"""A section of EVIDENCE.md: what one coreset leaves of the loss of linear models, from the weakest
regulariser to the strongest, on the strengths that it was calibrated for and off them.

`one_coreset_page` writes it up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from evidence import Kept, Record, say
from one_coreset_page import page
from optima import Reference, reference
from subsets import RECIPES, data_set, drawn, problem_of

from craig_cli.dataset import Dataset
from craig_cli.selection import Coreset
from craig_cli.training import Problem
from craig_cli.workflows.stopwatch import Stopwatch

KINDS = ("random", "any", "linear", "local")
PATH = (1e-6, 3e-6, 1e-5, 1e-4, 3e-4, 1e-3, 1e-2, 1e-1, 1.0)
HINGE_L2 = 1e-3
"""Of the squared hinge, a loss that nothing is calibrated for."""


@dataclass(frozen=True)
class Effort:
    """How much is measured of a set: strengths, seeds, and the squared hinge or not."""

    strengths: tuple[float, ...] = PATH
    seeds: int = 8
    with_hinge: bool = True


EFFORTS = {
    "abalone": Effort(with_hinge=False),
    "reuters": Effort((1e-5, 1e-3, 1e-1), 2, False),
    "mnist": Effort((1e-4, 1e-2, 1.0), 1, False),
}
"""Sets with another loss, or whose optima take long."""
TOLD = (
    *("pilot_l2", "residual_before", "residual_after", "residual_random", "optimum", "exchanged"),
    *("kept", "pilots", "constraints", "is_reduced", "largest_weight", "at_bounds"),
)
"""Facts of a calibration that are kept."""


def measure(part: str, max_rows: int) -> list[Record]:
    """Return what each kind and seed of coreset of one set and size leaves."""
    data, _, size = part.rpartition("-")
    dataset, effort = data_set(data, max_rows), EFFORTS.get(data, Effort())
    problem = problem_of(data, dataset)
    judges = judges_of(data, dataset, problem, effort)
    say(f"{part}: optima of all rows")
    records: list[Record] = [facts_of(problem, judges)]
    for kind in KINDS:
        for seed in range(1 if RECIPES[kind].is_fixed else effort.seeds):
            watch = Stopwatch()
            coreset = drawn(dataset, data, RECIPES[kind], float(size), seed, watch.stage)
            left = residuals_of(judges, coreset)
            known = {"kind": kind, "seed": seed, "residuals": left, "seconds": watch.seconds}
            records.append({**known, **weights_of(coreset)})
        say(f"{part}: {kind}, {max(records[-1]['residuals']):.1e}")
    return records


def judges_of(
    data: str, dataset: Dataset, problem: Problem, effort: Effort
) -> dict[str, Reference]:
    """Return the losses that coresets are judged by, by name, that of the pilots first."""
    judges = {problem.loss.name: reference(problem, effort.strengths)}
    if effort.with_hinge:
        hinge = problem_of(data, dataset, "squared-hinge")
        judges["squared hinge"] = reference(hinge, (HINGE_L2,))
    return judges


def facts_of(problem: Problem, judges: dict[str, Reference]) -> Record:
    """Return what a set is: its shape, its loss, and f* by loss and strength."""
    optima = {
        f"{loss} {l2:g}": best
        for loss, judge in judges.items()
        for l2, best in zip(judge.strengths, judge.least, strict=True)
    }
    shape = {"rows": problem.n_rows, "columns": problem.n_columns, "outputs": problem.n_outputs}
    return {**shape, "loss": problem.loss.name, "optima": optima}


def residuals_of(judges: dict[str, Reference], coreset: Coreset) -> list[float]:
    """Return f - f* of the optima on the picks, in the order of the optima of `facts_of`."""
    parts = (judge.residuals_of(coreset.index, coreset.weight) for judge in judges.values())
    return [left for part in parts for left in part]


def weights_of(coreset: Coreset) -> dict[str, Any]:
    """Return how many picks there are, what their weights are like, and what the tool tells of its
    calibration: nothing where there was none.
    """
    weight, told = coreset.weight, coreset.calibration or {}
    return {
        "picks": len(weight),
        "effective": float(weight.sum() ** 2 / np.sum(weight**2)),
        "zeros": int(np.sum(weight == 0)),
        "told": {name: told[name] for name in TOLD if name in told},
    }


def text(kept: Kept) -> str:
    """Return the section."""
    return page(kept, KINDS)
