"""The folds of a search on coresets: what is fitted and scored, and what came out."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, check_array
from sklearn.utils.validation import has_fit_parameter

from craig_cli.selection import Coreset


class Fold(NamedTuple):
    """Rows to fit on and their weights, and rows to score on."""

    X: Any
    y: Any
    weight: NDArray[np.float64]
    X_test: Any
    y_test: Any


class Found(NamedTuple):
    """What candidates came to, rung after rung."""

    tried: list[Mapping[str, Any]]
    outcomes: list[dict[str, Any]]
    rungs: list[int]
    n_rows: list[float]

    def add(
        self,
        candidates: Sequence[Mapping[str, Any]],
        outcomes: Sequence[dict[str, Any]],
        rung: int,
        n_rows: float,
    ) -> None:
        """Add those of a rung; failed fits are told of, or raised where there are no others."""
        check_fits(outcomes)
        self.tried.extend(candidates)
        self.outcomes.extend(outcomes)
        self.rungs.extend([rung] * len(candidates))
        self.n_rows.extend([float(n_rows)] * len(candidates))


def check_fits(outcomes: Sequence[Mapping[str, Any]]) -> None:
    """Warn of fits that failed; raise `ValueError` if all of them did."""
    errors = [one["fit_error"] for one in outcomes if one["fit_error"] is not None]
    if errors and len(errors) == len(outcomes):
        raise ValueError(f"All {len(errors)} fits failed; the last: {errors[-1]}")
    if errors:
        told = f"{len(errors)} of {len(outcomes)} fits failed; the last: {errors[-1]}"
        warnings.warn(told, FitFailedWarning, stacklevel=4)


def ranked(outcomes: Sequence[Mapping[str, Any]], n_candidates: int) -> list[int]:
    """Return the candidates, best mean score first; of equal ones the first, failed ones last."""
    scores = np.array([one["test_scores"] for one in outcomes]).reshape(n_candidates, -1)
    means = np.nan_to_num(scores.mean(axis=1), nan=-np.inf)
    order: list[int] = np.argsort(-means, kind="stable").tolist()
    return order


def fold_of(X: Any, y: Any, split: tuple[Any, Any], coreset: Coreset) -> Fold:
    """Return the rows of a fold that are fitted and scored."""
    train, test = split
    chosen = np.asarray(train)[coreset.index]
    return Fold(
        X=_safe_indexing(X, chosen),
        y=_safe_indexing(y, chosen),
        weight=coreset.weight,
        X_test=_safe_indexing(X, test),
        y_test=_safe_indexing(y, test),
    )


def fit_and_score(
    estimator: Any,
    fold: Fold,
    fit_params: Mapping[str, Any],
    scorer: Any,
    error_score: float | str,
) -> dict[str, Any]:
    """Return the score of an estimator on a fold, and the seconds that fit and score took."""
    begun, error = time.perf_counter(), None
    try:
        estimator.fit(fold.X, fold.y, **fit_params)
    except Exception as failure:  # any; `check_fits` tells of it, as scikit-learn's searches do
        if error_score == "raise":
            raise
        error = f"{type(failure).__name__}: {failure}"
    fitted = time.perf_counter()
    score = float(error_score) if error else float(scorer(estimator, fold.X_test, fold.y_test))
    return {
        "fit_time": fitted - begun,
        "score_time": time.perf_counter() - fitted,
        "test_scores": score,
        "fit_error": error,
    }


def selected_by(estimator: Any, select_after: str | None, X: Any, y: Any) -> Any:
    """Return rows as they are selected by: of a pipeline, what its steps make of them up to that of
    this name, or the last before the model.
    """
    if isinstance(estimator, Pipeline):
        names = [name for name, _ in estimator.steps]
        if select_after is not None and select_after not in names[:-1]:
            raise ValueError(f"select_after: the pipeline has no step {select_after!r}.")
        after = select_after or (names[-2] if len(names) > 1 else None)
        if after is not None:
            steps = clone(estimator[: names.index(after) + 1])
            X = steps.fit_transform(X, y)
    elif select_after is not None:
        raise ValueError("select_after is for a pipeline.")
    return check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32])


def weight_name(estimator: Any, weighted: bool | str) -> str | None:
    """Return what ``fit`` calls the weights of rows; None where it takes none, or is to be given
    none: under "auto" a model with a kernel other than the linear one.
    """
    model, name = estimator, "sample_weight"
    if isinstance(estimator, Pipeline):
        step, model = estimator.steps[-1]
        name = f"{step}__sample_weight"
    if weighted == "auto":
        weighted = getattr(model, "kernel", "linear") == "linear"
    return name if weighted and has_fit_parameter(model, "sample_weight") else None
