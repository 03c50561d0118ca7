"""``--tune``: all candidates on the same epochs, the best one kept, the cost of all counted."""

from __future__ import annotations

import numpy as np
import pytest
from problems import made_problem

from craig_cli.settings.training import TrainSettings
from craig_cli.training import fit
from craig_cli.training.schedules import SCHEDULES
from craig_cli.training.solvers import SOLVERS
from craig_cli.training.tuning import STEP_FACTORS, candidates

PROBLEM = made_problem("logistic", 2, n=120)


@pytest.mark.parametrize("solver", [s for s in SOLVERS if "tune" not in SOLVERS[s].refused])
def test_the_best_candidate_is_kept(solver):
    settings = TrainSettings(solver=solver, epochs=5, tune=True, tolerance=0)
    progress = []
    tuned = fit(
        PROBLEM, settings, progress=lambda stage, done, total: progress.append((stage, done, total))
    )
    assert tuned.objective == min(candidate.objective for candidate in tuned.tried)
    usual = fit(PROBLEM, TrainSettings(solver=solver, epochs=5, tolerance=0))
    assert tuned.objective <= usual.objective
    n = len(STEP_FACTORS) * len(SCHEDULES[SOLVERS[solver].usual_schedule].decays)
    assert len(tuned.tried) == n
    assert [done for stage, done, total in progress if (stage, total) == ("tune", n)] == list(
        range(1, n + 1)
    )


def test_the_kept_model_is_that_of_its_step_alone():
    tuned = fit(PROBLEM, TrainSettings(solver="sgd", epochs=5, tune=True))
    alone = fit(
        PROBLEM,
        TrainSettings(solver="sgd", epochs=5, step=tuned.settings.step, decay=tuned.settings.decay),
    )
    np.testing.assert_array_equal(tuned.coef, alone.coef)
    assert tuned.trace[-1].passes == 5


def test_the_passes_and_seconds_of_all_candidates_count():
    tuned = fit(PROBLEM, TrainSettings(solver="adam", epochs=3, tune=True, tolerance=0))
    assert tuned.passes == 3 * len(tuned.tried)
    assert tuned.seconds > tuned.trace[-1].seconds


def test_what_the_user_gives_is_kept():
    given = TrainSettings(solver="sgd", epochs=2, tune=True, step=0.01, decay=0.6)
    tried = fit(PROBLEM, given).tried
    assert [candidate.step for candidate in tried] == pytest.approx(
        [0.01 * factor for factor in STEP_FACTORS]
    )
    assert {candidate.decay for candidate in tried} == {0.6}


def test_candidates_of_every_schedule():
    for name, schedule in SCHEDULES.items():
        settings = TrainSettings(solver="sgd", step=2.0, schedule=name, decay=1.0)
        for keep_decay, decays in ((False, schedule.decays), (True, (1.0,))):
            assert [(c.step, c.decay) for c in candidates(settings, keep_decay)] == [
                (2.0 * factor, decay) for factor in STEP_FACTORS for decay in decays
            ]


def test_candidates_that_diverge_lose():
    problem = made_problem("squared", 0)
    tuned = fit(
        problem, TrainSettings(solver="sgd", step=0.05, schedule="constant", epochs=300, tune=True)
    )
    assert np.isinf(tuned.tried[-1].objective)
    assert np.isfinite(tuned.objective)
