"""What a part of the data tells about its columns, and the frame that the parts of a class agree on
without seeing each other's rows.

Summaries of parts are merged in the order of the parts: whoever has the same parts gets the same
frame, to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from craig_cli.errors import UsageError
from craig_cli.selection.fixed_point import CENTRE_SAMPLE, FixedPoint, power_of_two, quantum
from craig_cli.selection.scaling import CHUNK_ROWS

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """The columns of some rows.

    Parameters
    ----------
    n_rows : int
    low, high, mean : ndarray of float64, shape (d,)
    squares : ndarray of float64, shape (d,)
        Sums of squared deviations from the mean.
    middle : ndarray of float64, shape (d,)
        A value of the column near its median.
    """

    n_rows: int
    low: Vector
    high: Vector
    mean: Vector
    squares: Vector
    middle: Vector

    def padded(self, n_columns: int) -> Columns:
        """Return the same with columns of zeros at the end."""
        more = (0, n_columns - len(self.low))
        return Columns(
            self.n_rows,
            *(
                np.pad(values, more)
                for values in (self.low, self.high, self.mean, self.squares, self.middle)
            ),
        )

    def with_column(self, other: Columns) -> Columns:
        """Return the same with the columns of `other`, of the same rows, after them."""
        pairs = (
            (getattr(self, name), getattr(other, name))
            for name in ("low", "high", "mean", "squares", "middle")
        )
        return Columns(self.n_rows, *(np.concatenate(pair) for pair in pairs))


def summarise(points: NDArray[np.floating]) -> Columns:
    """Return the summary of rows (n, d), n at least 1. Time 4 n d, in chunks of a fixed size."""
    n = len(points)
    chunks = [
        points[start : start + CHUNK_ROWS].astype(np.float64) for start in range(0, n, CHUNK_ROWS)
    ]
    with np.errstate(over="ignore", invalid="ignore"):  # the span is checked afterwards
        low, high = (
            np.min([c.min(axis=0) for c in chunks], axis=0),
            np.max([c.max(axis=0) for c in chunks], axis=0),
        )
        mean = np.sum([c.sum(axis=0) for c in chunks], axis=0) / n
        squares = np.sum([np.square(c - mean).sum(axis=0) for c in chunks], axis=0)
    sample = points[:: max(1, n // CENTRE_SAMPLE)].astype(np.float64)
    middle = np.partition(sample, len(sample) // 2, axis=0)[len(sample) // 2]
    return Columns(n, low, high, mean, squares, middle)


def merged(parts: Sequence[Columns]) -> Columns:
    """Return the summary of the rows of all parts, which may lack columns of zeros at the end; the
    middle is a weighted median of theirs.

    Raises
    ------
    UsageError
        A column spans more than the largest number.
    """
    n_columns = max(len(part.low) for part in parts)
    parts = [part.padded(n_columns) for part in parts]
    counts = np.array([part.n_rows for part in parts], np.float64)[:, None]
    n = int(sum(part.n_rows for part in parts))
    low, high = np.min([p.low for p in parts], axis=0), np.max([p.high for p in parts], axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        if not np.isfinite(high - low).all():
            raise UsageError(
                "The values of a column span more than the largest number (1.8e308): "
                "divide the column by a constant first."
            )
        means, middles = np.stack([p.mean for p in parts]), np.stack([p.middle for p in parts])
        mean = (counts / n * means).sum(axis=0)
        squares = np.sum([p.squares for p in parts], axis=0) + (
            counts * np.square(means - mean)
        ).sum(axis=0)
    order = np.argsort(middles, axis=0, kind="stable")
    half = (np.cumsum(counts[:, 0][order], axis=0) * 2 > n).argmax(axis=0)
    every = np.arange(n_columns)
    return Columns(n, low, high, mean, squares, middles[order[half, every], every])


@dataclass(frozen=True)
class Scaling:
    """How rows as read become points whose distances count, in every part alike.

    Parameters
    ----------
    divisors : ndarray of float64, shape (d,), or None
        What each column is divided by.
    unit_rows : bool
        Whether each row is then divided by its length.
    target_divisor : float or None
        What the target is divided by, the last coordinate; None where there is none.
    """

    divisors: Vector | None
    unit_rows: bool
    target_divisor: float | None


def make_scaling(columns: Columns, scale: str, metric: str, task: str) -> Scaling:
    """Return the scaling that a summary of all rows gives (as `features.make_features`); for
    regression its last column is the target.
    """
    spans = {
        "standard": np.sqrt(columns.squares / columns.n_rows),
        "minmax": columns.high - columns.low,
    }.get(scale)
    if spans is not None:
        spans = np.where(spans > 0, spans, 1.0)
    is_regression = task == "regression"
    divisors = spans[:-1] if spans is not None and is_regression else spans
    target = None if not is_regression else 1.0 if spans is None else float(spans[-1])
    return Scaling(divisors, scale == "unit" or metric == "cosine", target)


def fixed_point_of(columns: Columns, scaling: Scaling, is_float64: bool) -> FixedPoint:
    """Return the frame of a class from the summary of its rows as read.

    Other than that of `fixed_points.make_fixed_point`, its bound on distances is the diagonal of
    the box round the rows, which parts can agree on, and its centre a median of medians: it is
    larger by a bit or two, and no less sound.
    """
    divisors = np.ones(len(columns.low))
    if scaling.divisors is not None:
        divisors[: len(scaling.divisors)] = scaling.divisors
    if scaling.target_divisor is not None:
        divisors[-1] = scaling.target_divisor
    low, high, middle = (
        values / divisors for values in (columns.low, columns.high, columns.middle)
    )
    spread = np.sqrt(columns.squares) / divisors
    longest = np.inf
    if scaling.unit_rows:
        own = slice(0, len(low) - (scaling.target_divisor is not None))
        low[own], high[own], middle[own] = -1.0, 1.0, 0.0
        longest = np.hypot(2.0, float((high - low)[own.stop :].max(initial=0.0)))
    outer = power_of_two(float(max(high.max(initial=0.0), -low.min(initial=0.0))))
    centre = middle / outer
    inner = power_of_two(
        float(np.max(np.maximum(high / outer - centre, centre - low / outer), initial=0.0))
    )
    diagonal = min(
        float(np.sqrt(np.square((high / outer - low / outer) / inner).sum())),
        longest / outer / inner,
    )
    scale, auxiliary_distance = quantum(diagonal, columns.n_rows, len(low), is_float64)
    return FixedPoint(
        outer,
        inner,
        centre,
        np.argsort(-spread, kind="stable"),
        scale,
        auxiliary_distance,
        is_float64,
    )
