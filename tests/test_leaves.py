"""`LeafEmbedding`: scikit-learn's own checks, and distances beside the shares of trees that part
rows.
"""

from __future__ import annotations

import numpy as np
import pytest
from estimators import checks_of
from tools import needs

from craig_cli import select_coreset

needs("scikit-learn")

from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingClassifier

from craig_cli.sklearn import LeafEmbedding

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(150, 4))
LABELS = np.array(["no", "yes"])[(ROWS[:, 0] + RNG.normal(size=150) > 0).astype(int)]


@pytest.mark.slow
@pytest.mark.parametrize(("estimator", "check"), [*checks_of(LeafEmbedding())])
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.slow
def test_squared_distances_are_twice_the_share_of_trees_that_part_two_rows():
    embedding = LeafEmbedding(n_components=4096).fit(ROWS, LABELS)
    leaves = embedding.forest_.apply(ROWS.astype(np.float32))
    parted = (leaves[:, None] != leaves[None]).mean(axis=2)
    rows = embedding.transform(ROWS)[:, :4096].astype(np.float64)
    squares = np.square(rows[:, None] - rows[None]).sum(axis=2)
    assert np.abs(squares - 2 * parted).max() < 0.25
    assert np.abs(squares - 2 * parted).mean() < 0.05


def test_scores_have_a_standard_deviation_of_a_half():
    classes = np.digitize(ROWS[:, 1], [-0.5, 0.5])
    rows = LeafEmbedding(n_components=8).fit_transform(ROWS, classes)
    assert rows.shape == (150, 8 + 2) and rows.dtype == np.float32
    assert rows[:, 8:].std(axis=0) == pytest.approx(0.5, rel=1e-5)
    assert rows[:, 8:].mean(axis=0) == pytest.approx(0, abs=1e-5)


def test_rows_that_come_later_are_seen_as_they_were_in_training():
    embedding = LeafEmbedding().fit(ROWS, LABELS)
    np.testing.assert_array_equal(embedding.transform(ROWS[5:9]), embedding.transform(ROWS)[5:9])
    np.testing.assert_array_equal(
        LeafEmbedding().fit_transform(ROWS, LABELS), embedding.transform(ROWS)
    )


@pytest.mark.parametrize(
    ("forest", "target"),
    [(GradientBoostingClassifier(n_estimators=5), LABELS), (ExtraTreesRegressor(5), ROWS[:, 0])],
)
def test_other_forests(forest, target):
    assert LeafEmbedding(forest, n_components=3).fit_transform(ROWS, target).shape == (150, 4)


def test_numbers_are_predicted_by_a_regressor():
    embedding = LeafEmbedding(n_components=3).fit(ROWS, ROWS[:, 0])
    assert not hasattr(embedding.forest_, "predict_proba")


def test_a_coreset_is_selected_by_them():
    rows = LeafEmbedding().fit_transform(ROWS, LABELS)
    coreset = select_coreset(ROWS, LABELS, size=20, proxy=rows, purpose="local")
    assert len(coreset.index) == 20 and coreset.weight.sum() == pytest.approx(150)


def test_it_says_what_it_cannot_do():
    with pytest.raises(ValueError, match="n_components must be at least 1"):
        LeafEmbedding(n_components=0).fit(ROWS, LABELS)
