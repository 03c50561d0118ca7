"""The paper's experiments with networks, as numbers: figures 4 to 6, on Fashion-MNIST (MNIST's
format and size).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from datasets import FASHION_MNIST
from numpy.typing import NDArray

from craig_cli.readers import read_dataset
from craig_cli.selection.reselection import reselected_rows
from craig_cli.settings import InputSettings, usable_threads
from craig_cli.settings.network import NetworkSettings
from craig_cli.threads import Workers
from craig_cli.training.network import Network
from craig_cli.training.reselection import Chosen, NetworkPoint, fit_network

EPOCHS = 15
SHARE = 0.5
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2)
SHARE_EPOCHS = 15
SHARE_SEEDS = (0, 1)
STAGES = (1, 8, 15)
SHOWN = 4
"""Images of a class that figure 6 shows, those of the largest weights."""

Images = tuple[NDArray[np.float32], NDArray[np.int64]]


def images(part: str) -> Images:
    """Return the images and labels of ``train`` or ``t10k``."""
    data = read_dataset(InputSettings((str(FASHION_MNIST / f"{part}-images-idx3-ubyte*"),)))
    return data.rows, data.labels  # type: ignore[return-value]


def curve(train: Images, test: Images, settings: NetworkSettings) -> list[list[float]]:
    """Return after each epoch: passes, seconds of steps, seconds of selection, training objective
    over all rows, test accuracy.
    """
    points: list[list[float]] = []

    def watch(point: NetworkPoint, network: Network, chosen: Chosen | None) -> None:
        with Workers(usable_threads()) as workers:
            wrong = network.outputs(test[0], test[1], workers).errors(test[1])
        points.append(
            [point.passes, point.seconds, point.selection_seconds, point.objective, 1 - wrong]
        )

    fit_network(*train, 10, settings, choose=reselected_rows, watch=watch)
    return points


def warm_up(train: Images) -> None:
    """Load the kernels."""
    settings = NetworkSettings(epochs=2, fraction=0.5)
    fit_network(train[0][:2000], train[1][:2000], 10, settings, choose=reselected_rows)


def figure_4(trials: range) -> dict[str, Any]:
    """Return loss and accuracy by time of a network on all rows, on CRAIG's half and on a random
    half, both drawn anew each epoch.
    """
    train, test = images("train"), images("t10k")
    warm_up(train)
    settings = NetworkSettings(epochs=EPOCHS)
    runs: dict[str, list[Any]] = {"all rows": [], "CRAIG": [], "random": []}
    for seed in trials:
        runs["all rows"].append(curve(train, test, replace(settings, seed=seed)))
        runs["CRAIG"].append(curve(train, test, replace(settings, seed=seed, fraction=SHARE)))
        runs["random"].append(
            curve(train, test, replace(settings, seed=seed, fraction=SHARE, method="random"))
        )
    return {"share": SHARE, "epochs": EPOCHS, "runs": runs}


def figure_5(every: int) -> dict[str, Any]:
    """Return the test accuracy after so many epochs on small shares of the rows, selected anew
    every so many epochs.
    """
    train, test = images("train"), images("t10k")
    warm_up(train)
    rows = []
    for share in SHARES:
        row: dict[str, Any] = {"share": share}
        for name, method in (("CRAIG", "groups"), ("random", "random")):
            settings = NetworkSettings(
                epochs=SHARE_EPOCHS, fraction=share, reselect_every=every, method=method
            )
            ends = [curve(train, test, replace(settings, seed=seed))[-1] for seed in SHARE_SEEDS]
            row[name] = {
                "accuracy": [end[4] for end in ends],
                "seconds": [end[1] for end in ends],
                "selection_seconds": [end[2] for end in ends],
            }
        rows.append(row)
    return {"every": every, "epochs": SHARE_EPOCHS, "seeds": len(SHARE_SEEDS), "shares": rows}


def figure_6() -> dict[str, Any]:
    """Return the rows of the largest weights in each class among CRAIG's one per cent, at the
    beginning, in the middle and at the end.
    """
    train = images("train")
    found: dict[str, Any] = {}

    def watch(point: NetworkPoint, network: Network, chosen: Chosen | None) -> None:
        if point.epoch not in STAGES or chosen is None:
            return
        heaviest = chosen.index[np.argsort(-chosen.weights, kind="stable")]
        largest = np.sort(chosen.weights)[::-1]
        found[str(point.epoch)] = {
            "rows": [
                [int(row) for row in heaviest[train[1][heaviest] == c][:SHOWN]] for c in range(10)
            ],
            "share_of_heaviest_tenth": float(largest[: len(largest) // 10].sum() / largest.sum()),
            "spread": spread_of(train, chosen),
            "error": point.error,
        }

    settings = NetworkSettings(epochs=EPOCHS, fraction=0.01)
    fit_network(*train, 10, settings, choose=reselected_rows, watch=watch)
    return {"epochs": EPOCHS, "stages": found}


def spread_of(train: Images, chosen: Chosen) -> float:
    """Return the mean distance of a pick, as an image, to the nearest other pick of its class: how
    unlike each other the chosen are.
    """
    nearest = []
    for c in range(10):
        own = train[0][chosen.index[train[1][chosen.index] == c]].astype(np.float64)
        squares = (own**2).sum(axis=1)
        distances = squares[:, None] + squares[None] - 2 * own @ own.T
        np.fill_diagonal(distances, np.inf)
        nearest.append(np.sqrt(np.maximum(distances.min(axis=1), 0)))
    return float(np.concatenate(nearest).mean())
