"""Losses and lengths near the ends of float64."""

import numpy as np
import pytest

from craig_cli.calibration import importance_scores
from craig_cli.dataset import Dataset
from craig_cli.errors import UsageError
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.settings.training import TrainSettings
from craig_cli.training import fit, make_problem
from craig_cli.training.problem import norm


@pytest.mark.parametrize("power", [-1000, -600, 0, 600, 1000])
def test_a_length_is_that_of_long_double(power):
    values = np.random.default_rng(0).normal(size=(3, 4)) * 2.0**power
    exact = np.sqrt((values.astype(np.longdouble) ** 2).sum())
    assert norm(values) == pytest.approx(float(exact), rel=1e-14, abs=0)


def test_a_loss_beyond_the_largest_number_is_an_error():
    rows = np.array([[1.0], [2.0], [3.0]])
    problem = make_problem(rows, np.array([1e160, -1e160, 1e160]), regression=True)
    with pytest.raises(UsageError, match=r"^The loss of the model is beyond the largest number"):
        fit(problem, TrainSettings(solver="lbfgs"))


def test_the_error_of_a_large_target_is_a_number():
    rows = np.array([[1.0], [2.0]])
    problem = make_problem(rows, np.array([1e200, -1e200]), regression=True)
    assert problem.errors(np.zeros((1, 1)), np.zeros(1)) == pytest.approx(1e200)


@pytest.mark.parametrize("factor", [2.0**-330, 2.0**330])
def test_importance_of_rows_and_targets_that_are_large_together(factor):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 2))
    target = rows @ [1.0, 2.0] + rng.normal(size=40)
    settings = CalibrationSettings()
    scores = importance_scores(Dataset(rows * factor, target * factor), "regression", settings)
    assert np.isfinite(scores).all()
    assert (scores > 0).all()
