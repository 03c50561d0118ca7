"""`CraigSelector`: scikit-learn's own checks, and what it gives."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from estimators import checks_of
from tools import needs

from craig_cli import select_coreset

needs("scikit-learn")

from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from craig_cli.sklearn import CraigSelector

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(200, 4)) * [1, 2, 3, 40]
LABELS = np.array(["no", "yes"])[(ROWS[:, 0] + RNG.normal(size=200) > 0).astype(int)]


@pytest.mark.parametrize(("estimator", "check"), [*checks_of(CraigSelector())])
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def by_row(coreset):
    """Rows and weights of a coreset, ascending."""
    order = np.argsort(coreset.index)
    return coreset.index[order].tolist(), coreset.weight[order].tolist()


@pytest.mark.parametrize("purpose", (None, "linear", "local"))
def test_it_gives_what_select_coreset_gives(purpose):
    selector = CraigSelector(size=20, purpose=purpose, n_jobs=1).fit(ROWS, LABELS)
    wanted = select_coreset(ROWS, LABELS, size=20, purpose=purpose)
    rows, weights = by_row(wanted)
    assert (selector.indices_.tolist(), selector.weights_.tolist()) == (rows, weights)
    assert selector.get_support(indices=True).tolist() == rows
    assert np.flatnonzero(selector.get_support()).tolist() == rows
    assert selector.sample_weight()[rows].tolist() == weights
    assert selector.sample_weight().sum() == pytest.approx(200)
    assert selector.coreset_.index.tolist() == wanted.index.tolist()
    taken, labels = selector.fit_resample(ROWS, LABELS)
    np.testing.assert_array_equal(taken, ROWS[rows])
    np.testing.assert_array_equal(labels, LABELS[rows])
    sparse = CraigSelector(size=20, purpose=purpose).fit(sp.csr_matrix(ROWS), LABELS)
    assert sparse.indices_.tolist() == rows


def test_without_labels_it_is_for_local_models():
    selector = CraigSelector(size=20).fit(ROWS)
    assert (selector.coreset_.representative, selector.coreset_.weights) == ("medoid", "cluster")


def test_weights_train_other_estimators():
    selector = CraigSelector(0.2, scale="standard").fit(ROWS, LABELS)
    rows, labels = selector.fit_resample(ROWS, LABELS)
    one = LogisticRegression().fit(rows, labels, sample_weight=selector.weights_)
    other = LogisticRegression().fit(ROWS, LABELS, sample_weight=selector.sample_weight())
    assert np.allclose(one.coef_, other.coef_, atol=1e-3)
    assert abs(one.coef_ - LogisticRegression().fit(rows, labels).coef_).max() > 1e-3


def test_rows_that_have_weights():
    weights = np.random.default_rng(1).integers(0, 4, len(ROWS))
    selector = CraigSelector(size=20).fit(ROWS, LABELS, sample_weight=weights)
    wanted = select_coreset(ROWS, LABELS, size=20, sample_weight=weights)
    assert (selector.indices_.tolist(), selector.weights_.tolist()) == by_row(wanted)
    assert selector.sample_weight().sum() == pytest.approx(weights.sum())


def test_pipelines_and_clones():
    pipeline = clone(make_pipeline(StandardScaler(), CraigSelector(size=20))).fit(ROWS, LABELS)
    wanted = CraigSelector(size=20).fit(StandardScaler().fit_transform(ROWS), LABELS)
    assert pipeline[-1].indices_.tolist() == wanted.indices_.tolist()
    sizes = [
        clone(CraigSelector()).set_params(**p).fit(ROWS, LABELS).get_support().sum()
        for p in ParameterGrid({"fraction": [0.1, 0.3]})
    ]
    assert sizes == [20, 60]


def test_targets():
    target = ROWS @ [1.0, 0.5, 0, 0.01]
    assert CraigSelector(size=10).fit(ROWS, target).coreset_.task == "regression"
    assert CraigSelector(size=10).fit(ROWS).coreset_.label is None
    assert CraigSelector(0.001).fit(ROWS, LABELS).get_support().sum() == 2


def test_random_states_and_jobs_are_those_of_scikit_learn():
    wanted = CraigSelector(size=10, method="importance", random_state=3).fit(ROWS, LABELS)
    for n_jobs in (-1, -2, -99, 1, None):
        found = CraigSelector(size=10, method="importance", random_state=3, n_jobs=n_jobs)
        assert found.fit(ROWS, LABELS).indices_.tolist() == wanted.indices_.tolist()
    drawn = [
        CraigSelector(size=10, method="importance", random_state=state).fit(ROWS, LABELS)
        for state in (np.random.RandomState(3), np.random.RandomState(3), None)
    ]
    assert drawn[0].indices_.tolist() == drawn[1].indices_.tolist()
    assert drawn[2].get_support().sum() == 10


@pytest.mark.needs("tqdm")
def test_it_shows_progress_where_that_is_asked_for(capsys):
    CraigSelector(size=10).fit(ROWS, LABELS)
    assert capsys.readouterr().err == ""
    CraigSelector(size=10, verbose=True).fit(ROWS, LABELS)
    assert "selecting" in capsys.readouterr().err


def test_a_target_may_be_a_list():
    selector = CraigSelector(size=10)
    _, labels = selector.fit_resample(ROWS, LABELS.tolist())
    assert labels == LABELS[selector.indices_].tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "best"}, "^method: 'best' is not one of"),
        ({"fraction": 0.0}, "fraction: 0.0 is not above 0 and at most 1."),
        ({"size": 999}, "^size: 999 rows asked for, the data has 200."),
        ({"random_state": -1}, "^random_state: -1 is not between"),
        ({"method": "cells", "representative": "random", "scale": "log"}, "^scale: 'log' is not"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        CraigSelector(**options).fit(ROWS, LABELS)
