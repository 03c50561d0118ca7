"""Coresets that are selected anew inside a PyTorch training loop (the extra ``torch``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from craig_cli.arrays import as_array
from craig_cli.errors import UsageError
from craig_cli.readers.memory import as_series
from craig_cli.selection.reselection import reselected_rows
from craig_cli.settings import check_name
from craig_cli.settings.catalog import RESELECTIONS, names
from craig_cli.settings.network import NetworkSettings
from craig_cli.threads import Workers
from craig_cli.training.reselection import Chosen
from craig_cli.words import in_words_of

METHODS = names(RESELECTIONS)
DRAWN = ("importance", "random")
"""Methods that need no gradient of a row that was not trained on."""
PASS_ROWS = 512
ARGUMENTS = {"reselect-every": "every", "reselect-method": "method"}
"""Arguments that are not called as the options of the command."""


def class_numbers(labels: Any) -> NDArray[np.int64]:
    """Return labels as int64; raises `UsageError` unless they are whole numbers of at least 0."""
    found = as_array("labels", as_series("labels", labels))
    is_number = found.ndim == 1 and len(found) > 0 and found.dtype.kind in "fiub"
    if not is_number or not (found >= 0).all() or (found != np.floor(found)).any():
        raise UsageError("labels: must be whole numbers of at least 0, one a row.")
    return found.astype(np.int64)


class IndexedDataset:
    """A data set that gives the row number too, as `CoresetSampler.loss` must know it.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        Gives (input, label).
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, row: int) -> tuple[int, Any, Any]:
        inputs, label = self.dataset[row]
        return row, inputs, label


class CoresetSampler:
    """The rows to train on, for ``DataLoader(sampler=...)``: all at first, then coresets.

    A coreset is selected anew every R epochs, by the gradients of the last layer. p - y of every
    row that passes through `loss` is noted (the paper's eq. 16), so they come from the forward
    passes of training itself; `refresh` makes those of the rows that were not trained on. Each
    row's loss counts by its weight over the mean weight.

    Parameters
    ----------
    labels : array of int, shape (n,)
        The class of each row, 0 ... n_classes - 1, in the order of the data set.
    fraction : float
        Of the rows; class ratios are kept.
    every : int
        Epochs between two selections.
    warm_up : int
        Epochs over all rows before the first selection; at least one, unless `refresh` is called
        before.
    method : str
        As ``craig train --reselect-method``; ``importance`` draws by the length of p - y as last
        noted and needs no pass; ``random`` draws uniform rows of each class, the baseline.
    seed : int
    threads : int
        Of the selection; 0: the CPUs this process may use. They change no result.

    Attributes
    ----------
    epoch : int
        Epochs done.
    chosen : Chosen or None
        Rows and weights; None: all rows, alike.

    Raises
    ------
    UsageError
        An argument is out of range.

    Examples
    --------
    ::

        sampler = CoresetSampler(labels, fraction=0.1, every=5)
        loader = DataLoader(IndexedDataset(dataset), batch_size=128, sampler=sampler)
        for epoch in range(200):
            if sampler.is_due:
                sampler.refresh(model, dataset)
            for rows, inputs, targets in loader:
                loss = sampler.loss(rows, model(inputs), targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    """

    def __init__(
        self,
        labels: ArrayLike,
        *,
        fraction: float,
        every: int = 1,
        warm_up: int = 1,
        method: str = "groups",
        seed: int = 0,
        threads: int = 0,
    ) -> None:
        check_name("method", method, METHODS)
        self._labels = class_numbers(labels)
        if warm_up < 0:
            raise UsageError(f"warm_up: {warm_up} is not at least 0.")
        with in_words_of(ARGUMENTS):
            self._settings = NetworkSettings(
                fraction=fraction, reselect_every=every, method=method, seed=seed, threads=threads
            )
        self._warm_up = warm_up
        self._residuals = np.zeros((len(self._labels), int(self._labels.max()) + 1), np.float32)
        self._is_known = np.zeros(len(self._labels), bool)
        self._is_fresh = np.zeros(len(self._labels), bool)
        self._weights = torch.ones(len(self._labels))
        self.chosen: Chosen | None = None
        self.epoch = 0

    @property
    def is_due(self) -> bool:
        """Whether the next epoch begins with a selection."""
        since = self.epoch - self._warm_up
        return since >= 0 and since % self._settings.reselect_every == 0

    def __len__(self) -> int:
        if self.is_due or self.chosen is not None:
            members = np.bincount(self._labels)
            assert self._settings.fraction is not None
            return max(
                int(np.count_nonzero(members)),
                1,
                int(np.floor(self._settings.fraction * len(self._labels) + 0.5)),
            )
        return len(self._labels)

    def __iter__(self) -> Iterator[int]:
        """Yield the rows of an epoch in random order; the first of a selection's epochs selects."""
        if self.is_due:
            self.select()
        rows = np.arange(len(self._labels)) if self.chosen is None else self.chosen.index
        yield from (
            np.random.default_rng([self._settings.seed, self.epoch, 1]).permutation(rows).tolist()
        )
        self.epoch += 1

    def select(self) -> None:
        """Select the rows to train on by the gradients there are; every row must have one, unless
        rows are drawn.
        """
        settings = self._settings
        missing = int(np.count_nonzero(~self._is_known))
        if missing and settings.method not in DRAWN:
            raise UsageError(
                f"{missing} rows have no gradient yet: train an epoch on all rows "
                f"(warm_up), or call refresh(model, dataset) first."
            )
        proxy = None if settings.method == "random" else self._residuals
        if missing and proxy is not None:
            proxy = np.where(self._is_known[:, None], proxy, np.float32(np.nan))
        with in_words_of(ARGUMENTS), Workers(settings.n_threads) as workers:
            self.chosen = Chosen(
                *reselected_rows(proxy, self._labels, settings, self.epoch, workers)
            )
        self._is_fresh[:] = False
        self._set_weights()

    def loss(self, rows: Any, logits: Any, targets: Any) -> Any:
        """Return the weighted cross-entropy of a batch, and note p - y of its rows.

        Costs nothing beyond the softmax.
        """
        self.record(rows, logits, targets)
        each = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
        return (self.weights(rows).to(each.device, each.dtype) * each).mean()

    def weights(self, rows: Any) -> Any:
        """Return the weight of each row over the mean weight of the coreset, as a tensor."""
        return self._weights[torch.as_tensor(rows).cpu()]

    def record(self, rows: Any, logits: Any, targets: Any) -> None:
        """Note p - y of some rows: ``logits`` (b, n_classes) of their forward pass."""
        with torch.no_grad():
            residuals = torch.softmax(logits.detach().float(), dim=1)
            residuals[torch.arange(len(residuals), device=residuals.device), targets] -= 1
        places = np.asarray(torch.as_tensor(rows).cpu())
        self._residuals[places] = residuals.cpu().numpy()
        self._is_known[places] = True
        self._is_fresh[places] = True

    def refresh(self, model: Any, dataset: Any, device: Any = None) -> None:
        """Note p - y of the rows that no step has taken since the last selection.

        By a pass of the model in evaluation mode. `dataset` gives (input, label). Nothing is done
        where rows are drawn, by importance or at random.
        """
        if self._settings.method in DRAWN:
            return
        stale = np.flatnonzero(~self._is_fresh)
        was_training = model.training
        model.eval()
        with torch.no_grad():
            for start in range(0, len(stale), PASS_ROWS):
                rows = stale[start : start + PASS_ROWS]
                inputs, targets = torch.utils.data.default_collate(
                    [dataset[row] for row in rows.tolist()]
                )
                self.record(rows, model(inputs.to(device)), targets.to(device))
        model.train(was_training)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs, tensors and numbers, to be saved between two epochs."""
        state = {
            "epoch": self.epoch,
            "residuals": torch.from_numpy(self._residuals.copy()),
            "is_known": torch.from_numpy(self._is_known.copy()),
            "is_fresh": torch.from_numpy(self._is_fresh.copy()),
        }
        if self.chosen is not None:
            state |= {
                "index": torch.from_numpy(self.chosen.index.copy()),
                "weights": torch.from_numpy(self.chosen.weights.copy()),
            }
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint; raises `UsageError` if it is of other labels."""
        if tuple(state["residuals"].shape) != self._residuals.shape:
            raise UsageError(
                f"state: it is of {len(state['residuals'])} rows, and there are "
                f"{len(self._labels)} labels."
            )
        self.epoch = int(state["epoch"])
        self._residuals[:] = state["residuals"].numpy()
        self._is_known[:] = state["is_known"].numpy()
        self._is_fresh[:] = state["is_fresh"].numpy()
        self.chosen = (
            Chosen(state["index"].numpy(), state["weights"].numpy()) if "index" in state else None
        )
        self._set_weights()

    def _set_weights(self) -> None:
        """Spread the weights of the coreset over the rows."""
        weights = np.ones(len(self._labels), np.float32)
        if self.chosen is not None:
            weights[self.chosen.index] = self.chosen.weights / self.chosen.weights.mean()
        self._weights = torch.from_numpy(weights)
