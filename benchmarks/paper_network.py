"""The paper's experiment with a small network, as numbers: figure 4, on MNIST."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from datasets import data_file
from numpy.typing import NDArray

from craig_cli.selection.reselection import reselected_rows
from craig_cli.settings import usable_threads
from craig_cli.settings.network import NetworkSettings
from craig_cli.threads import Workers
from craig_cli.training.network import Network
from craig_cli.training.reselection import Chosen, NetworkPoint, fit_network

EPOCHS = 15
SHARE = 0.5
SETTINGS = NetworkSettings(
    hidden=100, activation="sigmoid", batch=10, step=0.01, l2=1e-4, epochs=EPOCHS
)
"""The paper's."""

Images = tuple[NDArray[np.float32], NDArray[np.int64]]


def images(part: str) -> Images:
    """Return the images and labels of ``train`` or ``t10k``."""
    data = data_file(f"mnist/{part}-images-idx3-ubyte.gz")
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
    settings = replace(SETTINGS, epochs=2, fraction=SHARE)
    fit_network(train[0][:2000], train[1][:2000], 10, settings, choose=reselected_rows)


def figure_4(trials: range) -> dict[str, Any]:
    """Return loss and accuracy by passes and time of a network on all rows, on CRAIG's half and on
    a random half, both drawn anew each epoch.
    """
    train, test = images("train"), images("t10k")
    warm_up(train)
    kinds = {
        "all rows": SETTINGS,
        "CRAIG": replace(SETTINGS, fraction=SHARE),
        "random": replace(SETTINGS, fraction=SHARE, method="random"),
    }
    runs: dict[str, list[Any]] = {kind: [] for kind in kinds}
    for seed in trials:  # all kinds side by side, whatever else the machine does
        for kind, settings in kinds.items():
            runs[kind].append(curve(train, test, replace(settings, seed=seed)))
    return {
        "rows": len(train[0]),
        "test_rows": len(test[0]),
        "share": SHARE,
        "epochs": EPOCHS,
        "runs": runs,
    }
