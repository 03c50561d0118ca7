"""Small problems for the tests of training: every loss, dense and sparse, with equal weights and
uneven ones.
"""

from __future__ import annotations

import numpy as np
from test_lazy_greedy import sparse

from craig_cli.training import Problem, make_problem
from craig_cli.training.losses import LOSSES
from craig_cli.training.problem import pack

TASKS = (
    *((name, n_classes) for name in LOSSES for n_classes in (2, 3)),
    *((name, 0) for name, loss in LOSSES.items() if loss.fits_numbers),
)
"""Every loss with every kind of label it takes; 0 classes stand for a number to predict."""
KINDS = ("float64", "float32", "sparse")


def made_rows(n: int, d: int = 5, seed: int = 0) -> np.ndarray:
    """Rows with zeros, of columns whose spreads differ; exact in float32."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, d)) * np.geomspace(1, 3, d)
    rows[rng.random((n, d)) < 0.4] = 0
    return rows.astype(np.float32).astype(np.float64)


def value_and_gradient(problem: Problem, coef, intercept, l2: float):
    """F and its gradient by the coefficients and by the intercept."""
    gradient = np.zeros((problem.n_outputs, problem.n_columns + 1))
    value, _ = problem.full_pass(pack(coef, intercept), l2, gradient)
    return value, gradient[:, :-1], gradient[:, -1]


def made_labels(rows: np.ndarray, n_classes: int, seed: int = 1) -> np.ndarray:
    """Noisy labels 0, 1, ... that follow from the rows, or a number to predict."""
    rng = np.random.default_rng(seed)
    score = rows @ rng.normal(size=rows.shape[1]) + rng.normal(size=len(rows)) + 0.5
    return (
        score
        if n_classes == 0
        else np.digitize(score, np.quantile(score, np.arange(1, n_classes) / n_classes)).astype(
            np.int64
        )
    )


def uneven(n: int, seed: int = 2) -> np.ndarray:
    """Whole weights 0, 1, ... 4."""
    return np.random.default_rng(seed).integers(0, 5, n).astype(np.float64)


def as_kind(rows: np.ndarray, kind: str):
    """The rows as float64, float32 or sparse rows."""
    return sparse(rows) if kind == "sparse" else rows.astype(kind)


def made_problem(
    loss: str,
    n_classes: int,
    kind: str = "float64",
    n: int = 60,
    weights: np.ndarray | None = None,
    **options,
) -> Problem:
    """A problem of `made_rows`."""
    rows = made_rows(n)
    return make_problem(
        as_kind(rows, kind),
        made_labels(rows, n_classes),
        loss,
        weights,
        regression=n_classes == 0,
        **options,
    )
