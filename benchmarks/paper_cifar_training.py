"""One run of `paper_cifar`: ResNet-20 trained on rows that are chosen one way or another.

SGD with momentum 0.9, weight decay 1e-4, batches of about 128, random crops and flips: as the paper's
authors publish it (github.com/baharanm/craig, train_resnet_icml.py). So is the step, over a run of
any length: up to 0.1 in the first tenth, a tenth of that from the half on, and a hundredth from
three quarters on (there 200 epochs, drops at 100 and 150).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import BUILT, cifar10
from evidence import commit
from numpy.typing import NDArray
from paper_cifar_network import STEP, cropped, fused, leading_products, resnet20, step_at
from paper_cifar_plan import ALL, FIGURE_6, FIXED, LAYER, LOOK_ROWS, LOOKS, RESET, SELECTING, Cell
from torch import nn

from craig_cli.selection.grouped import random_rows
from craig_cli.selection.reselection import reselected_rows
from craig_cli.settings import usable_threads
from craig_cli.settings.network import NetworkSettings
from craig_cli.threads import Workers

BATCH = 128
PASS_ROWS = 256
MOMENTUM, DECAY = 0.9, 1e-4
CHECKPOINT_SECONDS = 60
SHOWN = 4
"""Images of a class that figure 6 shows, those of the largest weights."""

Network = Callable[[], nn.Sequential]


def spread_of(images: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the mean distance of an image (n, values) to the nearest other one of its class: how
    unlike each other they are.
    """
    nearest = []
    for label in np.unique(labels):
        own = images[labels == label].astype(np.float64)
        squares = (own**2).sum(axis=1)
        distances = squares[:, None] + squares[None] - 2 * own @ own.T
        np.fill_diagonal(distances, np.inf)
        nearest.append(np.sqrt(np.maximum(distances.min(axis=1), 0)))
    return float(np.concatenate(nearest).mean())


@dataclass(frozen=True)
class Data:
    """Images (n, height, width, channels) of uint8 and their labels, to train on and held out."""

    rows: NDArray[np.uint8]
    labels: NDArray[np.int64]
    held: NDArray[np.uint8]
    held_labels: NDArray[np.int64]


@dataclass(frozen=True)
class Recipe:
    """A run, the epochs that it has, and among how many rows it selects."""

    cell: Cell
    epochs: int
    pool: int


def cifar10_data() -> Data:
    """Return CIFAR-10."""
    return Data(*cifar10("train"), *cifar10("test"))


class Training:
    """A run as it goes.

    Momentum is that of one optimizer from the first step to the last: a selection leaves the
    velocity as it is, and the first steps on the new rows carry on with it. The way `RESET`
    forgets it at each selection, so that the first step after is along that batch's gradient alone.
    """

    def __init__(self, data: Data, recipe: Recipe, network: Network = resnet20) -> None:
        torch.set_num_threads(usable_threads())
        torch.manual_seed(recipe.cell.seed)
        self.data, self.recipe = data, recipe
        self.model = network().to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=STEP, momentum=MOMENTUM, weight_decay=DECAY
        )
        sample = data.rows[:: max(1, len(data.rows) // 5000)]
        self.mean = sample.mean(axis=(0, 1, 2), dtype=np.float64).astype(np.float32)
        self.scale = (1 / sample.std(axis=(0, 1, 2), dtype=np.float64)).astype(np.float32)
        self.index = np.arange(len(data.rows))
        self.weights = np.ones(len(data.rows))
        self.epoch, self.backward = 0, 0
        self.stepping, self.selecting = 0.0, 0.0
        self.curve: list[list[float]] = []
        self.held_shares: list[float] = []
        self.stages: dict[str, Any] = {}

    @property
    def n_picks(self) -> int:
        """How many rows an epoch takes."""
        return max(1, round(self.recipe.cell.share * len(self.data.rows)))

    def batch(self, rows: NDArray[np.uint8]) -> torch.Tensor:
        """Return images as the network takes them."""
        scaled = (rows - self.mean) * self.scale
        return torch.from_numpy(scaled).permute(0, 3, 1, 2)  # channels last, nothing copied

    def outputs(self, rows: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the scores of images, and the inputs of the last layer."""
        model, scores, inputs = fused(self.model), [], []
        with torch.inference_mode():
            for start in range(0, len(rows), PASS_ROWS):
                inputs.append(model[:-1](self.batch(rows[start : start + PASS_ROWS])))
                scores.append(model[-1](inputs[-1]))
        return torch.cat(scores).numpy(), torch.cat(inputs).numpy()

    def accuracy(self, n_rows: int | None = None) -> float:
        """Return the share of the held-out images, or the first so many, that are told right."""
        scores, _ = self.outputs(self.data.held[:n_rows])
        return float((scores.argmax(axis=1) == self.data.held_labels[:n_rows]).mean())

    def is_due(self) -> bool:
        """Whether the next epoch begins with other rows."""
        if self.recipe.cell.way in SELECTING:
            return self.epoch % self.recipe.cell.every == 0
        return self.epoch == 0 or self.recipe.cell.way not in (FIXED, ALL)

    def select(self) -> None:
        """Choose the rows to train on."""
        begun = time.perf_counter()
        way, labels = self.recipe.cell.way, self.data.labels
        if way in SELECTING:
            self.index, self.weights = self.chosen_by_gradients()
        elif way == FIXED:
            with Workers(usable_threads()) as workers:
                self.index, self.weights = reselected_rows(
                    None, labels, self.settings(self.recipe.cell.share), 0, workers
                )
        elif way != ALL:
            turn, place = divmod(self.epoch, len(labels) // self.n_picks)
            order = np.random.default_rng([self.recipe.cell.seed, turn, 2]).permutation(len(labels))
            self.index = order[place * self.n_picks :][: self.n_picks]
            self.weights = np.ones(self.n_picks)
        if way == RESET and self.epoch > 0:
            self.optimizer.state.clear()
        self.selecting += time.perf_counter() - begun

    def settings(self, fraction: float) -> NetworkSettings:
        """Return the settings of a selection of some share of the rows at hand."""
        return NetworkSettings(fraction=fraction, seed=self.recipe.cell.seed)

    def chosen_by_gradients(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return CRAIG's rows among those of a pool, and their weights."""
        labels, n = self.data.labels, len(self.data.labels)
        pool = np.arange(n)
        if self.recipe.pool < n:
            rng = np.random.default_rng([self.recipe.cell.seed, self.epoch, 1])
            pool = np.sort(random_rows(labels, self.recipe.pool / n, rng)[0])
        own = labels[pool]
        scores, inputs = self.outputs(self.data.rows[pool])
        residuals = torch.softmax(torch.from_numpy(scores), dim=1).numpy()
        residuals[np.arange(len(own)), own] -= 1
        points = residuals
        if self.recipe.cell.way == LAYER:
            with_bias = np.column_stack([inputs, np.ones(len(inputs), np.float32)])
            points, held = leading_products(residuals, with_bias, own)
            self.held_shares.append(held)
        with Workers(usable_threads()) as workers:
            settings = self.settings(min(1.0, self.n_picks / len(pool)))
            places, weights = reselected_rows(points, own, settings, self.epoch, workers)
        return pool[places], weights

    def take_epoch(self) -> None:
        """Take the steps over the rows at hand, in batches of about one size: the last one is not a
        few rows, whose means and variances would be noise.
        """
        begun = time.perf_counter()
        rng = np.random.default_rng([self.recipe.cell.seed, self.epoch, 3])
        parts = np.array_split(
            rng.permutation(len(self.index)), max(1, round(len(self.index) / BATCH))
        )
        for number, part in enumerate(parts):
            done = (self.epoch + (number + 0.5) / len(parts)) / self.recipe.epochs
            self.take_step(self.index[part], self.weights[part], step_at(done), rng)
        self.backward += len(self.index)
        self.epoch += 1
        self.stepping += time.perf_counter() - begun

    def take_step(
        self,
        rows: NDArray[np.int64],
        weights: NDArray[np.float64],
        step: float,
        rng: np.random.Generator,
    ) -> None:
        """Take a step along the weighted mean gradient of some rows."""
        shares = torch.from_numpy((weights / weights.sum()).astype(np.float32))
        scores = self.model(self.batch(cropped(self.data.rows[rows], rng)))
        losses = nn.functional.cross_entropy(
            scores, torch.from_numpy(self.data.labels[rows]), reduction="none"
        )
        self.optimizer.param_groups[0]["lr"] = step
        self.optimizer.zero_grad()
        (shares * losses).sum().backward()
        self.optimizer.step()

    def note(self) -> None:
        """Note how good the network is, at a tenth of the run, and what is chosen at three times."""
        if (
            self.epoch * LOOKS // self.recipe.epochs
            > (self.epoch - 1) * LOOKS // self.recipe.epochs
        ):
            self.curve.append(
                [
                    self.backward,
                    round(self.stepping, 2),
                    round(self.selecting, 2),
                    round(self.accuracy(LOOK_ROWS), 4),
                ]
            )
        times = (2, self.recipe.epochs // 2, self.recipe.epochs)
        if self.recipe.cell == FIGURE_6 and self.epoch in times:
            self.stages[str(self.epoch)] = self.what_is_chosen()

    def what_is_chosen(self) -> dict[str, Any]:
        """Return the rows of the largest weights in each class, and how unlike the chosen are."""
        heaviest = self.index[np.argsort(-self.weights, kind="stable")]
        own = self.data.labels[self.index]
        images = self.data.rows[self.index].reshape(len(own), -1).astype(np.float32) / 255
        largest = np.sort(self.weights)[::-1]
        return {
            "rows": [
                [int(row) for row in heaviest[self.data.labels[heaviest] == c][:SHOWN]]
                for c in range(int(self.data.labels.max()) + 1)
            ],
            "share_of_heaviest_tenth": float(largest[: len(largest) // 10].sum() / largest.sum()),
            "spread": spread_of(images, own),
        }

    def save(self, path: Path) -> None:
        """Write what it takes to go on; the file is whole at any time."""
        numbers = {name: getattr(self, name) for name in NUMBERS}
        state = {
            "recipe": asdict(self.recipe),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "index": torch.from_numpy(self.index),
            "weights": torch.from_numpy(self.weights),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".partial")
        torch.save(state | numbers, beside)
        beside.replace(path)

    def load(self, path: Path) -> None:
        """Go on from a file, if there is one and it is of the same run."""
        state = torch.load(path, weights_only=True) if path.exists() else {}
        if state.get("recipe") != asdict(self.recipe):
            return
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.index, self.weights = state["index"].numpy(), state["weights"].numpy()
        for name in NUMBERS:
            setattr(self, name, state[name])


NUMBERS = ("epoch", "backward", "stepping", "selecting", "curve", "held_shares", "stages")
"""What a run keeps beside the network."""


def warm_up() -> None:
    """Load the kernels of a selection, so that the first run does not pay for it."""
    points = np.random.default_rng(0).normal(size=(2000, 10)).astype(np.float32)
    with Workers(usable_threads()) as workers:
        reselected_rows(points, np.arange(2000) % 10, NetworkSettings(fraction=0.1), 0, workers)


def checkpoint_of(recipe: Recipe) -> Path:
    """Return where a run is kept while it goes."""
    cell = recipe.cell
    words = "".join(c if c.isalnum() else "-" for c in cell.way)
    return BUILT.parent / "paper" / f"cifar-{words}-{cell.share:g}-{cell.every}-{cell.seed}.pt"


def run(
    data: Data, recipe: Recipe, network: Network = resnet20, checkpoint: Path | None = None
) -> dict[str, Any]:
    """Return what a run came to, going on from a checkpoint, which is deleted in the end."""
    going = Training(data, recipe, network)
    if checkpoint is not None:
        going.load(checkpoint)
    saved = time.perf_counter()
    while going.epoch < recipe.epochs:
        if going.is_due():
            going.select()
        going.take_epoch()
        going.note()
        if checkpoint is not None and time.perf_counter() - saved >= CHECKPOINT_SECONDS:
            going.save(checkpoint)
            saved = time.perf_counter()
    found = asdict(recipe.cell) | {
        "epochs": recipe.epochs,
        "pool": recipe.pool if recipe.cell.way in SELECTING else 0,
        "backward": going.backward,
        "steps_seconds": round(going.stepping, 2),
        "selection_seconds": round(going.selecting, 2),
        "accuracy": going.accuracy(),
        "curve": going.curve,
        "commit": commit(),
        "cores": usable_threads(),
    }
    if going.held_shares:
        found["held_share"] = [round(float(f(going.held_shares)), 4) for f in (min, np.mean)]
    if going.stages:
        found["stages"] = going.stages
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return found


def in_words(found: dict[str, Any]) -> str:
    """Return a run in one line."""
    every = f", every {found['every']}" if found["every"] else ""
    return (
        f"{found['way']}, {found['share']:.0%}{every}, seed {found['seed']}: "
        f"{100 * found['accuracy']:.2f} % after {found['epochs']} epochs, "
        f"{found['steps_seconds']:.0f} s of steps, {found['selection_seconds']:.0f} s of selection"
    )


def measured_rates(network: Network = resnet20, n_rows: int = 1024) -> tuple[float, float]:
    """Return how many images a second go forward and backward, and forward alone, here and now."""
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 256, (n_rows, 32, 32, 3)).astype(np.uint8)
    labels = rng.integers(0, 10, n_rows)
    going = Training(Data(rows, labels, rows, labels), Recipe(Cell(ALL, 1.0, 0, 0), 4, 0), network)
    rates = []
    for act in (going.take_epoch, going.accuracy):
        act()
        begun = time.perf_counter()
        act()
        rates.append(n_rows / (time.perf_counter() - begun))
    return rates[0], rates[1]
