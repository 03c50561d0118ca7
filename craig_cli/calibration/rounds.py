"""Calibration: weights of the picks such that the weighted gradient at pilot models is that of all
rows, in rounds, each kept only if it helps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.calibration.constraints import (
    Constraints,
    Coordinates,
    all_coordinates,
    leading_coordinates,
    losses_at,
    moments_at,
    regularised,
)
from craig_cli.calibration.directions import leading_directions
from craig_cli.calibration.dual import calibrated_weights
from craig_cli.calibration.pilots import fit_path, sample_rows
from craig_cli.calibration.summary import CalibrationSummary
from craig_cli.dataset import Progress, no_progress
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.threads import Workers
from craig_cli.training import Problem
from craig_cli.training.problem import Array

MOST_CONSTRAINTS = 1000
"""More than these are not solved for: leading directions take the place of columns."""
STEPS = (1.0, 0.5, 0.25)
"""Shares of the way from the weights that stand to the calibrated ones, tried in turn."""
NO_RISE = 1e-6
"""Relative: a loss that rises by less has not risen."""
MIN_DECREASE = 1e-10
"""Relative: a sum of losses that falls by less has not fallen."""
ENOUGH_DECREASE = 1e-7
"""Relative: after a round by which it falls by less, another is hardly kept."""


class State(NamedTuple):
    """Shares of the picks (k,), the models fitted on them (p, m, d + 1), and their regularised
    losses on all rows (p,).
    """

    shares: Array
    models: Array
    losses: Array


class Residuals(NamedTuple):
    """How many constraints there were, and their error at each pilot with the weights from before
    and with those kept.
    """

    constraints: int
    before: tuple[float, ...]
    after: tuple[float, ...]


@dataclass(frozen=True)
class Calibration:
    """Weights (k,), and what was done; where nothing helped the weights are those from before."""

    weight: Array
    summary: CalibrationSummary


def calibrate(
    problem: Problem,
    groups: NDArray[np.int64],
    index: NDArray[np.int64],
    weight: Array,
    settings: CalibrationSettings,
    progress: Progress = no_progress,
) -> Calibration:
    """Return calibrated weights of picked rows.

    Parameters
    ----------
    problem : Problem
        All rows, with their weights.
    groups : ndarray of int64, shape (n,)
        Number of the class of each row, whose weights keep their sum; all 0 where there are none.
    index : ndarray of int64, shape (k,)
        The picks.
    weight : ndarray, shape (k,)
        Of at least 0, those of a class adding up to those of its rows.
    settings : CalibrationSettings
    progress : Progress
        Called with stage "calibrate", rounds done, and rounds at most.

    Notes
    -----
    A round solves ``min sum_j (g_j - gamma_j)^2 / (2 gamma_j)`` over g >= 0, subject to the
    weighted gradient of the picks being that of all rows at each pilot, and to the sums of the
    classes (`dual`). Pilots are first the models of the picks (where these are fewer than the rows
    of a pilot: those of some random rows, if better on all rows for a strength); then those of the
    picks calibrated so far. One pass over all rows a round.
    """
    return run_rounds(Rounds(problem, groups, index, weight, settings), progress)


def run_rounds(rounds: Rounds, progress: Progress = no_progress) -> Calibration:
    """Return what as many rounds come to as are wanted and help."""
    for number in range(rounds.most):
        progress("calibrate", number, rounds.most)
        if not rounds.run():
            break
    progress("calibrate", rounds.most, rounds.most)
    return rounds.result()


class Rounds:
    """The rounds of a calibration, `most` at most; parameters are those of `calibrate`."""

    def __init__(
        self,
        problem: Problem,
        groups: NDArray[np.int64],
        index: NDArray[np.int64],
        weight: Array,
        settings: CalibrationSettings,
    ) -> None:
        self._problem, self._settings, self._weight, self.most = (
            problem,
            settings,
            weight,
            settings.rounds,
        )
        self._part, self._base = problem.subset(index, weight), weight / weight.sum()
        rng = np.random.default_rng([settings.seed, len(index)])
        sums: Array = np.bincount(groups, problem.weights).astype(np.float64)
        self._class_sums, self._of_class = (
            sums[sums > 0],
            np.unique(groups, return_inverse=True)[1][index],
        )
        self._sample = problem.subset(
            *sample_rows(groups, settings.pilot_rows, rng, problem.weights)
        )
        self._l2 = np.array(settings.pilot_l2)
        own = fit_path(self._part, settings)
        if len(index) >= settings.pilot_rows:
            self._pilots, self._moments = own, moments_at(problem, own, with_squares=True)
            losses = regularised(self._moments.losses, own, self._l2)
        else:
            both = np.concatenate([fit_path(self._sample, settings), own])
            moments = moments_at(problem, both, with_squares=True)
            other, losses = regularised(moments.losses, both, np.tile(self._l2, 2)).reshape(2, -1)
            better = np.where(other <= losses, 0, len(own)) + np.arange(len(own))
            self._pilots, self._moments = both[better], moments.chosen(better)
        self._state = self._first = State(self._base, own, losses)
        self._coordinates = self._chosen_coordinates(rng)
        self._kept, self._reason = 0, ""
        self._residuals: Residuals | None = None

    def run(self) -> bool:
        """Calibrate once more; return whether yet another round may help."""
        constraints = self._constraints()
        solved = self._solve(constraints)
        before = self._state
        for step in STEPS:
            shares = before.shares + step * (solved - before.shares)
            models = fit_path(self._problem_of(shares), self._settings, before.models)
            is_last = self._kept + 1 == self._settings.rounds
            moments = None if is_last else moments_at(self._problem, models)
            means = losses_at(self._problem, models) if moments is None else moments.losses
            losses = regularised(means, models, self._l2)
            if (
                losses.sum() < before.losses.sum() * (1 - MIN_DECREASE)
                and (losses <= self._first.losses * (1 + NO_RISE)).all()
            ):
                self._state, self._residuals = (
                    State(shares, models, losses),
                    self._how_met(constraints, shares),
                )
                if moments is not None:
                    self._pilots, self._moments = models, moments
                self._kept += 1
                if losses.sum() < before.losses.sum() * (1 - ENOUGH_DECREASE):
                    return True
                self._reason = (
                    ""
                    if is_last
                    else (
                        f"round {self._kept} lowered the loss on all "
                        f"rows by less than {ENOUGH_DECREASE:g} of it: "
                        f"enough"
                    )
                )
                return False
        self._reason = (
            f"round {self._kept + 1} did not lower the loss on all rows of the models "
            f"fitted on the picks"
        )
        return False

    def result(self) -> Calibration:
        """Return the weights that stand, and what was done."""
        weight = (
            self._weight
            if self._kept == 0
            else with_class_sums(self._state.shares, self._of_class, self._class_sums)
        )
        met = self._residuals or self._how_met(self._constraints(), self._base)
        return Calibration(
            weight,
            CalibrationSummary(
                kept=self._kept > 0,
                reason=self._reason,
                loss=self._problem.loss,
                pilot_l2=self._settings.pilot_l2,
                rounds=self._settings.rounds,
                rounds_kept=self._kept,
                constraints=met.constraints,
                is_reduced=self._coordinates.directions is not None,
                rows_a_constraint=len(weight) / met.constraints,
                gradient_error_before=met.before,
                gradient_error_after=met.after,
                loss_before=tuple(self._first.losses.tolist()),
                loss_after=tuple(self._state.losses.tolist()),
                effective_rows=float(weight.sum() ** 2 / np.square(weight).sum()),
                largest_weight=float(weight.max()),
                zero_weights=int(np.count_nonzero(weight == 0)),
            ),
        )

    def _how_met(self, constraints: list[Constraints], shares: Array) -> Residuals:
        before, after = (
            tuple(c.error(weighted) for c in constraints) for weighted in (self._base, shares)
        )
        return Residuals(sum(len(c.wanted) for c in constraints), before, after)

    def _problem_of(self, shares: Array) -> Problem:
        return self._part.subset(np.arange(self._part.n_rows), shares)

    def _chosen_coordinates(self, rng: np.random.Generator) -> Coordinates:
        """Return all columns; where these make more constraints than the picks can carry, leading
        directions in their place.
        """
        p, m, columns = self._pilots.shape
        carried = most_constraints(self._part.n_rows, self._settings)
        if p * m * columns <= carried:
            return all_coordinates(self._part, self._moments.squares)
        directions = leading_directions(self._sample, max(1, carried // (p * m) - 1), rng)
        return leading_coordinates(self._part, self._pilots, directions, self._sample)

    def _constraints(self) -> list[Constraints]:
        """Return the constraints of each pilot."""
        return self._coordinates.constraints(self._part, self._pilots, self._moments.gradients)

    def _solve(self, constraints: list[Constraints]) -> Array:
        """Return the shares that meet the constraints, and those of the classes exactly."""
        n_classes, k = len(self._class_sums), len(self._of_class)
        members = (self._of_class[:, None] == np.arange(n_classes)).astype(np.float64)
        parts = np.concatenate([members, *(c.parts for c in constraints)], axis=1)
        wanted = np.concatenate(
            [self._class_sums / self._class_sums.sum(), *(c.wanted for c in constraints)]
        )
        ridge = np.full(len(wanted), self._settings.ridge / k)
        ridge[:n_classes] = 0.0
        with Workers(self._settings.n_threads) as workers:
            solution = calibrated_weights(self._base, parts, wanted, ridge, workers)
        return np.asarray(
            with_class_sums(solution.weights, self._of_class, self._class_sums)
            / self._class_sums.sum()
        )


def most_constraints(n_picks: int, settings: CalibrationSettings) -> int:
    """Return how many constraints so many picks can carry."""
    return min(MOST_CONSTRAINTS, int(n_picks / settings.rows_a_constraint))


def is_too_wide(coordinates: int, n_picks: int, settings: CalibrationSettings) -> bool:
    """Return whether weights ``auto`` stay as they are, since a gradient has more coordinates than
    so many picks can carry.
    """
    return settings.weights == "auto" and coordinates > most_constraints(n_picks, settings)


def with_class_sums(shares: Array, of_class: NDArray[np.int64], class_sums: Array) -> Array:
    """Return the weights that shares (k,) stand for, those of each class adding up to those of its
    rows but for the last rounding.
    """
    totals = np.array([shares[of_class == number].sum() for number in range(len(class_sums))])
    return np.asarray(shares * (class_sums / totals)[of_class])
