"""What each choice behind calibrated weights buys and costs: bounds, pilots, ridges, exchanges.

    python benchmarks/calibration_choices.py            the sets of many rows a column
    python benchmarks/calibration_choices.py --wide     reuters and MNIST, along leading directions

A line a choice, a column a set: the residual at the worst strength of `one_coreset` as a share of
that of random rows there (means of three seeds), and the seconds of calibration. One seed: the
picks hardly depend on it.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from unittest.mock import patch

import numpy as np
from bench import table
from datasets import at_hand
from one_coreset import EFFORTS, PATH
from optima import Reference, reference
from subsets import RECIPES, data_set, drawn, problem_of

from craig_cli.calibration import calibrator, exchange, make_coreset
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.workflows.stopwatch import Stopwatch

SETS = (("ijcnn1", 0.01), ("ijcnn1", 0.1), ("covtype16", 0.01), ("adult", 0.1))
WIDE = (("reuters", 0.1), ("mnist", 0.02))
SEEDS = 3
DEFAULT: dict[str, object] = {}
"""Settings, and constants of `calibrator` and `exchange`, that differ."""
CHOICES: dict[str, dict[str, object]] = {
    "the default": DEFAULT,
    "no bounds but 0": {"LOWER": 0.0, "UPPER": np.inf},
    "bounds 0.05 and 30": {"LOWER": 0.05, "UPPER": 30.0},
    "bounds 0.5 and 3": {"LOWER": 0.5, "UPPER": 3.0},
    "no exchange": {"EASY": np.inf},
    "1 pilot (1e-4)": {"pilot_l2": (1e-4,)},
    "2 pilots (1e-5, 1e-2)": {"pilot_l2": (1e-5, 1e-2)},
    "4 pilots (1e-6, 1e-4, 1e-2, 1)": {"pilot_l2": (1e-6, 1e-4, 1e-2, 1.0)},
    "13 pilots (half decades)": {"pilot_l2": tuple(np.geomspace(1e-6, 1, 13).tolist())},
    "ridge 0.03": {"ridge": 0.03},
    "ridge 0.0003": {"ridge": 0.0003},
}


def measured(
    data: str, fraction: float, choice: dict[str, object], judge: Reference, by_chance: np.ndarray
) -> str:
    """Return the share of random rows' residual at the worst strength, and the seconds."""
    options, watch = dict(choice), Stopwatch()
    with ExitStack() as stack:
        for module, name in ((calibrator, "LOWER"), (calibrator, "UPPER"), (exchange, "EASY")):
            value = options.pop(name, getattr(module, name))
            stack.enter_context(patch.object(module, name, value))
        coreset = make_coreset(
            data_set(data),
            SelectionSettings(Budget(fraction=fraction), representative="exchanged"),
            CalibrationSettings("calibrated", **options),  # type: ignore[arg-type]
            stage=watch.stage,
        )
    left = np.array(judge.residuals_of(coreset.index, coreset.weight))
    worst = float((left / by_chance).max())
    share = f"1/{1 / worst:,.0f}" if worst < 0.5 else f"{worst:.2g} times"
    return f"{share}, {watch.seconds['calibrate']:.2f} s"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wide", action="store_true", help="reuters and MNIST")
    wide = parser.parse_args().wide
    sets = [one for one in (WIDE if wide else SETS) if at_hand([one[0]])]
    choices = {"leading directions": DEFAULT} if wide else CHOICES
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
