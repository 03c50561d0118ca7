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
from subsets import data_set, make_subset, problem_of, task_of

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
SIDES = (
    ("paper", 0.1),
    ("clusters, calibrated", 0.1),
    ("sampled clusters, calibrated", 0.1),
    ("random, calibrated", 0.1),
    ("random", 0.1),
    ("random, calibrated", 0.01),
    ("paper", 0.3),
    ("clusters, calibrated", 0.3),
)
LEVELS = (1e-2, 1e-3, 1e-4, 1e-5)
"""Residuals that the time is told to."""
SLACK = 1.1
"""Quality is equal to that of a subset's grid at so many times the residual where it ends."""
CLAIMS = {
    ("flights", "sgd"): 2.75,
    ("flights", "svrg"): 4.5,
    ("flights", "saga"): 2.5,
    ("ijcnn1", "sgd"): 5.6,
    ("ijcnn1", "svrg"): 5.6,
    ("ijcnn1", "saga"): 5.6,
}
"""Speed-ups of the paper's section 5.1; it has covtype where we have flights."""


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
        subset = make_subset(dataset, task_of(data), name, fraction)
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


def run_cells(full: Record, side: Record) -> list[str]:
    """Return what one run takes to each level: the speed-up, and that with the selection; and when
    the selection has paid at the last level.
    """
    cells, pays = [], "-"
    for level in LEVELS:
        theirs, ours = first_below(full["curve"], level), first_below(side["curve"], level)
        if ours is None or theirs is None:
            cells.append("-" if ours is None else "only it")
            continue
        saved = theirs["run"] - ours["run"]
        cells.append(
            f"{number(theirs['run'] / ours['run'])} "
            f"({number(theirs['run'] / (ours['run'] + side['selection']))})"
        )
        pays = f"{math.ceil(side['selection'] / saved):,}" if saved > 0 else "never"
    return [*cells, pays]


def run_table(kept: Kept) -> str:
    """Return the table of single runs."""
    lines = []
    for part, (full, *sides) in kept.items():
        times = [first_below(full["curve"], level) for level in LEVELS]
        lines.append(
            [
                *part.split("-"),
                ALL,
                f"{full['rows']:,}",
                "",
                "",
                *(f"{number(t['run'])} s" if t else "-" for t in times),
                "",
            ]
        )
        for side in sides:
            cost = [number(side["selection"]), number(side["selection"] / side["epoch"])]
            lines.append(
                [
                    *part.split("-"),
                    side["subset"],
                    f"{side['fraction']:.0%}",
                    *cost,
                    *run_cells(full, side),
                ]
            )
    levels = " | ".join(f"to {level:g}" for level in LEVELS)
    return table(
        f"data | solver | subset | rows | selection s | in epochs of SGD | {levels} | "
        f"pays after runs",
        lines,
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
            met = (
                "-"
                if side["subset"] == "random"
                else "yes"
                if g.at_equal_quality >= claim
                else "no"
            )
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
    return f"""\
Logistic loss, l2 = {L2:g}, all rows of flights and of ijcnn1; `craig`'s compiled solvers on both sides, one core, the same grid on both:
first steps {steps} times the solver's usual one on all rows, and schedules {schedules}; {n_settings} runs of {EPOCHS} epochs.
Chosen is the run with the lowest loss on the rows it was trained on. Times are those of the solvers; what it takes to look at the loss is
in neither. The selection is timed alone (calibration, by the defaults of `craig select`, included, reading not).

**One run** of the setting that its grid chooses, to a residual f - f* on all rows: seconds on all rows; then for each subset how many times
quicker it is, and in brackets the same with the selection ("-": it does not get there). "Pays after": runs to the last level reached.

{run_table(kept)}
**A whole grid**, the selection included once. *Equal epochs*: both grids run all {EPOCHS} epochs, of their own rows, and end at the residuals shown.
*Equal quality*: each grid is as short as it may be to come within {SLACK:g} times the least residual of the subset's grid; a user who is
content with that needs no more epochs on all rows either. *Selection left out*: what the speed-up grows to with the size of the grid.
The paper's figures are from covtype (here: flights) and ijcnn1.

{grid_table(kept)}"""
