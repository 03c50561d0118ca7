"""Residuals by how many picks each class gets: f - f* on all rows, by strength of the regulariser.

    python benchmarks/allocation.py                    all sets
    python benchmarks/allocation.py "covtype16 class 4" adult

Logistic loss; the coresets are those of ``craig select`` with each ``--allocation``, and random rows
in the proportion of the classes stand beside. The worst of the seeds is shown.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from bench import table
from calibration_study import fitted
from datasets import RARE, REAL

from craig_cli.calibration import make_coreset
from craig_cli.dataset import Dataset
from craig_cli.selection import Coreset
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.catalog import ALLOCATIONS, names
from craig_cli.settings.purpose import Purpose
from craig_cli.training import Problem, make_problem

STRENGTHS = (1e-2, 3e-4, 1e-5, 1e-6)
SEEDS = 2
SIZES = dict.fromkeys(RARE, (0.05,)) | {"ijcnn1": (0.01, 0.1), "adult": (0.01, 0.1)}


def optima(problem: Problem) -> list[tuple[float, float]]:
    """Return each strength and the least there is on all rows."""
    found, start = [], None
    for l2 in STRENGTHS:
        start = fitted(problem, l2, start)
        found.append((l2, problem.full_pass(start, l2)[0]))
    return found


def drawn(dataset: Dataset, fraction: float, kind: str, seed: int) -> Coreset:
    """Return random rows, or the coreset of ``craig select`` with an allocation."""
    budget = Budget(fraction=fraction)
    if kind == "random":
        return make_coreset(dataset, SelectionSettings(budget, kind, seed=seed))
    representative, weights = Purpose().choices("auto", False, True)
    settings = SelectionSettings(budget, seed=seed, representative=representative, allocation=kind)
    return make_coreset(dataset, settings, CalibrationSettings(weights, seed=seed))


def residuals(problem: Problem, least: list[tuple[float, float]], coreset: Coreset) -> list[float]:
    """Return f - f* on all rows at the optimum of the coreset, for each strength."""
    subset, found, start = problem.subset(coreset.index, coreset.weight), [], None
    for l2, best in least:
        start = fitted(subset, l2, start)
        found.append(max(problem.full_pass(start, l2)[0] - best, 0.0))
    return found


def lines_of(name: str) -> list[list[str]]:
    """Return the lines of the table for one set."""
    dataset, lines = (RARE | REAL)[name](), []
    assert dataset.labels is not None
    problem = make_problem(dataset.rows, dataset.labels, "logistic")
    least = optima(problem)
    for fraction in SIZES[name]:
        for kind in ("random", *names(ALLOCATIONS)):
            begun = time.perf_counter()
            coresets = [drawn(dataset, fraction, kind, seed) for seed in range(SEEDS)]
            worst = np.max([residuals(problem, least, c) for c in coresets], axis=0)
            picks = " + ".join(str(c.n_selected) for c in coresets[0].classes)
            cells = [f"{value:.1e}" for value in worst]
            lines.append([name, f"{fraction:.0%}", kind, picks, *cells])
            print(*lines[-1], f"{time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    return lines


if __name__ == "__main__":
    lines = [line for name in sys.argv[1:] or SIZES for line in lines_of(name)]
    strengths = " | ".join(f"l2 {l2:g}" for l2 in STRENGTHS)
    print(table(f"set | rows | picks of a class | k | {strengths}", lines))
