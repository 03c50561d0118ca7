"""How much sooner a subset comes to a residual than all rows, from the curves of `paper.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

ALL = "all rows"
NEAR = 1.05
"""Subsets are timed to this many times the residual that they come to."""

Curve = Sequence[Sequence[float]]
"""A point an epoch: seconds, residual, and what else was looked at."""


def near(curve: Curve) -> float:
    """Return `NEAR` times the least residual of a curve."""
    return NEAR * min(point[1] for point in curve)


def reached(curve: Curve, target: float) -> float | None:
    """Return the seconds at which a curve first came down to a residual, on the straight line
    between two epochs; None if it never did.
    """
    if curve[0][1] <= target:
        return float(curve[0][0])
    for before, after in pairwise(curve):
        if after[1] <= target:
            share = (before[1] - target) / (before[1] - after[1])
            return float(before[0] + share * (after[0] - before[0]))
    return None


@dataclass(frozen=True)
class Speedup:
    """Seconds to one residual on all rows (infinite: never) and on a subset; those of the selection
    and of both searches of settings.
    """

    full: float
    own: float
    selection: float = 0.0
    full_tuning: float = 0.0
    tuning: float = 0.0

    def ratio(self, selection: bool = False, tuning: bool = False) -> float:
        """Return the speed-up, with the selection counted or not, and with the tuning or not."""
        own = self.own + selection * self.selection + tuning * self.tuning
        return (self.full + tuning * self.full_tuning) / own if own > 0 else np.nan


COUNTED = ((False, False), (True, False), (False, True), (True, True))
"""Whether the selection counts, and whether the tuning does."""


def speedup(trial: dict[str, Any], solver: str, subset: str) -> Speedup:
    """Return the speed-up of a subset of figure 1 to (nearly) the residual that it comes to."""
    full, run = trial["runs"][solver][ALL], trial["runs"][solver][subset]
    target = near(run["curve"])
    theirs, own = reached(full["curve"], target), reached(run["curve"], target)
    assert own is not None
    return Speedup(
        np.inf if theirs is None else theirs,
        own,
        trial["selection_seconds"][subset],
        full["tuning_seconds"],
        run["tuning_seconds"],
    )


def ratios(trials: Sequence[dict[str, Any]], solver: str, subset: str) -> list[float]:
    """Return the median speed-up of all trials, a number for each of `COUNTED`."""
    found = [speedup(trial, solver, subset) for trial in trials]
    return [float(np.median([one.ratio(*counted) for one in found])) for counted in COUNTED]


def share_ratio(row: dict[str, Any], name: str, selection: bool = False) -> float:
    """Return the speed-up of a share of figure 3; NaN where all rows never came there."""
    own, full = row[name]["seconds"], row[name]["full_seconds"]
    if own is None or full is None:
        return float("nan")
    return Speedup(full, own, row[name]["selection_seconds"]).ratio(selection)


@dataclass(frozen=True)
class Halves:
    """Figure 4 in numbers: means of the trials at the end of training, and what all rows need to
    come to the accuracy at which CRAIG's half ends.
    """

    n_trials: int
    accuracy: dict[str, float]
    """Per cent, by the rows trained on; so are the others."""
    spread: dict[str, float]
    loss: dict[str, float]
    passes: dict[str, float]
    steps: dict[str, float]
    """Seconds."""
    selection: dict[str, float]
    wins: int
    """Trials in which CRAIG's half ends above the random half."""
    full_seconds: float
    """Of all rows to the accuracy of CRAIG's half; infinite where they never come there."""
    full_passes: float
    full_accuracy_then: float
    """Of all rows after as many passes as CRAIG's half took."""

    def ratio(self, selection: bool) -> float:
        """Return the speed-up to the accuracy at which CRAIG's half ends."""
        return self.full_seconds / (self.steps["CRAIG"] + selection * self.selection["CRAIG"])

    @property
    def ratio_of_passes(self) -> float:
        return self.full_passes / self.passes["CRAIG"]


PASSES, STEPS, SELECTION, LOSS, ACCURACY = range(5)
"""What is noted after an epoch of figure 4."""


def halves(runs: dict[str, Any]) -> Halves:
    """Return the numbers of figure 4, of curves (trial, epoch, what) by the rows trained on."""
    points = {kind: np.array(trials) for kind, trials in runs.items()}
    ends = {kind: found[:, -1] for kind, found in points.items()}

    def mean(what: int, scale: float = 1.0) -> dict[str, float]:
        return {kind: scale * float(end[:, what].mean()) for kind, end in ends.items()}

    full = points[ALL].mean(axis=0)
    there = np.flatnonzero(full[:, ACCURACY] >= ends["CRAIG"][:, ACCURACY].mean())
    first = full[there[0]] if len(there) else np.full(full.shape[1], np.inf)
    own_passes = mean(PASSES)["CRAIG"]
    return Halves(
        n_trials=len(points[ALL]),
        accuracy=mean(ACCURACY, 100),
        spread={kind: 100 * float(end[:, ACCURACY].std()) for kind, end in ends.items()},
        loss=mean(LOSS),
        passes=mean(PASSES),
        steps=mean(STEPS),
        selection=mean(SELECTION),
        wins=int(np.count_nonzero(ends["CRAIG"][:, ACCURACY] > ends["random"][:, ACCURACY])),
        full_seconds=float(first[STEPS]),
        full_passes=float(first[PASSES]),
        full_accuracy_then=100 * float(np.interp(own_passes, full[:, PASSES], full[:, ACCURACY])),
    )
