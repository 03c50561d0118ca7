"""A section of EVIDENCE.md: models that are not linear, by scikit-learn, on all rows and on the
coresets that serve linear ones.
"""

from __future__ import annotations

import inspect
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from bench import number, table
from competitors import dense
from datasets import data_file
from evidence import Kept, Record, say
from measuring import on_one_core
from numpy.typing import NDArray
from subsets import RECIPES, Subset, data_set, make_subset

from craig_cli.dataset import Dataset, Labels

KINDS = ("random", "any", "linear", "local")
TREE_KINDS = ("ranks", "leaves")
"""Other distances, tried for boosting."""
ALL = "all rows"
SEEDS = 3
FRACTIONS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
TEST_ROWS = 20_000
PARTS = 5
"""One row in so many is for the test, where there is no file of test rows."""
SPEED_AIMS = {"svm-ijcnn1": 10.0}
"""Speed-ups aimed at, selection included."""
NEAR = 1.01
"""A loss or an error of at most so many times that of all rows is as good."""


def support_vectors(seed: int) -> Any:
    """Return an RBF support vector machine with ijcnn1's usual parameters."""
    from sklearn.svm import SVC

    return SVC(C=16, gamma=2, cache_size=500)


def boosting(seed: int) -> Any:
    """Return gradient-boosted trees."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=200, early_stopping=False, random_state=seed)


def neighbour(seed: int) -> Any:
    """Return the classifier by the nearest row."""
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(1)


def network(seed: int) -> Any:
    """Return a two-layer network."""
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier((100,), alpha=1e-4, max_iter=15, random_state=seed)


@dataclass(frozen=True)
class Model:
    """A model, how it is judged, and whether it begins at random."""

    words: str
    make: Callable[[int], Any]
    by_error: bool
    is_random: bool = False

    @property
    def takes_weights(self) -> bool:
        return "sample_weight" in inspect.signature(self.make(0).fit).parameters

    def seeds(self, kind: str) -> range:
        """Return the seeds of a kind of subset: one where neither rows nor model are random."""
        is_fixed = kind == ALL or RECIPES[kind].is_fixed
        return range(1 if is_fixed and not self.is_random else SEEDS)


MODELS = {
    "svm": Model("RBF support vector machine (C = 16, gamma = 2)", support_vectors, True),
    "boosting": Model("gradient boosting (200 trees)", boosting, False),
    "neighbour": Model("nearest neighbour (no weights)", neighbour, True),
    "network": Model("two-layer network (100 units, 15 epochs)", network, False, True),
}


@dataclass(frozen=True)
class Split:
    """Rows to train on, as a data set and as a matrix, and rows to test on, all with labels."""

    dataset: Dataset
    rows: NDArray[np.float32]
    test_rows: NDArray[np.float32]
    test_labels: Labels


def split_of(name: str, max_rows: int) -> Split:
    """Return rows to train and to test on: of ijcnn1's test file, else a fifth of the rows, drawn
    once; at most `TEST_ROWS`.
    """
    whole = data_set(name, max_rows)
    assert whole.labels is not None
    if name == "ijcnn1":
        test = data_file("ijcnn1.tst.bz2")
        assert test.labels is not None
        some = np.linspace(0, test.n_rows - 1, TEST_ROWS).astype(np.int64)
        return Split(whole, dense(whole), dense(test)[some], test.labels[some])
    order = np.random.default_rng(0).permutation(whole.n_rows)
    cut = whole.n_rows // PARTS
    some, kept = order[: min(cut, TEST_ROWS)], np.sort(order[cut:])
    train = replace(
        whole,
        rows=whole.rows.take(kept, axis=0),
        labels=whole.labels[kept],
        file_starts=np.array([0, len(kept)]),
    )
    return Split(train, dense(train), dense(whole)[some], whole.labels[some])


def trained(
    model: Model,
    split: Split,
    index: NDArray[np.int64],
    weight: NDArray[np.float64],
    seed: int,
) -> tuple[float, float]:
    """Return the seconds of a training on weighted rows, their mean weight 1, and the error or the
    loss on the test rows.
    """
    from sklearn.metrics import log_loss

    assert split.dataset.labels is not None
    estimator = model.make(seed)
    weights = {"sample_weight": weight / weight.mean()} if model.takes_weights else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the network has not converged
        begun = time.perf_counter()
        estimator.fit(split.rows[index], split.dataset.labels[index], **weights)
        seconds = time.perf_counter() - begun
    if model.by_error:
        return seconds, float(np.mean(estimator.predict(split.test_rows) != split.test_labels))
    chances = estimator.predict_proba(split.test_rows)
    return seconds, float(log_loss(split.test_labels, chances, labels=estimator.classes_))


def measure(part: str, max_rows: int) -> list[Record]:
    """Return what a model takes and comes to, on all rows and on each subset, a seed a record."""
    on_one_core()
    kind, data = part.split("-")
    model, split = MODELS[kind], split_of(data, max_rows)
    every = np.arange(len(split.rows))
    some = every[:: max(1, len(every) // 500)]
    trained(model, split, some, np.ones(len(some)), 0)
    records: list[Record] = []

    def note(name: str, fraction: float, seed: int, subset: Subset) -> None:
        seconds, loss = trained(model, split, subset.index, subset.weight, seed)
        known = {"subset": name, "fraction": fraction, "seed": seed, "picks": len(subset.index)}
        records.append({**known, "selection": subset.seconds, "seconds": seconds, "loss": loss})

    for seed in model.seeds(ALL):
        note(ALL, 1.0, seed, Subset(every, np.ones(len(every)), 0.0, False))
    for fraction in FRACTIONS:
        for name in kinds_of(kind):
            for seed in model.seeds(name):
                note(name, fraction, seed, make_subset(split.dataset, data, name, fraction, seed))
        say(f"{part}: {fraction:.0%}")
    return records


def kinds_of(kind: str) -> tuple[str, ...]:
    """Return the kinds of subset that a kind of model is trained on."""
    return (*KINDS, *TREE_KINDS) if kind == "boosting" else KINDS


@dataclass(frozen=True)
class Line:
    """What came out at one size: records by kind of subset, those of all rows too."""

    part: str
    fraction: float
    found: dict[str, list[Record]]

    @property
    def model(self) -> Model:
        return MODELS[self.part.split("-")[0]]

    def losses(self, kind: str) -> list[float]:
        """Return the losses or errors, a seed each."""
        return [record["loss"] for record in self.found[kind]]

    def mean(self, kind: str) -> float:
        return float(np.mean(self.losses(kind)))

    def speedup(self, kind: str) -> float:
        """Return the training time of all rows over selection and training on a subset."""
        taken = [record["selection"] + record["seconds"] for record in self.found[kind]]
        whole = [record["seconds"] for record in self.found[ALL]]
        return float(np.mean(whole) / np.mean(taken))

    def is_near(self, kind: str) -> bool:
        """Return whether a subset is as good as all rows."""
        return self.mean(kind) <= NEAR * self.mean(ALL)

    def cell(self, kind: str) -> str:
        """Return the mean, of random rows the least and largest too; an error in percent."""
        factor = 100 if self.model.by_error else 1
        values = [factor * loss for loss in self.losses(kind)]
        spread = f" ({number(min(values))} to {number(max(values))})" if kind == "random" else ""
        return number(float(np.mean(values))) + spread


def lines_of(kept: Kept) -> Iterator[Line]:
    """Give what came out, a model, set and size each."""
    for part, records in kept.items():
        for fraction in FRACTIONS:
            found = {
                kind: [
                    r for r in records if r["subset"] == kind and r["fraction"] in (fraction, 1.0)
                ]
                for kind in (*KINDS, *TREE_KINDS, ALL)
            }
            yield Line(part, fraction, found)


def random_share(lines: list[Line], loss: float) -> tuple[float, str]:
    """Return what share of the rows, drawn at random, has a mean loss, on straight lines between the
    logarithms of the shares measured; and a sign where it lies beyond them.
    """
    means = [line.mean("random") for line in lines]
    shares = [line.fraction for line in lines] + [1.0]
    # More rows do no harm but by chance: the curve is made to fall.
    curve = np.minimum.accumulate([*means, lines[0].mean(ALL)])
    if loss >= curve[0]:
        return shares[0], "<" if loss > curve[0] else ""
    if loss <= curve[-1]:
        return 1.0, ">" if loss < curve[-1] else ""
    found = np.interp(-loss, -curve, np.log(shares))
    return float(np.exp(found)), ""


def bought(lines: list[Line], line: Line, kind: str = "local") -> str:
    """Return how many random rows have the loss of a coreset, as a multiple of its rows."""
    share, sign = random_share(lines, line.mean(kind))
    return f"{sign} {number(share / line.fraction, 2)}x".strip()


def text(kept: Kept) -> str:
    """Return the section."""
    by_part: dict[str, list[Line]] = {}
    for line in lines_of(kept):
        by_part.setdefault(line.part, []).append(line)
    rows = []
    for part, lines in by_part.items():
        kinds = kinds_of(part.split("-")[0])
        cells = [
            f"{' / '.join(line.cell(kind) for kind in kinds)}; {number(line.speedup('any'))}x"
            for line in lines
        ]
        told = " / ".join(bought(lines, line) for line in lines[:-1])
        rows.append([lines[0].model.words, part.split("-")[1], lines[0].cell(ALL), *cells, told])
    shares = [f"{fraction:.0%}" for fraction in FRACTIONS]
    columns = " | ".join(["model", "set", ALL, *shares, "random rows for one medoid"])
    return (
        "scikit-learn's models: error in percent, or log-loss (boosting, network), on test rows: of "
        f"*{' / '.join(KINDS)}*, and the *speed-up* of `any`, the training on all rows over "
        f"selection and training on it, on one core. Means of {SEEDS} seeds where something is random; of random "
        "rows the least and the largest. The weights of the coresets are calibrated for logistic "
        f"loss, or the sizes of clusters (`local`). Test rows: at most {TEST_ROWS:,}, of ijcnn1's "
        "test file, of the others a fifth that is not trained on. A network makes as many epochs, of "
        "fewer rows. *Random rows for one medoid*: how many random rows have the error or the loss "
        f"of the medoids (`local`), over the number of these, at {' / '.join(shares[:-1])}: between "
        "the sizes measured, on straight lines in the logarithm of the size. Below 1x random rows "
        "are the better ones; < and >: beyond 1 % and all rows. Boosting has two more, medoids by other "
        f"distances: *{' / '.join(TREE_KINDS)}*, the ranks of the values and the leaves of a forest "
        "(`craig_cli.sklearn.LeafEmbedding`).\n\n" + table(columns, rows)
    )
