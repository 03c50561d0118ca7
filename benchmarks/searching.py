"""A section of EVIDENCE.md: searching for parameters on coresets, beside all rows, random rows and
scikit-learn's successive halving.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from bench import number, table
from evidence import Kept, Record, begun_records, leave_begun, say
from measuring import on_one_core
from other_models import Split, split_of

from craig_cli.dataset import Labels

SEEDS = 3
LARGE, SMALL = 0.1, 0.02
ROWS_AT_MOST = {
    "svm": 12_000,
    "boosting": 40_000,
    "xgboost": 40_000,
    "network": 20_000,
    "neighbour": 20_000,
    "softmax": 8_000,
}
"""Of the sets but ijcnn1, which is whole for the support vector machine."""


@dataclass(frozen=True)
class Way:
    """A way to search: its name in the table, the share of the training rows of each fold, whether
    they are drawn by a seed, and what `CoresetSearchCV` is told.
    """

    words: str
    fraction: float = 1.0
    is_drawn: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


WAYS = {
    "all rows": Way("all rows"),
    "halving": Way("`HalvingGridSearchCV`", is_drawn=True),
    "random": Way(f"random, {LARGE:.0%}", LARGE, is_drawn=True),
    "coreset": Way(f"coreset, {LARGE:.0%}", LARGE, settings={"weighted": True}),
    "plain": Way("the same, no weights", LARGE, settings={"weighted": False}),
    "nested": Way("nested", LARGE, settings={"rungs": 3, "weighted": True}),
    "random, small": Way(f"random, {SMALL:.0%}", SMALL, is_drawn=True),
    "coreset, small": Way(f"coreset, {SMALL:.0%}", SMALL, settings={"weighted": True}),
}
METHODS = tuple(WAYS)
ALL = METHODS[0]
RUNS = [(name, seed) for name, way in WAYS.items() for seed in range(SEEDS if way.is_drawn else 1)]


@dataclass(frozen=True)
class Search:
    """A model, its candidates, and the folds."""

    words: str
    make: Callable[[], Any]
    grid: Mapping[str, list[Any]]
    folds: int = 3
    is_regression: bool = False


def logistic() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=300)


def support_vectors() -> Any:
    from sklearn.svm import SVC

    return SVC(cache_size=500)


def neighbours() -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier()


def boosting() -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=60, early_stopping=False, random_state=0)


def xgboost() -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(n_estimators=100, tree_method="hist", n_jobs=1)


def kernel_ridge() -> Any:
    from sklearn.kernel_ridge import KernelRidge

    return KernelRidge(kernel="rbf")


def network() -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier((50,), max_iter=10, random_state=0)


KERNELS = ("svm", "ridge")
"""Those that `CoresetSearchCV` gives no weights unless told."""
SEARCHES = {
    "logistic": Search(
        "logistic regression, 28 settings, 5 folds",
        logistic,
        {"C": np.logspace(-5, 2, 14).tolist(), "class_weight": [None, "balanced"]},
        5,
    ),
    "softmax": Search(
        "logistic regression, 151 classes, 6 settings",
        logistic,
        {"C": [0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0]},
    ),
    "svm": Search(
        "RBF support vector machine, 9 settings",
        support_vectors,
        {"C": [1, 10, 100], "gamma": [0.3, 1, 3]},
    ),
    "neighbour": Search(
        "k nearest neighbours, 10 settings",
        neighbours,
        {"n_neighbors": [1, 3, 7, 15, 31], "p": [1, 2]},
    ),
    "ridge": Search(
        "kernel ridge, 12 settings",
        kernel_ridge,
        {"alpha": [0.01, 0.1, 1.0, 10.0], "gamma": [0.03, 0.1, 0.3]},
        is_regression=True,
    ),
    "boosting": Search(
        "gradient boosting, 9 settings",
        boosting,
        {"learning_rate": [0.03, 0.1, 0.3], "max_leaf_nodes": [7, 31, 127]},
    ),
    "xgboost": Search(
        "XGBoost, 9 settings",
        xgboost,
        {"max_depth": [3, 6, 9], "learning_rate": [0.03, 0.1, 0.3]},
    ),
    "network": Search(
        "two-layer network, 9 settings",
        network,
        {"alpha": [1e-5, 1e-2, 1.0], "learning_rate_init": [1e-4, 1e-3, 1e-2]},
    ),
}


def searched(method: str, search: Search, rows: Any, labels: Labels, cv: Any, seed: int) -> Any:
    """Return the fitted search, its best candidate not fitted again."""
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV

    from craig_cli.sklearn import CoresetSearchCV

    way = WAYS[method]
    estimator, grid = search.make(), dict(search.grid)
    common = {"refit": False, "n_jobs": 1}
    if method == ALL:
        return GridSearchCV(estimator, grid, cv=cv, **common).fit(rows, labels)
    if method == "halving":
        return HalvingGridSearchCV(estimator, grid, cv=cv, random_state=seed, **common).fit(
            rows, labels
        )
    if way.is_drawn:
        rng = np.random.default_rng(seed)
        some = [
            (rng.choice(train, int(way.fraction * len(train)), replace=False), test)
            for train, test in cv.split(rows, labels)
        ]
        return GridSearchCV(estimator, grid, cv=some, **common).fit(rows, labels)
    options = {"fraction": way.fraction, **way.settings, **common}
    return CoresetSearchCV(estimator, grid, cv=cv, **options).fit(rows, labels)


def measure(part: str, max_rows: int) -> list[Record]:
    """Return what each search took and chose, a seed a record; the scores of all candidates by the
    search over all rows are those that regret is reckoned by. Goes on where it was stopped.
    """
    on_one_core()
    from sklearn.model_selection import KFold, StratifiedKFold
    from sklearn.preprocessing import StandardScaler

    kind, data = part.split("-")
    search = SEARCHES[kind]
    most = 0 if (kind, data) == ("svm", "ijcnn1") else ROWS_AT_MOST.get(kind, 0)
    split = split_of(data, min(max_rows or most, most or max_rows))
    assert split.dataset.labels is not None
    scaler = StandardScaler().fit(split.rows)
    rows, labels = scaler.transform(split.rows), split.dataset.labels
    if search.is_regression:
        cv = KFold(search.folds, shuffle=True, random_state=0)
    else:
        classes, labels = np.unique(labels, return_inverse=True)  # XGBoost wants 0, 1, ...
        split = replace(split, test_labels=np.searchsorted(classes, split.test_labels))
        cv = StratifiedKFold(search.folds, shuffle=True, random_state=0)
    one = replace(search, grid={name: values[:1] for name, values in search.grid.items()})
    records = begun_records("searching", part, max_rows)
    tested: dict[str, float] = {record["chosen"]: record["test"] for record in records}
    done = {(record["method"], record["seed"]) for record in records}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        searched("nested", one, rows, labels, cv, 0)  # every kernel is compiled now
        for method, seed in RUNS:
            if (method, seed) in done:
                continue
            begun = time.perf_counter()
            found = searched(method, search, rows, labels, cv, seed)
            seconds = time.perf_counter() - begun
            chosen = str(found.best_params_)
            if chosen not in tested:
                best = found.best_params_
                tested[chosen] = score_of(search, best, rows, labels, split, scaler)
            results = found.cv_results_
            records.append(
                {
                    "method": method,
                    "seed": seed,
                    "rows": len(rows),
                    "seconds": seconds,
                    "chosen": chosen,
                    "test": tested[chosen],
                    "params": [str(params) for params in results["params"]],
                    "scores": results["mean_test_score"].tolist(),
                }
            )
            leave_begun("searching", part, max_rows, records)
            say(f"{part}: {method}, {seed}: {seconds:.1f} s, {chosen}")
    return records


def score_of(
    search: Search, chosen: Mapping[str, Any], rows: Any, labels: Labels, split: Split, scaler: Any
) -> float:
    """Return the score on the test rows of a candidate fitted on all rows."""
    model = search.make().set_params(**chosen).fit(rows, labels)
    return float(model.score(scaler.transform(split.test_rows), split.test_labels))


def regret(record: Record, whole: Record) -> float:
    """Return by how much less accurate, over the folds of all rows, a choice is than the best."""
    scores = dict(zip(whole["params"], whole["scores"], strict=True))
    return max(whole["scores"]) - scores[record["chosen"]]


def correlation(record: Record, whole: Record) -> float:
    """Return the rank correlation of the scores of all candidates with those on all rows; NaN where
    not all went on to the end.
    """
    from scipy.stats import spearmanr

    if record["params"] != whole["params"] or not (
        np.ptp(record["scores"]) and np.ptp(whole["scores"])
    ):
        return float("nan")
    return float(spearmanr(record["scores"], whole["scores"]).statistic)


def cell(records: list[Record], whole: Record) -> str:
    """Return time over that of all rows, regret in percent points, and rank correlation."""
    speed = whole["seconds"] / float(np.mean([record["seconds"] for record in records]))
    lost = 100 * float(np.mean([regret(record, whole) for record in records]))
    alike = float(np.mean([correlation(record, whole) for record in records]))
    told = "" if np.isnan(alike) else f", {alike:.2f}"
    return f"{number(speed)}x, {lost:.2f}{told}"


def text(kept: Kept) -> str:
    """Return the section."""
    rows = []
    for part, records in kept.items():
        kind, data = part.split("-")
        by_method = {m: [r for r in records if r["method"] == m] for m in METHODS}
        (whole,) = by_method[ALL]
        (by_default,) = by_method["plain" if kind in KERNELS else "coreset"]
        rows.append(
            [
                SEARCHES[kind].words,
                f"{data}, {whole['rows']:,}",
                f"{number(whole['seconds'])} s, {100 * whole['test']:.2f}",
                *(cell(by_method[method], whole) for method in METHODS[1:]),
                f"{100 * (by_default['test'] - whole['test']):+.2f}",
            ]
        )
    columns = " | ".join(
        ["model", "set, rows", "all rows: time, test"]
        + [WAYS[method].words for method in METHODS[1:]]
        + [f"default, {LARGE:.0%}: test"]
    )
    return (
        "Each cell: how many times as fast as the search over all rows, selection included; by how "
        "many percent points what it chose is less accurate, in the folds of all rows, than the "
        "best (regret); and the rank correlation of the scores of all candidates with those on all "
        "rows. Random rows and coresets (`CoresetSearchCV`) are shares of the training rows of each "
        f"fold, three folds but for two-class logistic regression; *nested* is successive halving "
        f"on prefixes of the greedy order (`rungs=3`, {LARGE:.0%} at last). Means of {SEEDS} seeds "
        "where rows are drawn. Coresets are weighted but in one column, which is what `CoresetSearchCV` "
        "does by default for models with a kernel. *Test*: accuracy on test rows of the choice, fitted "
        "on all rows, in percent, and that of the default's choice less that of all rows'. Of kernel "
        "ridge, R squared in its place. Columns standardised; each search on one core.\n\n"
        + table(columns, rows)
    )
