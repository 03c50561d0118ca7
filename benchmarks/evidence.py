"""Makes EVIDENCE.md (``make evidence``): what a coreset costs in loss, and what it saves in time, measured; our solvers on both sides."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
from bench import machine, number, table
from other_models import models_table
from sgd import epoch_seconds
from subsets import METHODS, split, thin_weights

from craig_cli.train_settings import TrainSettings
from craig_cli.training import Fit, Problem, fit, optimum

SETS = {"ijcnn1": "logistic", "adult": "logistic", "reuters": "logistic", "abalone": "squared", "flights": "logistic"}
FRACTIONS = (0.003, 0.01, 0.03, 0.1, 0.3, 0.5)
L2 = 1e-5
SEEDS = 3
SOLVERS = ("sgd", "svrg", "saga")
EPOCHS = 20
STEPS = tuple(10.0**power for power in (-2, -1.5, -1, -0.5, 0, 0.5, 1))
"""Factors of the solver's own first step; the paper tries a grid too, and does not give it."""
DECAYS = {"exponential": (0.5, 0.7, 0.85, 0.95, 1.0), "k-inverse": (0.1, 0.5, 1.0, 2.0)}
CLAIMS = {("flights", "sgd"): 2.75, ("flights", "svrg"): 4.5, ("flights", "saga"): 2.5, ("ijcnn1", "sgd"): 5.6, ("ijcnn1", "svrg"): 5.6, ("ijcnn1", "saga"): 5.6}
"""Speed-ups of the paper's section 5.1: covtype (here: flights) with 10 % of the rows, and ijcnn1."""


@cache
def best(name: str, loss: str, l2: float) -> tuple[Problem, Fit]:
    """Return the problem of all training rows, and its optimum."""
    problem = split(name).problem(loss)
    return problem, optimum(problem, l2)


def residual(name: str, method: str, fraction: float, seed: int) -> float:
    """Return f - f* on all training rows at the optimum of a weighted subset."""
    loss = SETS[name]
    problem, full = best(name, loss, L2)
    index, weights, _ = thin_weights(name, method, fraction, seed, loss)
    model = optimum(problem.subset(index, weights), L2)
    return problem.objective(model.coef, model.intercept, L2) - full.objective


def residuals_table() -> str:
    """Return the residuals of every method and size: means over the seeds, and the largest."""
    rows = []
    for name in SETS:
        for fraction in FRACTIONS:
            found = []
            for method in METHODS:
                seeds = range(1 if method == "craig" else SEEDS)
                found.append([residual(name, method, fraction, seed) for seed in seeds])
            random, craig = np.mean(found[0]), np.mean(found[-1])
            k = round(fraction * split(name).train.n_rows)
            rows.append([name, f"{fraction:.1%}", f"{k:,}", *(f"{np.mean(values):.2g}" for values in found), f"{craig / random:.2g}"])
            say(f"{name} {fraction:.1%}")
    return table("data | rows | k | random | stratified | importance | craig (the paper's) | craig over random", rows)


def first_below(trace: list[tuple[float, float]], level: float) -> float:
    """Return the seconds at which a trace of (seconds, loss) first comes down to a level; infinite if it never does."""
    return next((seconds for seconds, loss in trace if loss <= level), float("inf"))


def traced(problem: Problem, whole: Problem, settings: TrainSettings, order: np.ndarray | None = None) -> list[tuple[float, float]]:
    """Return the seconds and the loss on all rows after each epoch of a fit."""
    trace: list[tuple[float, float]] = []
    fit(
        problem,
        settings,
        order=order,
        watch=lambda epoch, passes, seconds, coef, intercept: trace.append((seconds, whole.objective(coef, intercept, settings.l2))),
    )
    return trace


def grid(solver: str) -> list[TrainSettings]:
    """Return the settings of a tuning grid, steps yet to be multiplied by the solver's own."""
    base = TrainSettings(l2=L2, solver=solver, epochs=EPOCHS, tolerance=0.0)
    if solver != "sgd":
        return [replace(base, step=factor) for factor in STEPS]
    return [replace(base, step=factor, schedule=s, decay=decay) for factor in STEPS for s, decays in DECAYS.items() for decay in decays]


def grid_of(problem: Problem, whole: Problem, solver: str) -> tuple[float, list[list[tuple[float, float]]]]:
    """Return the seconds of a whole grid, and the traces of its fits; those that diverge count with the time they took."""
    own = fit(problem, TrainSettings(l2=L2, solver=solver, epochs=1)).settings.step or 1.0
    begun, spent, traces = time.perf_counter(), 0.0, []
    for settings in grid(solver):
        trace: list[tuple[float, float]] = []
        with np.errstate(all="ignore"):
            try:
                trace = traced(problem, whole, replace(settings, step=settings.step * own))
            except ValueError:
                continue
        if trace:
            spent += trace[-1][0]
            traces.append(trace)
    say(f"  {solver}: grid of {len(traces)} fits, {time.perf_counter() - begun:.1f} s")
    return spent, traces


def speed_table() -> str:
    """Return what a tuning grid costs on all rows and on a coreset, and what a single run costs, for each solver."""
    rows = []
    for name in ("flights", "ijcnn1"):
        problem, full = best(name, SETS[name], L2)
        epoch = epoch_seconds(np.asarray(problem.rows if isinstance(problem.rows, np.ndarray) else dense(problem)), problem.targets)
        for solver in SOLVERS:
            full_time, full_traces = grid_of(problem, problem, solver)
            for fraction in (0.1, 0.3):
                index, weights, selection = thin_weights(name, "craig", fraction, 0, SETS[name])
                core_time, core_traces = grid_of(problem.subset(index, weights), problem, solver)
                level = 1.1 * (min(t[-1][1] for t in core_traces) - full.objective) + full.objective
                core_run, full_run = (min(first_below(t, level) for t in traces) for traces in (core_traces, full_traces))
                once = full_run / (core_run + selection)
                pays = "never" if full_run <= core_run else f"{selection / (full_run - core_run):.0f}"
                claim = CLAIMS[name, solver]
                rows.append(
                    [name, solver, f"{fraction:.0%}", number(selection), number(selection / epoch), f"{level - full.objective:.2g}", number(full_run)]
                    + [number(core_run), f"{full_run / core_run:.2g}x", f"{once:.2g}x", pays, number(full_time), number(core_time + selection)]
                    + [f"{full_time / (core_time + selection):.3g}x", f"{claim}x" if fraction == 0.1 else "-"]
                )
    columns = "data | solver | rows | selection s | in epochs | residual reached | all rows s | coreset s | speed-up | with selection"
    return table(f"{columns} | pays after runs | grid, all rows s | grid, coreset and selection s | speed-up | the paper's claim", rows)


def dense(problem: Problem) -> np.ndarray:
    """Return the rows of a problem as a dense matrix."""
    indptr, indices, values, n_columns = problem.rows
    out = np.zeros((problem.n_rows, n_columns), np.float32)
    out[np.repeat(np.arange(problem.n_rows), np.diff(indptr)), indices] = values
    return out


def say(text: str) -> None:
    """Report progress."""
    print(text, file=sys.stderr, flush=True)


SECTIONS: dict[str, tuple[str, Callable[[], str], str]] = {
    "residuals": (
        "What a coreset costs in loss",
        residuals_table,
        f"The residual f - f* on all training rows, where f is the mean loss + {L2:g}/2 ||w||^2 at the optimum of the weighted subset "
        f"(L-BFGS, to a gradient of 1e-9 of that at zero); means of {SEEDS} seeds (the paper's coreset has none). Logistic loss; squared loss for abalone.",
    ),
    "speed": (
        "What it saves: tuning grids and single runs",
        speed_table,
        f"The same grid on both sides: {len(STEPS)} first steps (times {sum(map(len, DECAYS.values()))} decays for SGD), {EPOCHS} epochs each, compiled "
        "solvers of craig on both sides. \"residual reached\" is the best of the coreset's grid, plus a tenth; the times of a single run are those "
        "of the best settings of each side to get there, evaluation of the loss left out.",
    ),
    "models": (
        "Costlier models",
        models_table,
        "scikit-learn, trained on all rows and on weighted rows of smaller and smaller subsets. \"needed\" is the smallest size tried whose test "
        "loss is within 1 % of that of all rows.",
    ),
}


def main() -> None:
    """Print the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=tuple(SECTIONS), help="one section")
    given = parser.parse_args()
    print(f"# Evidence\n\nMade by `make evidence`; every number is measured in that run.\n\n{machine()}\n")
    for name in [given.only] if given.only else SECTIONS:
        title, make, sentence = SECTIONS[name]
        print(f"## {title}\n\n{sentence}\n\n`python benchmarks/evidence.py --only {name}`\n\n{make()}", flush=True)


if __name__ == "__main__":
    main()
