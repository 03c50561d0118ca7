"""Calibration: weights of the picks such that the optima of all rows are theirs, too."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from craig_cli.calibration.constraints import (
    Constraints,
    GradientConstraints,
    MomentConstraints,
    n_moments,
)
from craig_cli.calibration.directions import leading_directions
from craig_cli.calibration.dual import Solution, calibrated_weights
from craig_cli.calibration.exchange import Equation, Exchange
from craig_cli.calibration.pilots import Pilots, fit_path, make_pilots, sample_of
from craig_cli.calibration.random_rows import random_residuals
from craig_cli.calibration.summary import CalibrationSummary
from craig_cli.dataset import Progress, no_progress
from craig_cli.selection.representatives import Standing
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.threads import Workers, one_blas_thread
from craig_cli.training import Problem
from craig_cli.training.problem import Array

MOST_CONSTRAINTS = 3000
"""The dual takes q^3 a step."""
MOMENT_RIDGE = 1e-9
"""In place of the ridge, where all second moments are to come out."""
EXCHANGE_PILOTS = 4
NO_RISE = 1e-6
"""Relative: what one strength may give up of the loss on all rows for the sum."""
ROUNDING = 1e-12
"""Relative: a sum of losses that falls by less has not fallen."""
LOWER, UPPER = 0.05, 20.0
"""Bounds of a weight: so much of the one from before, or one row if that is less; and so much."""
NOT_KEPT = "the models fitted on the picks did not have a lower loss on all rows"


@dataclass(frozen=True)
class Calibration:
    """Weights (k,), and what was done; where nothing helped the weights are those from before."""

    weight: Array
    summary: CalibrationSummary


@dataclass(frozen=True)
class Sums:
    """The constraints of a calibration, and at how many pilots, or along how many directions each
    (0: all columns).
    """

    constraints: Constraints
    n_pilots: int
    n_directions: int


class Calibrator:
    """What calibrates the weights of picks, and exchanges picks for rows whose weights can be.

    The pilots are made once, when they are first needed.

    Parameters
    ----------
    problem : Problem
        All rows, with their weights.
    groups : ndarray of int64, shape (n,)
        Number of the class of each row, whose weights keep their sum; all 0 where there are none.
    settings : CalibrationSettings
    progress : Progress
        Called with stages "pilots", "exchange" and "calibrate", and how many of the pilots or the
        ridges are done.

    Notes
    -----
    Minimises the sum of (g_j - gamma_j)^2 / (2 gamma_j) over weights g within bounds, where the
    weighted gradient of the picks is that of all rows at each pilot, and the sums of the classes
    are kept (`dual`). A pilot is the optimum of all rows at its strength: then it is the optimum of
    the weighted picks. For the squared loss all second moments come out instead, where the picks
    can carry them: then the optimum is that of all rows at every strength.
    """

    def __init__(
        self,
        problem: Problem,
        groups: NDArray[np.int64],
        settings: CalibrationSettings,
        progress: Progress = no_progress,
    ) -> None:
        self._problem, self._settings, self._progress = problem, settings, progress
        self._groups = np.unique(groups, return_inverse=True)[1]
        self._class_sums: Array = np.bincount(self._groups, problem.weights).astype(np.float64)
        self._total = float(self._class_sums.sum())
        self._made: dict[tuple[int, int], Sums] = {}

    @property
    def coordinates(self) -> int:
        """Of a gradient."""
        return self._problem.n_outputs * (self._problem.n_columns + 1)

    @cached_property
    def sample(self) -> tuple[Problem, NDArray[np.int64]]:
        """Rows that stand for all, and their classes."""
        return sample_of(self._problem, self._groups, self._settings)

    @cached_property
    def pilots(self) -> Pilots:
        """The pilots at all strengths, the strongest first."""
        strengths = np.sort(np.array(self._settings.pilot_l2))[::-1]
        return make_pilots(self._problem, self.sample[0], strengths, self._progress)

    def exchanged(self, standing: Standing) -> NDArray[np.int64]:
        """Return the row (k,) to stand for each cluster: the pick, or one exchanged for it."""
        sums = self._sums(len(standing.rows), EXCHANGE_PILOTS)
        equation = self._equation(standing.rows, standing.weight, sums)
        with Workers(self._settings.n_threads) as workers:
            exchange = Exchange(sums.constraints, equation, standing, workers)
            return exchange.run(self._progress)

    def calibrate(
        self, index: NDArray[np.int64], weight: Array, exchanged: int | None = None
    ) -> Calibration:
        """Return calibrated weights of picks.

        Parameters
        ----------
        index : ndarray of int64, shape (k,)
            The picks.
        weight : ndarray, shape (k,)
            Of at least 0, those of a class adding up to those of its rows.
        exchanged : int, optional
            How many of them were exchanged, for the summary.

        Notes
        -----
        They are kept if the models fitted on the picks have a lower loss on all rows, summed over
        the pilots' strengths, and none has one that is higher.
        """
        sums, counting = self._sums(len(index), len(self._settings.pilot_l2)), weight > 0
        equation = self._equation(index[counting], weight[counting], sums)
        parts = np.hstack([equation.members, sums.constraints.parts(index[counting])])
        found = self._solve(equation, parts)
        made = np.zeros(len(weight))
        made[counting] = self._with_class_sums(found.weights, index[counting])
        part = self._problem.subset(index, weight)
        before, after = self._losses(part), self._losses(part.subset(np.arange(len(index)), made))
        has_fallen = after.sum() < before.sum() * (1 - ROUNDING)
        kept = bool(has_fallen and (after <= before * (1 + NO_RISE)).all())
        least, most = (bound * equation.shares for bound in (equation.lower, equation.upper))
        at_bounds = (found.weights <= least) | (found.weights >= most)
        q, final = len(sums.constraints.wanted), made if kept else weight
        summary = CalibrationSummary(
            kept=kept,
            reason="" if kept else NOT_KEPT,
            loss=self._problem.loss.name,
            pilot_l2=ascending(self.pilots.l2),
            pilots=sums.n_pilots,
            constraints=q,
            is_reduced=sums.n_directions > 0,
            rows_a_constraint=len(index) / q,
            exchanged=exchanged,
            gradient_error_before=error_of(equation, parts, equation.shares),
            gradient_error_after=error_of(equation, parts, found.weights),
            loss_before=ascending(before),
            loss_after=ascending(after),
            **self._residuals(before, after, len(index)),
            effective_rows=float(final.sum() ** 2 / np.square(final).sum()),
            largest_weight=float(final.max()),
            at_bounds=int(np.count_nonzero(at_bounds)),
        )
        return Calibration(final, summary)

    def _sums(self, n_picks: int, most_pilots: int) -> Sums:
        """Return the constraints that so many picks carry, at so many pilots at most.

        Second moments where they fix the optimum. Else all columns at as many pilots as the picks
        carry, evenly spread; where they do not even carry one, leading directions at all.
        """
        problem, carried = self._problem, most_constraints(n_picks, self._settings)
        is_quadratic = problem.loss.name == "squared" and problem.n_outputs == 1
        if is_quadratic and n_moments(problem) <= carried:
            key = 0, 0
            if key not in self._made:
                self._made[key] = Sums(MomentConstraints(problem), *key)
            return self._made[key]
        p, m = len(self._settings.pilot_l2), problem.n_outputs
        n_pilots, n_directions = min(p, most_pilots, carried // self.coordinates), 0
        if n_pilots == 0:
            n_pilots = min(p, most_pilots, max(1, carried // (2 * m)))
            n_directions = max(1, carried // (n_pilots * m) - 1)
        key = n_pilots, n_directions
        if key not in self._made:
            places = np.round(np.linspace(p - 1, 0, n_pilots)).astype(np.int64)
            directions = None
            if n_directions:
                rng = np.random.default_rng([self._settings.seed, n_directions])
                directions = leading_directions(self.sample[0], n_directions, rng)
            constraints = GradientConstraints(problem, self.pilots.chosen(places), directions)
            self._made[key] = Sums(constraints, *key)
        return self._made[key]

    def _equation(self, index: NDArray[np.int64], weight: Array, sums: Sums) -> Equation:
        """Return the calibration problem of picks, the sums of their classes in front.

        These come out exactly. The others have a ridge (ridge calibration, Bardsley and Chambers
        1984): sums that hardly any pick bears on are missed by a little, and do not make the
        weights wild.
        """
        wanted, n_classes = sums.constraints.wanted, len(self._class_sums)
        ridge = MOMENT_RIDGE if sums.n_pilots == 0 else self._settings.ridge
        one_row = self._total / self._problem.n_rows
        return Equation(
            shares=weight / self._total,
            wanted=np.concatenate([self._class_sums / self._total, wanted]),
            ridge=np.append(np.zeros(n_classes), np.full(len(wanted), 1 / len(index))),
            lower=np.minimum(LOWER, one_row / np.maximum(weight, np.finfo(float).tiny)),
            upper=np.full(len(index), UPPER),
            last=ridge,
            members=(self._groups[index][:, None] == np.arange(n_classes)).astype(np.float64),
        )

    def _solve(self, equation: Equation, parts: Array) -> Solution:
        """Return the weights, by ridges that fall to the one wanted: where sums are out of reach of
        the bounds, nothing else comes to an end.
        """
        found = None
        with Workers(self._settings.n_threads) as workers:
            for done, ridge in enumerate(equation.falling):
                self._progress("calibrate", done, len(equation.falling))
                found = calibrated_weights(equation.task(parts, ridge), workers, found)
        assert found is not None
        return found

    def _with_class_sums(self, shares: Array, index: NDArray[np.int64]) -> Array:
        """Return the weights that shares (k,) stand for, those of each class adding up to those of
        its rows but for the last rounding; that of the only pick of a class is their sum.
        """
        of_class = self._groups[index]
        totals = np.bincount(of_class, shares, len(self._class_sums))
        return np.asarray(shares / totals[of_class] * self._class_sums[of_class])

    def _losses(self, part: Problem) -> Array:
        """Return the regularised loss on all rows (p,) of the models fitted on weighted picks."""
        pilots = self.pilots
        models = fit_path(part, pilots.l2, pilots.models, self._settings.n_threads)
        pairs = zip(models, pilots.l2.tolist(), strict=True)
        return np.array([self._problem.full_pass(model, l2)[0] for model, l2 in pairs])

    def _residuals(self, before: Array, after: Array, n_picks: int) -> dict[str, tuple[float, ...]]:
        """Return what losses lie above the least there is, and what random rows leave; nothing
        where that is not known.
        """
        least, pilots = np.empty(0), self.pilots
        left, right, by_chance = least, least, least
        if pilots.are_optima:
            least = pilots.losses
            left, right = (np.maximum(0.0, losses - least) for losses in (before, after))
            by_chance = random_residuals(*self.sample, pilots, n_picks, self._problem.n_rows)
        return {
            "optimum": ascending(least),
            "residual_before": ascending(left),
            "residual_after": ascending(right),
            "residual_random": ascending(by_chance),
        }


@one_blas_thread()
def error_of(equation: Equation, parts: Array, shares: Array) -> float:
    """Return the root mean square of what the sums miss, but for those of the classes."""
    missing = (shares @ parts - equation.wanted)[equation.members.shape[1] :]
    return float(np.sqrt(np.mean(np.square(missing))))


def ascending(values: Array) -> tuple[float, ...]:
    """Return what pilots have, the weakest strength first."""
    return tuple(values[::-1].tolist())


def most_constraints(n_picks: int, settings: CalibrationSettings) -> int:
    """Return how many constraints so many picks can carry."""
    return min(MOST_CONSTRAINTS, int(n_picks / settings.rows_a_constraint))


def is_too_wide(coordinates: int, n_picks: int, settings: CalibrationSettings) -> bool:
    """Return whether weights ``auto`` stay as they are, since a gradient has more coordinates than
    so many picks can carry.
    """
    return settings.weights == "auto" and coordinates > most_constraints(n_picks, settings)
