"""Ways to choose the rows of each epoch of a network, at equal backward passes and with their
seconds: one Markdown table. MNIST, the network of ``craig train --model mlp``.

``python benchmarks/network_ways.py [SHARE ...] [--seeds N]``; without shares all of `SHARES`, in four
minutes with three seeds.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from datasets import DATA
from numpy.typing import NDArray

from craig_cli.readers import read_dataset
from craig_cli.selection.grouped import grouped_rows, random_rows
from craig_cli.selection.reselection import reselected_rows
from craig_cli.settings import InputSettings
from craig_cli.settings.network import NetworkSettings
from craig_cli.threads import Workers
from craig_cli.training.network import Network, made_network
from craig_cli.training.reselection import Chosen, Pass, Reselection, as_scales

SHARES = {0.01: 1.0, 0.05: 0.3, 0.1: 0.3, 0.5: 0.3}
"""Shares, and steps. Fresh random rows came farthest with these: for 1 % among 0.1, 0.3 and 1, for 5 %
among 0.1 and 0.3, for 50 % among 0.3 and 1; for 10 % no other was tried.
"""
EPOCHS = 12
LONGER = 15
"""Epochs of fresh random rows that are to take longer than those of any way without a pass."""
POOL = 3
"""Rows of a pool, over those chosen from it."""
THREADS = 2

Images = tuple[NDArray[np.float32], NDArray[np.int64]]


def images(part: str) -> Images:
    """Return the images and labels of ``train`` or ``t10k``, of which there may be fewer."""
    data = read_dataset(InputSettings((str(DATA / f"mnist/{part}-images-idx3-ubyte.gz"),)))
    return np.ascontiguousarray(data.rows, np.float32), np.asarray(data.labels, np.int64)


class FromPool(Reselection):
    """Groups of a pool of random rows: a forward pass over the pool alone."""

    def choose(
        self, choice: object, network: Network, epoch: int, latest: Pass | None = None
    ) -> None:
        begun = time.perf_counter()
        assert self._settings.fraction is not None
        rng = np.random.default_rng([self._settings.seed, epoch])
        share = min(1.0, POOL * self._settings.fraction)
        pool, _ = random_rows(self._class_numbers, share, rng)
        rows, classes = np.ascontiguousarray(self._rows[pool]), self._class_numbers[pool]
        residuals = np.asarray(network.outputs(rows, classes, self._workers).residuals, np.float32)
        picks, weights = grouped_rows(
            residuals, classes, self._settings.fraction / share, self._workers
        )
        self.chosen = Chosen(pool[picks], weights)
        self.seconds += time.perf_counter() - begun


@dataclass(frozen=True)
class Way:
    """How rows are chosen: a method, every so many epochs."""

    name: str
    method: str
    every: int = 1
    epochs: int = EPOCHS
    selecting: Callable[..., Reselection] = Reselection


WAYS = (
    Way("one random subset", "random", every=EPOCHS),
    Way("fresh random rows", "random"),
    Way(f"fresh random rows, {LONGER} epochs", "random", epochs=LONGER),
    Way("groups", "groups"),
    Way("groups, every 5 epochs", "groups", every=5),
    Way(f"groups of a pool of {POOL} times", "groups", selecting=FromPool),
    Way("importance, p - y of the steps", "importance"),
)


def end(way: Way, train: Images, test: Images, settings: NetworkSettings) -> list[float]:
    """Return test accuracy in per cent, loss over all training rows, seconds of steps and of
    selection.
    """
    rng, spent = np.random.default_rng(settings.seed), 0.0
    network = made_network(train[0].shape[1], 10, settings, rng)
    with Workers(THREADS) as workers:
        selecting = way.selecting(*train, settings, None, workers)
        for epoch in range(settings.epochs):
            if epoch % settings.reselect_every == 0:
                selecting.choose(reselected_rows, network, epoch)
            begun = time.perf_counter()
            index, scales = as_scales(selecting.chosen, len(train[0]))
            visits = index[rng.permutation(len(index))]
            network.take_epoch(*train, scales, visits, settings, selecting.kept)
            spent += time.perf_counter() - begun
        loss = float(network.outputs(*train, workers).losses.mean())
        accuracy = 100 * (1 - network.outputs(*test, workers).errors(test[1]))
    return [accuracy, loss, spent, selecting.seconds]


def main(shares: list[float], seeds: int) -> None:
    """Print the table."""
    train, test = images("train"), images("t10k")
    warm = NetworkSettings(fraction=0.1, epochs=2)
    for way in WAYS:
        end(way, (train[0][:3000], train[1][:3000]), test, replace(warm, method=way.method))
    print(f"{len(train[0])} rows, {len(test[0])} test rows, {EPOCHS} epochs, {seeds} seeds\n")
    print("| way | share | step | test accuracy, % | training loss | steps, s | selection, s |")
    print("|---|---|---|---|---|---|---|")
    for share in shares:
        for way in WAYS:
            settings = NetworkSettings(
                fraction=share,
                step=SHARES[share],
                epochs=way.epochs,
                method=way.method,
                reselect_every=way.every,
            )
            ends = np.array(
                [end(way, train, test, replace(settings, seed=k)) for k in range(seeds)]
            )
            (accuracy, loss, steps, selection), spread = ends.mean(axis=0), ends.std(axis=0, ddof=1)
            print(
                f"| {way.name} | {share:.0%} | {SHARES[share]:g} | {accuracy:.2f} ± {spread[0]:.2f} | "
                f"{loss:.4f} ± {spread[1]:.4f} | {steps:.2f} | {selection:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument(
        "shares", nargs="*", type=float, metavar="SHARE", help="0.01, 0.05, 0.1, 0.5"
    )
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="at least 2")
    asked = parser.parse_args()
    main(asked.shares or list(SHARES), asked.seeds)
