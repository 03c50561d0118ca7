"""Pilots are optima of all rows, whatever they are fitted by; what random rows leave is what they
are said to.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from problems import KINDS, TASKS, made_problem, uneven

from craig_cli.calibration.pilots import (
    Pilots,
    fit_path,
    make_pilots,
    sample_of,
    sample_rows,
)
from craig_cli.calibration.random_rows import random_residuals
from craig_cli.selection.budgets import class_sizes
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.training import Problem, make_problem, newton, optimum

STRENGTHS = 10.0 ** np.arange(0, -7, -2)


def some_of(problem: Problem, size: int = 80) -> Problem:
    index = np.random.default_rng(1).choice(problem.n_rows, size, replace=False)
    return problem.subset(index, problem.weights[index] + 0.1)


def pilots_of(problem: Problem, strengths: np.ndarray = STRENGTHS) -> Pilots:
    return make_pilots(problem, some_of(problem), strengths)


@pytest.mark.thinned(together=2)
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("loss", "n_classes"), TASKS)
def test_the_gradient_of_all_rows_vanishes_at_each_pilot(loss, n_classes, kind, is_weighted):
    weights = uneven(400) if is_weighted else None
    problem = made_problem(loss, n_classes, kind, n=400, weights=weights)
    pilots = pilots_of(problem)
    assert pilots.are_optima and pilots.l2.tolist() == STRENGTHS.tolist()
    everything = zip(
        STRENGTHS, pilots.models, pilots.losses, pilots.gradients, pilots.slopes, strict=True
    )
    for l2, model, value, loss_gradient, slopes in everything:
        gradient = np.empty_like(model)
        there, own = problem.full_pass(model, l2, gradient)
        assert np.abs(gradient).max() < 1e-5 * value
        assert value == pytest.approx(there, rel=1e-12)
        assert value == pytest.approx(optimum(problem, l2).objective, rel=1e-11)
        np.testing.assert_allclose(slopes, own, atol=1e-12)
        gradient[:, :-1] -= l2 * model[:, :-1]
        np.testing.assert_allclose(loss_gradient, gradient, atol=1e-12)


def test_pilots_take_few_passes(monkeypatch):
    """Each begins where the sample's model is, moved by what that missed at the strength before."""
    problem, taken, descend = made_problem("logistic", 2, n=20_000), [], newton.descend

    def counted(*others):
        found = descend(*others)
        if others[0] is problem:
            taken.append(found.passes)
        return found

    monkeypatch.setattr(newton, "descend", counted)
    make_pilots(problem, some_of(problem, 2000), 10.0 ** np.arange(0, -7.0, -1))
    assert len(taken) == 7
    assert max(taken) <= 7.5 and taken[-1] < 5


def test_without_an_intercept_there_is_none():
    problem = made_problem("logistic", 2, n=400, intercept=False)
    assert pilots_of(problem).models[..., -1].tolist() == [[0.0]] * 4


@pytest.mark.parametrize("kind", KINDS)
def test_where_columns_are_too_many_pilots_are_near_to_the_optima(kind, monkeypatch):
    monkeypatch.setattr("craig_cli.training.newton.MOST_COLUMNS", 5)
    problem = made_problem("logistic", 2, kind, n=400)
    pilots = make_pilots(problem, problem, STRENGTHS)
    assert not pilots.are_optima
    for place, l2 in enumerate(STRENGTHS):
        model = pilots.models[place]
        assert pilots.losses[place] < 1.001 * optimum(problem, l2).objective
        gradient = np.empty_like(model)
        problem.full_pass(model, 0.0, gradient)
        np.testing.assert_allclose(pilots.gradients[place], gradient, atol=1e-12)


def test_some_of_the_pilots():
    pilots = pilots_of(made_problem("logistic", 2, n=400))
    chosen = pilots.chosen(np.array([3, 1]))
    assert chosen.l2.tolist() == [1e-6, 1e-2]
    assert chosen.models.tolist() == pilots.models[[3, 1]].tolist()
    assert chosen.gradients.tolist() == pilots.gradients[[3, 1]].tolist()
    assert chosen.losses.tolist() == pilots.losses[[3, 1]].tolist()
    assert [chosen.slopes[0] is pilots.slopes[3], chosen.slopes[1] is pilots.slopes[1]] == [
        True
    ] * 2


@pytest.mark.parametrize("most_columns", [5, 600])
def test_a_path_is_the_same_for_any_number_of_threads(most_columns, monkeypatch):
    monkeypatch.setattr("craig_cli.training.newton.MOST_COLUMNS", most_columns)
    problem = made_problem("softmax", 3, n=9000)
    starts = np.zeros((4, 3, 6))
    paths = [fit_path(replace(problem, threads=t), STRENGTHS, starts, t) for t in (1, 2, 3)]
    assert len({path.tobytes() for path in paths}) == 1
    if most_columns == 600:
        for model, l2 in zip(paths[0], STRENGTHS, strict=True):
            value, _ = problem.full_pass(model, l2)
            assert value == pytest.approx(optimum(problem, l2).objective, rel=1e-11)


def test_a_sample_has_rows_of_every_class():
    groups = np.array([0] * 5000 + [1] * 3 + [2])
    index, weights = sample_rows(groups, 50, np.random.default_rng(0), np.ones(len(groups)))
    assert (len(index), sorted(set(groups[index].tolist()))) == (50, [0, 1, 2])
    assert (np.diff(index) > 0).all()
    assert np.bincount(groups[index], weights).tolist() == pytest.approx([5000, 3, 1])


def test_a_sample_has_rows_that_count():
    groups, weights = np.arange(200) % 2, np.where(np.arange(200) < 150, 0.0, 2.0)
    index, stands_for = sample_rows(groups, 20, np.random.default_rng(0), weights)
    assert index.min() >= 150 and stands_for.sum() == weights.sum()


@pytest.mark.parametrize(("pilot_rows", "size"), [(70, 70), (10, 60), (1000, 400)])
def test_a_sample_has_ten_rows_a_column_at_least(pilot_rows, size):
    problem, groups = made_problem("logistic", 2, n=400), np.arange(400) % 2
    sample, own = sample_of(problem, groups, CalibrationSettings(pilot_rows=pilot_rows))
    assert sample.n_rows == len(own) == size
    assert sample.weights.sum() == pytest.approx(400)
    if size == 400:
        assert sample.targets.tolist() == problem.targets.tolist()
        assert own.tolist() == groups.tolist()


N_ROWS, N_PICKS, N_DRAWS = 6000, 300, 40


def measured(problem: Problem, pilots: Pilots, groups: np.ndarray) -> np.ndarray:
    """Return the mean f - f* of models fitted on random rows, as many of each group as it has."""
    sizes, rng = class_sizes(N_PICKS, np.bincount(groups)), np.random.default_rng(5)
    total = np.zeros(len(pilots.l2))
    for _ in range(N_DRAWS):
        index = np.concatenate(
            [
                rng.choice(np.flatnonzero(groups == group), size, replace=False)
                for group, size in enumerate(sizes)
            ]
        )
        # Those of a class add up to its weight, as those of --method random do.
        weights = problem.weights[index]
        scale = np.bincount(groups, problem.weights) / np.bincount(groups[index], weights)
        weights = weights * scale[groups[index]]
        models = fit_path(problem.subset(index, weights), pilots.l2, pilots.models, 1)
        for place, (model, l2) in enumerate(zip(models, pilots.l2.tolist(), strict=True)):
            total[place] += problem.full_pass(model, l2)[0] - pilots.losses[place]
    return total / N_DRAWS


def noisy(n_classes: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows with an offset, and labels (0: a number) that they tell badly."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N_ROWS, d)) * np.geomspace(2, 0.5, d) + 3
    if n_classes == 0:
        return X, X @ rng.normal(size=d) + rng.standard_t(6, N_ROWS)
    scores = 0.3 * (X - 3) @ rng.normal(size=(d, n_classes)) + rng.gumbel(size=(N_ROWS, n_classes))
    return X, np.argmax(scores, axis=1)


@pytest.mark.parametrize(
    ("loss", "n_classes"),
    [("logistic", 2), ("logistic", 3), ("softmax", 3), ("squared", 0), ("smoothed-hinge", 2)],
)
def test_random_rows_leave_what_they_are_said_to(loss, n_classes):
    X, y = noisy(n_classes, 4)
    problem = make_problem(X, y, loss, regression=n_classes == 0, threads=1)
    groups = np.zeros(N_ROWS, np.int64) if n_classes == 0 else y
    pilots = pilots_of(problem, np.array([1e-1, 1e-4]))
    said = random_residuals(problem, groups, pilots, N_PICKS, N_ROWS)
    ratios = said / measured(problem, pilots, groups)
    assert (ratios > 1 / 1.5).all() and (ratios < 1.5).all()


def test_random_rows_of_uneven_weights_leave_what_they_are_said_to():
    X, y = noisy(2, 4)
    weights = np.random.default_rng(1).lognormal(sigma=1.0, size=N_ROWS)
    problem = make_problem(X, y, "logistic", weights, threads=1)
    pilots = pilots_of(problem, np.array([1e-1, 1e-4]))
    said = random_residuals(problem, y, pilots, N_PICKS, N_ROWS)
    ratios = said / measured(problem, pilots, y)
    assert (ratios > 1 / 1.5).all() and (ratios < 1.5).all()


def test_draws_within_classes_leave_less_than_draws_among_all_rows():
    """Where rows hardly tell the classes, slopes differ between these more than within them."""
    X, y = noisy(2, 1)
    problem = make_problem(X, y, "logistic", threads=1)
    pilots, one_group = pilots_of(problem, np.array([1e-4])), np.zeros(N_ROWS, np.int64)
    said = [random_residuals(problem, g, pilots, N_PICKS, N_ROWS)[0] for g in (y, one_group)]
    assert said[0] < said[1] / 1.5
    for value, groups in zip(said, (y, one_group), strict=True):
        assert 1 / 1.4 < value / measured(problem, pilots, groups)[0] < 1.4


def test_all_rows_leave_nothing():
    problem = made_problem("logistic", 2, n=400)
    pilots, groups = pilots_of(problem), np.zeros(400, np.int64)
    assert random_residuals(problem, groups, pilots, 400, 400).tolist() == [0.0] * 4
    few, many = (random_residuals(problem, groups, pilots, k, 400) for k in (20, 200))
    assert few == pytest.approx(many * (1 / 20 - 1 / 400) / (1 / 200 - 1 / 400), rel=1e-12)


def test_offsets_and_units_change_nothing_in_what_random_rows_leave():
    problem = made_problem("softmax", 3, n=400)
    groups = np.arange(400) % 3
    there = []
    for factor, offset in ((1.0, 0.0), (100.0, 1e3)):
        moved = replace(problem, rows=factor * (problem.rows + offset))
        pilots = pilots_of(moved, STRENGTHS * factor**2)
        there.append(random_residuals(moved, groups, pilots, 50, 400))
    np.testing.assert_allclose(*there, rtol=1e-4)
