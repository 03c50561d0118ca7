"""CRAIG as a scikit-learn estimator: rows are selected in ``fit``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from craig_cli.api.rows import take
from craig_cli.api.select import select_coreset
from craig_cli.arrays import labels_of
from craig_cli.errors import CraigError
from craig_cli.platform import usable_threads
from craig_cli.settings.shares import check_share
from craig_cli.words import in_words_of

ARGUMENTS = {"seed": "random_state", "threads": "n_jobs"}
"""Parameters that are not called as the options of the command."""


class CraigSelector(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Select a small weighted subset of the rows, within each class of `y`.

    Parameters
    ----------
    fraction : float
        Share of the rows to select; at least one of each class.
    size : int, optional
        Rows to select; displaces `fraction`.
    purpose : {'any', 'linear', 'local'}, optional
        What the coreset is for. Default: as `select_coreset` has it, any where there are labels.
    method, metric, scale, representative, weights : str
        As for ``craig select``; None leaves the last two to the purpose.
    allocation : {'auto', 'proportional', 'power', 'equal'}
        How many picks each class gets, as for `select_coreset`.
    task : {'auto', 'classification', 'regression'}
        ``auto``: regression where `y` holds numbers with fractions; whole numbers that look like
        amounts or ids are refused.
    random_state : int, RandomState instance or None
        Of the methods that draw rows at random.
    n_jobs : int, optional
        Threads; they change no result. Default, and -1: the CPUs this process may use; -2 leaves
        one of them free.
    verbose : bool
        Show how far it is.

    Attributes
    ----------
    indices_ : ndarray of int64, shape (k,)
        The rows selected, ascending: the order of ``get_support(indices=True)`` and of
        `fit_resample`.
    weights_ : ndarray of float64, shape (k,)
        Of these rows, in that order.
    coreset_ : Coreset
        Everything else, in greedy order: rows, gains, epsilon, classes.
    n_features_in_, feature_names_in_
        As scikit-learn's.

    Notes
    -----
    Rows cannot be dropped by a step in the middle of scikit-learn's pipelines: put it last, after
    the steps that scale, or use `sample_weight` and `fit_resample` (which imbalanced-learn's
    pipelines call).

    Examples
    --------
    >>> import numpy as np
    >>> from craig_cli.sklearn import CraigSelector
    >>> selector = CraigSelector(size=2).fit(np.array([[0.0], [1.0], [2.0], [10.0]]))
    >>> selector.get_support(indices=True).tolist(), selector.sample_weight().tolist()
    ([1, 3], [0.0, 3.0, 0.0, 1.0])
    """

    def __init__(
        self,
        fraction: float = 0.1,
        *,
        size: int | None = None,
        purpose: str | None = None,
        method: str = "auto",
        metric: str = "euclidean",
        scale: str = "none",
        task: str = "auto",
        representative: str | None = None,
        weights: str | None = None,
        allocation: str = "auto",
        random_state: int = 0,
        n_jobs: int | None = None,
        verbose: bool = False,
    ) -> None:
        self.fraction = fraction
        self.size = size
        self.purpose = purpose
        self.method = method
        self.metric = metric
        self.scale = scale
        self.task = task
        self.representative = representative
        self.weights = weights
        self.allocation = allocation
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = False
        return tags

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> CraigSelector:
        """Select rows of `X`, shape (n_rows, n_columns), an array or a sparse matrix, within each
        class of `y`; without `y`, of all rows.

        With `sample_weight`, one a row and at least 0, rows count by it.

        Raises
        ------
        ValueError
            What `X`, `y` or the parameters hold cannot be used.
        """
        rows = validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32])
        task, n_classes = None if self.task == "auto" else self.task, 1
        if y is not None:
            y = column_or_1d(check_array(y, ensure_2d=False, dtype=None, input_name="y"), warn=True)
            check_consistent_length(rows, y)
            is_continuous = type_of_target(y).startswith("continuous")
            if self.task == "auto" and is_continuous:
                task = "regression"
            if task != "regression":
                check_classification_targets(y)
                n_classes = len(np.unique(labels_of(y, rows.shape[0])))
        if sample_weight is not None:
            sample_weight = column_or_1d(
                check_array(
                    sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
                )
            )
            check_consistent_length(rows, sample_weight)
        n_rows = rows.shape[0]
        size = self.size
        if size is None:
            try:
                check_share("fraction", self.fraction, "fraction=")
            except CraigError as error:
                raise ValueError(str(error)) from error
            size = max(n_classes, int(self.fraction * n_rows + 0.5))
        try:
            with in_words_of(ARGUMENTS):
                self.coreset_ = select_coreset(
                    rows,
                    y,
                    size=size,
                    sample_weight=sample_weight,
                    method=self.method,
                    metric=self.metric,
                    scale=self.scale,
                    task=task,
                    purpose=self.purpose,
                    representative=self.representative,
                    weights=self.weights,
                    allocation=self.allocation,
                    seed=seed_of(self.random_state),
                    threads=threads_of(self.n_jobs),
                    progress=bool(self.verbose),
                )
        except CraigError as error:
            raise ValueError(str(error)) from error
        order = np.argsort(self.coreset_.index)
        self.indices_ = self.coreset_.index[order]
        self.weights_ = self.coreset_.weight[order]
        return self

    def get_support(self, indices: bool = False) -> NDArray[Any]:
        """Return a mask (n_rows,) of the rows selected, or their numbers, ascending."""
        check_is_fitted(self)
        if indices:
            return self.indices_
        mask = np.zeros(self.coreset_.n_rows, bool)
        mask[self.indices_] = True
        return mask

    def sample_weight(self) -> NDArray[np.float64]:
        """Return a weight for each of the rows that were fitted, 0 where it is not selected: to be
        given to the ``fit`` of an estimator.
        """
        check_is_fitted(self)
        weight = np.zeros(self.coreset_.n_rows)
        weight[self.indices_] = self.weights_
        return weight

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Return the selected rows of `X` and `y`, in the order of `indices_` and `weights_`."""
        self.fit(X, y)
        return take(X, self.indices_), take(y, self.indices_)


def seed_of(random_state: Any) -> Any:
    """Return the seed that stands for a random state, whole numbers as they are."""
    if random_state is None or hasattr(random_state, "randint"):
        return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    return random_state


def threads_of(n_jobs: int | None) -> int | None:
    """Return how many threads there are to be; None for all CPUs."""
    if n_jobs is None or n_jobs >= 0:
        return n_jobs
    return max(1, usable_threads() + 1 + n_jobs)
