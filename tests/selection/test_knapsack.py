"""A budget of costs: against a plain search, within the budget, and what it must agree with."""

from __future__ import annotations

import numpy as np
import pytest
from reference import distance_matrix
from test_lazy_greedy import made, sparse

from craig_cli.dataset import Dataset
from craig_cli.errors import UsageError
from craig_cli.selection import check_coreset, lazy_greedy, measure, select
from craig_cli.settings import Budget, SelectionSettings

pytestmark = pytest.mark.usefixtures("road")


def spent(rows, costs, budget, labels=None, threads=2, weights=None, **settings):
    dataset = Dataset(rows, labels, weights=weights, costs=np.asarray(costs, np.float64))
    coreset = select(
        dataset, SelectionSettings(Budget(budget_cost=budget), threads=threads, **settings)
    )
    check_coreset(coreset)
    assert coreset.cost_spent == dataset.costs[coreset.index].sum() <= budget * (1 + 1e-9)
    return coreset


def naive_spending(distances, costs, budget, per_cost, weights, auxiliary_distance):
    """The picks of greedy by gain, or by gain per unit of cost, among the rows that still fit, and
    L: every candidate in full at each step.
    """
    n = len(distances)
    weights = np.ones(n) if weights is None else weights
    nearest, picks, left = np.full(n, auxiliary_distance), [], budget
    while True:
        gain = (weights[:, None] * np.maximum(nearest[:, None] - distances, 0)).sum(axis=0)
        gain[picks] = 0
        gain[costs > left] = 0
        if gain.max() <= 1e-9:
            return picks, float((weights * nearest).sum())
        value = gain / costs if per_cost else gain
        pick = int(np.argmax(value))
        picks.append(pick)
        left -= costs[pick]
        nearest = np.minimum(nearest, distances[:, pick])


@pytest.mark.thinned
@pytest.mark.parametrize("is_weighted", (False, True))
@pytest.mark.parametrize("first_look", (1, 16, 10_000))
@pytest.mark.parametrize("kind", ("normal", "clusters", "text"))
def test_picks_of_the_better_of_two_plain_greedies(monkeypatch, kind, first_look, is_weighted):
    monkeypatch.setattr(lazy_greedy, "LIST_PAIRS_MINIMUM", 1 << 14)
    monkeypatch.setattr(lazy_greedy, "FIRST_LOOK", first_look)
    rng = np.random.default_rng(1)
    rows, costs = made(kind, n=300), np.round(rng.exponential(size=300), 3) + 0.01
    weights = rng.integers(0, 6, 300).astype(float) if is_weighted else None
    distances = distance_matrix(rows)
    for budget in (1.0, 12.5, 1000.0):
        coreset = spent(rows, costs, budget, weights=weights)
        rules = [
            naive_spending_from(distances, costs, budget, per_cost, weights, coreset)
            for per_cost in (True, False)
        ]
        best = min(rules, key=lambda rule: rule[1])
        assert coreset.index.tolist() == best[0]
        assert coreset.epsilon_total == pytest.approx(best[1], rel=1e-6, abs=1e-6)


def naive_spending_from(distances, costs, budget, per_cost, weights, coreset):
    """`naive_spending` from the phantom that the coreset tells of: L after its first pick and what
    that gained make its distance.
    """
    n = len(distances)
    total = n if weights is None else weights.sum()
    auxiliary_distance = (coreset.gain[0] + coreset.epsilon[0]) / total
    return naive_spending(distances, costs, budget, per_cost, weights, auxiliary_distance)


def test_several_classes_get_a_pick_each_and_share_by_gain():
    rng = np.random.default_rng(2)
    rows, labels, costs = made("clusters", n=400), np.arange(400) % 4, rng.uniform(1, 3, 400)
    least = sum(costs[labels == c].min() for c in range(4))
    coreset = spent(rows, costs, least, labels)
    assert coreset.index.tolist() != [] and [s.n_selected for s in coreset.classes] == [1, 1, 1, 1]
    larger = spent(rows, costs, 60.0, labels)
    assert min(s.n_selected for s in larger.classes) >= 1 and larger.cost_spent > 57
    with pytest.raises(
        UsageError,
        match=rf"the cheapest row of each class costs {least:.6g} in "
        rf"all, above 3.9. Give {least:.6g} or more.",
    ):
        spent(rows, costs, 3.9, labels)


@pytest.mark.parametrize("is_sparse", (False, True))
def test_costs_of_one_are_a_size(is_sparse):
    rows = made("clusters", n=500)
    rows = sparse(rows) if is_sparse else rows
    one = spent(rows, np.ones(500), 40.0)
    other = select(Dataset(rows, None), SelectionSettings(Budget(size=40), "exact"))
    for name in ("index", "weight", "gain", "epsilon"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name
    thirds = spent(rows, np.full(500, 0.1), 0.3)
    assert thirds.index.tolist() == other.index[:3].tolist()  # though 0.1 + 0.1 + 0.1 > 0.3


def test_a_dear_row_does_not_keep_cheap_ones_out():
    rows = np.array([[0.0], [1.0], [2.0], [100.0], [101.0]])
    coreset = spent(rows, [1, 1, 1, 50, 2], 4)
    assert (4 in coreset.index, 3 in coreset.index, coreset.cost_spent, coreset.epsilon_total) == (
        True,
        False,
        4,
        2,
    )


def test_the_better_rule_is_taken():
    rows = np.array([[0.0], [0.1], [50.0], [50.0], [50.1]])
    cheap = spent(
        rows, [1, 0.1, 10, 10, 10], 10
    )  # per cost the tiny one is picked, and nothing is left for the others
    assert cheap.cost_spent <= 10
    assert cheap.epsilon_total <= min(np.abs(rows - rows[p]).sum() for p in (2, 3, 4))


def test_rows_that_gain_nothing_are_not_bought():
    rows = np.repeat([[0.0], [5.0]], 10, axis=0)
    coreset = spent(rows, np.ones(20), 15)
    assert (len(coreset.index), coreset.epsilon_total, coreset.cost_spent) == (2, 0.0, 2.0)


def test_same_bytes_for_any_number_of_threads_and_measured_again():
    rng = np.random.default_rng(3)
    rows, labels, costs = made("clusters", n=600), np.arange(600) % 2, rng.uniform(0.5, 2, 600)
    one, other = (spent(rows, costs, 40.0, labels, threads=threads) for threads in (1, 3))
    for name in ("index", "weight", "gain", "epsilon"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name
    again = measure(
        Dataset(rows, labels, costs=costs),
        SelectionSettings(Budget(budget_cost=40.0), "exact"),
        one.index,
    )
    assert (again.index.tolist(), again.epsilon.tolist(), again.cost_spent) == (
        one.index.tolist(),
        one.epsilon.tolist(),
        one.cost_spent,
    )


def test_rows_without_costs_are_refused():
    with pytest.raises(UsageError, match="--budget-cost: the rows have no costs"):
        select(Dataset(made("normal", n=10), None), SelectionSettings(Budget(budget_cost=1.0)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "cells"}, "--budget-cost: --method cells knows no costs. Use --method exact."),
        (
            {"representative": "varied"},
            "--representative varied: it would bring in rows of other "
            "costs. Use --representative medoid.",
        ),
        ({"refine": True}, "--refine and --budget-cost exclude each other: leave one out."),
        ({"sample_rows": 5}, "--sample-rows and --budget-cost exclude each other: leave one out."),
        ({"include": (1,)}, "--include and --budget-cost exclude each other: leave one out."),
        (
            {"memory_limit": 10**9},
            "--memory-limit and --budget-cost exclude each other: leave one out.",
        ),
    ],
)
def test_what_does_not_go_with_costs(settings, message):
    with pytest.raises(UsageError) as error:
        SelectionSettings(Budget(budget_cost=2.0), **settings)
    assert str(error.value) == message
