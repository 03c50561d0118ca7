"""What is measured of a subset, on problems a hand can check, and against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from craig_cli.evaluation import (
    Subset,
    compare,
    make_reference,
    run,
    sgd_epoch_seconds,
    warm_up,
)
from craig_cli.evaluation.comparison import Reached, pays_after, reached, speedup
from craig_cli.evaluation.measures import Point, is_noted
from craig_cli.evaluation.timing import quickest, timed
from craig_cli.settings.training import TrainSettings
from craig_cli.training import make_problem


def subset(rows, weights, seed=0):
    return Subset(np.array(rows, np.int64), np.array(weights, float), seed)


@pytest.fixture
def numbers():
    """Return a problem whose optimum is the mean: targets 1, 2, 3, 6, a column of zeros, squared
    loss.
    """
    return make_problem(
        np.zeros((4, 1)), np.array([1.0, 2, 3, 6]), "squared", regression=True, threads=1
    )


def test_residual_and_gradients_by_hand(numbers):
    reference = make_reference(numbers, TrainSettings(l2=0.1), w_norm=3.0)
    assert reference.best.intercept == pytest.approx(3.0)
    result = run(reference, subset([0, 3], [2, 2]))
    assert result.rows == 2
    assert result.residual == pytest.approx((3.5 - 3) ** 2 / 2)  # the subset's mean is 3.5
    assert result.gradient_error[:3] == pytest.approx(
        (0.5, 0.5, 0.5)
    )  # by the intercept, at any model
    assert result.gradient_error.largest == pytest.approx(0.5)
    assert result.curve[0] == Point(
        0, result.curve[0].passes, result.curve[0].seconds, pytest.approx(4.5)
    )
    assert result.curve[-1].residual == pytest.approx(result.residual, rel=1e-4)


def test_passes_are_over_all_rows(numbers):
    reference = make_reference(numbers, TrainSettings(solver="sgd", epochs=4, tolerance=0.0))
    assert [p.passes for p in run(reference, subset([0, 3], [2, 2])).curve] == [
        0.0,
        0.5,
        1.0,
        1.5,
        2.0,
    ]
    assert [p.passes for p in run(reference, None).curve] == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_tuning_is_counted(numbers):
    reference = make_reference(
        numbers, TrainSettings(solver="sgd", epochs=2, tolerance=0.0, tune=True)
    )
    assert [p.passes for p in run(reference, None).curve] == [
        48.0,
        49.0,
        50.0,
    ]  # 24 candidates of 2 epochs


def test_optimum_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 5))
    labels = (rows[:, 0] + rng.normal(size=300) > 0.3).astype(np.int64)
    reference = make_reference(
        make_problem(rows, labels, "logistic", threads=1), TrainSettings(l2=1e-2)
    )
    other = LogisticRegression(C=1 / (300 * 1e-2), tol=1e-10, max_iter=1000).fit(rows, labels)
    margins = np.where(labels == 1, 1, -1) * other.decision_function(rows)
    expected = np.mean(np.log1p(np.exp(-margins))) + 0.5e-2 * np.sum(other.coef_**2)
    assert reference.best.objective == pytest.approx(expected, abs=1e-12)
    assert reference.w_norm == pytest.approx(
        np.hypot(np.linalg.norm(other.coef_), other.intercept_[0]), rel=1e-4
    )


def test_all_rows_have_no_residual_and_no_gradient_error(numbers):
    result = run(make_reference(numbers, TrainSettings(l2=0.1), test_error=numbers.errors), None)
    assert (result.residual, result.gradient_error.largest) == (0, 0)
    assert result.test_error == pytest.approx(math.sqrt(14 / 4))


def test_epochs_noted():
    assert [epoch for epoch in range(60) if is_noted(epoch)] == [
        *range(21),
        *range(22, 30, 2),
        *range(30, 40, 3),
        *range(40, 50, 4),
        50,
        55,
    ]


def curve(*residuals):
    return [
        Point(epoch, 0.5 * epoch, 0.1 * epoch, residual) for epoch, residual in enumerate(residuals)
    ]


def test_where_a_target_is_reached():
    assert reached([curve(4, 2, 1), curve(4, 3, 2, 1)], 1) == Reached(
        2.5, 1.25, pytest.approx(0.25)
    )
    assert reached([curve(4, 2, 1), curve(4, 3, 2)], 1) is None


@pytest.mark.parametrize(
    ("selection", "full", "part", "runs"),
    [
        (10.0, 3.0, 1.0, 5),
        (1.0, 3.0, 1.0, 1),
        (0.0, 3.0, 1.0, 1),
        (1.0, 1.0, 1.0, None),
        (1.0, 1.0, 2.0, None),
        (None, 3.0, 1.0, None),
    ],
)
def test_after_how_many_runs_a_selection_has_paid(selection, full, part, runs):
    assert pays_after(selection, Reached(1, 1, full), Reached(1, 1, part)) == runs


def test_pay_and_speed_where_somebody_does_not_arrive():
    there = Reached(1, 1, 2.0)
    assert (pays_after(1.0, there, None), pays_after(1.0, None, there)) == (None, 1)
    assert (speedup(there, None), speedup(None, there), speedup(there, Reached(1, 1, 0.5))) == (
        0.0,
        math.inf,
        4.0,
    )


def test_comparison(numbers):
    reference = make_reference(numbers, TrainSettings(l2=0.1))
    subsets = {
        "coreset": [subset([0, 3], [2, 2])],
        "random": [subset([0, 1], [2, 2]), subset([2, 3], [2, 2], 1)],
        "stratified": [subset([2], [4])],
    }
    found = compare(reference, subsets, selection_seconds=1e9)
    assert [r.name for r in found.results] == ["all rows", "coreset", "random", "stratified"]
    assert found.result("random").residual == pytest.approx(1.125)
    assert found.target == pytest.approx(1.1 * 0.125)
    assert found.ratio_to("random") == pytest.approx(0.125 / 1.125)
    assert (found.standing("random"), found.standing("stratified")) == ("beats", "loses")
    assert found.result("random").reached is None  # 1.5 or 4.5 is not 3
    assert compare(reference, subsets, target=2.0).target == 2.0


def test_the_default_target_is_on_the_way_down_from_zero(numbers):
    reference = make_reference(numbers, TrainSettings(l2=0.1))
    found = compare(reference, {"coreset": [subset([3], [4])]})
    assert (found.residual_at_zero, found.target) == (pytest.approx(4.5), pytest.approx(0.45))
    assert found.coreset.residual == pytest.approx(4.5)


def test_clocks(numbers):
    warm_up(numbers, TrainSettings())
    assert sgd_epoch_seconds(numbers) > 0


def test_the_quickest_of_short_runs_counts():
    short, long = (
        iter([("a", 0.1), ("b", 0.05), ("c", 0.09), ("d", 0.01)]),
        iter([("a", 1.0), ("b", 0.5)]),
    )
    assert quickest(lambda: next(short)) == ("b", 0.05)  # three times at most
    assert quickest(lambda: next(long)) == ("a", 1.0)
    assert quickest(lambda: ("a", 0.2))[1] == 0.2


def test_timed_work():
    calls = []
    result, seconds = timed(lambda: calls.append(len(calls)) or len(calls))
    assert len(calls) == 3 and result in (1, 2, 3) and 0 <= seconds < 0.1


def test_short_curves_are_the_quickest_of_three(numbers, monkeypatch):
    from craig_cli.evaluation import measures

    taken = iter([0.2, 0.02, 0.1, 0.01])
    monkeypatch.setattr(
        measures, "curve", lambda *_: (Point(0, 0.0, 0.0, 1.0), Point(1, 1.0, next(taken), 0.5))
    )
    result = run(
        make_reference(numbers, TrainSettings(l2=0.1)),
        Subset(np.array([0, 3]), np.array([2.0, 2.0]), 0, 4.5),
    )
    assert result.curve[-1].seconds == 0.02
    assert result.selection_seconds == 4.5
