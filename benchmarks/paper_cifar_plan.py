"""The runs of `paper_cifar`: which there are, how long each is, which fit into a budget, and where
what they came to is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from datasets import ROOT

KEPT = ROOT / "docs" / "paper" / "cifar.json"
N_ROWS = 50_000
N_HELD = 10_000
SHARES = (0.01, 0.1, 0.02, 0.05, 0.2)
FIRST_SHARES = 2
SEEDS = (0, 1)
EVERY = (5, 1)
MOST_EPOCHS = 200
"""Those of the paper."""
LEAST_EPOCHS = 10
POOL = 10_000
POOL_A_PICK = 4
LOOKS = 10
LOOK_ROWS = 2000
LONGEST = (90, 60, 45, 30, 20, 15, 12, 10, 8, 6, 4)
"""Minutes that the longest run of a share may be planned for."""

FIXED, FRESH, ALL = "fixed random", "fresh random", "all rows"
CRAIG, LAYER, RESET = "CRAIG, p - y", "CRAIG, layer", "CRAIG, momentum reset"
TIMED = "fresh random, as long"
"""Fresh random rows for as many epochs as take the seconds of CRAIG by p - y, selection included."""
SELECTING = (CRAIG, LAYER, RESET)


@dataclass(frozen=True)
class Cell:
    """A run: the way to choose rows, their share, the epochs between two selections by gradients (0
    where there are none) and the seed.
    """

    way: str
    share: float
    every: int
    seed: int

    @property
    def picks(self) -> int:
        """How many rows an epoch takes."""
        return round(self.share * N_ROWS)


FIGURE_6 = Cell(CRAIG, 0.01, 1, 0)
"""The run whose chosen images are shown."""


@dataclass(frozen=True)
class Plan:
    """How long runs are.

    Parameters
    ----------
    longest : float
        Minutes that a run with a selection each epoch may take.
    pool : int
        Rows that a selection chooses among, `POOL_A_PICK` a pick at least; drawn anew for each.
    steps, passes : float
        Images a second, forward and backward, and forward alone: measured when the plan was made.
    """

    longest: float
    pool: int
    steps: float
    passes: float

    def pool_of(self, share: float) -> int:
        """Return how many rows a selection chooses among."""
        return min(N_ROWS, max(self.pool, POOL_A_PICK * round(share * N_ROWS)))

    def epochs_of(self, share: float) -> int:
        """Return the epochs of all ways at a share (but `TIMED`)."""
        if share == 1:
            return self.epochs_of(SHARES[1])
        an_epoch = share * N_ROWS / self.steps + self.pool_of(share) / self.passes
        fitting = int(60 * self.longest / an_epoch) // max(EVERY) * max(EVERY)
        return min(MOST_EPOCHS, max(LEAST_EPOCHS, fitting))

    def selections_of(self, cell: Cell) -> int:
        """Return how many selections by gradients a run has."""
        return -(-self.epochs_of(cell.share) // cell.every) if cell.every else 0

    def seconds_of(self, cell: Cell) -> float:
        """Return how long a run will take, its looks at the test images included."""
        steps = self.epochs_of(cell.share) * cell.picks / self.steps
        selection = self.selections_of(cell) * self.pool_of(cell.share) / self.passes
        return steps + selection + (LOOKS * LOOK_ROWS + N_HELD) / self.passes


def all_cells() -> Iterator[Cell]:
    """Yield every run, what is to be known first in front: 1 % and 10 % by every way with one seed
    after the other, then so the other shares, and all rows at the end.
    """
    for shares in (SHARES[:FIRST_SHARES], SHARES[FIRST_SHARES:]):
        for seed, share in product(SEEDS, shares):
            yield Cell(FIXED, share, 0, seed)
            yield Cell(FRESH, share, 0, seed)
            for every, way in product(EVERY, (*SELECTING, TIMED)):
                yield Cell(way, share, every, seed)
    for seed in SEEDS:
        yield Cell(ALL, 1.0, 0, seed)


def planned(minutes: float, steps: float, passes: float, pool: int = POOL) -> Plan:
    """Return the plan of the longest runs with which those of the first seed, all rows aside, fit
    into a budget; that of the shortest runs where they never do. Each other seed takes as long.
    """
    plans = [Plan(longest, pool, steps, passes) for longest in LONGEST]
    first = [cell for cell in all_cells() if cell.seed == SEEDS[0] and cell.way != ALL]
    fitting = (p for p in plans if sum(map(p.seconds_of, first)) <= 60 * minutes)
    return next(fitting, plans[-1])


def that_fit(cells: list[Cell], plan: Plan, minutes: float) -> list[Cell]:
    """Return the runs that a budget has room for, taken in order; a shorter one further back may
    have room where a longer one has not.
    """
    taken, left = [], 60 * minutes
    for cell in cells:
        if plan.seconds_of(cell) <= left:
            taken.append(cell)
            left -= plan.seconds_of(cell)
    return taken


def cell_of(run: dict[str, Any]) -> Cell:
    """Return which run some kept numbers are of."""
    return Cell(run["way"], run["share"], run["every"], run["seed"])


def read_kept(path: Path) -> dict[str, Any]:
    """Return the plan and the runs that are kept; no runs and the plan None where there is no file."""
    return json.loads(path.read_text()) if path.exists() else {"plan": None, "runs": []}


def keep(path: Path, kept: dict[str, Any]) -> None:
    """Write plan and runs, a line each; the file is whole at any time."""
    runs = ",\n".join(json.dumps(run) for run in kept["runs"])
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".partial")
    beside.write_text(f'{{"plan": {json.dumps(kept["plan"])},\n"runs": [\n{runs}\n]}}\n')
    beside.replace(path)


def left_to_do(kept: dict[str, Any]) -> list[Cell]:
    """Return the runs that are not kept, in order."""
    done = {cell_of(run) for run in kept["runs"]}
    return [cell for cell in all_cells() if cell not in done]


def epochs_as_long(cell: Cell, plan: Plan, runs: list[dict[str, Any]]) -> int:
    """Return how many epochs of random rows take as long as CRAIG by p - y of the same share, every
    and seed: by its measured seconds if that run is kept, else by those planned.
    """
    epochs = plan.epochs_of(cell.share)
    like = next(
        (r for r in runs if cell_of(r) == Cell(CRAIG, *list(asdict(cell).values())[1:])), None
    )
    if like is None:
        steps = epochs * cell.picks / plan.steps
        selection = plan.selections_of(cell) * plan.pool_of(cell.share) / plan.passes
    else:
        steps, selection = like["steps_seconds"], like["selection_seconds"]
    return max(epochs, round(epochs * (steps + selection) / steps))


def said(plan: Plan, cells: list[Cell], minutes: float) -> str:
    """Return the budget in words: how long runs are, and which fit."""
    shares = ", ".join(
        f"{share:.0%}: {plan.epochs_of(share)} epochs, {plan.pool_of(share):,} rows to choose among"
        for share in sorted(SHARES)
    )
    total = sum(map(plan.seconds_of, cells)) / 60
    counts = {
        way: sum(cell.way == way for cell in cells) for way in dict.fromkeys(c.way for c in cells)
    }
    listed = ", ".join(f"{count} {way}" for way, count in counts.items()) or "none"
    return (
        f"{plan.steps:.0f} images a second forward and backward, {plan.passes:.0f} forward\n"
        f"{shares}\n"
        f"budget {minutes:g} minutes: {len(cells)} runs in about {total:.0f} ({listed})"
    )
