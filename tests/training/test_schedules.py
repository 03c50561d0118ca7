"""Step sizes by hand, and the rows of an epoch."""

from __future__ import annotations

import numpy as np
import pytest
from problems import made_problem, uneven

from craig_cli.errors import UsageError
from craig_cli.settings.catalog import SCHEDULES as CATALOG
from craig_cli.settings.catalog import names
from craig_cli.settings.training import TrainSettings
from craig_cli.training import fit
from craig_cli.training.schedules import SCHEDULES, Visits


@pytest.mark.parametrize(
    ("schedule", "decay", "steps"),
    [
        ("exponential", 0.5, [8, 4, 2, 1]),
        ("exponential", 1.0, [8, 8, 8, 8]),
        ("k-inverse", 1.0, [8, 4, 8 / 3, 2]),
        ("k-inverse", 0.0, [8, 8, 8, 8]),
        ("power", 1.0, [8, 4, 8 / 3, 2]),
        ("power", 0.5, [8, 8 / 2**0.5, 8 / 3**0.5, 4]),
        ("constant", 0.7, [8, 8, 8, 8]),
    ],
)
def test_steps_by_hand(schedule, decay, steps):
    found = [SCHEDULES[schedule].step(8.0, decay, epoch) for epoch in range(4)]
    assert found == pytest.approx(steps, rel=1e-15)


def test_every_schedule_of_the_catalog_is_there():
    assert tuple(SCHEDULES) == names(CATALOG)
    assert all(schedule.usual_decay in schedule.decays for schedule in SCHEDULES.values())


@pytest.fixture
def problem():
    return made_problem("logistic", 2, weights=uneven(60))


def test_an_order_that_is_not_there(problem):
    with pytest.raises(UsageError, match=r"^--order: 'descending' is not one of shuffled, "):
        Visits(problem, "descending", np.random.default_rng(0))


def test_shuffled_visits_every_row_once(problem):
    visits = Visits(problem, "shuffled", np.random.default_rng(0))
    first, second = visits.next(), visits.next()
    assert sorted(first) == sorted(second) == list(range(60))
    assert first.tolist() != second.tolist()
    np.testing.assert_array_equal(visits.scales, problem.weights / problem.weights.mean())


def test_greedy_visits_the_order_that_is_given(problem):
    order = np.arange(60)[::-1]
    assert (
        Visits(problem, "greedy", np.random.default_rng(0), order).next().tolist() == order.tolist()
    )
    assert Visits(problem, "greedy", np.random.default_rng(0)).next().tolist() == list(range(60))


def test_sampled_draws_a_fifth_evenly_and_never_a_row_of_weight_nought(problem):
    visits = Visits(problem, "sampled", np.random.default_rng(0))
    drawn = np.bincount(np.concatenate([visits.next() for _ in range(2000)]), minlength=60)
    assert drawn.sum() == 120_000
    assert (drawn[problem.weights == 0] == 0).all()
    often = 0.2 * (problem.weights > 0) / np.count_nonzero(problem.weights) + 0.8 * problem.shares
    assert np.abs(drawn / drawn.sum() - often).max() < 0.002
    np.testing.assert_allclose(
        visits.scales * often * 60, problem.weights / problem.weights.mean()
    )  # on average a row counts by its weight


def test_every_run_from_one_generator_visits_the_same_rows(problem):
    rng, settings = np.random.default_rng(3), TrainSettings(solver="sgd", epochs=2)
    first, second = (fit(problem, settings, rng=rng).coef.tobytes() for _ in range(2))
    assert first == second


def test_the_order_of_the_rows_counts_for_greedy_alone(problem):
    order = np.arange(60)[::-1]
    for name, is_same in (("greedy", False), ("shuffled", True), ("sampled", True)):
        settings = TrainSettings(solver="sgd", order=name, epochs=2)
        one, other = fit(problem, settings), fit(problem, settings, order=order)
        assert (one.coef.tobytes() == other.coef.tobytes()) is is_same


def test_the_seed_decides_a_shuffled_run(problem):
    one, again, other = (
        fit(problem, TrainSettings(solver="sgd", seed=seed, epochs=2)).coef.tobytes()
        for seed in (0, 0, 1)
    )
    assert one == again != other
