"""Losses and slopes against formulas, by hand and by differences; bounds and probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from reference import row_loss, row_slopes

from craig_cli.errors import UsageError
from craig_cli.kernels import losses
from craig_cli.settings.catalog import LOSSES as CATALOG
from craig_cli.settings.catalog import names
from craig_cli.training.losses import LOSSES, find_loss

SCORES = np.array([-3.0, -1.2, -0.4, -0.1, 0.3, 0.9, 1.7, 4.0])
PLAIN = [name for name in LOSSES if not LOSSES[name].is_joint]
CASES = [(name, m) for name in LOSSES for m in (1, 2, 4) if m > 1 or name in PLAIN]
KERNELS = ("compiled", "plain")


def kernel(name, how):
    return getattr(losses, name) if how == "compiled" else getattr(losses, name).py_func


def test_every_loss_of_the_catalog_is_there():
    assert tuple(LOSSES) == names(CATALOG)
    assert sorted(loss.code for loss in LOSSES.values()) == list(range(len(LOSSES)))
    assert [loss.is_joint for loss in sorted(LOSSES.values(), key=lambda loss: loss.code)] == [
        code >= losses.SOFTMAX for code in range(len(LOSSES))
    ]


@pytest.mark.parametrize("how", KERNELS)
@pytest.mark.parametrize("code", [-1, len(LOSSES), 99])
def test_a_code_that_is_none_gives_no_number(code, how):
    """Not the value of another loss; nor does softmax of a single score."""
    for number, scores in ((code, np.ones(1)), (code, np.ones(3)), (losses.SOFTMAX, np.ones(1))):
        assert np.isnan(kernel("row_loss", how)(number, scores, 1.0))
        slopes = scores.copy()
        kernel("to_slopes", how)(number, slopes, 1.0)
        assert np.isnan(slopes).all()
        rows = np.ones((2, len(scores)))
        shares = np.full(2, 0.5)
        assert np.isnan(kernel("to_weighted_slopes", how)(number, rows, np.ones(2), shares, 0, 2))
        assert np.isnan(rows).all()


def test_a_name_that_is_none():
    with pytest.raises(UsageError) as caught:
        find_loss("hinge", 2)
    assert str(caught.value) == f"--loss: 'hinge' is not one of {', '.join(names(CATALOG))}."


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
    code = LOSSES[name].code
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
    code, rng = LOSSES[name].code, np.random.default_rng(m)
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
    code, rng = LOSSES[name].code, np.random.default_rng(m)
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
    code, rng = LOSSES[name].code, np.random.default_rng(0)
    steepest = 0.0
    for scores in np.vstack([np.zeros((1, m)), rng.normal(size=(300, m))]):
        hessian = np.empty((m, m))
        for c in range(m):
            above, below = (scores + side * 1e-5 * np.eye(m)[c] for side in (1, -1))
            for side in (above, below):
                losses.to_slopes(code, side, 1.0)
            hessian[c] = (above - below) / 2e-5
        steepest = max(steepest, np.linalg.eigvalsh((hessian + hessian.T) / 2).max())
    assert steepest <= LOSSES[name].curvature * (1 + 1e-6)
    assert steepest >= LOSSES[name].curvature * (0.99 if m < 4 or name != "softmax" else 0.5)


@pytest.mark.parametrize("name", PLAIN)
def test_far_scores_overflow_nowhere(name):
    code = LOSSES[name].code
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
        LOSSES["logistic"].probabilities(np.array([[np.log(3)]])), [[0.25, 0.75]]
    )
    np.testing.assert_allclose(
        LOSSES["softmax"].probabilities(np.log([[1.0, 2, 5]])), [[0.125, 0.25, 0.625]]
    )
    np.testing.assert_allclose(
        LOSSES["logistic"].probabilities(np.array([[0.0, 0.0, np.log(3)]])), [[2 / 7, 2 / 7, 3 / 7]]
    )


def test_probabilities_where_every_score_is_very_low():
    assert np.isfinite(LOSSES["logistic"].probabilities(np.full((1, 3), -800.0))).all()


@pytest.mark.parametrize(("name", "m"), CASES)
def test_probabilities_are_such_and_rise_with_the_score(name, m):
    if LOSSES[name].probabilities is None:
        return
    scores = np.random.default_rng(m).normal(size=(50, m)) * 5
    chances = LOSSES[name].probabilities(scores)
    assert chances.shape == (50, max(m, 2))
    assert (chances >= 0).all()
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-12)
    best = (scores[:, 0] > 0).astype(int) if m == 1 else scores.argmax(axis=1)
    np.testing.assert_array_equal(chances.argmax(axis=1), best)


@pytest.mark.parametrize(("name", "m"), CASES)
def test_second_derivatives_by_differences(name, m):
    loss, scores = LOSSES[name], np.random.default_rng(m).normal(size=(40, m)) * 2
    for row in scores:
        sides = [row.copy(), row.copy(), row.copy()]
        for c in range(m):
            for side, move in zip(sides, (-1e-6, 0.0, 1e-6), strict=True):
                side[:] = row
                side[c] += move
                losses.to_slopes(loss.code, side, 1.0)
            measured = (sides[2][c] - sides[0][c]) / 2e-6
            assert loss.second_derivatives(sides[1])[c] == pytest.approx(measured, abs=1e-5)


@pytest.mark.parametrize(("name", "m"), CASES)
def test_no_slope_is_steeper_than_the_bound(name, m):
    loss, rng = LOSSES[name], np.random.default_rng(m)
    scores = rng.normal(size=(500, m)) * rng.exponential(size=(500, 1)) * 3
    reach = np.linalg.norm(scores, axis=1)
    targets = (rng.choice([-1.0, 1.0], 500) if m == 1 else rng.integers(0, m, 500)).astype(float)
    bound = loss.steepest_slopes(reach, targets, m)
    losses.to_weighted_slopes(loss.code, scores, targets, np.ones(500), 0, 500)
    assert bound.shape == (500,)
    assert (np.linalg.norm(scores, axis=1) <= bound * (1 + 1e-12)).all()


def test_the_usual_loss():
    assert [find_loss(None, n).name for n in (None, 2, 3)] == ["squared", "logistic", "softmax"]


def test_targets_and_outputs():
    labels, classes = np.array([7, 3, 9]), np.array([3, 7, 9])
    for loss in LOSSES.values():
        assert loss.targets(labels, classes).tolist() == [1, 0, 2]
        assert [loss.n_outputs(n) for n in (None, 3, 4)] == [1, 3, 4]
        two = [1, 0] if loss.is_joint else [1, -1]
        assert loss.targets(labels[:2], classes[:2]).tolist() == two
        assert loss.n_outputs(2) == (2 if loss.is_joint else 1)
        if loss.fits_numbers:
            assert loss.targets(labels, None).tolist() == [7.0, 3.0, 9.0]
