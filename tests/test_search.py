"""`CoresetSearchCV`: scikit-learn's own checks, what it chooses, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from estimators import checks_of
from tools import needs

needs("scikit-learn")

from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from craig_cli import select_coreset
from craig_cli.sklearn import CoresetSearchCV

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(900, 5)) * [1, 2, 3, 4, 40]
SCORES = ROWS @ [2, 1, 0, -1, 0.02]
LABELS = np.array(["no", "yes"])[(SCORES + 3 * RNG.normal(size=900) > 0).astype(int)]
GRID = {"C": [1e-6, 1e-3, 1.0]}
SEARCH = CoresetSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, fraction=0.5, cv=2)
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)


@pytest.mark.slow
@pytest.mark.parametrize(("estimator", "check"), [*checks_of(SEARCH)])
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_each_fold_is_fitted_on_its_coreset_and_scored_on_all_its_rows():
    search = CoresetSearchCV(LogisticRegression(), GRID, fraction=0.2, cv=FOLDS)
    search.fit(ROWS, LABELS)
    for number, (train, test) in enumerate(FOLDS.split(ROWS, LABELS)):
        coreset = select_coreset(ROWS[train], LABELS[train], fraction=0.2)
        assert coreset.index.tolist() == search.coresets_[number].index.tolist()
        rows = train[coreset.index]
        for place, strength in enumerate(GRID["C"]):
            model = LogisticRegression(C=strength).fit(ROWS[rows], LABELS[rows], coreset.weight)
            score = search.cv_results_[f"split{number}_test_score"][place]
            assert score == model.score(ROWS[test], LABELS[test])
    assert search.cv_results_["n_rows"].tolist() == [120.0] * 3
    assert search.is_weighted_ and search.n_splits_ == 3 and search.select_time_ > 0


def test_it_chooses_as_the_search_over_all_rows_and_is_refitted_on_them():
    whole = GridSearchCV(LogisticRegression(), GRID, cv=FOLDS).fit(ROWS, LABELS)
    search = CoresetSearchCV(LogisticRegression(), GRID, fraction=0.2, cv=FOLDS)
    search.fit(ROWS, LABELS)
    assert search.best_params_ == whole.best_params_
    np.testing.assert_array_equal(search.predict(ROWS), whole.predict(ROWS))
    assert search.score(ROWS, LABELS) == whole.score(ROWS, LABELS)
    assert abs(search.best_score_ - whole.best_score_) < 0.02
    assert search.cv_results_.keys() == whole.cv_results_.keys() | {"rung", "n_rows"}
    assert search.classes_.tolist() == ["no", "yes"]


def test_refitted_on_a_coreset_or_not_at_all():
    search = CoresetSearchCV(LogisticRegression(), GRID, size=90, cv=FOLDS, refit="coreset")
    search.fit(ROWS, LABELS)
    coreset = select_coreset(ROWS, LABELS, size=90)
    assert search.coreset_.index.tolist() == coreset.index.tolist()
    own = clone(search.best_estimator_).fit(
        ROWS[coreset.index], LABELS[coreset.index], coreset.weight
    )
    np.testing.assert_array_equal(search.best_estimator_.coef_, own.coef_)
    unfitted = CoresetSearchCV(LogisticRegression(), GRID, size=90, cv=FOLDS, refit=False)
    assert not hasattr(unfitted.fit(ROWS, LABELS), "best_estimator_")
    with pytest.raises(AttributeError):
        unfitted.predict(ROWS)


def test_halving_over_nested_coresets():
    grid = {"C": np.logspace(-6, 2, 9)}
    search = CoresetSearchCV(LogisticRegression(), grid, size=270, rungs=3, cv=FOLDS)
    search.fit(ROWS, LABELS)
    rungs, rows = search.cv_results_["rung"], search.cv_results_["n_rows"]
    assert np.bincount(rungs).tolist() == [9, 3, 1]
    assert [rows[rungs == rung][0] for rung in range(3)] == [30, 90, 270]
    assert search.best_index_ == 12 and search.best_params_ == search.cv_results_["params"][12]
    kept = [p["C"] for p, r in zip(search.cv_results_["params"], rungs, strict=True) if r == 1]
    means = search.cv_results_["mean_test_score"]
    assert set(kept) == {grid["C"][c] for c in np.argsort(-means[:9], kind="stable")[:3]}


@pytest.mark.slow
def test_a_rung_has_a_pick_of_each_class():
    rare = np.where(np.arange(900) % 300 == 0, "rare", LABELS)
    model = LogisticRegression(max_iter=10_000)
    search = CoresetSearchCV(model, GRID, size=40, rungs=3, factor=6, cv=FOLDS)
    search.fit(ROWS, rare)
    assert search.best_estimator_.classes_.tolist() == ["no", "rare", "yes"]


def test_a_pipeline_selects_what_its_steps_make():
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    grid = {"logisticregression__C": [0.01, 1.0]}
    search = CoresetSearchCV(pipeline, grid, fraction=0.1, cv=FOLDS).fit(ROWS, LABELS)
    train = next(FOLDS.split(ROWS, LABELS))[0]
    scaled = StandardScaler().fit_transform(ROWS[train])
    expected = select_coreset(scaled, LABELS[train], fraction=0.1)
    assert search.coresets_[0].index.tolist() == expected.index.tolist()
    assert search.is_weighted_
    with pytest.raises(ValueError, match="select_after: the pipeline has no step 'pca'"):
        CoresetSearchCV(pipeline, grid, select_after="pca").fit(ROWS, LABELS)


@pytest.mark.parametrize("rows", [sp.csr_matrix(ROWS), ROWS.astype(np.float32)])
def test_sparse_rows_and_float32(rows):
    search = CoresetSearchCV(LogisticRegression(), GRID, size=60, cv=FOLDS).fit(rows, LABELS)
    assert search.best_score_ > 0.7


@pytest.mark.needs("pandas")
def test_tables():
    import pandas as pd

    frame = pd.DataFrame(ROWS, columns=list("abcde"))
    search = CoresetSearchCV(LogisticRegression(), GRID, size=60, cv=FOLDS)
    search.fit(frame, pd.Series(LABELS))
    assert search.feature_names_in_.tolist() == list("abcde")
    assert search.score(frame, LABELS) > 0.7


def test_regression_and_drawn_candidates():
    search = CoresetSearchCV(
        Ridge(), param_distributions={"alpha": np.logspace(-3, 6, 50)}, n_iter=4, size=90, cv=3
    )
    search.fit(ROWS, SCORES)
    assert len(search.cv_results_["params"]) == 4 and search.best_score_ > 0.9
    again = clone(search).fit(ROWS, SCORES)
    assert again.best_params_ == search.best_params_


def test_an_estimator_without_weights_is_given_none():
    search = CoresetSearchCV(KNeighborsClassifier(), {"p": [1, 2]}, size=90, cv=FOLDS)
    assert not search.fit(ROWS, LABELS).is_weighted_
    plain = CoresetSearchCV(LogisticRegression(), GRID, size=90, cv=FOLDS, weighted=False)
    assert not plain.fit(ROWS, LABELS).is_weighted_


def test_parameters_whose_best_value_depends_on_the_rows_are_warned_of():
    grid = {"learning_rate": [0.1], "max_leaf_nodes": [4, 8]}
    search = CoresetSearchCV(HistGradientBoostingClassifier(max_iter=5), grid, size=90, cv=2)
    with pytest.warns(UserWarning, match="The best learning_rate and max_leaf_nodes depends"):
        search.fit(ROWS, LABELS)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"refit": True}, "refit must be 'all', 'coreset' or False, not True"),
        ({"param_distributions": {"C": [1]}}, "Give param_grid or param_distributions, one"),
        ({"scoring": ["accuracy"]}, "scoring must be one score"),
        ({"rungs": 0}, "rungs must be at least 1"),
        ({"fraction": 10.0}, "fraction"),
        ({"size": 0}, "size"),
        ({"select_after": "scaler"}, "select_after is for a pipeline"),
    ],
)
def test_what_is_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        CoresetSearchCV(LogisticRegression(), GRID, **settings).fit(ROWS, LABELS)


def test_failing_fits():
    grid = {"C": [1.0, -1.0]}
    search = CoresetSearchCV(LogisticRegression(), grid, size=60, cv=FOLDS)
    with (
        pytest.warns(UserWarning, match="non-finite"),
        pytest.warns(FitFailedWarning, match=r"^3 of 6 fits failed; the last: .*'C'"),
    ):
        search.fit(ROWS, LABELS)
    assert search.best_params_ == {"C": 1.0}
    with pytest.raises(ValueError, match="All 3 fits failed; the last: "):
        CoresetSearchCV(LogisticRegression(), {"C": [-1.0]}, size=60, cv=FOLDS).fit(ROWS, LABELS)
    with pytest.raises(ValueError, match="C"):
        clone(search).set_params(error_score="raise").fit(ROWS, LABELS)


@pytest.mark.parametrize(
    ("model", "weighted", "is_weighted"),
    [
        (SVC(), "auto", False),
        (SVC(), True, True),
        (SVC(kernel="linear"), "auto", True),
        (make_pipeline(StandardScaler(), SVC()), "auto", False),
        (LogisticRegression(), "auto", True),
        (KNeighborsClassifier(), True, False),
    ],
)
def test_kernels_are_given_no_weights_unless_asked_for(model, weighted, is_weighted):
    search = CoresetSearchCV(model, [{}], size=60, cv=FOLDS, weighted=weighted).fit(ROWS, LABELS)
    assert search.is_weighted_ == is_weighted


def test_weights_go_by_the_kernel_of_each_candidate():
    grid = {"kernel": ["linear", "rbf"]}
    search = CoresetSearchCV(SVC(), grid, size=60, cv=FOLDS).fit(ROWS, LABELS)
    apart = [
        CoresetSearchCV(SVC(kernel=kernel), [{}], size=60, cv=FOLDS, weighted=weighted)
        .fit(ROWS, LABELS)
        .best_score_
        for kernel, weighted in (("linear", True), ("rbf", False))
    ]
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], apart)


def test_weighted_is_true_false_or_auto():
    with pytest.raises(ValueError, match="weighted must be True, False or 'auto', not 'yes'"):
        CoresetSearchCV(SVC(), [{}], size=60, weighted="yes").fit(ROWS, LABELS)
