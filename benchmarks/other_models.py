"""A section of EVIDENCE.md: models that cost more than a few passes, by scikit-learn, on all rows
and on weighted subsets.
"""

from __future__ import annotations

import inspect
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from bench import number, table
from competitors import dense
from datasets import shared
from evidence import Kept, Record, say
from numpy.typing import NDArray
from subsets import RECIPES, Subset, data_set, make_subset, task_of

from craig_cli.dataset import Dataset

SUBSETS = ("random", "paper", "paper, equal weights", "clusters, calibrated")
EQUAL = ", equal weights"
TEST_ROWS = 20_000
AIMS = {"svm-ijcnn1": 10.0}
"""Speed-ups aimed at, selection included."""
NEAR = 1.01
"""A loss or an error of at most so many times that of all rows is as good."""


def support_vectors() -> Any:
    """Return an RBF support vector machine with ijcnn1's usual parameters."""
    from sklearn.svm import SVC

    return SVC(C=16, gamma=2, cache_size=500)


def boosting() -> Any:
    """Return gradient-boosted trees."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=200, early_stopping=False, random_state=0)


def network() -> Any:
    """Return a two-layer network."""
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier((100,), alpha=1e-4, max_iter=15, random_state=0)


@dataclass(frozen=True)
class Model:
    """A model, how it is judged, the sizes tried, and the seeds of random subsets."""

    words: str
    make: Callable[[], Any]
    by_error: bool
    fractions: tuple[float, ...]
    seeds: int


MODELS = {
    "svm": Model(
        "RBF support vector machine (C = 16, gamma = 2)",
        support_vectors,
        True,
        (0.1, 0.15, 0.2, 0.25, 0.3, 0.5),
        2,
    ),
    "boosting": Model("gradient boosting (200 trees)", boosting, False, (0.03, 0.1, 0.3, 0.5), 2),
    "network": Model(
        "two-layer network (100 units, 15 epochs)", network, False, (0.03, 0.1, 0.3, 0.5), 1
    ),
}


def train_and_test(
    name: str, max_rows: int
) -> tuple[Dataset, NDArray[np.float32], NDArray[np.int64]]:
    """Return the rows to train on, and a matrix and labels to test on: of the test file, or a fifth
    of the rows drawn at random.
    """
    whole = data_set(name, max_rows)
    if name == "ijcnn1":
        test = shared("ijcnn1.tst.bz2")
        some = np.linspace(0, test.n_rows - 1, TEST_ROWS).astype(np.int64)
        return whole, dense(test)[some], test.labels[some]
    order = np.random.default_rng(0).permutation(whole.n_rows)
    cut = whole.n_rows // 5
    some, kept = order[: min(cut, TEST_ROWS)], np.sort(order[cut:])
    return part_of(whole, kept), dense(whole)[some], whole.labels[some]


def part_of(dataset: Dataset, index: NDArray[np.int64]) -> Dataset:
    """Return some rows of a data set."""
    rows = dataset.rows.take(index, axis=0)
    assert dataset.labels is not None
    return replace(
        dataset, rows=rows, labels=dataset.labels[index], file_starts=np.array([0, len(index)])
    )


def trained(
    model: Model, rows: Any, labels: Any, weights: Any, test: tuple[Any, Any]
) -> tuple[float, float]:
    """Return the seconds of a training, and the error or the loss on the test rows."""
    from sklearn.metrics import log_loss

    estimator = model.make()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the network has not converged
        begun = time.perf_counter()
        estimator.fit(rows, labels, sample_weight=weights)
        seconds = time.perf_counter() - begun
    if model.by_error:
        return seconds, float(np.mean(estimator.predict(test[0]) != test[1]))
    return seconds, float(log_loss(test[1], estimator.predict_proba(test[0])))


def cached_subset(
    made: dict[tuple[str, float, int], Subset],
    data: str,
    dataset: Dataset,
    key: tuple[str, float, int],
) -> Subset:
    """Return a subset by recipe, fraction and seed, made once."""
    if key not in made:
        made[key] = make_subset(dataset, task_of(data), *key)
    return made[key]


def measure(part: str, max_rows: int) -> list[Record]:
    """Return what a model takes and comes to, on all rows and on each subset, up to the size that
    is enough.
    """
    kind, data = part.split("-")
    model = MODELS[kind]
    if "sample_weight" not in inspect.signature(model.make().fit).parameters:
        return [{"skipped": "this scikit-learn's network takes no weights"}]
    dataset, *test = train_and_test(data, max_rows)
    matrix, labels = dense(dataset), dataset.labels
    assert labels is not None
    trained(
        model,
        matrix[:: max(1, len(matrix) // 500)],
        labels[:: max(1, len(matrix) // 500)],
        None,
        (test[0][:100], test[1][:100]),
    )
    seconds, loss = trained(model, matrix, labels, None, (test[0], test[1]))
    made: dict[tuple[str, float, int], Subset] = {}
    records: list[Record] = [
        {
            "subset": "all rows",
            "rows": len(matrix),
            "test_rows": len(test[1]),
            "seconds": seconds,
            "loss": loss,
        }
    ]
    for name in SUBSETS:
        recipe = name.removesuffix(EQUAL)
        for fraction in model.fractions:
            found = []
            for seed in range(1 if recipe in RECIPES and RECIPES[recipe].is_fixed else model.seeds):
                subset = cached_subset(made, data, dataset, (recipe, fraction, seed))
                weights = None if name.endswith(EQUAL) else subset.weight / subset.weight.mean()
                found.append(
                    (
                        subset.seconds,
                        *trained(
                            model,
                            matrix[subset.index],
                            labels[subset.index],
                            weights,
                            (test[0], test[1]),
                        ),
                    )
                )
            selection, seconds, mean = (
                float(np.mean(values)) for values in zip(*found, strict=True)
            )
            facts = {
                "subset": name,
                "fraction": fraction,
                "rows": len(subset.index),
                "selection": selection,
                "seconds": seconds,
                "loss": mean,
            }
            records.append({**facts, "enough": mean <= NEAR * loss})
            say(f"{part}: {records[-1]}")
            if records[-1]["enough"]:
                break
    return records


def speedup(full: Record, record: Record) -> float:
    """Return the training time of all rows over selection and training of a subset."""
    return float(full["seconds"] / (record["selection"] + record["seconds"]))


def one_table(records: list[Record]) -> str:
    """Return the table of a model on a data set."""
    full, *others = records
    lines = [
        [
            full["subset"],
            "100%",
            f"{full['rows']:,}",
            "-",
            number(full["seconds"]),
            f"{full['loss']:.4g}",
            "1",
            "1",
            "",
        ]
    ]
    for r in others:
        size = [
            r["subset"],
            f"{r['fraction']:.0%}",
            f"{r['rows']:,}",
            number(r["selection"]),
            number(r["seconds"]),
        ]
        quality = [f"{r['loss']:.4g}", number(r["loss"] / full["loss"], 4)]
        lines.append(
            [*size, *quality, f"{number(speedup(full, r))}x", "needed" if r["enough"] else ""]
        )
    return table(
        "subset | rows | k | selection s | training s | test | over all rows' | speed-up, "
        "selection included | ",
        lines,
    )


def text(kept: Kept) -> str:
    """Return the section."""
    out = [
        "scikit-learn's models, on all rows and on weighted subsets of growing size, until the "
        "error or the loss on test rows is at most "
        f'{NEAR:g} times that of all rows ("needed"); same settings throughout, so a network '
        f"makes as many epochs, of fewer rows. Test rows: at "
        f"most {TEST_ROWS:,}, of ijcnn1's test file, of flights a fifth that is not trained on. "
        f"Means over seeds where a subset has any "
        f"({', '.join(f'{kind} {model.seeds}' for kind, model in MODELS.items())}). *Equal "
        f"weights*: the paper's rows, all of weight 1. Calibrated "
        "weights are those for logistic loss.\n"
    ]
    for part, records in kept.items():
        kind, data = part.split("-")
        out.append(
            f"### {MODELS[kind].words}: {data}, "
            f"{'error' if MODELS[kind].by_error else 'log-loss'} on test rows\n"
        )
        out.append(
            one_table(records)
            if "skipped" not in records[0]
            else f"Not run: {records[0]['skipped']}.\n"
        )
    return "\n".join(out)
