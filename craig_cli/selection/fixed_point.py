"""The frame in which the distances of a class are measured: before anything is rounded to float32,
rows are centred and brought to unit size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from craig_cli.threads import Workers

CHUNK_ROWS = 16_384
CENTRE_SAMPLE = 4096
FLOAT32_BITS = 30
"""Whole-number distances of the usual, narrow kind go up to 2^30: finer than float32 coordinates,
and two of them fit an int32.
"""


class Table(Protocol):
    """Rows of numbers, in memory or not: slices of it are arrays."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __getitem__(self, rows: slice, /) -> NDArray: ...


@dataclass(frozen=True)
class FixedPoint:
    """How rows of a class become coordinates, and distances whole numbers.

    Rows are divided by a power of two, centred, and divided by another, so that coordinates are at
    most 1: that is exact, squares cannot overflow, and shifting all rows alike leaves the same
    coordinates wherever the shifted values are exact.

    Parameters
    ----------
    outer, inner : float
        Powers of two: the coordinates are ``((x / outer) - centre) / inner``.
    centre : ndarray of float64, shape (d,)
        A value of the data in each column, divided by `outer`.
    columns : ndarray of int64, shape (d,)
        Order of the columns, the widest first: then far rows are told by a few.
    scale : float
        Whole-number distances per unit of the coordinates; a power of two, so that whole-number
        data tie exactly.
    auxiliary_distance : int
        A whole-number distance above any in the class.
    is_float64 : bool
        float64 coordinates and int64 distances, for data that float32 does not resolve.
    """

    outer: float
    inner: float
    centre: NDArray[np.float64]
    columns: NDArray[np.int64]
    scale: float
    auxiliary_distance: int
    is_float64: bool

    @property
    def power(self) -> float:
        """Length of a unit of the coordinates."""
        return self.outer * self.inner

    @property
    def unit(self) -> float:
        """Length of a whole-number distance of 1."""
        return self.power / self.scale if self.scale > 0 else self.power

    @property
    def real(self) -> type[np.floating]:
        """Type of the coordinates."""
        return np.float64 if self.is_float64 else np.float32

    @property
    def whole(self) -> type[np.signedinteger]:
        """Type of the whole-number distances."""
        return np.int64 if self.is_float64 else np.int32

    def coordinates(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return points (m, d) as coordinates, float32 or float64, C order. Memory: the result, and
        16,384 rows.
        """
        out = np.empty(points.shape, self.real)
        for start in range(0, len(points), CHUNK_ROWS):
            rows = slice(start, start + CHUNK_ROWS)
            out[rows] = centred(points[rows], self.outer, self.centre, self.inner)[:, self.columns]
        return out


def centred(
    points: NDArray[np.floating], outer: float, centre: NDArray[np.float64], inner: float
) -> NDArray[np.float64]:
    """Return points (m, d) centred and brought to unit size, as `FixedPoint` says."""
    out: NDArray[np.float64] = points / np.float64(outer)
    out -= centre
    out /= inner
    return out


def power_of_two(largest: float) -> float:
    """Return the least power of two above `largest` (at most 2^1023), or 1 for 0."""
    return (
        float(np.ldexp(1.0, min(int(np.frexp(min(largest, np.finfo(float).max))[1]), 1023)))
        if largest > 0
        else 1.0
    )


def make_fixed_point(
    points: Table, is_float64: bool, workers: Workers, total_weight: int | None = None
) -> FixedPoint:
    """Return the frame of a class.

    Parameters
    ----------
    points : table of float64, shape (n, d)
        All rows of the class.
    is_float64 : bool
    workers : Workers
    total_weight : int, optional
        Of the rows, in whole numbers; default: the number of rows.

    Notes
    -----
    The centre is, column by column, the median of up to 4,096 rows: outliers do not move it. The
    bound on distances is twice the largest distance from the mean. Time 4 n d; memory: 16,384 rows
    a thread.
    """
    n, d = points.shape
    chunks = [(slice(start, start + CHUNK_ROWS),) for start in range(0, n, CHUNK_ROWS)]

    def extremes(chunk: slice) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        rows = points[chunk]
        return rows.min(axis=0), rows.max(axis=0)

    def total(chunk: slice) -> NDArray[np.float64]:
        sums: NDArray[np.float64] = centred(points[chunk], outer, centre, inner).sum(axis=0)
        return sums

    def spreads(chunk: slice) -> tuple[NDArray[np.float64], float]:
        squares = centred(points[chunk], outer, centre, inner)
        squares -= mean
        np.square(squares, out=squares)
        return squares.sum(axis=0), float(squares.sum(axis=1).max())

    lows, highs = zip(*workers.map(extremes, chunks), strict=True)
    low, high = np.min(lows, axis=0), np.max(highs, axis=0)
    outer = power_of_two(float(max(high.max(initial=0.0), -low.min(initial=0.0))))
    sample = points[:: max(1, n // CENTRE_SAMPLE)] / outer
    centre = np.partition(sample, len(sample) // 2, axis=0)[len(sample) // 2]
    inner = power_of_two(
        float(np.max(np.maximum(high / outer - centre, centre - low / outer), initial=0.0))
    )
    mean = np.sum(workers.map(total, chunks), axis=0) / n
    by_chunk, farthest = zip(*workers.map(spreads, chunks), strict=True)
    spread = np.sum(by_chunk, axis=0)
    columns = np.argsort(-spread, kind="stable")
    scale, auxiliary_distance = quantum(
        2.0 * float(np.sqrt(max(farthest))), total_weight or n, d, is_float64
    )
    return FixedPoint(outer, inner, centre, columns, scale, auxiliary_distance, is_float64)


def quantum(
    diameter: float, total_weight: int, n_columns: int, is_float64: bool
) -> tuple[float, int]:
    """Return the whole-number distances per unit, and one above any: no distance is larger than
    `diameter`.

    The narrow kind spans 2^30. The wide kind takes what int64 sums over all rows leave room for,
    and no more than float64 resolves. The margin of the phantom covers what rounding makes of
    n_columns additions.
    """
    if diameter == 0:
        return 0.0, 2
    bits = min(52, 61 - int(total_weight).bit_length()) if is_float64 else FLOAT32_BITS
    scale = float(np.ldexp(1.0, bits - int(np.frexp(diameter)[1])))
    return scale, int(diameter * scale * (1 + (min(n_columns, 100_000) + 16) * 1.2e-7)) + 2
