"""The paper's experiments with logistic regression, as numbers: figures 1 to 3, and what theorems 1
and 2 say along the iterations.

Every function returns what `paper.py` keeps as JSON. Time is that of this machine, of the solver
alone unless said otherwise; the objective is looked at outside it.
"""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from competitors import dense
from datasets import BUILT, DATA, REAL, flights

from craig_cli.dataset import Dataset
from craig_cli.evaluation import gradient_bound
from craig_cli.evaluation.measures import mean_gradient
from craig_cli.readers import read_dataset
from craig_cli.selection import Coreset, assign, select
from craig_cli.settings import Budget, InputSettings, SelectionSettings
from craig_cli.settings.training import TrainSettings
from craig_cli.training import Problem, fit, make_problem, optimum

L2 = 1e-5
SOLVERS = ("sgd", "svrg", "saga")
EPOCHS = {"sgd": 20, "svrg": 20, "saga": 20}
SCHEDULES = ("exponential", "k-inverse")
FRACTION = 0.1
FRACTIONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
NEAR = 1.05
"""Subsets are timed to this many times the residual that they come to."""


def covtype() -> Dataset | None:
    """Return the paper's covtype, if the user has put LIBSVM's file into the data folder; None
    else.
    """
    path = next((p for p in sorted(DATA.glob("covtype.libsvm.binary*"))), None)
    return None if path is None else read_dataset(InputSettings((str(path),)))


def halves(dataset: Dataset) -> tuple[Dataset, Dataset]:
    """Return two random halves of the rows: to train on, and to test on."""
    order = np.random.default_rng(0).permutation(dataset.n_rows)
    parts = np.sort(order[: dataset.n_rows // 2]), np.sort(order[dataset.n_rows // 2 :])
    assert dataset.labels is not None
    rows = dense(dataset)  # covtype's file is LIBSVM text, which is read as sparse
    return tuple(Dataset(rows[part], dataset.labels[part]) for part in parts)  # type: ignore[return-value]


def problem_of(dataset: Dataset, intercept: bool = True) -> Problem:
    """Return the logistic problem of all rows of a data set."""
    assert dataset.labels is not None
    return make_problem(dataset.rows, dataset.labels, "logistic", intercept=intercept)


def paper_coreset(dataset: Dataset, fraction: float, method: str = "auto") -> tuple[Coreset, float]:
    """Return the paper's coreset (medoids, cluster weights), and the seconds of the selection;
    kernels are at hand.
    """
    settings = SelectionSettings(Budget(fraction=fraction), method=method)
    warm = Dataset(
        dataset.rows[:2000], dataset.labels[:2000] if dataset.labels is not None else None
    )  # type: ignore[index]
    select(warm, settings)
    begun = time.perf_counter()
    coreset = select(dataset, settings)
    return coreset, time.perf_counter() - begun


def random_rows(dataset: Dataset, fraction: float, seed: int) -> tuple[Coreset, float]:
    """Return as many uniform rows of each class."""
    begun = time.perf_counter()
    index = select(
        dataset, SelectionSettings(Budget(fraction=fraction), method="random", seed=seed)
    )
    return index, time.perf_counter() - begun


def tuned_run(
    whole: Problem, part: Problem, test: Problem | None, solver: str, best: float
) -> dict[str, Any]:
    """Return the curve of a solver on a subset, after a search of schedules, first steps and decays
    as the paper's, its time counted beside.
    """
    settings = TrainSettings(
        solver=solver, l2=L2, epochs=EPOCHS[solver], tolerance=0, order="shuffled", tune=True
    )
    schedules = SCHEDULES if solver == "sgd" else ("constant",)
    searched = [fit(part, replace(settings, schedule=schedule)) for schedule in schedules]
    chosen = min(searched, key=lambda found: found.objective)
    curve: list[list[float]] = []

    def watch(epoch: int, passes: float, seconds: float, coef: Any, intercept: Any) -> None:
        residual = whole.objective(coef, intercept, L2) - best
        curve.append([seconds, residual, np.nan if test is None else test.errors(coef, intercept)])

    fit(part, replace(chosen.settings, tune=False), watch=watch)
    return {
        "schedule": chosen.settings.schedule,
        "step": chosen.settings.step,
        "decay": chosen.settings.decay,
        "tried": sum(len(found.tried) for found in searched),
        "tuning_seconds": sum(found.seconds for found in searched),
        "curve": curve,
    }


def figure_1(dataset: Dataset) -> dict[str, Any]:
    """Return the curves of three solvers on all rows, CRAIG's tenth and a random tenth: loss
    residual on all rows, test error, by seconds.
    """
    train, test = halves(dataset)
    whole, held = problem_of(train), problem_of(test)
    best = optimum(whole, L2)
    coreset, selecting = paper_coreset(train, FRACTION)
    drawn, _ = random_rows(train, FRACTION, 0)
    fit(whole.subset(np.arange(1000)), TrainSettings(solver="sgd", l2=L2, epochs=1))
    subsets = {
        "all rows": whole,
        "CRAIG": whole.subset(coreset.index, coreset.weight),
        "random": whole.subset(drawn.index, drawn.weight),
    }
    runs: dict[str, Any] = {}
    for solver in SOLVERS:
        fit(whole.subset(np.arange(1000)), TrainSettings(solver=solver, l2=L2, epochs=1))
        runs[solver] = {
            name: tuned_run(whole, part, held, solver, best.objective)
            for name, part in subsets.items()
        }
    return {
        "rows": train.n_rows,
        "columns": train.n_columns,
        "picks": len(coreset.index),
        "method": coreset.method,
        "optimum": best.objective,
        "optimum_error": held.errors(best.coef, best.intercept),
        "selection_seconds": selecting,
        "subset_optima": {
            name: whole.objective(*ends_of(part), L2) - best.objective
            for name, part in subsets.items()
            if name != "all rows"
        },
        "runs": runs,
    }  # fmt: skip


def ends_of(part: Problem) -> tuple[Any, Any]:
    """Return the optimum of a subset."""
    found = optimum(part, L2)
    return found.coef, found.intercept


def figure_2(dataset: Dataset) -> dict[str, Any]:
    """Return the gradient error of CRAIG's rows and of random ones along training, beside the
    certified bound, over the largest full gradient.
    """
    whole = problem_of(dataset)
    models: list[Any] = []
    settings = TrainSettings(solver="sgd", l2=L2, epochs=10, tolerance=0)
    fit(
        whole,
        settings,
        watch=lambda epoch, passes, seconds, coef, intercept: models.append(
            np.column_stack([coef, intercept])
        ),
    )
    full = [mean_gradient(whole, model) for model in models]
    largest = max(float(np.linalg.norm(gradient)) for gradient in full)
    found: dict[str, Any] = {
        "rows": dataset.n_rows,
        "w_norm": [float(np.linalg.norm(model)) for model in models],
        "largest": largest,
        "shares": {},
    }
    for fraction in (0.1, 0.3):
        coreset, _ = paper_coreset(dataset, fraction)
        picks = assign(dataset, SelectionSettings(Budget(fraction=fraction)), coreset.index)

        def errors(index: Any, weights: Any) -> list[float]:
            part = whole.subset(index, weights)
            return [
                float(np.linalg.norm(mean_gradient(part, model) - gradient)) / largest
                for model, gradient in zip(models, full, strict=True)
            ]

        drawn = [random_rows(dataset, fraction, seed)[0] for seed in range(10)]
        bounds = [
            gradient_bound(
                whole, coreset.index, coreset.weight, picks, float(np.linalg.norm(model))
            ).mean
            / largest
            for model in models
        ]
        found["shares"][str(fraction)] = {
            "craig": errors(coreset.index, coreset.weight),
            "random": np.mean([errors(d.index, d.weight) for d in drawn], axis=0).tolist(),
            "bound": bounds,
            "epsilon_mean": coreset.epsilon_mean,
        }
    return found


def figure_3(dataset: Dataset) -> dict[str, Any]:
    """Return, for each share of the rows, how much sooner SGD on a subset comes to the residual it
    can reach than SGD on all rows.
    """
    whole = problem_of(dataset)
    best = optimum(whole, L2).objective
    fit(whole.subset(np.arange(1000)), TrainSettings(solver="sgd", l2=L2, epochs=1))
    full = tuned_run(whole, whole, None, "sgd", best)
    rows = []
    for fraction in FRACTIONS:
        coreset, selecting = paper_coreset(dataset, fraction)
        drawn, _ = random_rows(dataset, fraction, 0)
        row: dict[str, Any] = {
            "fraction": fraction,
            "selection_seconds": selecting,
            "method": coreset.method,
        }
        for name, subset in (("CRAIG", coreset), ("random", drawn)):
            run = tuned_run(whole, whole.subset(subset.index, subset.weight), None, "sgd", best)
            target = NEAR * min(point[1] for point in run["curve"])
            own, theirs = reached(run["curve"], target), reached(full["curve"], target)
            row[name] = {
                "residual": target,
                "seconds": own,
                "full_seconds": theirs,
                "tuning_seconds": run["tuning_seconds"],
            }
        rows.append(row)
    return {"rows": dataset.n_rows, "optimum": best, "full": full, "shares": rows}


def reached(curve: list[list[float]], target: float) -> float | None:
    """Return the seconds at which a curve first came down to a residual, on the straight line
    between two epochs; None if it never did.
    """
    for before, after in pairwise(curve):
        if after[1] <= target:
            share = (before[1] - target) / (before[1] - after[1]) if before[1] > after[1] else 1.0
            return float(before[0] + share * (after[0] - before[0]))
    return None


def theorems(dataset: Dataset) -> dict[str, Any]:
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
    whole = problem_of(dataset, intercept=False)
    best = optimum(whole, mu)
    coreset, _ = paper_coreset(dataset, FRACTION)
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
    found: dict[str, Any] = {
        "rows": dataset.n_rows,
        "picks": len(coreset.index),
        "mu": mu,
        "radius": radius,
        "error": error,
        "runs": {},
    }
    for tau in (0.0, 0.5, 1.0):
        first = largest / 2 if tau == 0 else largest
        distances: list[float] = []
        norms: list[float] = []

        def watch(
            epoch: int,
            passes: float,
            seconds: float,
            coef: Any,
            intercept: Any,
            far: Any = distances,
            long: Any = norms,
        ) -> None:
            far.append(float(np.linalg.norm(coef - best.coef)))
            long.append(float(np.linalg.norm(coef)))

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
        convex, along = [distances[0]], [distances[0]]
        for epoch in range(100):
            step = first / (epoch + 1) ** tau
            convex.append(
                float(
                    np.sqrt(
                        max(
                            (1 - step * mu) * convex[-1] ** 2
                            + 2 * step * error * convex[-1]
                            + (step * moves) ** 2,
                            0.0,
                        )
                    )
                )
            )
            along.append((1 - step * mu) * along[-1] + step * error + step**2 * smooth * moves)
        found["runs"][str(tau)] = {
            "distances": distances,
            "convex": convex,
            "smooth": along,
            "stays_in_ball": max(norms) + first * moves <= radius,  # within an epoch too
            "holds": all(
                d <= min(c, s) * (1 + 1e-12)
                for d, c, s in zip(distances, convex, along, strict=True)
            ),
        }
    return found


def sets() -> dict[str, Dataset]:
    """Return the sets of figure 1: flights, and covtype where the user has it."""
    found = {"flights": flights()}
    if (paper_set := covtype()) is not None:
        found["covtype"] = paper_set
    return found


def ijcnn1() -> Dataset:
    """Return ijcnn1 as the paper has it, its rows laid out densely."""
    from competitors import dense

    data = REAL["ijcnn1"]()
    return Dataset(dense(data), data.labels, file_starts=np.array([0, data.n_rows]))


def build_folder() -> Path:
    """Return where numbers are kept between the parts of a run."""
    folder = BUILT.parent / "paper"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
