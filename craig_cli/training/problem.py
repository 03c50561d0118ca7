"""What is minimised, with its gradient: the weighted mean loss of rows plus l2/2 ||w||^2."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import Labels, Rows, SparseRows
from craig_cli.errors import UsageError
from craig_cli.kernels import passes
from craig_cli.threads import Workers, ranges
from craig_cli.training.losses import Loss

Array = NDArray[np.float64]

MOST_CHUNKS = 16
"""Pieces of a full pass, each with a gradient of its own: their number does not depend on threads,
nor does the order they are added in.
"""
LEAST, MOST = 1e-140, 1e140
"""Squares of numbers between them can be summed and keep their digits."""
CHUNK_ROWS = 4096
"""Fewest rows of a piece, and those of a block of rows on disk."""


@dataclass(frozen=True)
class Problem:
    """Weighted rows and a loss: F(w) = (sum of weight_j f_j(w)) / (sum of weight_j) + l2/2 ||w||^2.

    Parameters
    ----------
    rows : Rows
        Dense float32 or float64, or sparse; where they are on disk (what has a shape and can be
        sliced), full passes and Newton's method can be had, no more.
    targets : ndarray of float64, shape (n,)
        As `Loss.targets` gives them.
    weights : ndarray of float64, shape (n,)
        At least 0, not all of them 0.
    loss : Loss
    intercept : bool
    classes : Labels or None
        The user's labels, ascending; None where the target is a number.
    threads : int
        Of full passes; they change no result.
    """

    rows: Rows
    targets: Array
    weights: Array
    loss: Loss
    intercept: bool = True
    classes: Labels | None = None
    threads: int = 1

    @property
    def n_rows(self) -> int:
        return len(self.targets)

    @property
    def n_columns(self) -> int:
        return int(self.rows.shape[1])

    @property
    def n_outputs(self) -> int:
        """Scores a row."""
        return self.loss.n_outputs(None if self.classes is None else len(self.classes))

    @property
    def shares(self) -> Array:
        """Weights over their sum."""
        shares: Array = self.weights / self.weights.sum()
        return shares

    @property
    def constant(self) -> float:
        """The input that the intercept multiplies."""
        return 1.0 if self.intercept else 0.0

    @property
    def arrays(self) -> Any:
        """Rows as kernels take them."""
        return self.rows.arrays if isinstance(self.rows, SparseRows) else self.rows

    @property
    def is_sparse(self) -> bool:
        return isinstance(self.rows, SparseRows)

    def objective(self, coef: Array, intercept: Array, l2: float) -> float:
        """Return F; `coef` (m, d), `intercept` (m,). One pass."""
        return self.full_pass(pack(coef, intercept), l2)[0]

    def full_pass(
        self, model: Array, l2: float, gradient: Array | None = None
    ) -> tuple[float, Array]:
        """Return F and the slopes of all rows (n, m): derivatives of f by the scores.

        Parameters
        ----------
        model : ndarray, shape (m, d + 1)
            Coefficients, the intercept last.
        gradient : ndarray, shape (m, d + 1), optional
            Overwritten with the gradient of F.

        Notes
        -----
        Memory: 8 (n m + 16 m d) bytes.
        """
        kernel = passes.sparse_pass if self.is_sparse else passes.dense_pass
        slopes = np.empty((self.n_rows, self.n_outputs))
        shares, facts = self.shares, (self.loss.code, self.constant, model)

        def work(first: int, last: int) -> tuple[float, Array]:
            part = np.zeros((0 if gradient is None else self.n_outputs, self.n_columns + 1))
            value = 0.0
            for rows, start, from_row, to_row in self.read(first, last):
                own = self.targets[start:], shares[start:]
                value += kernel(rows, *own, *facts, from_row, to_row, slopes[start:], part)
            return value, part

        parts = self.in_chunks(work)
        # A solver that diverges is found by its objective.
        with np.errstate(over="ignore", invalid="ignore"):
            if gradient is not None:
                gradient[:] = sum(part for _, part in parts)
                gradient[:, :-1] += l2 * model[:, :-1]
            value = sum(value for value, _ in parts) + 0.5 * l2 * float(np.sum(model[:, :-1] ** 2))
        return float(value), slopes

    def scores(self, coef: Array, intercept: Array) -> Array:
        """Return the scores of all rows (n, m)."""
        kernel = passes.sparse_scores if self.is_sparse else passes.dense_scores
        model, out = pack(coef, intercept), np.empty((self.n_rows, self.n_outputs))
        self.in_chunks(lambda first, last: kernel(self.arrays, 1.0, model, first, last, out))
        return out

    def squares(self) -> tuple[Array, Array]:
        """Return the squared lengths of the rows (n,), and the columns' weighted mean squares (d,).

        The intercept's 1 is in neither.

        Raises
        ------
        UsageError
            A row is too long for its square to be a number.
        """
        kernel = passes.sparse_squares if self.is_sparse else passes.dense_squares
        shares, lengths = self.shares, np.empty(self.n_rows)

        def work(first: int, last: int) -> Array:
            columns = np.zeros(self.n_columns)
            kernel(self.arrays, shares, first, last, lengths, columns)
            return columns

        columns = np.sum(self.in_chunks(work), axis=0)
        if not np.isfinite(lengths).all():
            raise UsageError(
                "There are values too large to be squared: divide the columns by "
                "their spread first."
            )
        return lengths, columns

    def errors(self, coef: Array, intercept: Array) -> float:
        """Return the weighted share of wrong classes, or a number's root mean squared error."""
        scores = self.scores(coef, intercept)
        if self.classes is None:
            missed = scores[:, 0] - self.targets
            power = power_near(missed)
            return power * float(np.sqrt(self.shares @ (missed / power) ** 2))
        wrong = best_class(scores) != self.class_numbers()
        return float(self.shares @ wrong)

    def class_numbers(self) -> NDArray[np.int64]:
        """Return the number of each row's class."""
        return ((self.targets + 1) / 2 if self.n_outputs == 1 else self.targets).astype(np.int64)

    def subset(self, index: NDArray[np.int64], weights: Array | None = None) -> Problem:
        """Return the problem of some rows, in this order, copied, with other weights.

        The classes stay those of all rows.
        """
        chosen = self.weights[index] if weights is None else checked_weights(weights, len(index))
        return replace(
            self, rows=self.rows.take(index, axis=0), targets=self.targets[index], weights=chosen
        )

    def first_row(self) -> Problem:
        """Return the problem of the first row, of weight 1: to compile on before a clock runs."""
        return self.subset(np.zeros(1, np.int64), np.ones(1))

    def read(self, first: int, last: int) -> Iterator[tuple[Any, int, int, int]]:
        """Yield rows first ... last - 1 as kernels take them: arrays, the row that they begin with,
        and which of theirs to look at. Rows on disk come in blocks.
        """
        if isinstance(self.rows, (np.ndarray, SparseRows)):
            yield self.arrays, 0, first, last
            return
        for start in range(first, last, CHUNK_ROWS):
            block = self.rows[start : min(start + CHUNK_ROWS, last)]
            yield block, start, 0, len(block)

    def in_chunks(self, work: Callable[[int, int], Any]) -> list[Any]:
        """Return ``work(first, last)`` of each piece of the rows, in order."""
        pieces = ranges(self.n_rows, max(CHUNK_ROWS, -(-self.n_rows // MOST_CHUNKS)))
        with Workers(min(self.threads, len(pieces))) as workers:
            return workers.map(work, pieces)


def checked_weights(weights: NDArray, n_rows: int) -> Array:
    """Return weights as float64; raises `UsageError` unless there is a finite one >= 0 a row."""
    ready = np.asarray(weights, np.float64)
    if ready.shape != (n_rows,) or not (np.isfinite(ready) & (ready >= 0)).all() or not ready.any():
        raise UsageError(
            f"Weights: there must be one for each of {n_rows} rows, finite and at "
            f"least 0, and not all 0."
        )
    return ready


def best_class(scores: Array) -> NDArray[np.int64]:
    """Return the number of each row's class: its largest score, or whether its only one is > 0."""
    return (
        (scores[:, 0] > 0).astype(np.int64) if scores.shape[1] == 1 else np.argmax(scores, axis=1)
    )


def power_near(values: Array) -> float:
    """Return a power of two by which values are divided before they are squared; 1 where squares
    of them are numbers as they are.
    """
    largest = float(np.abs(values).max(initial=0.0))
    if not np.isfinite(largest) or largest == 0 or LEAST < largest < MOST:
        return 1.0
    return float(np.ldexp(1.0, min(int(np.frexp(largest)[1]), 1023)))


def norm(values: Array) -> float:
    """Return the length of an array as one vector, where squares would overflow or be 0 too."""
    power = power_near(values)
    return power * float(np.linalg.norm(values / power if power != 1.0 else values))


def pack(coef: Array, intercept: Array) -> Array:
    """Return coefficients and intercepts as one array (m, d + 1), copied."""
    return np.ascontiguousarray(np.column_stack([coef, intercept]), dtype=np.float64)
