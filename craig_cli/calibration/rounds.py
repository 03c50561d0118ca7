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
"""The dual takes q^3 a step: beyond these leading directions take the place of columns."""
STEPS = (1.0, 0.5, 0.25)
"""Shares of the way from the weights that stand to the calibrated ones, tried in turn.

The gradient is made right at the pilots, which are not yet the models of the new weights: a whole
step can lead too far, as one of Newton's can. Half a step still meets the class sums, since both
ends do; after a quarter a round has nothing left to give.
"""
NO_RISE = 1e-6
"""Relative to the losses before the first round: what one strength may give up for the sum."""
MIN_DECREASE = 1e-10
"""Relative: a sum of losses that falls by less has not fallen. Models are fitted to 1e-9 of a loss
and better: below this it would be their rounding that decides.
"""
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
        self._problem, self._settings, self._weight = problem, settings, weight
        self.most = settings.rounds
        self._part, self._base = problem.subset(index, weight), weight / weight.sum()
        rng = np.random.default_rng([settings.seed, len(index)])
        sums: Array = np.bincount(groups, problem.weights).astype(np.float64)
        self._class_sums = sums[sums > 0]
        self._of_class = np.unique(groups, return_inverse=True)[1][index]
        self._sample = problem.subset(
            *sample_rows(groups, settings.pilot_rows, rng, problem.weights)
        )
        self._l2 = np.array(settings.pilot_l2)
        models = own = fit_path(self._part, settings)
        if len(index) < settings.pilot_rows:  # so few may fit worse than as many random rows
            models = np.concatenate([fit_path(self._sample, settings), own])
        moments = moments_at(problem, models, with_squares=True)
        l2 = np.tile(self._l2, len(models) // len(own))
        losses = regularised(moments.losses, models, l2).reshape(-1, len(own))
        best = np.argmin(losses, axis=0) * len(own) + np.arange(len(own))
        self._pilots, self._moments = models[best], moments.chosen(best)
        self._state = self._first = State(self._base, own, losses[-1])
        self._coordinates = self._chosen_coordinates(rng)
        self._kept, self._reason = 0, ""
        self._residuals: Residuals | None = None

    def run(self) -> bool:
        """Calibrate once more; return whether yet another round may help."""
        constraints, before = self._constraints(), self._state
        solved, is_last = self._solve(constraints), self._kept + 1 == self.most
        for step in STEPS:
            shares = before.shares + step * (solved - before.shares)
            models = fit_path(self._problem_of(shares), self._settings, before.models)
            moments = moments_at(self._problem, models, with_gradients=not is_last)
            losses = regularised(moments.losses, models, self._l2)
            has_fallen = losses.sum() < before.losses.sum() * (1 - MIN_DECREASE)
            if not has_fallen or (losses > self._first.losses * (1 + NO_RISE)).any():
                continue
            self._state = State(shares, models, losses)
            self._residuals = self._residuals_of(constraints, shares)
            if not is_last:
                self._pilots, self._moments = models, moments
            self._kept += 1
            may_help = bool(losses.sum() < before.losses.sum() * (1 - ENOUGH_DECREASE))
            if not (may_help or is_last):
                self._reason = (
                    f"round {self._kept} lowered the loss on all rows by less than "
                    f"{ENOUGH_DECREASE:g} of it: enough"
                )
            return may_help
        self._reason = (
            f"round {self._kept + 1} did not lower the loss on all rows of the models "
            f"fitted on the picks"
        )
        return False

    def result(self) -> Calibration:
        """Return the weights that stand, and what was done."""
        weight, shares = self._weight, self._state.shares
        if self._kept:
            weight = with_class_sums(shares, self._of_class, self._class_sums)
        residuals = self._residuals or self._residuals_of(self._constraints(), shares)
        summary = CalibrationSummary(
            kept=self._kept > 0,
            reason=self._reason,
            loss=self._problem.loss.name,
            pilot_l2=self._settings.pilot_l2,
            rounds=self.most,
            rounds_kept=self._kept,
            constraints=residuals.constraints,
            is_reduced=self._coordinates.directions is not None,
            rows_a_constraint=len(weight) / residuals.constraints,
            gradient_error_before=residuals.before,
            gradient_error_after=residuals.after,
            loss_before=tuple(self._first.losses.tolist()),
            loss_after=tuple(self._state.losses.tolist()),
            effective_rows=float(weight.sum() ** 2 / np.square(weight).sum()),
            largest_weight=float(weight.max()),
            zero_weights=int(np.count_nonzero(weight == 0)),
        )
        return Calibration(weight, summary)

    def _residuals_of(self, constraints: list[Constraints], shares: Array) -> Residuals:
        before, after = (
            tuple(c.error(weighted) for c in constraints) for weighted in (self._base, shares)
        )
        return Residuals(sum(len(c.wanted) for c in constraints), before, after)

    def _problem_of(self, shares: Array) -> Problem:
        return self._part.subset(np.arange(self._part.n_rows), shares)

    def _chosen_coordinates(self, rng: np.random.Generator) -> Coordinates:
        """Return all columns, or leading directions where these are more than the picks carry."""
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
        """Return the shares that meet the constraints, and those of the classes exactly.

        The others have a ridge (ridge calibration, Bardsley and Chambers 1984): sums that hardly
        any pick bears on are missed by a little, and do not make the weights wild. BENCHMARKS.md
        has what other ridges come to.
        """
        n_classes, k = len(self._class_sums), len(self._of_class)
        members = (self._of_class[:, None] == np.arange(n_classes)).astype(np.float64)
        total = self._class_sums.sum()
        parts = np.concatenate([members, *(c.parts for c in constraints)], axis=1)
        wanted = np.concatenate([self._class_sums / total, *(c.wanted for c in constraints)])
        ridge = np.full(len(wanted), self._settings.ridge / k)
        ridge[:n_classes] = 0.0
        with Workers(self._settings.n_threads) as workers:
            weights = calibrated_weights(self._base, parts, wanted, ridge, workers).weights
        return np.asarray(with_class_sums(weights, self._of_class, self._class_sums) / total)


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
