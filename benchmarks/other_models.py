"""Models that cost more than a few passes over the rows, trained by scikit-learn on all rows and on weighted subsets."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from bench import number, table
from competitors import dense
from subsets import split, thin_weights

from craig_cli.blocks import Dataset

FRACTIONS = (0.01, 0.03, 0.1, 0.2, 0.3, 0.5)
TEST_ROWS = 20_000
TOLERANCE = 1.01


def support_vectors() -> Any:
    """Return an RBF support vector machine, as ijcnn1's best in the literature."""
    from sklearn.svm import SVC

    return SVC(C=16, gamma=2, cache_size=1000)


def boosting() -> Any:
    """Return gradient-boosted trees."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=300, random_state=0)


def network() -> Any:
    """Return a two-layer network."""
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier((100,), alpha=1e-4, max_iter=30, random_state=0)


@dataclass(frozen=True)
class Model:
    """A model, the data it is tried on, and how it is judged: the share of wrong labels, or the log-loss."""

    name: str
    make: Callable[[], Any]
    data: str
    by_error: bool = False


MODELS = (
    Model("RBF support vector machine, error", support_vectors, "ijcnn1", True),
    Model("gradient boosting, log-loss", boosting, "ijcnn1"),
    Model("gradient boosting, log-loss", boosting, "flights"),
    Model("two-layer network, log-loss", network, "ijcnn1"),
    Model("two-layer network, log-loss", network, "flights"),
)


def trained(model: Model, rows: np.ndarray, labels: np.ndarray, weights: np.ndarray | None, test: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
    """Return the seconds of a training, and the loss on the test rows."""
    from sklearn.metrics import log_loss

    estimator = model.make()
    begun = time.perf_counter()
    estimator.fit(rows, labels, sample_weight=None if weights is None else weights * (len(weights) / weights.sum()))
    seconds = time.perf_counter() - begun
    if model.by_error:
        return seconds, float(np.mean(estimator.predict(test[0]) != test[1]))
    return seconds, float(log_loss(test[1], estimator.predict_proba(test[0])))


def test_rows(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return at most `TEST_ROWS` rows to test on, evenly spaced."""
    chosen = np.linspace(0, data.n_rows - 1, min(TEST_ROWS, data.n_rows)).astype(np.int64)
    return dense(data)[chosen], data.labels[chosen]


def models_table() -> str:
    """Return the sizes needed for the loss of all rows, and what they save."""
    rows = []
    for model in MODELS:
        data = split(model.data)
        matrix, labels, test = dense(data.train), data.train.labels, test_rows(data.test)
        full_seconds, full_loss = trained(model, matrix, labels, None, test)
        rows.append([model.name, model.data, "100%", "all rows", "-", number(full_seconds), f"{full_loss:.4g}", "1", "-"])
        for method in ("random", "craig"):
            for fraction in FRACTIONS:
                index, weights, selection = thin_weights(model.data, method, fraction, 0, "logistic")
                seconds, loss = trained(model, matrix[index], labels[index], weights, test)
                is_enough = loss <= TOLERANCE * full_loss
                cost = [number(selection), number(seconds), f"{loss:.4g}", number(full_seconds / (seconds + selection)), "needed" if is_enough else ""]
                rows.append([model.name, model.data, f"{fraction:.0%}", method, *cost])
                print(rows[-1], file=sys.stderr, flush=True)
                if is_enough:
                    break
    return table("model | data | rows | subset | selection s | training s | test loss | speed-up, selection included | ", rows)
