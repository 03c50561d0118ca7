"""Training a network, on rows that may be chosen anew as it learns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Progress, no_progress
from craig_cli.errors import UsageError
from craig_cli.settings.network import NetworkSettings
from craig_cli.threads import Workers
from craig_cli.training.network import Network, Outputs, Real, made_network


@dataclass(frozen=True)
class Chosen:
    """Rows to train on, and their weights."""

    index: NDArray[np.int64]
    weights: NDArray[np.float64]


Choice: TypeAlias = Callable[
    [Real | None, NDArray[np.int64], NetworkSettings, int, Workers],
    tuple[NDArray[np.int64], NDArray[np.float64]],
]
"""Gives the rows to train on from an epoch on, and their weights, as ``choice(proxy, class_numbers,
settings, epoch, workers)``: by the rows of the proxy, NaN where one is not known yet, or at random
where there is none.
"""


class NetworkPoint(NamedTuple):
    """Where training stood after an epoch; epoch 0 is the start.

    `passes` counts gradients of a row over the number of rows. `seconds` are those of the steps,
    `selection_seconds` those of selecting, the passes that it needs over all rows included.
    `objective` (l2 included) and `error`, the share of wrong classes, are over all rows.
    """

    epoch: int
    passes: float
    seconds: float
    selection_seconds: float
    objective: float
    error: float


NetworkWatch: TypeAlias = Callable[[NetworkPoint, Network, Chosen | None], None]
"""Called after each epoch, and before the first, with the rows last trained on (None: all)."""


@dataclass(frozen=True)
class NetworkFit:
    """A trained network, how it came about, and the rows of the last epoch (None: all)."""

    network: Network
    trace: tuple[NetworkPoint, ...]
    chosen: Chosen | None


def fit_network(
    rows: NDArray[np.float32],
    class_numbers: NDArray[np.int64],
    n_classes: int,
    settings: NetworkSettings,
    *,
    choose: Choice | None = None,
    fixed: Chosen | None = None,
    progress: Progress = no_progress,
    watch: NetworkWatch | None = None,
) -> NetworkFit:
    """Return a network that minimises the weighted mean of -log p plus l2/2 ||W||^2.

    Parameters
    ----------
    rows : ndarray of float32, shape (n, d)
    class_numbers : ndarray of int64, shape (n,)
    n_classes : int
    settings : NetworkSettings
        With a `fraction`, that share of the rows is chosen every `reselect_every` epochs.
    choose : Choice, optional
        Who chooses them; must be there for a `fraction`.
    fixed : Chosen, optional
        Rows and weights to train on throughout; default: all.
    progress : Progress
        Called with stage "train", the epochs done, and their number.
    watch : NetworkWatch, optional

    Raises
    ------
    UsageError
        The objective is no longer finite.

    Notes
    -----
    A batch steps by the mean of its rows' gradients, each times its weight over the mean weight
    (paper eq. 20). Same settings, same bytes, for any number of threads: steps are taken on one,
    and passes are cut by rows.
    """
    assert choose is not None or settings.fraction is None
    rng = np.random.default_rng(settings.seed)
    network = made_network(rows.shape[1], n_classes, settings, rng)
    spent, passes = 0.0, 0.0
    points: list[NetworkPoint] = []
    with Workers(settings.n_threads) as workers:
        selecting = Reselection(rows, class_numbers, settings, fixed, workers)
        for epoch in range(settings.epochs + 1):
            latest = Pass.over(rows, class_numbers, network, workers)
            outputs = latest.outputs
            objective = float(outputs.losses.mean()) + network.penalty(settings.l2)
            if not np.isfinite(objective):
                raise UsageError(
                    f"--step: {settings.step:.6g} is too large, the network diverged. "
                    f"Try a smaller one, or scale the columns."
                )
            error = outputs.errors(class_numbers)
            points.append(NetworkPoint(epoch, passes, spent, selecting.seconds, objective, error))
            if watch is not None:
                watch(points[-1], network, selecting.chosen)
            progress("train", epoch, settings.epochs)
            if epoch == settings.epochs:
                break
            if choose is not None and settings.fraction and epoch % settings.reselect_every == 0:
                selecting.choose(choose, network, epoch, latest)
            begun = time.perf_counter()
            index, scales = as_scales(selecting.chosen, len(rows))
            visits = index[rng.permutation(len(index))]
            network.take_epoch(rows, class_numbers, scales, visits, settings, selecting.kept)
            spent += time.perf_counter() - begun
            passes += len(index) / len(rows)
    return NetworkFit(network, tuple(points), selecting.chosen)


class Pass(NamedTuple):
    """A pass over all rows, and the seconds it took."""

    outputs: Outputs
    seconds: float

    @classmethod
    def over(
        cls,
        rows: NDArray[np.float32],
        class_numbers: NDArray[np.int64],
        network: Network,
        workers: Workers,
    ) -> Pass:
        """Return a pass that is made now."""
        begun = time.perf_counter()
        outputs = network.outputs(rows, class_numbers, workers)
        return cls(outputs, time.perf_counter() - begun)


class Reselection:
    """The rows to train on, chosen anew as training goes.

    Rows that were trained on since the last selection have p - y from the step that took them; for
    the others a pass makes it anew: the one that the trace has just made, if there was one. So a
    selection costs a pass, or its share of that one, over the rows that were not chosen;
    the first one, and those by ``layer``, a pass over all, and random rows none. Importance takes p
    - y as the steps left it, NaN where there was none, and needs no pass either.

    Attributes
    ----------
    chosen : Chosen or None
        None: all rows.
    seconds : float
        Spent on selecting, the passes for it included.
    """

    def __init__(
        self,
        rows: NDArray[np.float32],
        class_numbers: NDArray[np.int64],
        settings: NetworkSettings,
        chosen: Chosen | None,
        workers: Workers,
    ) -> None:
        self.chosen, self.seconds = chosen, 0.0
        self._rows, self._class_numbers = rows, class_numbers
        self._settings, self._workers = settings, workers
        self._known: Outputs | None = None

    @property
    def kept(self) -> Real | None:
        """Where steps are to leave p - y of their rows."""
        return None if self._known is None else self._known.residuals

    def choose(
        self, choice: Choice, network: Network, epoch: int, latest: Pass | None = None
    ) -> None:
        """Choose by the gradients of the last layer as they are now, which a pass just made over
        all rows may have given; its share is in the seconds of the selection all the same.
        """
        begun = time.perf_counter()
        proxy = None if self._settings.method == "random" else self._proxy(network, latest)
        self.chosen = Chosen(
            *choice(proxy, self._class_numbers, self._settings, epoch, self._workers)
        )
        self.seconds += time.perf_counter() - begun

    def _proxy(self, network: Network, latest: Pass | None) -> Real:
        """Return the gradients that rows are selected by."""
        if self._settings.reselect_by == "layer":
            return network.outputs(
                self._rows, self._class_numbers, self._workers, with_units=True
            ).layer_gradients()
        if self._settings.method == "importance":
            if self._known is None:
                self._known = network.unknown_outputs(len(self._rows))
            return self._known.residuals
        n = len(self._rows)
        if self._known is None or self.chosen is None:
            if latest is None:
                latest = Pass(network.outputs(self._rows, self._class_numbers, self._workers), 0.0)
            self._known = latest.outputs
            self.seconds += latest.seconds
            return self._known.residuals
        others = np.setdiff1d(np.arange(n), self.chosen.index, assume_unique=True)
        if latest is None:
            network.refresh(self._rows, self._class_numbers, others, self._known, self._workers)
        else:
            self._known.residuals[others] = latest.outputs.residuals[others]
            self.seconds += latest.seconds * len(others) / n
        return self._known.residuals


def as_scales(chosen: Chosen | None, n_rows: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the rows to visit, and each row's weight over the mean weight (n,)."""
    if chosen is None:
        return np.arange(n_rows), np.ones(n_rows)
    scales = np.zeros(n_rows)
    scales[chosen.index] = chosen.weights / chosen.weights.mean()
    return chosen.index, scales
