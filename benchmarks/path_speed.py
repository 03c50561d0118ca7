"""What calibration costs, and what a calibrated coreset of flights saves: a path of strengths to
within 1e-6 of each optimum, a grid of runs of SGD.

To be timed alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from calibration_study import DEFAULT, PATH, Case, calibrated, data_set, least, picked

from craig_cli.calibration import calibrate
from craig_cli.selection import select
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.training import TrainSettings
from craig_cli.training import Problem, fit
from craig_cli.training.problem import Array

NEAR = 1e-6
PATH_FRACTION, GRID_FRACTION = 0.05, 0.01
PATH_EPOCHS = {"all rows": 30, "coreset": 200}
GRID_EPOCHS = {"all rows": 10, "coreset": 40}
"""So many that the best models of both sides are about as near to the optimum."""
STEPS = np.geomspace(1e-3, 1.0, 20)
DECAY = 0.9
REPEATS = 3


def path_seconds(problem: Problem, whole: Problem, epochs: int) -> list[dict[str, float]]:
    """Return, for each strength from the largest to the smallest, what SAGA took until the residual
    on all rows was `NEAR`, each warm-started.

    Only the solver's time counts; looking at the residual is not in it.
    """
    optima, out = least("flights"), []
    start: tuple[Array, Array] | None = None
    for l2 in sorted(PATH, reverse=True):
        seen: list[tuple[float, float, Array, Array]] = []

        def note(
            epoch: int,
            passes: float,
            seconds: float,
            coef: Array,
            intercept: Array,
            seen: list[Any] = seen,
        ) -> None:
            seen.append((passes, seconds, coef.copy(), intercept.copy()))

        fit(
            problem,
            TrainSettings(solver="saga", l2=l2, epochs=epochs, tolerance=1e-7),
            start,
            watch=note,
        )
        residuals = [
            whole.objective(coef, intercept, l2) - optima[f"logistic {l2:g}"]
            for _, _, coef, intercept in seen
        ]
        first = next(
            (place for place, residual in enumerate(residuals) if residual <= NEAR), len(seen) - 1
        )
        passes, seconds, *found = seen[first]
        start = (found[0], found[1])
        out.append(
            {
                "l2": l2,
                "seconds": seconds,
                "passes": passes * problem.n_rows / whole.n_rows,
                "residual": residuals[first],
            }
        )
    return out


def grid(problem: Problem, whole: Problem, epochs: int) -> tuple[float, dict[str, float]]:
    """Return the seconds of SGD for 7 strengths x 20 first steps, and the smallest residual on all
    rows for each strength.
    """
    seconds, best = 0.0, {f"{l2:g}": np.inf for l2 in PATH}
    for l2 in PATH:
        for step in STEPS:
            settings = TrainSettings(
                solver="sgd",
                l2=l2,
                epochs=epochs,
                step=float(step),
                schedule="exponential",
                decay=DECAY,
                tolerance=0.0,
            )
            found = fit(problem, settings)
            seconds += found.seconds
            residual = (
                whole.objective(found.coef, found.intercept, l2)
                - least("flights")[f"logistic {l2:g}"]
            )
            best[f"{l2:g}"] = min(best[f"{l2:g}"], residual)
    return seconds, best


def made(fraction: float, method: str) -> tuple[Problem, dict[str, float]]:
    """Return the problem of calibrated picks, and what they took: drawing rows without measuring
    clusters and epsilon, and with that.
    """
    dataset, whole = data_set("flights")
    assert dataset.labels is not None
    begun = time.perf_counter()
    coreset = select(dataset, SelectionSettings(Budget(fraction=fraction), method))
    selecting = time.perf_counter() - begun
    groups = np.unique(dataset.labels, return_inverse=True)[1]
    begun = time.perf_counter()
    np.random.default_rng(0).permutation(dataset.n_rows)
    drawing = time.perf_counter() - begun
    begun = time.perf_counter()
    done = calibrate(
        whole, groups, coreset.index, coreset.weight, CalibrationSettings("calibrated")
    )
    seconds = {"select": selecting, "draw": drawing, "calibrate": time.perf_counter() - begun}
    return whole.subset(coreset.index, done.weight), seconds


def cost_of(data: str, fraction: float) -> dict[str, Any]:
    """Return the seconds of a selection by the defaults, of its calibration, and of a pass of
    gradients, each the quickest of `REPEATS` after one.
    """
    case, problem = Case(data, fraction, DEFAULT), data_set(data)[1]
    model = np.zeros((problem.n_outputs, problem.n_columns + 1))
    coreset = picked(data, fraction, DEFAULT, 0)
    seconds = {
        "select": quickest(lambda: picked.__wrapped__(data, fraction, DEFAULT, 0)),
        "calibrate": quickest(lambda: calibrated(case, coreset)),
        "pass": quickest(lambda: problem.full_pass(model, 0.0, np.empty_like(model))),
    }
    return {"data": data, "fraction": fraction, **seconds}


def quickest(work: Callable[[], object]) -> float:
    """Return the least seconds that some work takes, once it has been done before."""
    seconds = []
    for _ in range(REPEATS + 1):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return min(seconds[1:])


def measure(part: str) -> dict[str, Any]:
    """Return the record of part ``path`` or ``grid``; code is compiled before anything counts."""
    _, whole = data_set("flights")
    small = whole.subset(np.arange(0, whole.n_rows, 500))
    fit(small, TrainSettings(solver="saga", epochs=2))
    fit(small, TrainSettings(solver="sgd", epochs=2))
    made(0.001, "random")
    fraction = PATH_FRACTION if part == "path" else GRID_FRACTION
    problem, making = made(fraction, "random")
    record: dict[str, Any] = {"fraction": fraction, "making": making}
    threads = replace(whole, threads=1)
    for name, chosen in (("all rows", threads), ("coreset", problem)):
        if part == "path":
            record[name] = path_seconds(chosen, whole, PATH_EPOCHS[name])
        else:
            record[name] = grid(chosen, whole, GRID_EPOCHS[name])
    return record
