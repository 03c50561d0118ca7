"""Residuals by how many picks each class gets: f - f* on all rows, by strength of the regulariser.

    python benchmarks/allocation.py                    all sets
    python benchmarks/allocation.py "covtype16 class 4" adult

Logistic loss; the coresets are those of ``craig select --for any`` with each ``--allocation``, and
random rows in the proportion of the classes stand beside. The worst of the seeds is shown.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np
from bench import table
from datasets import RARE, at_hand
from optima import reference
from subsets import RECIPES, data_set, drawn, problem_of

from craig_cli.settings.catalog import ALLOCATIONS, names

STRENGTHS = (1e-2, 3e-4, 1e-5, 1e-6)
SEEDS = 2
SIZES = dict.fromkeys(RARE, (0.05,)) | {"ijcnn1": (0.01, 0.1), "adult": (0.01, 0.1)}
KINDS = {
    "random": RECIPES["random"],
    **{name: replace(RECIPES["any"], allocation=name) for name in names(ALLOCATIONS)},
}


def lines_of(name: str) -> list[list[str]]:
    """Return the lines of the table for one set."""
    dataset, lines = data_set(name), []
    all_rows = reference(problem_of(name, dataset), STRENGTHS)
    for fraction in SIZES[name]:
        for kind, recipe in KINDS.items():
            begun = time.perf_counter()
            coresets = [drawn(dataset, name, recipe, fraction, seed) for seed in range(SEEDS)]
            worst = np.max([all_rows.residuals_of(c.index, c.weight) for c in coresets], axis=0)
            picks = " + ".join(str(c.n_selected) for c in coresets[0].classes)
            cells = [f"{value:.1e}" for value in worst]
            lines.append([name, f"{fraction:.0%}", kind, picks, *cells])
            print(*lines[-1], f"{time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    return lines


if __name__ == "__main__":
    lines = [line for name in at_hand(sys.argv[1:] or SIZES) for line in lines_of(name)]
    strengths = " | ".join(f"l2 {l2:g}" for l2 in STRENGTHS)
    print(table(f"set | rows | picks of a class | k | {strengths}", lines))
