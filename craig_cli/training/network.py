"""A network of one hidden layer: d inputs, h sigmoid or relu units, a softmax. Trained by weighted
mini-batches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Rows, as_dense
from craig_cli.errors import InputError
from craig_cli.kernels import network as kernels
from craig_cli.settings.network import NetworkSettings
from craig_cli.threads import Workers, ranges

Real = NDArray[np.float32] | NDArray[np.float64]

PASS_CHUNK = 1024
"""Rows of a pass that a thread takes at a time."""
NO_CLASS = -1


@dataclass(frozen=True)
class Outputs:
    """What a pass over rows gives.

    Parameters
    ----------
    residuals : ndarray, shape (n, m)
        p - y, the gradient of the loss of a row by the inputs of the softmax (paper eq. 16); of
        rows without a class p.
    losses : ndarray of float64, shape (n,)
        -log p of the row's class; 0 without one.
    units : ndarray, shape (n, h), or (0, h)
        Outputs of the hidden units, if asked for.
    """

    residuals: Real
    losses: NDArray[np.float64]
    units: Real

    def errors(self, class_numbers: NDArray[np.int64]) -> float:
        """Return the share of rows whose likeliest class is another."""
        likeliest = self.probabilities(class_numbers).argmax(axis=1)
        return float(np.mean(likeliest != class_numbers))

    def probabilities(self, class_numbers: NDArray[np.int64]) -> Real:
        """Return p (n, m)."""
        probabilities = self.residuals.copy()
        of_class = np.flatnonzero(class_numbers != NO_CLASS)
        probabilities[of_class, class_numbers[of_class]] += 1
        return probabilities

    def layer_gradients(self) -> Real:
        """Return the gradient of each row's loss by the last layer's weights and biases, (n, (h +
        1) m). Memory: 4 (h + 1) m bytes a row.
        """
        inputs = np.column_stack([self.units, np.ones(len(self.units), self.units.dtype)])
        gradients: Real = (inputs[:, :, None] * self.residuals[:, None, :]).reshape(len(inputs), -1)
        return gradients


@dataclass(frozen=True)
class Network:
    """The weights: p = softmax(act(x W1 + b1) W2 + b2).

    Parameters
    ----------
    first : ndarray, shape (d, h)
    first_bias : ndarray, shape (h,)
    second : ndarray, shape (h, m)
    second_bias : ndarray, shape (m,)
        All of one type, changed in place by training.
    activation : {'sigmoid', 'relu'}
    """

    first: Real
    first_bias: Real
    second: Real
    second_bias: Real
    activation: str

    @property
    def arrays(self) -> tuple[int, Real, Real, Real, Real]:
        """The activation and the weights as kernels take them."""
        return (
            int(self.activation == "relu"),
            self.first,
            self.first_bias,
            self.second,
            self.second_bias,
        )

    def outputs(
        self,
        rows: Real,
        class_numbers: NDArray[np.int64],
        workers: Workers,
        with_units: bool = False,
    ) -> Outputs:
        """Return what a pass over rows of the type of the weights gives. Time 2 n d h operations /
        threads.
        """
        n, m = len(rows), len(self.second_bias)
        units = np.empty((n if with_units else 0, len(self.first_bias)), self.first.dtype)
        found = Outputs(np.empty((n, m), self.first.dtype), np.empty(n), units)

        self.refresh(rows, class_numbers, np.arange(n), found, workers)
        return found

    def unknown_outputs(self, n_rows: int) -> Outputs:
        """Return outputs of rows before any pass: p - y (n, m) is NaN, to be filled by steps."""
        m, real = len(self.second_bias), self.first.dtype
        return Outputs(
            np.full((n_rows, m), np.nan, real),
            np.empty(0),
            np.empty((0, len(self.first_bias)), real),
        )

    def refresh(
        self,
        rows: Real,
        class_numbers: NDArray[np.int64],
        visits: NDArray[np.int64],
        outputs: Outputs,
        workers: Workers,
    ) -> None:
        """Compute the outputs of some rows anew, in place."""

        def fill(start: int, stop: int) -> None:
            kernels.forward_pass(
                rows,
                class_numbers,
                visits,
                start,
                stop,
                *self.arrays,
                outputs.residuals,
                outputs.losses,
                outputs.units,
            )

        workers.map(fill, ranges(len(visits), PASS_CHUNK))

    def penalty(self, l2: float) -> float:
        """Return l2/2 times the sum of the squared weights, biases aside."""
        return (
            0.5
            * l2
            * (
                float(np.square(self.first, dtype=np.float64).sum())
                + float(np.square(self.second, dtype=np.float64).sum())
            )
        )

    def take_epoch(
        self,
        rows: Real,
        class_numbers: NDArray[np.int64],
        scales: NDArray[np.float64],
        visits: NDArray[np.int64],
        settings: NetworkSettings,
        kept: Real | None = None,
    ) -> None:
        """Take a step for each batch of `visits`; the gradient of row i is multiplied by
        ``scales[i]``. On one thread; 4 d h operations a visit.

        `kept` (n, m), if given, gets p - y of each visited row at its place.
        """
        nowhere = np.empty((0, len(self.second_bias)), self.first.dtype)
        place = nowhere if kept is None else kept
        kernels.batch_steps(
            rows,
            class_numbers,
            scales,
            visits,
            min(settings.batch, len(visits)),
            settings.step,
            settings.l2,
            *self.arrays,
            place,
        )


def network_rows(rows: Rows) -> NDArray[np.float32]:
    """Return rows as networks take them, dense float32; raises `InputError` for one that is too
    large for that.
    """
    with np.errstate(over="ignore"):
        dense = as_dense(rows, np.float32)
    finite = np.isfinite(dense)
    if not finite.all():
        row, column = divmod(int(finite.argmin()), dense.shape[1])
        raise InputError(
            "<rows>",
            f"row {row}, column {column}, from 0, is beyond 3.4e38, and networks are of float32",
            remedy="Divide the column by a constant.",
        )
    return dense


def made_network(
    n_columns: int, n_classes: int, settings: NetworkSettings, rng: np.random.Generator
) -> Network:
    """Return a network with random weights of variance 2 / (inputs + outputs), for relu 2 / inputs
    (Glorot; He), and biases of 0, in float32.
    """
    spread = 2 / n_columns if settings.activation == "relu" else 2 / (n_columns + settings.hidden)
    first = rng.normal(size=(n_columns, settings.hidden)) * np.sqrt(spread)
    second = rng.normal(size=(settings.hidden, n_classes)) * np.sqrt(
        2 / (settings.hidden + n_classes)
    )
    biases = np.zeros(settings.hidden, np.float32), np.zeros(n_classes, np.float32)
    return Network(
        first.astype(np.float32),
        biases[0],
        second.astype(np.float32),
        biases[1],
        settings.activation,
    )
