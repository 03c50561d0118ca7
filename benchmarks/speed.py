"""A section of EVIDENCE.md: what a subset saves in one run of a solver and in a tuning grid,
selection included; craig's solvers on both sides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from bench import number, table
from evidence import Kept, Record, say
from subsets import data_set, make_subset, problem_of

from craig_cli.errors import UsageError
from craig_cli.evaluation import sgd_epoch_seconds
from craig_cli.settings.training import TrainSettings
from craig_cli.training import Problem, fit, optimum
from craig_cli.training.problem import Array

L2 = 1e-5
EPOCHS = 15
STEP_FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Of the solver's usual first step on all rows."""
SCHEDULES = (
    ("constant", 0.0),
    ("exponential", 0.5),
    ("exponential", 0.7),
    ("exponential", 0.9),
    ("k-inverse", 0.2),
    ("k-inverse", 1.0),
)
ALL = "all rows"
RANDOM = "random"
PAPERS = ("local", 0.1)
SIDES = (PAPERS, (RANDOM, 0.1), ("any", 0.1), ("any", 0.01))
LEVELS = (1e-2, 1e-3, 1e-4, 1e-5)
"""Residuals that the time is told to."""
SLACK = 1.1
"""Quality is equal to that of a subset's grid at so many times the residual where it ends."""
CLAIMS = {
    ("covtype16", "sgd"): 2.75,
    ("covtype16", "svrg"): 4.5,
    ("covtype16", "saga"): 2.5,
    ("flights", "sgd"): 2.75,
    ("flights", "svrg"): 4.5,
    ("flights", "saga"): 2.5,
    ("ijcnn1", "sgd"): 5.6,
    ("ijcnn1", "svrg"): 5.6,
    ("ijcnn1", "saga"): 5.6,
}
"""Speed-ups of the paper's section 5.1; it has all of covtype where we have a part, or flights, and
5.6 times is SGD on 30 % of ijcnn1 (figure 3), taken for the other solvers too.
"""


@dataclass(frozen=True)
class Look:
    """A model after an epoch: its seconds of the solver, its loss on the rows it was trained on,
    coefficients and intercept.
    """

    seconds: float
    loss: float
    coef: Array
    intercept: Array


def settings_of(solver: str, usual_step: float) -> Iterator[TrainSettings]:
    """Yield every setting of the grid."""
    for factor in STEP_FACTORS:
        for schedule, decay in SCHEDULES:
            yield TrainSettings(
                solver=solver,
                l2=L2,
                epochs=EPOCHS,
                tolerance=0.0,
                step=factor * usual_step,
                schedule=schedule,
                decay=decay,
            )


def looks_of(problem: Problem, settings: TrainSettings) -> list[Look]:
    """Return a model an epoch, the last repeated where the run diverged, with infinite loss."""
    seen: list[tuple[float, Array, Array]] = []

    def watch(epoch: int, passes: float, seconds: float, coef: Array, intercept: Array) -> None:
        seen.append((seconds, coef.copy(), intercept.copy()))

    with np.errstate(all="ignore"):
        try:
            losses = [point.objective for point in fit(problem, settings, watch=watch).trace]
        except UsageError:  # diverged
            losses = [math.inf] * len(seen)
    looks = [
        Look(seconds, loss, coef, intercept)
        for (seconds, coef, intercept), loss in zip(seen, losses, strict=True)
    ]
    return looks + [replace(looks[-1], loss=looks[-1].loss)] * (EPOCHS + 1 - len(looks))


def curve_of(
    part: Problem, whole: Problem, best: float, solver: str, usual_step: float
) -> list[Record]:
    """Return, for a grid that ends after each number of epochs: its seconds, those of the chosen
    run alone, and that run's residual on all rows.

    Chosen is the lowest loss on the rows trained on, as a user can see it.
    """
    grid = [looks_of(part, settings) for settings in settings_of(solver, usual_step)]
    curve = []
    for epoch in range(1, EPOCHS + 1):
        chosen = min((looks[epoch] for looks in grid), key=lambda look: look.loss)
        residual = max(whole.objective(chosen.coef, chosen.intercept, L2) - best, 0.0)
        curve.append(
            {
                "grid": sum(looks[epoch].seconds for looks in grid),
                "run": chosen.seconds,
                "residual": residual,
            }
        )
    return curve


def measure(part: str, max_rows: int) -> list[Record]:
    """Return the grid on all rows and on each subset, for one data set and solver."""
    data, solver = part.split("-")
    dataset = data_set(data, max_rows)
    whole = problem_of(data, dataset)
    best = optimum(whole, L2).objective
    usual = TrainSettings(solver=solver, l2=L2, epochs=1)
    fit(whole.subset(np.arange(min(1000, whole.n_rows))), usual)
    step = fit(whole, usual).settings.step or 1.0
    epoch = sgd_epoch_seconds(whole)
    records = [
        {
            "subset": ALL,
            "rows": whole.n_rows,
            "epoch": epoch,
            "curve": curve_of(whole, whole, best, solver, step),
        }
    ]
    for name, fraction in SIDES:
        subset = make_subset(dataset, data, name, fraction)
        part_problem = whole.subset(subset.index, subset.weight)
        facts = {
            "subset": name,
            "fraction": fraction,
            "rows": len(subset.index),
            "selection": subset.seconds,
            "epoch": epoch,
        }
        records.append({**facts, "curve": curve_of(part_problem, whole, best, solver, step)})
        say(f"{part}: {name} {fraction:.0%}")
    return records


def first_below(curve: Sequence[Record], level: float) -> Record | None:
    """Return the first point of a curve whose residual is not above a level."""
    return next((point for point in curve if point["residual"] <= level), None)


@dataclass(frozen=True)
class Grid:
    """A subset's grid against that of all rows: speed-ups at equal epochs and at equal quality,
    selection included and not.
    """

    full_seconds: float
    seconds: float
    full_residual: float
    residual: float
    equal_seconds: float
    """Of the shortest grid on all rows that comes as near to the optimum as the subset's; NaN where
    none does.
    """
    own_seconds: float
    """Of the shortest grid on the subset that comes there."""
    selection: float

    @property
    def at_equal_epochs(self) -> float:
        return self.full_seconds / self.seconds

    @property
    def at_equal_quality(self) -> float:
        return self.equal_seconds / self.own_seconds

    @property
    def without_selection(self) -> float:
        """At equal quality: what ever larger grids come to."""
        return self.equal_seconds / (self.own_seconds - self.selection)


def grid_of(full: Record, side: Record) -> Grid:
    """Return how the grids compare."""
    end, level = side["curve"][-1], SLACK * min(point["residual"] for point in side["curve"])
    theirs, ours = first_below(full["curve"], level), first_below(side["curve"], level)
    assert ours is not None
    last = full["curve"][-1]
    equal = math.nan if theirs is None else theirs["grid"]
    selection = side["selection"]
    return Grid(
        last["grid"],
        end["grid"] + selection,
        last["residual"],
        end["residual"],
        equal,
        ours["grid"] + selection,
        selection,
    )


def grid_table(kept: Kept) -> str:
    """Return the table of grids."""
    lines = []
    for part, (full, *sides) in kept.items():
        data, solver = part.split("-")
        for side in sides:
            g, claim = grid_of(full, side), CLAIMS[data, solver]
            equal = [
                number(g.equal_seconds),
                number(g.own_seconds),
                times_in_words(g.at_equal_quality),
                times_in_words(g.without_selection),
            ]
            is_met = "yes" if g.at_equal_quality >= claim else "no"
            met = "-" if side["subset"] == RANDOM else is_met
            times = [
                number(g.full_seconds),
                number(g.seconds),
                times_in_words(g.at_equal_epochs),
                f"{g.full_residual:.1e}",
                f"{g.residual:.1e}",
            ]
            lines.append(
                [
                    data,
                    solver,
                    side["subset"],
                    f"{side['fraction']:.0%}",
                    *times,
                    *equal,
                    f"{claim:g}x",
                    met,
                ]
            )
    columns = (
        "data | solver | subset | rows | all rows s | subset s | speed-up, equal epochs | "
        "residual, all rows | residual, subset"
    )
    return table(
        columns + " | equal quality: all rows s | subset s | speed-up | selection left "
        "out | the paper's | reached at equal quality",
        lines,
    )


def times_in_words(value: float) -> str:
    """Return a speed-up; ``-`` where all rows do not come so far."""
    return f"{number(value)}x" if value > 0 else "-"


def text(kept: Kept) -> str:
    """Return the section."""
    n_settings = len(STEP_FACTORS) * len(SCHEDULES)
    steps, schedules = (
        ", ".join(f"{f:g}" for f in STEP_FACTORS),
        ", ".join(f"{name} {decay:g}" for name, decay in SCHEDULES),
    )
    return (
        f"Logistic loss, l2 = {L2:g}; `craig`'s compiled solvers on both sides, one core, the same "
        f"grid on both: first steps {steps} times the solver's usual one on all rows, and schedules "
        f"{schedules}; {n_settings} runs of {EPOCHS} epochs. Chosen is the run with the lowest loss "
        "on the rows it was trained on. Times are those of the solvers, and of one selection "
        "(calibration included, reading not). *Equal epochs*: both grids run all epochs, of their "
        "own rows, and end at the residuals shown. *Equal quality*: each grid is as short as it may "
        f"be to come within {SLACK:g} times the least residual of the subset's grid. *Selection "
        "left out*: what the speed-up grows to with the size of the grid. The paper's figures are "
        f"from covtype (here: flights) and ijcnn1.\n\n{grid_table(kept)}"
    )
