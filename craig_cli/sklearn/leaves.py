"""Rows as a forest sees them, for distances that serve trees."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

TREES, LEAVES, ROWS_A_LEAF = 40, 256, 3
"""Of the forest that is fitted where none is given."""
SCORE_SPREAD = 0.5
"""Standard deviation of each score, where rows that share no leaf are at a distance of sqrt(2)."""
LEAST_CHANCE = 0.01
"""Added to probabilities before their logarithms are taken."""


class LeafEmbedding(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # untyped
    """Rows as a forest sees them: which leaves they fall into, and what it predicts.

    Trees do not look at distances between columns, but at which side of their splits a row is on.
    Rows selected among these columns (``proxy=``, ``--proxy``) serve boosting and forests better
    than rows selected among those of the data, most of all where columns are one-hot.

    Parameters
    ----------
    forest : estimator, optional
        A forest of scikit-learn, fitted or not: `fit` fits a clone. Default: a random forest of 40
        trees of at most 256 leaves, a classifier or a regressor by `y`.
    n_components : int
        Columns that stand for the leaves.
    random_state : int
        Of the forest that is made, and of the signs.

    Attributes
    ----------
    forest_ : estimator
    n_features_in_, feature_names_in_
        As scikit-learn's.

    Notes
    -----
    The leaf of each tree is told by random signs (Achlioptas 2003), scaled such that the squared
    distance of two rows is twice the share of trees that part them (one less the proximity of
    Breiman 2001), within some ``sqrt(2 / n_components)``. To these are added the logarithms of the
    probabilities of all classes but the last, or the prediction, at a standard deviation of a half.

    Time: that of the forest, and ``n_rows n_components`` a tree. Memory: 4 bytes for each.

    Examples
    --------
    >>> import numpy as np
    >>> from craig_cli import select_coreset
    >>> from craig_cli.sklearn import LeafEmbedding
    >>> X = np.random.default_rng(0).normal(size=(300, 3))
    >>> y = X[:, 0] > 0
    >>> rows = LeafEmbedding().fit_transform(X, y)
    >>> rows.shape
    (300, 65)
    >>> len(select_coreset(X, y, size=20, proxy=rows, purpose="local").index)
    20
    """

    def __init__(
        self, forest: Any = None, *, n_components: int = 64, random_state: int = 0
    ) -> None:
        self.forest = forest
        self.n_components = n_components
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def fit(self, X: Any, y: Any) -> LeafEmbedding:
        """Fit the forest to rows (n_rows, n_columns), and their labels or targets (n_rows,).

        Raises
        ------
        ValueError
            What `X`, `y` or the parameters hold cannot be used.
        """
        if self.n_components < 1:
            raise ValueError("n_components must be at least 1.")
        rows, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float32)
        forest = self.forest
        if forest is None:
            is_regression = type_of_target(y).startswith("continuous")
            make = RandomForestRegressor if is_regression else RandomForestClassifier
            forest = make(
                TREES,
                max_leaf_nodes=LEAVES,
                min_samples_leaf=ROWS_A_LEAF,
                random_state=self.random_state,
                n_jobs=-1,
            )
        self.forest_ = clone(forest).fit(rows, y)
        scores = self._scores(rows)
        spread = scores.std(axis=0)
        self._centre, self._scale = scores.mean(axis=0), SCORE_SPREAD / np.where(spread, spread, 1)
        self._n_nodes = self._leaves(rows).max(axis=0) + 1
        self._n_features_out = self.n_components + scores.shape[1]
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return rows as the forest sees them, float32 (n_rows, n_components and scores)."""
        check_is_fitted(self)
        rows = validate_data(self, X, accept_sparse="csr", dtype=np.float32, reset=False)
        leaves = self._leaves(rows)
        out = np.zeros((rows.shape[0], self._n_features_out), np.float32)
        own = out[:, : self.n_components]
        for tree, leaf in enumerate(leaves.T):
            rng = np.random.default_rng([self.random_state, tree])
            signs = rng.choice(
                np.array([-1, 1], np.float32), (self._n_nodes[tree], self.n_components)
            )
            own += signs[leaf]
        own /= np.sqrt(self.n_components * leaves.shape[1])
        out[:, self.n_components :] = (self._scores(rows) - self._centre) * self._scale
        return out

    def _leaves(self, rows: Any) -> NDArray[np.int64]:
        """Return the number of the leaf that each row falls into, (n_rows, n_trees)."""
        return np.asarray(self.forest_.apply(rows), np.int64).reshape(rows.shape[0], -1)

    def _scores(self, rows: Any) -> NDArray[np.float64]:
        """Return what the forest predicts, (n_rows, m)."""
        if not hasattr(self.forest_, "predict_proba"):
            return np.asarray(self.forest_.predict(rows), np.float64).reshape(rows.shape[0], -1)
        chances = np.log(np.asarray(self.forest_.predict_proba(rows), np.float64) + LEAST_CHANCE)
        return np.asarray(chances[:, :-1] - chances[:, -1:])
