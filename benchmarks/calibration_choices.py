"""What each choice behind calibrated weights buys and costs: bounds, pilots, ridges, exchanges.

    python benchmarks/calibration_choices.py            the sets of many rows a column
    python benchmarks/calibration_choices.py --wide     reuters and MNIST: few picks a coordinate,
                                                        none exchanged

A line a choice, a column a set: the residual at the worst strength of `one_coreset` as a share of
that of random rows there (means of three seeds), and the seconds of calibration. One seed: the
picks hardly depend on it.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from dataclasses import replace
from unittest.mock import patch

import numpy as np
from bench import table
from datasets import at_hand
from one_coreset import EFFORTS, PATH
from optima import Reference, reference
from scipy.sparse import csr_matrix
from subsets import RECIPES, data_set, drawn, problem_of

from craig_cli.calibration import calibrator, exchange, make_coreset
from craig_cli.calibration.constraints import column_means, products
from craig_cli.calibration.directions import orthonormal
from craig_cli.calibration.pilots import Pilots
from craig_cli.dataset import Dataset, as_matrix
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.training import Problem
from craig_cli.workflows.stopwatch import Stopwatch

SETS = (("ijcnn1", 0.01), ("ijcnn1", 0.1), ("covtype16", 0.01), ("adult", 0.1))
WIDE = (("reuters", 0.1), ("mnist", 0.02))
SEEDS = 3
PATCHED = ("LOWER", "UPPER", "EASY", "leading_directions", "GradientConstraints")
RARER = 5
"""Rows of a class: a value that fewer have is rare."""
DEFAULT: dict[str, object] = {}
"""Settings, and constants of `calibrator` and `exchange`, that differ; ``include`` says that the
rows of rare values are to be picks."""


def random_directions(sample: Problem, n_wanted: int, rng: np.random.Generator) -> np.ndarray:
    """Return random directions of the inputs (d, r), orthonormal."""
    return orthonormal(rng.standard_normal((sample.n_columns, n_wanted)))


class OwnDirections:
    """Two sums a pilot and output: its gradient along its own coefficients, and its offset's.

    That is one a class and direction, where the gradient along each direction is one an output.
    """

    def __init__(self, problem: Problem, pilots: Pilots, directions: object) -> None:
        self._problem, self._centre = problem, column_means(problem)
        self._coef = pilots.models[:, :, :-1].reshape(-1, problem.n_columns)
        self._slopes = np.hstack(pilots.slopes)
        self._scale = np.ones(2 * len(self._coef))
        every = self.parts(np.arange(problem.n_rows))
        self._scale = 1 / np.sqrt(problem.shares @ np.square(every))
        self.wanted = (problem.shares @ every) * self._scale

    def parts(self, index: np.ndarray) -> np.ndarray:
        """Return what a unit of weight of each of some rows adds to each sum (k, q)."""
        rows = self._problem.rows.take(index, axis=0)
        scores = products(rows, self._coef.T) - self._coef @ self._centre
        slopes = self._slopes[index]
        return np.hstack([slopes * scores, slopes]) * self._scale

    def along(self, multipliers: np.ndarray) -> np.ndarray:
        """Return what a unit of weight of each row (n,) adds to the sums by multipliers (q,)."""
        return self.parts(np.arange(self._problem.n_rows)) @ multipliers


def rare_rows(dataset: Dataset) -> np.ndarray:
    """Return the rows (r,) which have a value other than 0 that fewer than `RARER` rows of their
    class have one of.
    """
    assert dataset.labels is not None
    matrix = csr_matrix(as_matrix(dataset.rows))
    found = []
    for label in np.unique(dataset.labels):
        own = np.flatnonzero(dataset.labels == label)
        counts = matrix[own].getnnz(axis=0)
        is_rare = ((counts > 0) & (counts < RARER)).astype(np.int64)
        found.append(own[(matrix[own] != 0) @ is_rare > 0])
    return np.sort(np.concatenate(found))


CHOICES: dict[str, dict[str, object]] = {
    "the default": DEFAULT,
    "no bounds but 0": {"LOWER": 0.0, "UPPER": np.inf},
    "bounds 0.2 and 10": {"LOWER": 0.2, "UPPER": 10.0},
    "bounds 0.05 and 30": {"UPPER": 30.0},
    "bounds 0.5 and 3": {"LOWER": 0.5, "UPPER": 3.0},
    "no exchange": {"EASY": np.inf},
    "rows of rare values included": {"include": True},
    "the same, no exchange": {"include": True, "EASY": np.inf},
    "1 pilot (1e-4)": {"pilot_l2": (1e-4,)},
    "2 pilots (1e-5, 1e-2)": {"pilot_l2": (1e-5, 1e-2)},
    "4 pilots (1e-6, 1e-4, 1e-2, 1)": {"pilot_l2": (1e-6, 1e-4, 1e-2, 1.0)},
    "13 pilots (half decades)": {"pilot_l2": tuple(np.geomspace(1e-6, 1, 13).tolist())},
    "ridge 0.03": {"ridge": 0.03},
    "ridge 0.0003": {"ridge": 0.0003},
}
WIDE_CHOICES: dict[str, dict[str, object]] = {
    "cluster weights": {"weights": "cluster"},
    "leading directions": {"EASY": np.inf},
    "random directions": {"leading_directions": random_directions, "EASY": np.inf},
    "the pilots' own directions": {"GradientConstraints": OwnDirections, "EASY": np.inf},
}


def measured(
    data: str, fraction: float, choice: dict[str, object], judge: Reference, by_chance: np.ndarray
) -> str:
    """Return the share of random rows' residual at the worst strength, and the seconds."""
    options, watch, dataset = {"weights": "calibrated", **choice}, Stopwatch(), data_set(data)
    settings = SelectionSettings(Budget(fraction=fraction), representative="exchanged")
    if options.pop("include", False):
        rare = rare_rows(dataset)
        print(f"{data}: {len(rare)} rows of rare values", file=sys.stderr)
        settings = replace(settings, include=tuple(rare.tolist()))
    with ExitStack() as stack:
        for name in PATCHED:
            module = exchange if name == "EASY" else calibrator
            value = options.pop(name, getattr(module, name))
            stack.enter_context(patch.object(module, name, value))
        calibration = CalibrationSettings(**options)  # type: ignore[arg-type]
        coreset = make_coreset(dataset, settings, calibration, stage=watch.stage)
    left = np.array(judge.residuals_of(coreset.index, coreset.weight))
    worst = float((left / by_chance).max())
    share = f"1/{1 / worst:,.0f}" if worst < 0.5 else f"{worst:.2g} times"
    told, facts = f"{share}, {watch.seconds.get('calibrate', 0.0):.2f} s", coreset.calibration
    if facts is None or facts["kept"]:
        return told
    ratios = np.divide(facts["loss_after"], facts["loss_before"])
    return f"{told}; not kept: losses {ratios.min():.3f} to {ratios.max():.3f} times"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wide", action="store_true", help="reuters and MNIST")
    wide = parser.parse_args().wide
    sets = [one for one in (WIDE if wide else SETS) if at_hand([one[0]])]
    choices = WIDE_CHOICES if wide else CHOICES
    columns = []
    for data, fraction in sets:
        dataset = data_set(data)
        strengths = EFFORTS[data].strengths if data in EFFORTS else PATH
        judge = reference(problem_of(data, dataset), strengths)
        random = [drawn(dataset, data, RECIPES["random"], fraction, s) for s in range(SEEDS)]
        by_chance = np.mean([judge.residuals_of(c.index, c.weight) for c in random], axis=0)
        columns.append([measured(data, fraction, c, judge, by_chance) for c in choices.values()])
    heads = " | ".join(f"{data}, {fraction:.0%}" for data, fraction in sets)
    rows = [[name, *line] for name, line in zip(choices, zip(*columns, strict=True), strict=True)]
    print(table(f"choice | {heads}", rows))


if __name__ == "__main__":
    main()
