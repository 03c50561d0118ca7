"""Search over the parameters of an estimator on coresets, with the interface of scikit-learn."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.metrics import check_scoring
from sklearn.model_selection import ParameterGrid, ParameterSampler, check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import _safe_indexing, check_array, column_or_1d, indexable
from sklearn.utils.parallel import Parallel, delayed

from craig_cli.arrays import labels_of, rows_of
from craig_cli.calibration import calibrated_prefixes
from craig_cli.dataset import Dataset
from craig_cli.selection import Coreset
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.settings.calibration import CalibrationSettings
from craig_cli.sklearn.folds import (
    Fold,
    Found,
    fit_and_score,
    fold_of,
    ranked,
    selected_by,
    weight_name,
)
from craig_cli.sklearn.selector import CraigSelector

GROW_WITH_ROWS = frozenset(
    (
        *("max_depth", "max_leaf_nodes", "max_leaves", "num_leaves", "hidden_layer_sizes"),
        *("min_samples_leaf", "min_samples_split", "min_weight_fraction_leaf", "n_neighbors"),
        *("min_child_samples", "min_child_weight", "learning_rate", "learning_rate_init", "eta"),
        *("n_estimators", "num_boost_round", "epochs", "max_epochs", "batch_size"),
    )
)
"""Parameters, by their usual names, whose best value depends on how many rows there are."""
REFITS = ("all", "coreset", False)


class CoresetSearchCV(BaseSearchCV):  # type: ignore[misc]  # scikit-learn has no types
    """Search for the best parameters of an estimator: every candidate is fitted on a weighted
    coreset of the training rows of each fold, and scored on all rows of its validation fold.

    Parameters
    ----------
    estimator : estimator
        A classifier or regressor, or a pipeline that ends with one.
    param_grid : dict or list of dict, optional
        Lists of values by parameter, as `GridSearchCV` takes them.
    param_distributions : dict or list of dict, optional
        In place of a grid, as `RandomizedSearchCV` takes them; `n_iter` candidates are drawn.
    n_iter : int
    fraction : float
        Share of the training rows of a fold to select.
    size : int, optional
        Rows to select from each fold; displaces `fraction`.
    purpose : {'any', 'linear', 'local'}, optional
        What the coreset is for, as `select_coreset` has it.
    weighted : bool or 'auto'
        Whether the estimator is given the weights of the coreset, where its ``fit`` takes them.
        Under 'auto' models with a ``kernel`` that is not linear are given none: weights stand for a
        larger C there, and candidates without them were chosen better.
    rungs : int
        Above 1: successive halving over nested coresets. All candidates are fitted on the first
        picks of the greedy order, weighted anew; the best 1 in `factor` go on to the next rung,
        with `factor` times as many picks, and the last rung takes the whole coreset.
    factor : int
    select_after : str, optional
        Of a pipeline: the step whose output rows are selected by. Default: the last before the
        model. What is selected, and fitted, are rows of `X`; the steps up to it are fitted on all
        training rows of the fold for the selection alone.
    scoring, cv, n_jobs, verbose, error_score
        As `GridSearchCV` has them; one score.
    refit : {'all', 'coreset', False}
        What the best candidate is fitted on at the end: all rows, or a coreset of all rows.
    random_state : int, RandomState instance or None
        Of drawn candidates, and of selections that draw rows.

    Attributes
    ----------
    cv_results_, best_index_, best_params_, best_score_, best_estimator_, refit_time_, scorer_,
    n_splits_
        As those of `GridSearchCV`. `cv_results_` has ``rung`` and ``n_rows`` too, the rows that a
        candidate was fitted on (mean over folds); a candidate is there once for each rung.
    coresets_ : list of Coreset
        Of each fold; ``index`` counts its training rows.
    select_time_ : float
        Seconds that selecting took.
    is_weighted_ : bool
        Whether the best candidate took the weights.

    Notes
    -----
    Cost: the selections, and for each candidate and fold a fit on the coreset and a score on the
    validation rows. Memory: those, and a copy of the coresets. Successive halving is that of Li et
    al. (2018) and Jamieson and Talwalkar (2016), with picks as the resource.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from craig_cli.sklearn import CoresetSearchCV
    >>> X = np.random.default_rng(0).normal(size=(300, 3))
    >>> search = CoresetSearchCV(LogisticRegression(), {"C": [0.01, 1.0]}, size=40, cv=3)
    >>> search.fit(X, X[:, 0] > 0).best_params_
    {'C': 1.0}
    """

    def __init__(
        self,
        estimator: Any,
        param_grid: Any = None,
        *,
        param_distributions: Any = None,
        n_iter: int = 10,
        fraction: float = 0.1,
        size: int | None = None,
        purpose: str | None = None,
        weighted: bool | str = "auto",
        rungs: int = 1,
        factor: int = 3,
        select_after: str | None = None,
        scoring: Any = None,
        cv: Any = None,
        n_jobs: int | None = None,
        refit: str | bool = "all",
        verbose: int = 0,
        error_score: float | str = np.nan,
        random_state: Any = 0,
    ) -> None:
        super().__init__(
            estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            error_score=error_score,
            return_train_score=False,
        )
        self.param_grid = param_grid
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.fraction = fraction
        self.size = size
        self.purpose = purpose
        self.weighted = weighted
        self.rungs = rungs
        self.factor = factor
        self.select_after = select_after
        self.random_state = random_state

    def fit(self, X: Any, y: Any, *, groups: Any = None, **fit_params: Any) -> CoresetSearchCV:
        """Select a coreset in each fold, search, and fit the best candidate.

        Parameters
        ----------
        X : array, sparse matrix or table, shape (n_rows, n_columns)
        y : array, shape (n_rows,)
        groups : array, shape (n_rows,), optional
            For the splitter.
        **fit_params
            Given to every ``fit`` as they are.

        Raises
        ------
        ValueError
            What `X`, `y` or the parameters hold cannot be used.
        """
        self._check()
        X, y, groups = indexable(X, y, groups)
        y = column_or_1d(check_array(y, ensure_2d=False, dtype=None, input_name="y"), warn=True)
        candidates = self._candidates()
        self.scorer_, self.multimetric_ = check_scoring(self.estimator, scoring=self.scoring), False
        splitter = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(splitter.split(X, y, groups))
        self.n_splits_ = len(splits)
        begun = time.perf_counter()
        trained = [self._trained(X, y, train) for train, _ in splits]
        self.coresets_ = [self._select(*own) for own in trained]
        nested = [self._nested(*own) for own in zip(self.coresets_, trained, strict=True)]
        self.select_time_ = time.perf_counter() - begun
        found = Found([], [], [], [])
        for rung in range(self.rungs):
            coresets = [own[rung] for own in nested]
            folds = [fold_of(X, y, *own) for own in zip(splits, coresets, strict=True)]
            outcomes = self._evaluated(candidates, folds, fit_params)
            n_rows = float(np.mean([len(own.index) for own in coresets]))
            found.add(candidates, outcomes, rung, n_rows)
            best = ranked(outcomes, len(candidates))
            if rung < self.rungs - 1:
                n_kept = max(1, -(-len(candidates) // self.factor))
                candidates = [candidates[place] for place in sorted(best[:n_kept])]
        self.cv_results_ = self._format_results(
            found.tried,
            self.n_splits_,
            found.outcomes,
            {"rung": found.rungs, "n_rows": found.n_rows},
        )
        self.best_index_ = len(found.tried) - len(candidates) + int(best[0])
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        self.best_score_ = float(self.cv_results_["mean_test_score"][self.best_index_])
        self._fit_best(X, y, fit_params)
        return self

    def _check(self) -> None:
        """Raise `ValueError` for parameters that cannot be used."""
        if (self.param_grid is None) == (self.param_distributions is None):
            raise ValueError("Give param_grid or param_distributions, one of the two.")
        if self.refit not in REFITS:
            raise ValueError(f"refit must be 'all', 'coreset' or False, not {self.refit!r}.")
        if isinstance(self.scoring, (dict, list, tuple, set)):
            raise ValueError("scoring must be one score: its name, or a callable.")
        if self.weighted not in (True, False, "auto"):
            raise ValueError(f"weighted must be True, False or 'auto', not {self.weighted!r}.")
        if self.rungs < 1 or self.factor < 2:
            raise ValueError("rungs must be at least 1, and factor at least 2.")

    def _candidates(self) -> list[Mapping[str, Any]]:
        """Return all candidates; warns of parameters whose best value depends on the rows."""
        candidates = list(
            ParameterGrid(self.param_grid)
            if self.param_grid is not None
            else ParameterSampler(
                self.param_distributions, self.n_iter, random_state=self.random_state
            )
        )
        names = {name for candidate in candidates for name in candidate}
        moving = sorted(name for name in names if name.split("__")[-1] in GROW_WITH_ROWS)
        if moving:
            warnings.warn(
                f"The best {' and '.join(moving)} depends on how many rows there are: what is "
                "best on a coreset, or on as many random rows, may not be best on all rows. "
                "Compare the last few candidates on all rows.",
                stacklevel=3,
            )
        return candidates

    def _trained(self, X: Any, y: Any, train: Any) -> tuple[Any, Any]:
        """Return the training rows of a fold, as they are selected by, and their labels."""
        own = _safe_indexing(y, train)
        return selected_by(self.estimator, self.select_after, _safe_indexing(X, train), own), own

    @property
    def _task(self) -> str:
        return "regression" if is_regressor(self.estimator) else "classification"

    def _select(self, rows: Any, y: Any) -> Coreset:
        """Return a coreset of some rows."""
        selector = CraigSelector(
            self.fraction,
            size=self.size,
            purpose=self.purpose,
            task=self._task,
            random_state=self.random_state,
        )
        coreset: Coreset = selector.fit(rows, y).coreset_
        return coreset

    def _nested(self, coreset: Coreset, trained: tuple[Any, Any]) -> list[Coreset]:
        """Return the first picks of a coreset that each rung takes, weighted anew; the last rung
        takes all.
        """
        rows, y = trained
        least, n_picks = 1, len(coreset.index)
        if coreset.label is not None and coreset.task != "regression":
            _, first = np.unique(coreset.label, return_index=True)
            least = int(first.max()) + 1  # each class has a pick
        shares = (self.factor**rung for rung in range(self.rungs - 1, 0, -1))
        sizes = [max(least, -(-n_picks // share)) for share in shares]
        if not sizes:
            return [coreset]
        selection = SelectionSettings(
            Budget(size=n_picks),
            method=coreset.method,
            representative=coreset.representative,
            allocation=coreset.allocation,
            task=coreset.task,
            seed=coreset.seed,
        )
        weights = "cluster" if coreset.calibration is None else "auto"
        smaller = calibrated_prefixes(
            Dataset(rows_of(rows), labels_of(y, rows.shape[0])),
            selection,
            coreset,
            sizes,
            CalibrationSettings(weights, seed=coreset.seed),
        )
        return [*smaller, coreset]

    def _evaluated(
        self,
        candidates: Sequence[Mapping[str, Any]],
        folds: Sequence[Fold],
        fit_params: Mapping[str, Any],
    ) -> list[dict[str, Any]]:
        """Return score and times of each candidate on each fold."""
        done: list[dict[str, Any]] = Parallel(n_jobs=self.n_jobs, verbose=self.verbose)(
            delayed(fit_and_score)(
                model := self._model(candidate),
                fold,
                self._with_weight(model, fit_params, fold.weight),
                self.scorer_,
                self.error_score,
            )
            for candidate, fold in product(candidates, folds)
        )
        return done

    def _model(self, candidate: Mapping[str, Any]) -> Any:
        """Return the estimator with the parameters of a candidate, not fitted."""
        return clone(self.estimator).set_params(**clone(candidate, safe=False))

    def _with_weight(
        self, model: Any, fit_params: Mapping[str, Any], weight: NDArray[np.float64]
    ) -> dict[str, Any]:
        """Return what the ``fit`` of a model is given beside rows."""
        name = weight_name(model, self.weighted)
        return {**({} if name is None else {name: weight}), **fit_params}

    def _fit_best(self, X: Any, y: Any, fit_params: Mapping[str, Any]) -> None:
        """Fit the best candidate on all rows, or on a coreset of them."""
        if hasattr(X, "columns"):
            self.feature_names_in_ = np.asarray(X.columns, object)
        best = self._model(self.best_params_)
        self.is_weighted_ = weight_name(best, self.weighted) is not None
        if not self.refit:
            return
        given = dict(fit_params)
        if self.refit == "coreset":
            begun = time.perf_counter()
            self.coreset_ = self._select(selected_by(self.estimator, self.select_after, X, y), y)
            self.select_time_ += time.perf_counter() - begun
            X, y = (_safe_indexing(own, self.coreset_.index) for own in (X, y))
            given = self._with_weight(best, fit_params, self.coreset_.weight)
        begun = time.perf_counter()
        self.best_estimator_ = best.fit(X, y, **given)
        self.refit_time_ = time.perf_counter() - begun
