"""A section of EVIDENCE.md: which rows to label first, where no row has a label yet."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
from bench import number, table
from competitors import dense
from evidence import Kept, Record, say
from numpy.typing import NDArray
from subsets import data_set

from craig_cli import select_coreset

SIZES = (100, 300, 1000, 3000)
KINDS = ("random", "k-means", "craig")
SEEDS = 3
TEST_SHARE = 5
"""One row in so many is for the test."""


def chosen(kind: str, rows: NDArray[np.float32], size: int, seed: int) -> NDArray[np.int64]:
    """Return the rows to label."""
    if kind == "random":
        return np.random.default_rng(seed).choice(len(rows), size, replace=False)
    if kind == "craig":
        return select_coreset(rows, size=size, seed=seed).index
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.metrics import pairwise_distances_argmin

    means = MiniBatchKMeans(size, batch_size=4096, n_init=1, random_state=seed).fit(rows)
    return np.unique(pairwise_distances_argmin(means.cluster_centers_, rows))


def models() -> dict[str, Any]:
    """Return the models that are trained on the labelled rows."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    return {
        "logistic": LogisticRegression(C=10, max_iter=200),
        "neighbour": KNeighborsClassifier(1, n_jobs=2),
    }


def measure(part: str, max_rows: int) -> list[Record]:
    """Return the accuracy on test rows of models of each choice, a size and seed a record."""
    dataset = data_set(part, max_rows)
    assert dataset.labels is not None
    rows = dense(dataset)
    order = np.random.default_rng(0).permutation(len(rows))
    cut = len(rows) // TEST_SHARE
    test, train = order[:cut][:10_000], np.sort(order[cut:])
    own, labels = np.ascontiguousarray(rows[train]), dataset.labels[train]
    records: list[Record] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind in KINDS:  # kernels are compiled and packages loaded before a clock runs
            chosen(kind, own[:600], 50, 0)
        for size in SIZES:
            for kind in KINDS:
                for seed in range(SEEDS if kind == "random" else 1):
                    begun = time.perf_counter()
                    picks = chosen(kind, own, size, seed)
                    seconds = time.perf_counter() - begun
                    record = {"kind": kind, "size": size, "seed": seed, "seconds": seconds}
                    record |= {"rows": len(own), "classes": len(np.unique(labels[picks]))}
                    for name, model in models().items():
                        fitted = model.fit(own[picks], labels[picks])
                        record[name] = float(fitted.score(rows[test], dataset.labels[test]))
                    records.append(record)
            say(f"{part}: {size} rows")
    return records


def text(kept: Kept) -> str:
    """Return the section."""
    lines = []
    for part, records in kept.items():
        for size in SIZES:
            found = {k: [r for r in records if (r["kind"], r["size"]) == (k, size)] for k in KINDS}
            cells = [
                f"{100 * float(np.mean([r[name] for r in found[kind]])):.1f}"
                for name in ("logistic", "neighbour")
                for kind in KINDS
            ]
            classes = [f"{np.mean([r['classes'] for r in found[kind]]):.0f}" for kind in KINDS]
            seconds = [
                number(float(np.mean([r["seconds"] for r in found[kind]]))) for kind in KINDS
            ]
            first = f"{part}, {records[0]['rows']:,}" if size == SIZES[0] else ""
            lines.append([first, f"{size:,}", *cells, " / ".join(classes), " / ".join(seconds[1:])])
    columns = " | ".join(
        ["set, rows", "labelled"]
        + [f"{model}: {kind}" for model in ("logistic", "nearest") for kind in KINDS]
        + ["classes seen", "seconds: k-means / craig"]
    )
    return (
        "No labels are known: `craig select --no-label` (medoids), the rows nearest to the means of "
        "scikit-learn's MiniBatchKMeans, and random rows. Labelled are these rows alone, and two "
        "models are trained on them, without weights: accuracy in percent on rows that were in "
        f"neither. Random rows: means of {SEEDS} seeds. Seconds are of one run, on a shared "
        "machine.\n\n" + table(columns, lines)
    )
