"""One subset of the rows trained on and measured: its optimum, its way there, and its gradients,
all against those of all rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.evaluation.timing import quickest
from craig_cli.settings.training import TrainSettings
from craig_cli.training import Fit, Problem, fit, optimum
from craig_cli.training.automatic import resolved
from craig_cli.training.problem import Array, norm, pack

TestError: TypeAlias = Callable[[Array, Array], float]
"""The error of coefficients and intercepts on other rows."""

SAMPLED_MODELS = 20
EACH_EPOCH = 20
"""Epochs that are all noted; after them one in ten of those done, as each costs a pass over all
rows.
"""
TIMED_EPOCHS = 3
WARM_ROWS = 64


class Subset(NamedTuple):
    """Rows and weights to train on; `seed` is what they were drawn with, which took
    `selection_seconds` (None: unknown).
    """

    rows: NDArray[np.int64]
    weights: Array
    seed: int
    selection_seconds: float | None = None


class Point(NamedTuple):
    """Where training stood: the epoch, over its own rows; gradients over the number of all rows;
    seconds of the solver; f - f* on all.
    """

    epoch: int
    passes: float
    seconds: float
    residual: float


class GradientError(NamedTuple):
    """The distance of the weighted mean gradient from that of all rows: at zero, at the optimum of
    all rows, at that of the subset; and the largest at zero, the optimum and random models, as far
    as they are within the ball.
    """

    at_zero: float
    at_optimum: float
    at_own: float
    largest: float


@dataclass(frozen=True)
class Run:
    """A subset, trained on.

    Parameters
    ----------
    rows, seed : int
    residual : float
        f - f* on all rows at the subset's optimum.
    test_error : float or None
        There, too.
    gradient_error : GradientError or None
        None where the model is not that of a subset.
    curve : tuple of Point
    selection_seconds : float or None
        What it took to select the rows; None where that is unknown.
    passes : float or None
        Made over all rows for the model; None for a subset, which needs none.
    """

    rows: int
    seed: int
    residual: float
    test_error: float | None
    gradient_error: GradientError | None
    curve: tuple[Point, ...]
    selection_seconds: float | None = None
    passes: float | None = None


@dataclass(frozen=True)
class Reference:
    """What every competitor is measured against.

    Parameters
    ----------
    whole : Problem
        All rows.
    settings : TrainSettings
        Solver, schedule and tuning of all alike.
    best : Fit
        The optimum of all rows.
    w_norm : float
        The largest norm of the random models, intercept included.
    models : ndarray, shape (2 + SAMPLED_MODELS, m, d + 1)
        Zero, the optimum, and random ones within the ball, at which gradients are compared.
    gradients : ndarray
        Those of all rows, there.
    test_error : TestError or None
    """

    whole: Problem
    settings: TrainSettings
    best: Fit
    w_norm: float
    models: Array
    gradients: Array
    test_error: TestError | None

    def residual(self, coef: Array, intercept: Array) -> float:
        """Return f - f* on all rows; not below 0, whatever rounding says."""
        return max(
            self.whole.objective(coef, intercept, self.settings.l2) - self.best.objective, 0.0
        )

    def residual_at_zero(self) -> float:
        """Return the residual of no training at all."""
        return self.residual(np.zeros_like(self.best.coef), np.zeros_like(self.best.intercept))


def make_reference(
    whole: Problem,
    settings: TrainSettings,
    w_norm: float | None = None,
    test_error: TestError | None = None,
) -> Reference:
    """Return the reference for one loss and one l2: f*, gradients to compare with, and the solver
    of all, chosen for all rows where that is open.

    Parameters
    ----------
    whole : Problem
    settings : TrainSettings
    w_norm : float, optional
        Default: the norm of the optimum.
    test_error : TestError, optional
    """
    settings = resolved(settings)[0]
    best = optimum(whole, settings.l2)
    at_best = pack(best.coef, best.intercept)
    radius = norm(at_best) if w_norm is None else w_norm
    models = np.concatenate(
        [
            [np.zeros_like(at_best), at_best],
            random_models(at_best.shape, radius, whole.intercept, settings.seed),
        ]
    )
    gradients = np.stack([mean_gradient(whole, model) for model in models])
    return Reference(whole, settings, best, radius, models, gradients, test_error)


def random_models(shape: tuple[int, ...], radius: float, intercept: bool, seed: int) -> Array:
    """Return models of random directions, with norms that rise evenly to `radius`."""
    models = np.random.default_rng(seed).normal(size=(SAMPLED_MODELS, *shape))
    if not intercept:
        models[..., -1] = 0
    norms = np.linalg.norm(models, axis=(1, 2))
    scaled: Array = (
        models * (radius * np.arange(1, SAMPLED_MODELS + 1) / SAMPLED_MODELS / norms)[:, None, None]
    )
    return scaled


def mean_gradient(problem: Problem, model: Array) -> Array:
    """Return the weighted mean gradient of the losses (m, d + 1), without the regulariser, which is
    the same for all.
    """
    gradient = np.zeros_like(model)
    problem.full_pass(model, 0.0, gradient)
    return gradient


def run(reference: Reference, subset: Subset | None) -> Run:
    """Return what training on a subset gives, and on all rows for None."""
    whole, settings = reference.whole, reference.settings
    part = whole if subset is None else whole.subset(subset.rows, subset.weights)
    seed = settings.seed if subset is None else subset.seed
    own = reference.best if subset is None else optimum(part, settings.l2)
    return Run(
        rows=part.n_rows,
        seed=seed,
        residual=reference.residual(own.coef, own.intercept),
        test_error=None
        if reference.test_error is None
        else reference.test_error(own.coef, own.intercept),
        gradient_error=gradient_error(reference, part, pack(own.coef, own.intercept)),
        curve=quickest(lambda: with_seconds(curve(reference, part, replace(settings, seed=seed))))[
            0
        ],
        selection_seconds=0.0 if subset is None else subset.selection_seconds,
    )


def with_seconds(points: tuple[Point, ...]) -> tuple[tuple[Point, ...], float]:
    """Return a curve, and the seconds to its end: of short ones the quickest is kept."""
    return points, points[-1].seconds


def gradient_error(reference: Reference, part: Problem, own: Array) -> GradientError:
    """Return how far the mean gradient of a subset is from that of all rows."""
    errors = [
        norm(mean_gradient(part, model) - there)
        for model, there in zip(reference.models, reference.gradients, strict=True)
    ]
    inside = [
        error
        for error, model in zip(errors, reference.models, strict=True)
        if norm(model) <= reference.w_norm * (1 + 1e-12)
    ]
    at_own = norm(mean_gradient(part, own) - mean_gradient(reference.whole, own))
    return GradientError(errors[0], errors[1], at_own, max(inside))


def curve(reference: Reference, part: Problem, settings: TrainSettings) -> tuple[Point, ...]:
    """Return how the residual on all rows falls, epoch by epoch; what ``tune`` takes is spent
    before the first.
    """
    share = part.n_rows / reference.whole.n_rows
    points: list[Point] = []
    seconds_before, passes_before = 0.0, 0.0
    if settings.tune:
        tuned = fit(part, settings)
        seconds_before, passes_before = tuned.seconds, tuned.passes
        settings = replace(tuned.settings, tune=False)

    def note(epoch: int, passes: float, seconds: float, coef: Array, intercept: Array) -> None:
        points.append(
            Point(
                epoch,
                (passes_before + passes) * share,
                seconds_before + seconds,
                reference.residual(coef, intercept),
            )
        )

    def watch(epoch: int, passes: float, seconds: float, coef: Array, intercept: Array) -> None:
        if is_noted(epoch):
            note(epoch, passes, seconds, coef, intercept)

    result = fit(part, settings, watch=watch)
    last = result.trace[-1]
    if points[-1].epoch != last.epoch:
        note(last.epoch, last.passes, last.seconds, result.coef, result.intercept)
    return tuple(points)


def is_noted(epoch: int) -> bool:
    """Return whether the residual of an epoch is noted."""
    return epoch <= EACH_EPOCH or epoch % (epoch // 10) == 0


def sgd_epoch_seconds(whole: Problem) -> float:
    """Return what an epoch of plain SGD over all rows takes: the quickest of a few.

    0 where it ends at once, as nothing can be learned.
    """
    settings = TrainSettings(solver="sgd", epochs=TIMED_EPOCHS + 1, tolerance=0.0)
    seconds = [point.seconds for point in fit(whole, settings).trace]
    gaps = np.diff(seconds)
    return float(gaps[len(gaps) > 1 :].min()) if len(gaps) else 0.0


def warm_up(whole: Problem, settings: TrainSettings) -> None:
    """Run every kernel once on a few rows, so that no clock counts how long it takes to compile or
    load them.
    """
    few = whole.subset(np.arange(min(WARM_ROWS, whole.n_rows)))
    for solver in {resolved(settings)[0].solver, "sgd"}:
        fit(few, TrainSettings(solver=solver, epochs=1))
