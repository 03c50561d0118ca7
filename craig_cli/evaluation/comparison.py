"""The coreset beside the subsets that it must beat, and beside all rows: who is nearer to the
optimum, and what time it saves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from craig_cli.evaluation.bounds import Bound
from craig_cli.evaluation.measures import Point, Reference, Run, Subset, run

CORESET = "coreset"
SLACK = 1.1
"""The residual that passes and seconds are counted to is so many times the coreset's own, where the
user names none ...
"""
WAY_DOWN = 0.1
"""... but at most so much of that at zero: else there would be nothing to train."""
LEVEL = 1.05
"""Residuals that differ by less than this factor are called level."""
FLOOR = 1e-12
"""Residuals below it are rounding, relative to f*."""
NEAR_OPTIMUM = 1e-6
"""Norm of the gradient over that at zero."""
SMALLEST_TARGET = 1e-6
"""Relative to f*: a calibrated coreset can come nearer than any run on all rows does in the epochs
allowed, and nobody trains so far.
"""


@dataclass(frozen=True)
class Reached:
    """The first noted point of a curve at which the residual is low enough: means over the runs."""

    epochs: float
    passes: float
    seconds: float


@dataclass(frozen=True)
class Result:
    """All runs of one kind of subset.

    Parameters
    ----------
    name : str
    runs : tuple of Run
        One a seed.
    reached : Reached or None
        None if a run did not get to the target.
    speedup : float
        Seconds to the target on all rows over those on the subset; 0 if the subset did not get
        there, infinite if only it did.
    """

    name: str
    runs: tuple[Run, ...]
    reached: Reached | None = None
    speedup: float = 0.0

    @property
    def residual(self) -> float:
        """The mean over the runs."""
        return float(np.mean([r.residual for r in self.runs]))

    @property
    def residual_range(self) -> tuple[float, float]:
        """The lowest and the highest."""
        residuals = [r.residual for r in self.runs]
        return min(residuals), max(residuals)

    @property
    def test_error(self) -> float | None:
        """The mean over the runs; None without test rows."""
        errors = [r.test_error for r in self.runs if r.test_error is not None]
        return float(np.mean(errors)) if errors else None

    @property
    def selection_seconds(self) -> float | None:
        """What it took to select the rows, the mean over the runs; None where that is unknown."""
        seconds = [r.selection_seconds for r in self.runs if r.selection_seconds is not None]
        return float(np.mean(seconds)) if seconds else None

    @property
    def gradient_error(self) -> float | None:
        """The largest within the ball, in the mean over the runs; None for no subset."""
        errors = [r.gradient_error.largest for r in self.runs if r.gradient_error is not None]
        return float(np.mean(errors)) if errors else None

    @property
    def passes(self) -> float | None:
        """Passes over all rows that the model takes, the mean over the runs; None for a subset."""
        passes = [r.passes for r in self.runs if r.passes is not None]
        return float(np.mean(passes)) if passes else None


@dataclass(frozen=True)
class Comparison:
    """All competitors for one loss and one l2.

    Parameters
    ----------
    loss : str
    l2 : float
    optimum : float
        f*.
    is_optimal : bool
        Whether the search came as near to it as `NEAR_OPTIMUM` asks.
    w_norm : float
    residual_at_zero : float
        That of no training at all.
    target : float
        The residual that passes and seconds are counted to.
    bound : Bound or None
        On the coreset's gradient error; None where a class has no pick.
    results : tuple of Result
        All rows, the coreset, then the others.
    pays_after : int or None
        Training runs after which the selection has paid for itself; None for never, or where its
        seconds are unknown.
    """

    loss: str
    l2: float
    optimum: float
    is_optimal: bool
    w_norm: float
    residual_at_zero: float
    target: float
    bound: Bound | None
    results: tuple[Result, ...]
    pays_after: int | None

    def has(self, name: str) -> bool:
        """Return whether there is a result of this name."""
        return any(r.name == name for r in self.results)

    def result(self, name: str) -> Result:
        """Return the result of one kind of subset."""
        return next(r for r in self.results if r.name == name)

    @property
    def coreset(self) -> Result:
        return self.result(CORESET)

    def ratio_to(self, name: str) -> float:
        """Return the coreset's residual over that of others; 1 where both are nothing but rounding,
        infinite where only the others' is.
        """
        floor = FLOOR * max(abs(self.optimum), FLOOR)
        mine, theirs = self.coreset.residual, self.result(name).residual
        if theirs <= floor:
            return 1.0 if mine <= floor else math.inf
        return mine / theirs

    def standing(self, name: str) -> str:
        """Return how the coreset does against others: loses, level or beats."""
        ratio = self.ratio_to(name)
        return "loses" if ratio > LEVEL else "level" if ratio >= 1 / LEVEL else "beats"


def compare(
    reference: Reference,
    subsets: Mapping[str, Sequence[Subset]],
    bound: Bound | None = None,
    target: float | None = None,
    selection_seconds: float | None = None,
    others: Sequence[Result] = (),
) -> Comparison:
    """Return the comparison of subsets by name, ``coreset`` among them, with all rows.

    Parameters
    ----------
    reference : Reference
    subsets : mapping of str to sequence of Subset
    bound : Bound, optional
    target : float, optional
        Default: `SLACK` times the coreset's residual, at most `WAY_DOWN` of that at zero, and at
        least `SMALLEST_TARGET` of f*.
    selection_seconds : float, optional
    others : sequence of Result
        Of models that are not those of subsets.
    """
    every = [Result("all rows", (run(reference, None),))]
    every += [
        Result(name, tuple(run(reference, subset) for subset in some))
        for name, some in subsets.items()
    ]
    every += others
    at_zero = reference.residual_at_zero()
    if target is None:
        own = next(r for r in every if r.name == CORESET).residual
        target = max(
            min(SLACK * own, WAY_DOWN * at_zero), SMALLEST_TARGET * abs(reference.best.objective)
        )
    every = [replace(r, reached=reached([run.curve for run in r.runs], target)) for r in every]
    results = tuple(replace(r, speedup=speedup(every[0].reached, r.reached)) for r in every)
    comparison = Comparison(
        loss=reference.whole.loss.name,
        l2=reference.settings.l2,
        optimum=reference.best.objective,
        is_optimal=reference.best.trace[-1].gradient_norm <= NEAR_OPTIMUM,
        w_norm=reference.w_norm,
        residual_at_zero=at_zero,
        target=target,
        bound=bound,
        results=results,
        pays_after=None,
    )
    return replace(
        comparison,
        pays_after=pays_after(selection_seconds, every[0].reached, comparison.coreset.reached),
    )


def reached(curves: Sequence[Sequence[Point]], target: float) -> Reached | None:
    """Return where curves first come down to `target`, in the mean; None if one does not."""
    firsts = [
        next((point for point in curve if point.residual <= target), None) for curve in curves
    ]
    found = [point for point in firsts if point is not None]
    if len(found) < len(firsts):
        return None
    return Reached(
        *(
            float(np.mean([getattr(point, name) for point in found]))
            for name in ("epoch", "passes", "seconds")
        )
    )


def speedup(full: Reached | None, part: Reached | None) -> float:
    """Return the seconds on all rows over those on a subset."""
    if part is None:
        return 0.0
    if full is None:
        return math.inf
    return full.seconds / part.seconds if part.seconds > 0 else 1.0


def pays_after(
    selection_seconds: float | None, full: Reached | None, part: Reached | None
) -> int | None:
    """Return the fewest runs N for which selection and N runs on the subset take no longer than N
    runs on all rows; None for never, or unknown.
    """
    if selection_seconds is None or part is None:
        return None
    if full is None:
        return 1
    saved = full.seconds - part.seconds
    return max(1, math.ceil(selection_seconds / saved)) if saved > 0 else None
