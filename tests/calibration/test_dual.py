"""The calibration problem within bounds: its solution against a general solver's, and its end."""

from __future__ import annotations

import numpy as np
import pytest
from reference import nearest_weights

from craig_cli.calibration.dual import (
    LONGEST_STEP,
    MOST_STEPS,
    Solution,
    Task,
    best_length,
    calibrated_weights,
)
from craig_cli.threads import Workers


def made_task(
    seed: int, shift: float, k: int = 30, q: int = 4, lower: float = 0.2, upper: float = 3.0
) -> Task:
    """Return a problem of uneven shares, two classes in front, whose sums are to move by `shift`.

    Some weights may fall further than others, as those of small clusters may not.
    """
    rng = np.random.default_rng(seed)
    shares = rng.random(k) + 0.1
    shares /= shares.sum()
    members = (np.arange(k)[:, None] % 2 == np.arange(2)).astype(float)
    parts = np.hstack([members, rng.normal(size=(k, q))])
    wanted = shares @ parts
    wanted[2:] += shift * rng.normal(size=q)
    ridge = np.array([0.0, 0.0, *[1.0 / k] * q])
    lowest = np.where(np.arange(k) % 3 == 0, lower / 2, lower)
    return Task(shares, parts, wanted, ridge, lowest, np.full(k, upper))


def solved(task: Task, *others, threads: int = 1) -> Solution:
    with Workers(threads) as workers:
        return calibrated_weights(task, workers, *others)


def primal(task: Task, weights: np.ndarray) -> float:
    """Return the sum of (g - share)^2 / (2 share) and of missed^2 / (2 ridge)."""
    missed = (weights @ task.parts - task.wanted)[task.ridge > 0]
    changes = np.square(weights - task.shares) / task.shares
    return (changes.sum() + (np.square(missed) / task.ridge[task.ridge > 0]).sum()) / 2


def is_within(task: Task, found: Solution) -> np.ndarray:
    """Return which weights are not at their bounds."""
    return (found.weights > task.lower * task.shares) & (found.weights < task.upper * task.shares)


BOUNDS = {"none": (0.05, 0.0, 9.0), "some": (0.4, 0.2, 2.0), "most": (1.5, 0.5, 1.5)}
"""How far the sums are to move, and the bounds, which so many weights come to."""


@pytest.mark.parametrize("case", BOUNDS)
@pytest.mark.parametrize("seed", range(3))
def test_the_solution_is_that_of_a_general_solver(seed, case):
    shift, lower, upper = BOUNDS[case]
    task = made_task(seed, shift, lower=lower, upper=upper)
    found, (weights, least) = solved(task), nearest_weights(*task)
    assert np.allclose(found.weights, weights, rtol=0, atol=2e-5)
    assert found.strain == pytest.approx(least, rel=1e-6)
    at_bounds = np.count_nonzero(~is_within(task, found))
    assert {"none": 0, "some": 1, "most": 25}[case] <= at_bounds <= {"none": 0}.get(case, 29)


@pytest.mark.parametrize("shift", [0.01, 0.1, 0.3])
@pytest.mark.parametrize("k", [40, 3000])
def test_what_a_solution_promises(k, shift):
    """Bounds, sums of the classes, ratios by the multipliers, and no gap between dual and primal:
    that proves it to be the optimum, at a size where a general solver takes long.
    """
    task = made_task(k, shift, k=k, q=12)
    found = solved(task)
    assert found.steps < MOST_STEPS
    ratios = 1 + task.parts @ found.multipliers
    assert (found.weights >= task.lower * task.shares).all()
    assert (found.weights <= task.upper * task.shares).all()
    assert np.allclose(found.weights / task.shares, np.clip(ratios, task.lower, task.upper))
    missed = found.weights @ task.parts - task.wanted
    assert np.abs(missed[:2]).max() < 1e-11
    assert np.allclose(missed, -task.ridge * found.multipliers, rtol=0, atol=1e-10)
    assert found.strain == pytest.approx(primal(task, found.weights), rel=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_many_picks_that_come_to_a_bound_and_leave_it(seed):
    """So that the normal equations are mended by the picks that change, not added up anew."""
    task = made_task(seed, 0.2, k=400, q=12)
    found = solved(task)
    within = is_within(task, found)
    assert 30 < np.count_nonzero(~within) < 300
    assert found.steps >= 3
    last = task.parts[within].T @ (task.shares[within, None] * task.parts[within])
    assert np.allclose(found.matrix, last, rtol=0, atol=1e-12)
    assert found.counted.tolist() == within.tolist()


@pytest.mark.parametrize("shift", [0.05, 0.5])
def test_where_it_starts_makes_no_difference(shift):
    task = made_task(4, shift, k=100, q=8)
    found, rng = solved(task), np.random.default_rng(0)
    nothing = found._replace(matrix=np.zeros((10, 10)), counted=np.zeros(100, bool))
    for start in (
        found,
        nothing,
        found._replace(multipliers=rng.normal(size=10)),
        nothing._replace(multipliers=30 * rng.normal(size=10)),
    ):
        before = start.matrix.copy()
        again = solved(task, start)
        assert np.allclose(found.weights, again.weights, rtol=0, atol=1e-10)
        assert again.strain == pytest.approx(found.strain, rel=1e-7)
        assert start.matrix.tolist() == before.tolist()
    assert solved(task, found).steps == 0


def test_the_same_bits_for_any_number_of_threads():
    task = made_task(5, 0.1, k=5000, q=60)
    found = [solved(task, threads=threads) for threads in (1, 2, 3)]
    for one in ("weights", "multipliers", "matrix"):
        assert len({getattr(solution, one).tobytes() for solution in found}) == 1
    assert len({solution.strain for solution in found}) == 1


def test_zeros_of_rare_columns_may_be_left_out():
    """Where most parts are zeros, another kernel adds up the normal equations."""
    task = made_task(6, 0.0, k=2000, q=30)
    task.parts[:, 2:] *= np.random.default_rng(1).random((2000, 30)) < 0.05
    wanted = task.shares @ task.parts + 0.01 * np.where(np.arange(32) < 2, 0, 1)
    found = solved(task._replace(wanted=wanted))
    assert found.strain == pytest.approx(primal(task._replace(wanted=wanted), found.weights))


@pytest.mark.parametrize("seed", range(20))
def test_a_step_is_as_long_as_is_best(seed):
    rng = np.random.default_rng(seed)
    shares, ratios, along = rng.random(50) / 50, 1 + rng.normal(size=50), 3 * rng.normal(size=50)
    lower, upper = np.full(50, 0.2), np.full(50, 4.0)
    slope, curvature = rng.normal() / 3, 0.01 + rng.random() / 10
    task = Task(shares, np.empty((50, 0)), *[np.empty(0)] * 2, lower, upper)

    def dual(lengths):
        there = ratios + lengths[:, None] * along
        clipped = np.clip(there, lower, upper)
        kept = clipped * there - np.square(clipped) / 2
        return kept @ shares + slope * lengths + curvature * lengths**2 / 2

    lengths = np.linspace(0, 200, 20_001)
    coarse = lengths[np.argmin(dual(lengths))]
    lengths = np.linspace(max(0, coarse - 0.02), coarse + 0.02, 4001)
    best = lengths[np.argmin(dual(lengths))]
    assert best < 199
    found = best_length(task, ratios, along, slope, curvature)
    assert found == pytest.approx(best, rel=1e-5, abs=2e-5)


def test_a_step_has_an_end_where_the_dual_has_none():
    """All weights at a bound, and no ridge: the dual falls for ever."""
    task = Task(np.ones(2) / 2, np.empty((2, 0)), *[np.empty(0)] * 2, np.zeros(2), np.ones(2))
    length = best_length(task, np.full(2, 5.0), np.ones(2), -2.0, 0.0)
    assert LONGEST_STEP / 10 <= length <= LONGEST_STEP


def test_nothing_to_mend_changes_nothing():
    found = solved(task := made_task(0, 0.0))
    assert np.allclose(found.weights, task.shares, rtol=1e-13)
    assert found.strain == pytest.approx(0, abs=1e-15)


def test_without_a_ridge_sums_come_out_exactly():
    task = made_task(1, 0.05)
    found = solved(task._replace(ridge=0 * task.ridge))
    assert np.allclose(found.weights @ task.parts, task.wanted, rtol=0, atol=1e-10)


def test_sums_said_twice_are_one():
    task = made_task(3, 0.1)
    twice = task._replace(
        parts=np.hstack([task.parts, task.parts[:, :2]]),
        wanted=np.append(task.wanted, task.wanted[:2]),
        ridge=np.append(task.ridge, np.zeros(2)),
    )
    assert np.allclose(solved(task).weights, solved(twice).weights, rtol=0, atol=1e-10)


@pytest.mark.parametrize("ridge", [0.0, 1e-9, 1.0])
def test_sums_that_contradict_each_other_come_to_an_end(ridge):
    task = made_task(2, 50.0)
    both = task._replace(
        parts=np.hstack([task.parts, task.parts]),
        wanted=np.concatenate([task.wanted, -task.wanted]),
        ridge=ridge * np.tile(task.ridge, 2),
    )
    found = solved(both)
    assert np.isfinite(found.weights).all() and np.isfinite(found.multipliers).all()
    assert (found.weights >= both.lower * both.shares).all()
    assert (found.weights <= both.upper * both.shares).all()


def test_what_is_out_of_reach_ends_where_a_step_leaves_rounding():
    """Sums that no weights within bounds give have multipliers as large as the ridge is small."""
    task, start = made_task(0, 2.0), None
    for ridge in 10.0 ** np.arange(-1, -10, -1):
        hard = task._replace(ridge=ridge * task.ridge)
        found = solved(hard, start)
        start = found
        assert found.steps <= 10
        assert np.abs(found.weights @ task.parts - task.wanted)[:2].max() < 1e-6
        assert found.strain * ridge == pytest.approx(26.69, rel=0.01)
        assert found.strain == pytest.approx(primal(hard, found.weights), rel=1e-6)
