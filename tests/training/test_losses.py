"""Losses and their slopes, against the formulas of the catalog, by hand, and by finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from reference import row_loss, row_slopes

from craig_cli.kernels import losses
from craig_cli.settings.catalog import LOSSES, names
from craig_cli.training.losses import LOSS_FACTS, class_probabilities, usual_loss

SCORES = np.array([-3.0, -1.2, -0.4, -0.1, 0.3, 0.9, 1.7, 4.0])
PLAIN = [name for name in LOSS_FACTS if name != "softmax"]
CASES = [(name, m) for name in LOSS_FACTS for m in (1, 2, 4) if m > 1 or name != "softmax"]
KERNELS = ("compiled", "plain")


def kernel(name, how):
    return getattr(losses, name) if how == "compiled" else getattr(losses, name).py_func


def test_every_loss_of_the_catalog_is_there():
    assert tuple(LOSS_FACTS) == names(LOSSES)
    assert sorted(facts.code for facts in LOSS_FACTS.values()) == list(range(len(LOSSES)))


@pytest.mark.parametrize(
    ("name", "value", "slope"),
    [
        ("logistic", np.log(1 + np.exp(-0.5)), -1 / (1 + np.exp(0.5))),
        ("squared", 0.125, -0.5),
        ("squared-hinge", 0.25, -1.0),
        ("smoothed-hinge", 0.125, -0.5),
    ],
)
@pytest.mark.parametrize("how", KERNELS)
def test_a_score_of_a_half_by_hand(name, value, slope, how):
    code = LOSS_FACTS[name].code
    assert kernel("value", how)(code, 0.5, 1.0) == pytest.approx(value, rel=1e-15)
    assert kernel("slope", how)(code, 0.5, 1.0) == pytest.approx(slope, rel=1e-15)


@pytest.mark.parametrize("how", KERNELS)
def test_softmax_of_equal_scores_by_hand(how):
    scores = np.zeros(4)
    assert kernel("row_loss", how)(losses.SOFTMAX, scores, 2.0) == pytest.approx(np.log(4))
    kernel("to_slopes", how)(losses.SOFTMAX, scores, 2.0)
    np.testing.assert_allclose(scores, [0.25, 0.25, -0.75, 0.25])


def test_the_logarithm_of_one_plus_a_share():
    shares = np.concatenate([[0.0, 1.0], np.geomspace(1e-300, 1, 5000), np.linspace(0, 1, 5000)])
    found = np.array([losses.log1p_of_share(x) for x in shares])
    np.testing.assert_allclose(found, np.log1p(shares), rtol=5e-16, atol=0)


@pytest.mark.parametrize(("name", "m"), CASES)
def test_many_rows_at_once_are_one_after_another(name, m):
    code, rng = LOSS_FACTS[name].code, np.random.default_rng(m)
    scores, shares = rng.normal(size=(70, m)) * 20, rng.random(70)
    targets = (rng.choice([-1.0, 1.0], 70) if m == 1 else rng.integers(0, m, 70)).astype(float)
    expected = sum(
        shares[row] * losses.row_loss(code, scores[row], targets[row]) for row in range(3, 66)
    )
    slopes = scores.copy()
    for row in range(3, 66):
        losses.to_slopes(code, slopes[row], targets[row])
    assert losses.to_weighted_slopes(code, scores, targets, shares, 3, 66) == pytest.approx(
        expected, rel=1e-14
    )
    np.testing.assert_allclose(scores, slopes, rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize(("name", "m"), CASES)
@pytest.mark.parametrize("how", KERNELS)
def test_values_and_slopes_against_the_formulas(name, m, how):
    code, rng = LOSS_FACTS[name].code, np.random.default_rng(m)
    for scores in (
        [SCORES[[place]] for place in range(len(SCORES))]
        if m == 1
        else rng.normal(size=(20, m)) * 2
    ):
        for target in (-1.0, 1.0) if m == 1 else range(m):
            assert kernel("row_loss", how)(code, scores, float(target)) == pytest.approx(
                row_loss(name, scores, target), rel=1e-12, abs=1e-15
            )
            slopes = scores.copy()
            kernel("to_slopes", how)(code, slopes, float(target))
            np.testing.assert_allclose(slopes, row_slopes(name, scores, target), atol=1e-8)


@pytest.mark.parametrize(("name", "m"), CASES)
def test_the_stated_curvature_is_reached_and_never_passed(name, m):
    code, rng = LOSS_FACTS[name].code, np.random.default_rng(0)
    steepest = 0.0
    for scores in np.vstack([np.zeros((1, m)), rng.normal(size=(300, m))]):
        hessian = np.empty((m, m))
        for c in range(m):
            above, below = (scores + side * 1e-5 * np.eye(m)[c] for side in (1, -1))
            for side in (above, below):
                losses.to_slopes(code, side, 1.0)
            hessian[c] = (above - below) / 2e-5
        steepest = max(steepest, np.linalg.eigvalsh((hessian + hessian.T) / 2).max())
    assert steepest <= LOSS_FACTS[name].curvature * (1 + 1e-6)
    assert steepest >= LOSS_FACTS[name].curvature * (0.99 if m < 4 or name != "softmax" else 0.5)


@pytest.mark.parametrize("name", PLAIN)
def test_far_scores_overflow_nowhere(name):
    code = LOSS_FACTS[name].code
    for score in (-1e4, 1e4):
        for target in (-1.0, 1.0):
            assert np.isfinite(losses.value(code, score, target))
            assert np.isfinite(losses.slope(code, score, target))


def test_far_scores_of_softmax():
    scores = np.array([-1e4, 0.0, 1e4])
    assert losses.row_loss(losses.SOFTMAX, scores, 0.0) == 2e4
    losses.to_slopes(losses.SOFTMAX, scores, 0.0)
    np.testing.assert_array_equal(scores, [-1, 0, 1])


def test_probabilities():
    np.testing.assert_allclose(
        class_probabilities("logistic", np.array([[np.log(3)]])), [[0.25, 0.75]]
    )
    np.testing.assert_allclose(
        class_probabilities("softmax", np.log([[1.0, 2, 5]])), [[0.125, 0.25, 0.625]]
    )
    np.testing.assert_allclose(
        class_probabilities("logistic", np.array([[0.0, 0.0, np.log(3)]])), [[2 / 7, 2 / 7, 3 / 7]]
    )


def test_probabilities_where_every_score_is_very_low():
    assert np.isfinite(class_probabilities("logistic", np.full((1, 3), -800.0))).all()


def test_the_usual_loss():
    assert [usual_loss(n) for n in (None, 2, 3)] == ["squared", "logistic", "softmax"]
