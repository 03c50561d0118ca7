"""The calibration problem: its solution against a general solver's, weights of zero included."""

from __future__ import annotations

import numpy as np
import pytest
from reference import nearest_weights

from craig_cli.calibration.dual import (
    FULL_STEPS,
    LONGEST_STEP,
    MOST_STEPS,
    best_length,
    calibrated_weights,
)
from craig_cli.threads import Workers


def problem(
    seed: int, shift: float, k: int = 30, q: int = 4
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return shares, parts with two classes in front, wanted sums `shift` away from those there
    are, and ridges.
    """
    rng = np.random.default_rng(seed)
    shares = rng.random(k) + 0.1
    shares /= shares.sum()
    classes = (np.arange(k)[:, None] % 2 == np.arange(2)).astype(float)
    parts = np.hstack([classes, rng.normal(size=(k, q))])
    wanted = shares @ parts
    wanted[2:] += shift * rng.normal(size=q)
    return shares, parts, wanted, np.array([0.0, 0.0, *[1.0 / k] * q])


@pytest.mark.parametrize(("shift", "has_zeros"), [(0.05, False), (1.0, True)])
@pytest.mark.parametrize("seed", range(3))
def test_the_solution_is_that_of_a_general_solver(seed, shift, has_zeros):
    shares, parts, wanted, ridge = problem(seed, shift)
    with Workers(1) as workers:
        found = calibrated_weights(shares, parts, wanted, ridge, workers)
    assert np.allclose(
        found.weights, nearest_weights(shares, parts, wanted, ridge), rtol=0, atol=2e-5
    )
    assert (found.weights == 0).any() == has_zeros
    assert np.allclose(found.weights @ parts[:, :2], wanted[:2], rtol=1e-11)
    assert found.steps <= 15


@pytest.mark.parametrize("seed", range(3))
def test_many_picks_of_which_some_fall_to_zero_step_after_step(seed):
    """So that the normal equations are mended by the picks that change, not added up anew."""
    shares, parts, wanted, ridge = problem(seed, 0.2, k=400, q=12)
    with Workers(1) as workers:
        found = calibrated_weights(shares, parts, wanted, ridge, workers)
    ratios = found.weights / shares
    assert 0 < np.count_nonzero(ratios == 0) < 200
    assert found.steps >= 2
    active = ratios > 0
    missed = found.weights @ parts - wanted
    multipliers = np.linalg.lstsq(parts[active], ratios[active] - 1, rcond=None)[0]
    assert np.allclose(parts[active] @ multipliers, ratios[active] - 1, atol=1e-9)
    assert (1 + parts[~active] @ multipliers <= 1e-9).all()
    assert np.allclose(missed, -ridge * multipliers, atol=1e-11)


@pytest.mark.parametrize("shift", [0.05, 0.3, 1.0])
def test_full_steps_and_searched_ones_come_to_the_same(shift, monkeypatch):
    given = problem(4, shift, k=100, q=8)
    with Workers(1) as workers:
        full = calibrated_weights(*given, workers)
        monkeypatch.setattr("craig_cli.calibration.dual.FULL_STEPS", 0)
        searched = calibrated_weights(*given, workers)
    assert searched.steps < MOST_STEPS
    assert np.allclose(full.weights, searched.weights, rtol=0, atol=1e-14)


def rare_columns(
    seed: int, k: int = 60, d: int = 15
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the problem of two pilots on columns that few rows have."""
    rng = np.random.default_rng(seed)
    rows = np.column_stack([rng.random((k, d)) < rng.uniform(0, 0.2, d), np.ones(k)])
    signs = rng.choice([-1.0, 1.0], k)
    parts = np.hstack([(-signs * rng.random(k) * length)[:, None] * rows for length in (1, 0.5)])
    scales = np.sqrt(np.square(parts).mean(axis=0))
    parts /= np.where(scales > 0, scales, 1)
    shares = np.full(k, 1 / k)
    return (
        shares,
        parts,
        shares @ parts + 0.3 * rng.normal(size=parts.shape[1]),
        np.full(parts.shape[1], 0.03 / k),
    )


@pytest.mark.parametrize("seed", [29, 109, 121])
def test_full_steps_that_go_round_in_circles_give_way_to_searched_ones(seed, monkeypatch):
    shares, parts, wanted, ridge = rare_columns(seed)
    with Workers(1) as workers:
        found = calibrated_weights(shares, parts, wanted, ridge, workers)
        monkeypatch.setattr("craig_cli.calibration.dual.FULL_STEPS", MOST_STEPS)
        assert calibrated_weights(shares, parts, wanted, ridge, workers).steps == MOST_STEPS
    assert FULL_STEPS < found.steps < MOST_STEPS
    multipliers = (wanted - found.weights @ parts) / ridge
    assert np.allclose(
        found.weights, shares * np.maximum(1 + parts @ multipliers, 0), rtol=0, atol=1e-8
    )


@pytest.mark.parametrize("seed", range(20))
def test_a_step_is_as_long_as_is_best(seed):
    rng = np.random.default_rng(seed)
    shares, ratios, along = rng.random(50) / 50, 1 + rng.normal(size=50), 3 * rng.normal(size=50)
    slope, curvature = rng.normal() / 3, rng.random() / 10
    lengths = np.linspace(0, LONGEST_STEP, 40_001)
    values = (
        np.square(np.maximum(ratios + lengths[:, None] * along, 0)) @ shares / 2
        + slope * lengths
        + curvature * lengths**2 / 2
    )
    assert best_length(shares, ratios, along, slope, curvature) == pytest.approx(
        lengths[np.argmin(values)], abs=1e-4
    )


def test_nothing_to_mend_changes_nothing():
    shares, parts, wanted, ridge = problem(0, 0.0)
    with Workers(1) as workers:
        assert np.allclose(
            calibrated_weights(shares, parts, wanted, ridge, workers).weights, shares, rtol=1e-13
        )


def test_without_a_ridge_sums_come_out_exactly():
    shares, parts, wanted, ridge = problem(1, 0.05)
    with Workers(1) as workers:
        found = calibrated_weights(shares, parts, wanted, 0 * ridge, workers)
    assert np.allclose(found.weights @ parts, wanted, rtol=0, atol=1e-11)


def test_sums_that_contradict_each_other_come_to_an_end():
    shares, parts, wanted, ridge = problem(2, 50.0)
    with Workers(1) as workers:
        found = calibrated_weights(
            shares,
            np.hstack([parts, parts]),
            np.concatenate([wanted, -wanted]),
            0 * np.tile(ridge, 2),
            workers,
        )
    assert np.isfinite(found.weights).all()
    assert (found.weights >= 0).all()
