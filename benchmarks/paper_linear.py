"""The paper's experiments with logistic regression, as numbers: figures 1 to 3, and what theorems 1
and 2 say along the iterations, on covtype16 and ijcnn1.

Every function returns what `paper.py` keeps as JSON. Time is that of this machine, of the solver
alone unless said otherwise; the objective is looked at outside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from competitors import dense
from datasets import BUILT, covtype16, data_file
from measuring import REPEATS
from paper_speedups import ALL, near, reached
from subsets import RECIPES, Subset, drawn, make_subset

from craig_cli.dataset import Dataset
from craig_cli.evaluation import gradient_bound
from craig_cli.evaluation.measures import mean_gradient
from craig_cli.selection import assign
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.settings.training import TrainSettings
from craig_cli.training import Problem, fit, make_problem, optimum

L2 = 1e-5
SOLVERS = ("sgd", "svrg", "saga")
EPOCHS = 20
SCHEDULES = ("exponential", "k-inverse")
FRACTION = 0.1
FRACTIONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
TRIALS = 5
KINDS = {"CRAIG": "local", "default": "any", "random": "random"}
"""The recipe of each subset; CRAIG is the paper's choice: medoids, cluster weights."""


def covtype16_halves(seed: int) -> tuple[Dataset, Dataset]:
    """Return two random halves of covtype16's rows: to train on, and to test on."""
    dataset = covtype16()
    assert dataset.labels is not None
    order = np.random.default_rng(seed).permutation(dataset.n_rows)
    middle = dataset.n_rows // 2
    train, test = (
        Dataset(dataset.rows[part], dataset.labels[part], file_starts=np.array([0, len(part)]))
        for part in (np.sort(order[:middle]), np.sort(order[middle:]))
    )
    return train, test


def ijcnn1_files(seed: int = 0) -> tuple[Dataset, Dataset]:
    """Return ijcnn1's own training and test rows, laid out densely, whatever the seed."""
    train, test = (
        Dataset(dense(data), data.labels, file_starts=np.array([0, data.n_rows]))
        for data in (data_file("ijcnn1.trn.bz2"), data_file("ijcnn1.tst.bz2"))
    )
    return train, test


SPLITS: dict[str, Callable[[int], tuple[Dataset, Dataset]]] = {
    "covtype16": covtype16_halves,
    "ijcnn1": ijcnn1_files,
}
"""Training and test rows of a trial."""


def problem_of(dataset: Dataset, intercept: bool = True) -> Problem:
    """Return the logistic problem of all rows of a data set."""
    assert dataset.labels is not None
    return make_problem(dataset.rows, dataset.labels, "logistic", intercept=intercept)


def tuned_run(
    whole: Problem, part: Problem, test: Problem | None, settings: TrainSettings, best: float
) -> dict[str, Any]:
    """Return the curve of a solver on a subset, after a search of schedules, first steps and decays
    as the paper's, its time counted beside. The curve has the shortest times of some equal runs.
    """
    schedules = SCHEDULES if settings.solver == "sgd" else ("constant",)
    searched = [
        fit(part, replace(settings, schedule=schedule, tune=True)) for schedule in schedules
    ]
    chosen = min(searched, key=lambda found: found.objective)
    again = replace(chosen.settings, tune=False)
    curve: list[list[float]] = []

    def watch(epoch: int, passes: float, seconds: float, coef: Any, intercept: Any) -> None:
        residual = whole.objective(coef, intercept, L2) - best
        curve.append([seconds, residual, np.nan if test is None else test.errors(coef, intercept)])

    fit(part, again, watch=watch)
    for _ in range(REPEATS - 1):
        for point, look in zip(fit(part, again).trace, curve, strict=True):
            look[0] = min(look[0], point.seconds)
    return {
        "schedule": chosen.settings.schedule,
        "step": chosen.settings.step,
        "decay": chosen.settings.decay,
        "tried": sum(len(found.tried) for found in searched),
        "tuning_seconds": sum(found.seconds for found in searched),
        "curve": curve,
    }


def solver_settings(solver: str, seed: int) -> TrainSettings:
    """Return how a solver is run, but for what is searched."""
    return TrainSettings(
        solver=solver, l2=L2, epochs=EPOCHS, tolerance=0, order="shuffled", seed=seed
    )


def figure_1(name: str, trials: int = TRIALS) -> dict[str, Any]:
    """Return the curves of three solvers on all rows and on tenths of them: loss residual on all
    rows, test error, by seconds.
    """
    found = []
    for seed in range(trials):
        train, test = SPLITS[name](seed)
        found.append(figure_1_trial(name, train, test, seed))
    return {
        "rows": train.n_rows,
        "test_rows": test.n_rows,
        "columns": train.n_columns,
        "trials": found,
    }


def figure_1_trial(name: str, train: Dataset, test: Dataset, seed: int) -> dict[str, Any]:
    """Return one trial of figure 1."""
    whole, held = problem_of(train), problem_of(test)
    best = optimum(whole, L2)
    subsets = {kind: timed_subset(name, train, kind, FRACTION, seed) for kind in KINDS}
    parts = {ALL: whole} | {
        kind: whole.subset(subset.index, subset.weight) for kind, subset in subsets.items()
    }
    runs: dict[str, Any] = {}
    for solver in SOLVERS:
        warm_up(whole, solver)
        settings = solver_settings(solver, seed)
        runs[solver] = {
            kind: tuned_run(whole, part, held, settings, best.objective)
            for kind, part in parts.items()
        }
    ends = {kind: optimum(parts[kind], L2) for kind in KINDS}
    return {
        "picks": len(subsets["CRAIG"].index),
        "method": subsets["CRAIG"].method,
        "is_calibrated": subsets["default"].is_calibrated,
        "optimum": best.objective,
        "optimum_error": held.errors(best.coef, best.intercept),
        "selection_seconds": {kind: subset.seconds for kind, subset in subsets.items()},
        "subset_optima": {
            kind: whole.objective(end.coef, end.intercept, L2) - best.objective
            for kind, end in ends.items()
        },
        "runs": runs,
    }


def timed_subset(name: str, dataset: Dataset, kind: str, fraction: float, seed: int) -> Subset:
    """Return a subset, and what it takes when every kernel that it needs is loaded."""
    drawn(dataset, name, RECIPES[KINDS[kind]], fraction, seed)
    return make_subset(dataset, name, KINDS[kind], fraction, seed)


def warm_up(whole: Problem, solver: str) -> None:
    """Load the kernels of a solver."""
    few = whole.subset(np.arange(min(1000, whole.n_rows)))
    fit(few, TrainSettings(solver=solver, l2=L2, epochs=1))


def figure_2(name: str) -> dict[str, Any]:
    """Return the gradient error of CRAIG's rows and of random ones along training, beside the
    certified bound, over the largest full gradient.
    """
    dataset, _ = SPLITS[name](0)
    whole = problem_of(dataset)
    models: list[Any] = []
    fit(
        whole,
        TrainSettings(solver="sgd", l2=L2, epochs=10, tolerance=0),
        watch=lambda epoch, passes, seconds, coef, intercept: models.append(
            np.column_stack([coef, intercept])
        ),
    )
    full = [mean_gradient(whole, model) for model in models]
    largest = max(float(np.linalg.norm(gradient)) for gradient in full)

    def errors(kind: str, fraction: float, seed: int) -> list[float]:
        coreset = drawn(dataset, name, RECIPES[KINDS[kind]], fraction, seed)
        part = whole.subset(coreset.index, coreset.weight)
        return [
            float(np.linalg.norm(mean_gradient(part, model) - gradient)) / largest
            for model, gradient in zip(models, full, strict=True)
        ]

    shares = {}
    for fraction in (0.1, 0.3):
        coreset = drawn(dataset, name, RECIPES[KINDS["CRAIG"]], fraction, 0)
        picks = assign(dataset, SelectionSettings(Budget(fraction=fraction)), coreset.index)
        norms = [float(np.linalg.norm(model)) for model in models]
        bounds = [
            gradient_bound(whole, coreset.index, coreset.weight, picks, norm) for norm in norms
        ]
        shares[str(fraction)] = {
            "craig": errors("CRAIG", fraction, 0),
            "random": np.mean(
                [errors("random", fraction, seed) for seed in range(10)], axis=0
            ).tolist(),
            "bound": [bound.mean / largest for bound in bounds],
        }
    return {"rows": dataset.n_rows, "largest": largest, "shares": shares}


def figure_3(name: str = "ijcnn1") -> dict[str, Any]:
    """Return, for each share of the rows, how much sooner SGD on a subset comes to the residual it
    can reach than SGD on all rows.
    """
    dataset, _ = SPLITS[name](0)
    whole = problem_of(dataset)
    best = optimum(whole, L2).objective
    settings = solver_settings("sgd", 0)
    warm_up(whole, "sgd")
    full = tuned_run(whole, whole, None, settings, best)
    rows = []
    for fraction in FRACTIONS:
        row: dict[str, Any] = {"fraction": fraction}
        for kind in ("CRAIG", "random"):
            subset = timed_subset(name, dataset, kind, fraction, 0)
            part = whole.subset(subset.index, subset.weight)
            run = tuned_run(whole, part, None, settings, best)
            target = near(run["curve"])
            row[kind] = {
                "residual": target,
                "seconds": reached(run["curve"], target),
                "full_seconds": reached(full["curve"], target),
                "selection_seconds": subset.seconds,
                "tuning_seconds": run["tuning_seconds"],
            }
        rows.append(row)
    return {"rows": dataset.n_rows, "optimum": best, "full": full, "shares": rows}


def theorems(name: str) -> dict[str, Any]:
    """Return the distance to w* along incremental steps on CRAIG's rows, beside the bounds that
    convexity and smoothness give.

    F is the mean of n logistic losses plus mu/2 ||w||^2, without an intercept, w* its optimum; an
    epoch takes one step of size a for each of the k rows, so A = k a is its step for the weighted
    mean. With e the certified gradient error on the ball that holds the iterates, G the sum of the
    longest moves of the components over k, beta the smoothness of the parts, one epoch gives

        convex (theorem 1):   D'^2 <= (1 - A mu) D^2 + 2 A e D + A^2 G^2
        smooth (theorem 2):   D'   <= (1 - A mu) D + A e + A^2 beta G,   for A <= 2 / (mu + beta)

    which is iterated from the distance at the start.
    """
    mu = 1.0
    dataset, _ = SPLITS[name](0)
    whole = problem_of(dataset, intercept=False)
    best = optimum(whole, mu)
    coreset = drawn(dataset, name, RECIPES[KINDS["CRAIG"]], FRACTION, 0)
    part = whole.subset(coreset.index, coreset.weight)
    picks = assign(dataset, SelectionSettings(Budget(fraction=FRACTION)), coreset.index)
    lengths = np.sqrt(part.squares()[0])
    shares = part.weights / part.weights.sum()
    smooth = 0.25 * max(float(shares @ lengths**2), float(whole.shares @ whole.squares()[0])) + mu
    largest, reach = 1 / (mu + smooth), float(shares @ lengths)
    radius = (2 * float(np.linalg.norm(best.coef)) + largest * reach) / (
        1 - largest * mu
    )  # holds 2 ||w*||, and what an epoch adds to it
    error = gradient_bound(whole, coreset.index, coreset.weight, picks, radius).mean
    moves = reach + mu * radius
    runs = {}
    for tau in (0.0, 0.5, 1.0):
        first = largest / 2 if tau == 0 else largest
        distances, longest = incremental_run(part, best.coef, mu, first, tau)
        steps = [first / (epoch + 1) ** tau for epoch in range(len(distances) - 1)]
        runs[str(tau)] = {
            "distances": distances,
            "stays_in_ball": longest + first * moves <= radius,  # within an epoch too
            **iterated_bounds(distances[0], steps, mu, error, moves, smooth),
        }
    return {
        "rows": dataset.n_rows,
        "picks": len(coreset.index),
        "mu": mu,
        "radius": radius,
        "error": error,
        "runs": runs,
    }


def incremental_run(
    part: Problem, target: Any, mu: float, first: float, tau: float
) -> tuple[list[float], float]:
    """Return the distance to a target before and after each epoch of steps in greedy order, and the
    largest norm met.
    """
    distances: list[float] = []
    norms: list[float] = []

    def watch(epoch: int, passes: float, seconds: float, coef: Any, intercept: Any) -> None:
        distances.append(float(np.linalg.norm(coef - target)))
        norms.append(float(np.linalg.norm(coef)))

    settings = TrainSettings(
        solver="sgd",
        l2=mu,
        epochs=100,
        tolerance=0,
        schedule="power",
        decay=tau,
        step=first / part.n_rows,
        order="greedy",
    )
    fit(part, settings, watch=watch)
    return distances, max(norms)


def iterated_bounds(
    start: float, steps: list[float], mu: float, error: float, moves: float, smooth: float
) -> dict[str, list[float]]:
    """Return both bounds on the distance, iterated over the steps A of the epochs from a start."""
    convex, along = [start], [start]
    for step in steps:
        square = (1 - step * mu) * convex[-1] ** 2 + 2 * step * error * convex[-1]
        convex.append(float(np.sqrt(max(square + (step * moves) ** 2, 0.0))))
        along.append((1 - step * mu) * along[-1] + step * error + step**2 * smooth * moves)
    return {"convex": convex, "smooth": along}


def build_folder() -> Path:
    """Return where numbers are kept between the parts of a run."""
    folder = BUILT.parent / "paper"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
