"""Medoids give way to other rows of their clusters where the sums ask for these, and only there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from craig_cli import select_coreset
from craig_cli.arrays import sparse_rows
from craig_cli.calibration import exchange as module
from craig_cli.calibration.calibrator import Calibrator
from craig_cli.calibration.constraints import GradientConstraints
from craig_cli.calibration.dual import Solution, calibrated_weights
from craig_cli.calibration.exchange import Equation, Exchange, pursued, whitened
from craig_cli.calibration.pilots import make_pilots
from craig_cli.selection.representatives import Standing
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.threads import Workers
from craig_cli.training import Problem, make_problem

RIDGE = 0.003
OPTIONS = {"size": 80, "scale": "none", "representative": "exchanged"}


def rare_rows(seed: int = 0, n: int = 1500, n_rare: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of three common columns, and of others that few rows have and distances hardly
    show; and labels that hang on these as well.
    """
    rng = np.random.default_rng(seed)
    X = np.hstack([rng.normal(size=(n, 3)), np.zeros((n, n_rare))])
    for column in range(3, 3 + n_rare):
        X[rng.choice(n, 40, replace=False), column] = 0.3
    scores = X @ np.array([1.0, -1.0, 0.5, *[4.0] * n_rare]) + rng.logistic(size=n)
    return X, (scores > 0).astype(int)


def made_standing(X: np.ndarray, y: np.ndarray, k: int = 80, **facts) -> Standing:
    """Return picks without a rare column, as many of each class, and the rows nearest to each."""
    rng, rows, cluster = np.random.default_rng(1), [], np.empty(len(y), np.int64)
    for label in (0, 1):
        members = np.flatnonzero(y == label)
        own = rng.choice(members[(X[members, 3:] == 0).all(axis=1)], k // 2, replace=False)
        distances = np.linalg.norm(X[members, None] - X[own], axis=2)
        cluster[members] = np.argmin(distances, axis=1) + label * k // 2
        rows.append(own)
    picks = np.concatenate(rows)
    weight = np.bincount(cluster, minlength=k).astype(float)
    usual = {"is_allowed": None, "is_fixed": np.zeros(k, bool)}
    return Standing(picks, weight, cluster, **{**usual, **facts})


def made_problem(seed: int = 0) -> tuple[Problem, GradientConstraints, Standing]:
    X, y = rare_rows(seed)
    problem = make_problem(X, y, "logistic", threads=1)
    pilots = make_pilots(problem, problem, np.array([1e-2, 1e-5]))
    return problem, GradientConstraints(problem, pilots), made_standing(X, y)


def equation_of(
    problem: Problem, constraints: GradientConstraints, standing: Standing, ridge: float = RIDGE
) -> Equation:
    n, k = problem.n_rows, len(standing.rows)
    sums = np.bincount(problem.class_numbers()) / n
    members = problem.class_numbers()[standing.rows][:, None] == np.arange(2)
    return Equation(
        shares=standing.weight / n,
        wanted=np.concatenate([sums, constraints.wanted]),
        ridge=np.append(np.zeros(2), np.full(len(constraints.wanted), 1 / k)),
        lower=np.full(k, 0.2),
        upper=np.full(k, 10.0),
        members=members.astype(float),
        last=ridge,
    )


def solved(equation: Equation, constraints: GradientConstraints, rows: np.ndarray) -> Solution:
    """Return the weights of rows that stand for their clusters, at the last ridge."""
    parts = np.hstack([equation.members, constraints.parts(rows)])
    with Workers(1) as workers:
        return calibrated_weights(equation.task(parts, equation.last), workers)


def exchanged(problem, constraints, standing: Standing, threads: int = 1) -> np.ndarray:
    with Workers(threads) as workers:
        equation = equation_of(problem, constraints, standing)
        return Exchange(constraints, equation, standing, workers).run()


def check_clusters(standing: Standing, rows: np.ndarray) -> None:
    assert standing.cluster[rows].tolist() == list(range(len(standing.rows)))


@pytest.mark.parametrize("seed", range(3))
def test_what_medoids_lack_comes_in_and_the_strain_falls(seed):
    problem, constraints, standing = made_problem(seed)
    before = standing.rows.copy()
    rows = exchanged(problem, constraints, standing)
    assert standing.rows.tolist() == before.tolist()
    check_clusters(standing, rows)
    assert (problem.rows[before, 3:] > 0).sum() == 0
    assert ((problem.rows[rows, 3:] > 0).sum(axis=0) > 0).all()
    assert 0 < np.count_nonzero(rows != before) < 40
    equation = equation_of(problem, constraints, standing)
    strains = [solved(equation, constraints, some).strain for some in (before, rows)]
    assert strains[1] < strains[0] / 100


def test_rows_that_may_not_enter_do_not_and_fixed_clusters_keep_theirs():
    problem, constraints, standing = made_problem()
    free = exchanged(problem, constraints, standing)
    changed = np.flatnonzero(free != standing.rows)
    allowed = np.ones(problem.n_rows, bool)
    allowed[free[changed[::2]]] = False
    is_fixed = np.zeros(80, bool)
    is_fixed[changed[1::2]] = True
    bound = replace(standing, is_allowed=allowed, is_fixed=is_fixed)
    rows = exchanged(problem, constraints, bound)
    check_clusters(bound, rows)
    assert rows.tolist() != standing.rows.tolist()
    assert allowed[rows[rows != standing.rows]].all()
    assert rows[is_fixed].tolist() == standing.rows[is_fixed].tolist()
    for nothing in ({"is_allowed": np.zeros_like(allowed)}, {"is_fixed": np.ones_like(is_fixed)}):
        rows = exchanged(problem, constraints, replace(standing, **nothing))
        assert rows.tolist() == standing.rows.tolist()


def test_nothing_gives_way_where_weights_can_give_the_sums(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 2))
    y = (X[:, 0] + rng.logistic(size=1500) > 0).astype(int)
    standing = made_standing(np.hstack([X, np.zeros((1500, 1))]), y, 400)
    problem = make_problem(X, y, "logistic", threads=1)
    pilots = make_pilots(problem, problem, np.array([1e-2]))
    constraints = GradientConstraints(problem, pilots)
    equation = equation_of(problem, constraints, standing)
    assert 0 < solved(equation, constraints, standing.rows).strain < module.EASY
    assert exchanged(problem, constraints, standing).tolist() == standing.rows.tolist()
    monkeypatch.setattr(module, "EASY", 0.0)
    assert exchanged(problem, constraints, standing).tolist() != standing.rows.tolist()


def test_a_strain_that_is_easy_is_none(monkeypatch):
    problem, constraints, standing = made_problem()
    monkeypatch.setattr(module, "EASY", np.inf)
    assert exchanged(problem, constraints, standing).tolist() == standing.rows.tolist()


def test_the_same_rows_for_any_number_of_threads():
    X, y = rare_rows(n=6000)
    problem = make_problem(X, y, "logistic", threads=2)
    constraints = GradientConstraints(problem, make_pilots(problem, problem, np.array([1e-4])))
    standing = made_standing(X, y, 700)
    found = [exchanged(problem, constraints, standing, threads).tolist() for threads in (1, 2, 3)]
    assert found[0] == found[1] == found[2] != standing.rows.tolist()


def test_a_batch_has_one_row_a_cluster_and_no_more_rows_than_it_may(monkeypatch):
    problem, constraints, standing = made_problem()
    equation = equation_of(problem, constraints, standing)
    found = solved(equation, constraints, standing.rows)
    with Workers(1) as workers:
        batch = Exchange(constraints, equation, standing, workers).batch(RIDGE, found)
        assert 1 < len(batch) <= module.LEAST_BATCH
        assert len(set(standing.cluster[batch].tolist())) == len(batch)
        assert not set(batch.tolist()) & set(standing.rows.tolist())
        value = constraints.along(found.multipliers[2:])
        assert (value[batch] > value[standing.rows[standing.cluster[batch]]]).all()
        monkeypatch.setattr(module, "LEAST_BATCH", 1)
        monkeypatch.setattr(module, "MOST_BATCH", 3)
        few = Exchange(constraints, equation, standing, workers).batch(RIDGE, found)
        assert 1 <= len(few) <= 3


@pytest.mark.parametrize(("enough", "kept"), [(1, 4), (2, 2), (3, 1), (4, 0)])
def test_a_batch_that_does_harm_is_halved_or_given_up(enough, kept, monkeypatch):
    problem, constraints, standing = made_problem()
    others = np.array([np.flatnonzero(standing.cluster == c)[-1] for c in range(4)])
    equation = equation_of(problem, constraints, standing)
    with Workers(1) as workers:
        work = Exchange(constraints, equation, standing, workers)
        found = solved(equation, constraints, standing.rows)
        tried = []

        def solve(*_):
            tried.append(np.count_nonzero(work.rows != standing.rows))
            return found._replace(strain=found.strain * (2 if len(tried) < enough else 0.5))

        monkeypatch.setattr(module.Exchange, "batch", lambda *_: others)
        monkeypatch.setattr(module.Exchange, "_solve", solve)
        work._better(RIDGE, found)
    assert tried == [4, 2, 1][:enough]
    assert np.flatnonzero(work.rows != standing.rows).tolist() == list(range(kept))


def test_whitened_rows_have_the_inverse_between_them():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(6, 6))
    matrix, rows = root @ root.T + np.eye(6), rng.normal(size=(4, 6))
    made = whitened(matrix, rows)
    np.testing.assert_allclose(made @ made.T, rows @ np.linalg.inv(matrix) @ rows.T, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_moves_are_taken_by_what_is_left_of_their_gains(seed):
    rng = np.random.default_rng(seed)
    moves, gains = rng.normal(size=(12, 5)), 6 * rng.random(12)

    def worth(places):
        together = moves[places].sum(axis=0)
        alone = gains[places].sum()
        return alone - together @ together / 2

    taken: list[int] = []
    while len(taken) < 12:
        more = {p: worth([*taken, p]) - worth(taken) for p in range(12) if p not in taken}
        best = max(more, key=lambda place: more[place])
        if more[best] <= 0.2:
            break
        taken.append(best)
    assert pursued(moves, gains, 0.2).tolist() == taken
    assert len(taken) > 1


def test_a_move_twice_is_taken_once():
    moves = np.ones((2, 1))
    assert pursued(moves, np.ones(2), 0.1).tolist() == [0]
    assert pursued(moves, np.zeros(2), 0.1).tolist() == []
    assert pursued(np.zeros((2, 1)), np.ones(2), 0.1).tolist() == [0, 1]


@pytest.mark.parametrize("is_sparse", [False, True])
def test_a_coreset_of_exchanged_medoids(is_sparse):
    X, y = rare_rows()
    rows = sp.csr_array(X) if is_sparse else X
    medoids = select_coreset(rows, y, **{**OPTIONS, "representative": "medoid"}, weights="auto")
    coreset = select_coreset(rows, y, **OPTIONS, weights="auto")
    assert coreset.picks.tolist() == medoids.index.tolist()
    assert coreset.cluster_size.tolist() == medoids.cluster_size.tolist()
    said = coreset.calibration
    assert 0 < said["exchanged"] == np.count_nonzero(coreset.index != coreset.picks) < 40
    assert medoids.calibration["exchanged"] is None
    assert coreset.label.tolist() == y[coreset.index].tolist()
    assert max(said["residual_after"]) < max(medoids.calibration["residual_after"]) / 100
    assert ((X[coreset.index, 3:] > 0).sum(axis=0) > 0).all()


def test_a_coreset_is_the_same_for_any_number_of_threads():
    X, y = rare_rows(n=5000)
    made = [
        select_coreset(X, y, **{**OPTIONS, "size": 400}, threads=threads) for threads in (1, 2, 3)
    ]
    assert made[0].calibration["exchanged"] > 0
    assert len({(c.index.tobytes(), c.weight.tobytes(), str(c.calibration)) for c in made}) == 1


@pytest.mark.parametrize("excluded", [False, True])
def test_included_rows_stay_and_excluded_ones_stay_out(excluded):
    X, y = rare_rows()
    free = select_coreset(X, y, **OPTIONS)
    entered = free.index[free.index != free.picks]
    include = free.picks[free.index != free.picks][::2].tolist()
    exclude = entered.tolist() if excluded else []
    coreset = select_coreset(X, y, **OPTIONS, include=include, exclude=exclude)
    assert set(include) <= set(coreset.index.tolist())
    assert not set(exclude) & set(coreset.index.tolist())
    assert coreset.calibration["exchanged"] > 0
    of_included = np.isin(coreset.picks, include)
    assert coreset.index[of_included].tolist() == coreset.picks[of_included].tolist()


def test_rows_of_weight_0_never_enter():
    X, y = rare_rows()
    weights = np.ones(len(y))
    weights[(X[:, 3] > 0) | (X[:, 4] > 0)] = 0
    coreset = select_coreset(X, y, **OPTIONS, sample_weight=weights)
    assert coreset.calibration["exchanged"] > 0
    assert (weights[coreset.index] > 0).all()
    assert ((X[coreset.index, 5:] > 0).sum(axis=0) > 0).all()


def test_the_only_row_of_a_class_stays():
    X, y = rare_rows()
    y = y.copy()
    y[17] = 2
    coreset = select_coreset(X, y, **OPTIONS)
    assert coreset.index[coreset.label == 2].tolist() == [17]
    assert coreset.weight[coreset.label == 2].tolist() == [1.0]


def test_weights_of_clusters_ask_for_nothing():
    X, y = rare_rows()
    coreset = select_coreset(X, y, **OPTIONS, weights="cluster")
    medoids = select_coreset(X, y, **{**OPTIONS, "representative": "medoid"}, weights="cluster")
    assert coreset.index.tolist() == coreset.picks.tolist() == medoids.index.tolist()
    assert coreset.weight.tolist() == medoids.weight.tolist()
    assert (coreset.calibration, coreset.notes) == (None, ())


def test_medoids_where_there_is_no_pilot():
    X, _ = rare_rows()
    coreset = select_coreset(X, size=30, representative="exchanged", weights="auto")
    assert coreset.index.tolist() == coreset.picks.tolist()
    assert coreset.weights == "cluster"
    assert ["a pilot needs labels" in note for note in coreset.notes] == [True]


def test_medoids_where_a_gradient_is_too_wide():
    X, y = rare_rows()
    wide = np.hstack([X, np.random.default_rng(0).normal(size=(len(X), 40))])
    coreset = select_coreset(wide, y, **{**OPTIONS, "size": 30})
    assert coreset.index.tolist() == coreset.picks.tolist()
    assert coreset.notes[-1] == (
        "The weights are not calibrated: 48 coordinates of a gradient are too many for 30 picks "
        "to give much."
    )
    assert len([note for note in coreset.notes if "coordinates" in note]) == 1


def test_a_calibrator_exchanges_at_four_pilots():
    X, y = rare_rows()
    problem = make_problem(X, y, "logistic", threads=1)
    standing = made_standing(X, y)
    rows = [
        Calibrator(problem, groups, CalibrationSettings("calibrated", threads=1)).exchanged(
            standing
        )
        for groups in (y, 10 * y + 3)
    ]
    check_clusters(standing, rows[0])
    assert rows[0].tolist() == rows[1].tolist() != standing.rows.tolist()
    sparse = make_problem(sparse_rows(sp.csr_array(X)), y, "logistic", threads=1)
    again = Calibrator(sparse, y, CalibrationSettings("calibrated", threads=1)).exchanged(standing)
    assert np.count_nonzero(again != rows[0]) <= 4
