"""Calibrated coresets: what comes out, what is the same for any threads, layout, offset and unit of
rows, what is told of it, and that harm is refused.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.sparse as sp
from tools import needs

from craig_cli import select_coreset
from craig_cli.calibration import (
    calibrated_coreset,
    calibrated_prefix,
    importance_scores,
    make_coreset,
)
from craig_cli.calibration.calibrator import Calibrator
from craig_cli.calibration.dual import Solution
from craig_cli.calibration.pilots import fit_pilot
from craig_cli.dataset import Dataset
from craig_cli.errors import UsageError
from craig_cli.reports.base import calibration_lines
from craig_cli.selection import Coreset, select
from craig_cli.selection.prefix import first_picks
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.training import Problem, make_problem, optimum

METHODS = ("exact", "cells", "stratified", "random", "importance")
LOSSES = {"logistic": 2, "squared-hinge": 2, "smoothed-hinge": 3, "softmax": 3, "squared": None}
"""Losses, and a number of classes to try them on; None stands for a number to predict."""


def made(
    n_classes: int | None = 2, n_rows: int = 1500, n_columns: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of unequal columns, and labels that a linear model tells imperfectly."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(n_rows, n_columns)) * np.geomspace(2, 0.3, n_columns) + 0.3
    scores = X @ rng.normal(size=(n_columns, max(2, n_classes or 2))) + rng.gumbel(
        size=(n_rows, max(2, n_classes or 2))
    )
    return X, scores[:, 0] if n_classes is None else np.argmax(scores, axis=1)


def abalone_like(n: int = 1200) -> tuple[np.ndarray, np.ndarray]:
    """Return seven measures that nearly follow from one, a sex, and rings."""
    rng = np.random.default_rng(11)
    size = rng.gamma(9, 1 / 9, n)
    X = size[:, None] ** np.array([1, 1, 1, 3, 3, 3, 3]) * np.exp(0.1 * rng.normal(size=(n, 7)))
    X = np.hstack([X, np.eye(3)[rng.integers(3, size=n)]])
    return X, np.round(6 * size + 3 * X[:, 6] + rng.gamma(3, 1, n))


def residuals(problem: Problem, coreset: Coreset, strengths) -> list[float]:
    """Return f - f* of the models fitted on the picks, at each strength."""
    part, found = problem.subset(coreset.index, coreset.weight), []
    for l2 in strengths:
        model = optimum(part, l2)
        value = problem.objective(model.coef, model.intercept, l2)
        found.append(value - optimum(problem, l2).objective)
    return found


def check_contract(coreset: Coreset, n_rows: int | None = None) -> None:
    """Weights add up by class, none is 0, and all are within bounds of those from before."""
    for summary in coreset.classes:
        assert coreset.weight[coreset.of_class(summary)].sum() == pytest.approx(
            summary.total_weight, rel=1e-12
        )
    assert np.isfinite(coreset.weight).all()
    if coreset.weights == "calibrated":
        before = coreset.base_weight
        one_row = 1.0 if n_rows is None else before.sum() / n_rows
        assert (coreset.weight >= np.minimum(0.05 * before, one_row) * (1 - 1e-6)).all()
        assert (coreset.weight <= 20 * before * (1 + 1e-6)).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_comes_nearer_to_the_optimum(loss):
    X, y = made(LOSSES[loss])
    options = {
        "size": 200,
        "method": "random",
        "pilot_loss": loss,
        "task": "regression" if loss == "squared" else "classification",
    }
    plain, better = (
        select_coreset(X, y, weights=weights, **options) for weights in ("cluster", "calibrated")
    )
    assert better.weights == "calibrated"
    assert better.index.tolist() == plain.index.tolist()
    assert better.base_weight.tolist() == plain.weight.tolist()
    problem = make_problem(X, y, loss, regression=loss == "squared")
    strengths = (3e-4, 3e-2)
    pairs = zip(*(residuals(problem, c, strengths) for c in (better, plain)), strict=True)
    assert all(after < before / 100 for after, before in pairs)
    said = better.calibration
    assert said["gradient_error_after"] < said["gradient_error_before"] / 20
    assert sum(said["loss_after"]) < sum(said["loss_before"])
    check_contract(better)


@pytest.mark.parametrize(
    ("method", "representative"),
    [
        *((method, "medoid") for method in METHODS),
        *((method, name) for method in ("exact", "cells") for name in ("random", "exchanged")),
    ],
)
def test_every_method_keeps_its_class_sums_and_bounds(method, representative):
    X, y = made(3)
    coreset = select_coreset(
        X, y, size=150, method=method, representative=representative, weights="calibrated"
    )
    assert coreset.weights == "calibrated"
    check_contract(coreset)
    assert coreset.weight.min() > 0


@pytest.mark.parametrize("size", [40, 150])
def test_weights_come_to_their_bounds_and_no_further(size):
    X, y = made()
    rng = np.random.default_rng(0)
    X = np.hstack([X, rng.random((len(X), 20)) < 0.02])
    coreset = select_coreset(
        X, y, size=size, method="cells", representative="random", weights="calibrated"
    )
    check_contract(coreset)
    ratios, lowest = coreset.weight / coreset.base_weight, np.minimum(0.05, 1 / coreset.base_weight)
    at_bounds = np.isclose(ratios, lowest, rtol=1e-9) | np.isclose(ratios, 20, rtol=1e-9)
    said = coreset.calibration
    assert said["at_bounds"] == np.count_nonzero(at_bounds) > 10
    assert said["largest_weight"] == coreset.weight.max()
    assert said["effective_rows"] == pytest.approx(
        coreset.weight.sum() ** 2 / np.square(coreset.weight).sum()
    )
    assert said["rows_a_constraint"] == size / said["constraints"]


@pytest.mark.parametrize("loss", ["logistic", "softmax", "squared"])
def test_the_same_bytes_for_any_number_of_threads(loss):
    X, y = made({"logistic": 2, "softmax": 4, "squared": None}[loss], n_rows=9000)
    results = [
        select_coreset(
            X,
            y,
            size=900,
            method="cells",
            representative="random",
            weights="calibrated",
            task="regression" if loss == "squared" else None,
            threads=threads,
        )
        for threads in (1, 2, 3)
    ]
    assert len({(c.index.tobytes(), c.weight.tobytes(), str(c.calibration)) for c in results}) == 1
    assert results[0].weights == "calibrated"


@pytest.mark.parametrize("n_classes", [3, None])
def test_sparse_rows_give_the_weights_of_dense_ones(n_classes):
    X, y = made(n_classes)
    X[np.abs(X) < 0.5] = 0
    dense, sparse = (
        select_coreset(
            rows,
            y,
            size=150,
            method="random",
            weights="calibrated",
            task="classification" if n_classes else "regression",
        )
        for rows in (X, sp.csr_array(X))
    )
    assert dense.weights == "calibrated"
    np.testing.assert_allclose(dense.weight, sparse.weight, rtol=1e-6)


MOVES = {"an offset": (1e3, 1.0), "a unit": (0.0, 250.0), "both": (-20.0, 1e-3)}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("loss", ["logistic", "softmax", "squared-hinge", "squared"])
def test_offsets_and_units_change_no_weight(loss, move):
    offset, factor = MOVES[move]
    X, y = made({"softmax": 3, "squared": None}.get(loss, 2))
    calibration = {"loss": loss, "threads": 1}
    task = "regression" if loss == "squared" else "classification"
    plain = select(Dataset(X, y), SelectionSettings(Budget(size=150), method="random", task=task))
    one, other = (
        calibrated_coreset(
            Dataset(rows, y),
            plain,
            CalibrationSettings("calibrated", pilot_l2=tuple(strengths.tolist()), **calibration),
        )
        for rows, strengths in (
            (X, STRENGTHS),
            (factor * (X + offset), factor**2 * STRENGTHS),
        )
    )
    assert one.weights == other.weights == "calibrated"
    np.testing.assert_allclose(other.weight, one.weight, rtol=1e-6)


STRENGTHS = np.array([1e-5, 1e-3, 1e-1])


def test_offsets_change_no_weight_along_leading_directions():
    X, y = made(n_columns=80)
    plain = select(Dataset(X, y), SelectionSettings(Budget(size=70), method="random"))
    settings = CalibrationSettings("calibrated", pilot_l2=(1e-1, 1.0), threads=1)
    one, other = (calibrated_coreset(Dataset(X + by, y), plain, settings) for by in (0.0, 100.0))
    assert one.calibration["is_reduced"] and one.weights == "calibrated"
    np.testing.assert_allclose(other.weight, one.weight, rtol=1e-6)


@pytest.mark.parametrize("representative", ["exchanged", "medoid"])
def test_the_ridge_path_comes_out_where_picks_carry_the_moments(representative):
    X, y = abalone_like()
    coreset = select_coreset(
        X, y, size=150, task="regression", representative=representative, weights="calibrated"
    )
    said = coreset.calibration
    assert (coreset.weights, said["pilots"], said["constraints"]) == ("calibrated", 0, 78)
    found = residuals(make_problem(X, y, regression=True), coreset, 10.0 ** np.arange(-6, 1))
    if representative == "exchanged":
        assert max(found) < 1e-9
        assert max(said["residual_after"]) < 1e-9
    assert max(found) < max(said["residual_before"]) / 4
    check_contract(coreset)


@pytest.mark.parametrize(
    ("loss", "n_classes"), [*LOSSES.items(), ("logistic", 3)], ids=lambda value: str(value)
)
def test_residuals_are_those_of_optima(loss, n_classes):
    X, y = made(n_classes)
    weights = np.random.default_rng(2).integers(1, 4, len(y)).astype(float)
    is_regression = n_classes is None
    coreset = select_coreset(
        X,
        y,
        size=150,
        sample_weight=weights,
        weights="calibrated",
        pilot_loss=loss,
        task="regression" if is_regression else "classification",
    )
    said = coreset.calibration
    problem = make_problem(X, y, loss, weights, regression=is_regression)
    before = dataclasses.replace(coreset, weight=coreset.base_weight)
    nearness = 1e-9 if problem.loss.is_straight_somewhere else 1e-11
    for place, l2 in enumerate(said["pilot_l2"]):
        least = optimum(problem, l2).objective
        assert said["optimum"][place] == pytest.approx(least, rel=1e-11)
        for name, some in (("before", before), ("after", coreset)):
            (residual,) = residuals(problem, some, [l2])
            assert said[f"residual_{name}"][place] == pytest.approx(
                residual, rel=1e-3, abs=nearness
            )
            total = said["optimum"][place] + said[f"residual_{name}"][place]
            assert said[f"loss_{name}"][place] == pytest.approx(total, rel=1e-12)
    assert (np.array(said["residual_after"]) < said["residual_random"]).all()


@pytest.mark.needs("scikit-learn")
def test_residuals_are_those_by_scikit_learn():
    linear_model = needs("scikit-learn", ".linear_model")
    X, y = made()
    coreset = select_coreset(X, y, size=150, weights="calibrated")
    said, signs = coreset.calibration, 2 * y - 1
    for place, l2 in enumerate(said["pilot_l2"]):

        def fitted(index, weights, l2=l2):
            model = linear_model.LogisticRegression(
                C=1 / (l2 * weights.sum()), solver="newton-cholesky", tol=1e-12, max_iter=500
            ).fit(X[index], y[index], weights)
            margins = signs * (X @ model.coef_[0] + model.intercept_)
            return np.logaddexp(0, -margins).mean() + l2 / 2 * np.square(model.coef_).sum()

        least = fitted(np.arange(len(y)), np.ones(len(y)))
        assert said["optimum"][place] == pytest.approx(least, rel=1e-10)
        for name, weights in (("before", coreset.base_weight), ("after", coreset.weight)):
            residual = fitted(coreset.index, weights) - least
            assert said[f"residual_{name}"][place] == pytest.approx(residual, rel=1e-3, abs=1e-10)


def test_where_the_optimum_is_not_known_no_residual_is_told(monkeypatch):
    monkeypatch.setattr("craig_cli.training.newton.MOST_COLUMNS", 5)
    X, y = made()
    coreset = select_coreset(X, y, size=150, method="random", weights="calibrated")
    said = coreset.calibration
    assert coreset.weights == "calibrated"
    for name in ("optimum", "residual_before", "residual_after", "residual_random"):
        assert said[name] == []
    assert len(said["loss_after"]) == 7


def test_harm_is_refused(monkeypatch):
    X, y = made()
    dataset = Dataset(X, y)
    plain = select(dataset, SelectionSettings(Budget(size=60), method="random"))
    pair = np.isin(np.arange(60), [np.argmax(plain.label), np.argmin(plain.label)])

    def all_on_two(*others):
        weights = np.where(pair, 0.5, 1e-9)
        return Solution(weights, np.zeros(14), 0.0, 1, np.zeros((14, 14)), pair)

    monkeypatch.setattr("craig_cli.calibration.calibrator.calibrated_weights", all_on_two)
    coreset = calibrated_coreset(dataset, plain, CalibrationSettings("calibrated"))
    assert (coreset.weights, coreset.base_weight) == ("uniform", None)
    assert coreset.weight.tolist() == plain.weight.tolist()
    said = coreset.calibration
    assert (said["kept"], said["reason"]) == (
        False,
        "the models fitted on the picks did not have a lower loss on all rows",
    )
    assert sum(said["loss_after"]) > sum(said["loss_before"])
    assert said["effective_rows"] == pytest.approx(
        plain.weight.sum() ** 2 / np.square(plain.weight).sum()
    )
    assert said["largest_weight"] == plain.weight.max()


def test_one_strength_may_not_pay_for_the_others(monkeypatch):
    """Where the sum of the losses falls and one of them rises."""
    X, y = made()
    dataset = Dataset(X, y)
    plain = select(dataset, SelectionSettings(Budget(size=60), method="random"))
    told = iter([np.ones(7), np.array([0.5] * 6 + [1.00001])] * 2)
    monkeypatch.setattr(Calibrator, "_losses", lambda *_: next(told))
    settings = CalibrationSettings("calibrated")
    assert not calibrated_coreset(dataset, plain, settings).calibration["kept"]
    monkeypatch.setattr("craig_cli.calibration.calibrator.NO_RISE", 1e-4)
    assert calibrated_coreset(dataset, plain, settings).calibration["kept"]


def test_weights_that_gain_nothing_stay(monkeypatch):
    X, y = made()
    monkeypatch.setattr(Calibrator, "_losses", lambda *_: np.ones(7))
    coreset = select_coreset(X, y, size=60, method="random", weights="calibrated")
    assert (coreset.weights, coreset.calibration["kept"]) == ("uniform", False)


def test_picks_of_weight_0_count_for_nothing():
    X, y = made()
    problem = make_problem(X, y, "logistic", threads=1)
    index = np.random.default_rng(0).choice(len(y), 150, replace=False)
    weight = np.where(np.arange(150) % 5 == 0, 0.0, 1.0)
    for label in (0, 1):
        own = y[index] == label
        weight[own] *= np.count_nonzero(y == label) / weight[own].sum()
    settings, counting = CalibrationSettings("calibrated", threads=1), weight > 0
    whole = Calibrator(problem, y, settings).calibrate(index, weight)
    alone = Calibrator(problem, y, settings).calibrate(index[counting], weight[counting])
    assert whole.summary.kept
    assert (whole.weight[~counting] == 0).all()
    np.testing.assert_allclose(whole.weight[counting], alone.weight, rtol=1e-6)


def test_weights_that_are_right_already_stay():
    X, y = made(n_rows=60)
    coreset = select_coreset(
        np.repeat(X, 20, axis=0),
        np.repeat(y, 20),
        size=60,
        method="exact",
        weights="auto",
        allocation="proportional",
    )
    np.testing.assert_allclose(coreset.weight, 20, rtol=1e-8)
    said = coreset.calibration
    assert said["exchanged"] == 0
    assert max(said["residual_after"]) < 1e-11


@pytest.mark.parametrize("seed", range(4))
def test_a_loss_on_all_rows_never_rises(seed):
    X, y = made(n_columns=30, n_rows=500)
    coreset = select_coreset(X, y, size=40, method="random", seed=seed, weights="auto")
    said = coreset.calibration
    if said["kept"]:
        pairs = zip(said["loss_before"], said["loss_after"], strict=True)
        assert all(after <= before * (1 + 1e-6) for before, after in pairs)
    else:
        assert coreset.weights == "uniform"


def test_more_picks_carry_more_pilots_and_then_moments():
    X, y = made(n_columns=10)
    told = [
        (said["pilots"], said["constraints"], said["is_reduced"])
        for size in (10, 11, 25, 60, 200)
        for said in [
            select_coreset(X, y, size=size, method="random", weights="calibrated").calibration
        ]
    ]
    assert told == [
        (5, 10, True),
        (1, 11, False),
        (2, 22, False),
        (5, 55, False),
        (7, 77, False),
    ]
    X, y = made(None, n_columns=10)
    for size, expected in ((77, (7, 77)), (78, (0, 78))):
        said = select_coreset(
            X, y, size=size, method="random", weights="calibrated", task="regression"
        ).calibration
        assert (said["pilots"], said["constraints"]) == expected


def test_leading_directions_where_columns_are_too_many():
    X, y = made(n_columns=80)
    coreset = select_coreset(X, y, size=70, method="random", weights="calibrated")
    said = coreset.calibration
    assert said["is_reduced"]
    assert (said["pilots"], said["constraints"]) == (7, 70)
    if said["kept"]:
        assert sum(said["loss_after"]) < sum(said["loss_before"])
    auto = select_coreset(X, y, size=70, method="random", weights="auto")
    assert (auto.calibration, auto.weights) == (None, "uniform")
    assert "81 coordinates of a gradient are too many for 70 picks" in auto.notes[-1]


def test_calibrating_twice_is_calibrating_once():
    X, y = made()
    dataset, settings = Dataset(X, y), CalibrationSettings("calibrated")
    once = calibrated_coreset(
        dataset, select(dataset, SelectionSettings(Budget(size=100), method="stratified")), settings
    )
    twice = calibrated_coreset(dataset, once, settings)
    assert once.weight.tobytes() == twice.weight.tobytes()
    assert calibrated_coreset(dataset, once, CalibrationSettings("cluster")).weights == "cell"


@pytest.mark.parametrize("method", METHODS)
def test_a_prefix_has_weights_of_its_own(method):
    X, y = made(3)
    settings = SelectionSettings(Budget(size=90), method=method)
    coreset = select(Dataset(X, y), settings)
    prefix = first_picks(Dataset(X, y), settings, coreset, 30)
    assert prefix.index.tolist() == coreset.index[:30].tolist()
    assert prefix.cluster_size.sum() == len(X)
    assert [prefix.weight[prefix.label == s.label].sum() for s in prefix.classes] == pytest.approx(
        [s.n_rows for s in prefix.classes]
    )
    if method in ("exact", "cells"):
        assert prefix.weight.tolist() == prefix.cluster_size.tolist()
    whole = first_picks(Dataset(X, y), settings, coreset, 90)
    assert np.allclose(whole.weight, coreset.weight, rtol=1e-14)


def test_a_prefix_draws_representatives_anew():
    X, y = made()
    settings = SelectionSettings(Budget(size=90), method="exact", representative="random")
    coreset = select(Dataset(X, y), settings)
    assert (
        first_picks(Dataset(X, y), settings, coreset, 90).index.tolist() == coreset.index.tolist()
    )
    prefix = first_picks(Dataset(X, y), settings, coreset, 30)
    assert prefix.medoid.tolist() == coreset.medoid[:30].tolist()
    assert prefix.epsilon_total > coreset.epsilon_total


@pytest.mark.parametrize("representative", ["exchanged", "varied"])
def test_a_prefix_is_calibrated_as_a_coreset_is(representative):
    X, y = made()
    dataset, calibration = Dataset(X, y), CalibrationSettings("calibrated")
    settings = SelectionSettings(Budget(size=90), method="exact", representative=representative)
    coreset = make_coreset(dataset, settings, calibration)
    whole = calibrated_prefix(dataset, settings, coreset, 90, calibration)
    assert whole.index.tolist() == coreset.index.tolist()
    np.testing.assert_allclose(whole.weight, coreset.weight, rtol=1e-10)
    prefix = calibrated_prefix(dataset, settings, coreset, 40, calibration)
    assert prefix.picks.tolist() == coreset.picks[:40].tolist()
    assert prefix.weights == "calibrated"
    changed = np.count_nonzero(prefix.index != prefix.picks)
    assert prefix.calibration["exchanged"] == (changed if representative == "exchanged" else None)
    check_contract(prefix)


@pytest.mark.parametrize(
    ("first", "message"),
    [
        (0, "--first: 0 is not between 1 and 20, the picks that there are."),
        (21, "--first: 21 is not between 1 and 20, the picks that there are."),
        (1, "--first: among the first 1 picks there is none of class '1'. Give a larger number."),
    ],
)
def test_a_prefix_that_cannot_be(first, message):
    X, y = made()
    settings = SelectionSettings(Budget(size=20), method="exact")
    coreset = select(Dataset(X, y), settings)
    coreset = dataclasses.replace(coreset, label=np.concatenate([[0], coreset.label[1:]]))
    with pytest.raises(UsageError) as caught:
        first_picks(Dataset(X, y), settings, coreset, first)
    assert str(caught.value) == message


def test_no_labels_no_pilots():
    X, _ = made()
    said = (
        "weights='calibrated': a pilot needs labels, and there are none. Leave it out, or name "
        "their column with y."
    )
    with pytest.raises(UsageError) as caught:
        select_coreset(X, size=20, weights="calibrated")
    assert str(caught.value) == said
    coreset = select_coreset(X, size=20, weights="auto")
    assert (coreset.weights, coreset.notes[-1]) == (
        "cluster",
        f"The weights are not calibrated: {said}",
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": "best"}, "weights: 'best' is not one of cluster, calibrated, auto."),
        (
            {"representative": "best"},
            "representative: 'best' is not one of medoid, random, varied, exchanged.",
        ),
        ({"pilot_l2": (1e-3, 0.0)}, "pilot_l2: 0.0 is not a finite number above 0."),
        ({"pilot_l2": (1e-3, 1e-3)}, "pilot_l2: give one number, or several that differ."),
        (
            {"representative": "random", "method": "random"},
            "representative='random': the picks of method='random' are meant to be random. Leave "
            "one of the two out.",
        ),
    ],
)
def test_options_that_are_refused(options, message):
    X, y = made()
    with pytest.raises(UsageError) as caught:
        select_coreset(X, y, size=20, **options)
    assert str(caught.value) == message


def test_importance_scores_are_lengths_of_gradients():
    X, y = made(3, n_rows=600)
    scores = importance_scores(Dataset(X, y), "classification", CalibrationSettings(pilot_rows=600))
    problem = make_problem(X, y, "softmax")
    pilot = fit_pilot(problem, 1e-5, np.zeros((3, 6)))
    chances = np.exp(X @ pilot[:, :-1].T + pilot[:, -1])
    chances /= chances.sum(axis=1, keepdims=True)
    slopes = chances - np.eye(3)[y]
    lengths = np.linalg.norm(slopes, axis=1) * np.sqrt(1 + np.square(X).sum(axis=1))
    np.testing.assert_allclose(scores, lengths, rtol=1e-5)


@pytest.mark.parametrize("n_rows", (1500, 9000))
def test_rows_that_have_weights_ask_for_their_own_gradient(n_rows):
    X, y = made(2, n_rows)
    weights = np.random.default_rng(2).integers(0, 4, n_rows) * np.where(X[:, 0] > 0, 3.0, 1.0)
    whole = make_problem(X, y, "logistic", weights)
    for rows in (X, sp.csr_array(X)):
        plain, better = (
            select_coreset(rows, y, size=200, method="cells", sample_weight=weights, weights=kind)
            for kind in ("cluster", "calibrated")
        )
        assert better.weights == "calibrated"
        check_contract(better, n_rows)
        (near,), (far,) = (residuals(whole, coreset, [1e-3]) for coreset in (better, plain))
        assert near < far / 1000
        said = better.calibration
        assert said["gradient_error_after"] < said["gradient_error_before"] / 20


def test_weighted_rows_are_repeated_ones():
    """Of the same picks; the bounds reach less low where a row weighs more."""
    X, y = made(n_rows=800)
    weights = np.random.default_rng(2).integers(1, 4, 800)
    again = np.repeat(np.arange(800), weights)
    first = np.cumsum(weights) - weights
    index = np.random.default_rng(3).choice(800, 120, replace=False)
    gamma = np.where(y[index] == 0, 1.0, 2.0)
    settings = CalibrationSettings("calibrated", threads=1)
    found = []
    for rows, picks, problem_weights in (
        (np.arange(800), index, weights),
        (again, first[index], None),
    ):
        problem = make_problem(X[rows], y[rows], "logistic", problem_weights, threads=1)
        sums = np.bincount(y, weights) / np.bincount(y[index], gamma)
        calibrator = Calibrator(problem, y[rows], settings)
        found.append(calibrator.calibrate(picks, gamma * sums[y[index]]))
    assert found[0].summary.kept and found[0].summary.at_bounds == 0
    np.testing.assert_allclose(found[0].weight, found[1].weight, rtol=1e-6)


def awkward_cases() -> dict:
    X, y = made(n_rows=300)
    numbers = X @ np.arange(1.0, 6.0)
    spread = np.array([1.0, 1.0, 1.0, 1.0, 1e100])
    return {
        "one class": lambda: (X, np.zeros(300), 40, "classification"),
        "a row a class": lambda: (X[:40], np.arange(40), 40, "classification"),
        "a pick a class": lambda: (X, y, 2, "classification"),
        "all rows": lambda: (X, y, 300, "classification"),
        "all rows of numbers": lambda: (X, numbers, 300, "regression"),
        "duplicates": lambda: (np.repeat(X[:15], 20, axis=0), np.repeat(y[:15], 20), 60, CLASSES),
        "one row": lambda: (np.ones((300, 3)), y, 40, "classification"),
        "zeros": lambda: (np.zeros((300, 3)), y, 40, "classification"),
        "one number": lambda: (X, np.full(300, 0.1), 40, "regression"),
        "the number 0": lambda: (X, np.zeros(300), 40, "regression"),
        "no noise": lambda: (X, numbers, 40, "regression"),
        "separable": lambda: (X, (X[:, 0] > 0).astype(int), 40, "classification"),
        "huge": lambda: (1e100 * X, y, 40, "classification"),
        "tiny": lambda: (1e-100 * X, y, 40, "classification"),
        "a huge column": lambda: (X * spread, y, 40, "classification"),
        "a tiny column": lambda: (X / spread, y, 40, "classification"),
        "huge rows, numbers": lambda: (1e100 * X, numbers, 40, "regression"),
        "tiny rows, numbers": lambda: (1e-100 * X, numbers, 40, "regression"),
        "huge numbers": lambda: (X, 1e100 * numbers, 40, "regression"),
        "numbers whose squares vanish": lambda: (X, 1e-160 * numbers, 40, "regression"),
        "tiny numbers": lambda: (X, 1e-100 * numbers, 40, "regression"),
    }


CLASSES = "classification"
AWKWARD = awkward_cases()


@pytest.mark.thinned
@pytest.mark.parametrize("representative", ["medoid", "exchanged"])
@pytest.mark.parametrize("case", AWKWARD)
def test_awkward_rows_keep_the_contract(case, representative):
    X, y, size, task = AWKWARD[case]()
    coreset = make_coreset(
        Dataset(X, y),
        SelectionSettings(
            Budget(size=size), method="exact", representative=representative, task=task
        ),
        CalibrationSettings("auto" if case == "one class" else "calibrated"),
    )
    assert len(coreset.index) == min(size, len(y))
    check_contract(coreset)
    said = coreset.calibration
    if case == "one class":
        assert said is None
        assert "The weights are not calibrated: There is one class only" in coreset.notes[-1]
    else:
        assert np.isfinite([said["loss_after"], said["optimum"], said["residual_random"]]).all()
        assert calibration_lines(said, coreset.weights, len(coreset.index))[0][0] == "weights"


def test_an_optimum_of_0_is_told():
    """Where squares of the numbers to predict vanish."""
    X, y = made()
    said = dict(select_coreset(X, y, size=150, weights="calibrated").calibration)
    said |= {"optimum": [0.0] * 7, "residual_after": [0.0] * 7, "residual_random": [0.0] * 7}
    lines = dict(calibration_lines(said, "calibrated", 150))
    assert lines["suboptimality"].startswith("0.0e+00 on all rows")
