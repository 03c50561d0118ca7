"""The fixed point in which the distances of a class are measured.

Distances are quantised: whole numbers, so that sums of them do not hang on their order. Before
anything is rounded to float32, rows are centred and brought to unit size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from craig_cli.dataset import SparseRows
from craig_cli.kernels import columns as passes
from craig_cli.selection.column_summary import (
    ColumnSummary,
    Share,
    Table,
    column_tasks,
    extremes_of,
    middles,
)
from craig_cli.selection.scaling import Scaling
from craig_cli.threads import Workers

CHUNK_ROWS = 16_384
FLOAT32_BITS = 30
"""Quantised distances of float32 coordinates go up to 2^30: they are finer than these coordinates,
and two of them fit an int32.
"""
ROUNDING = 1.2e-7
"""Of a float32 operation, relative: what each of a distance's additions may add to it."""


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
        Quantised distances per unit of the coordinates; a power of two, so that whole-number data
        tie exactly.
    auxiliary_distance : int
        Of every row to the auxiliary element: above any distance in the class.
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
        """Length of a quantised distance of 1."""
        return self.power / self.scale if self.scale > 0 else self.power

    @property
    def real(self) -> type[np.floating]:
        """Type of the coordinates."""
        return np.float64 if self.is_float64 else np.float32

    @property
    def whole(self) -> type[np.signedinteger]:
        """Type of the quantised distances."""
        return np.int64 if self.is_float64 else np.int32

    def coordinates(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return points (m, d) as coordinates, float32 or float64, C order."""
        out = np.empty(points.shape, self.real)
        self.write_coordinates(points, out)
        return out

    def write_coordinates(self, points: NDArray[np.floating], out: NDArray[np.floating]) -> None:
        """Write points (m, d) as coordinates into `out`, in C order."""
        box = Box(self.outer, self.centre, self.inner)
        passes.write_coordinates(
            *with_factors(np.ascontiguousarray(points), box), self.columns, out
        )


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
    if largest <= 0:
        return 1.0
    exponent = int(np.frexp(min(largest, np.finfo(float).max))[1])
    return float(np.ldexp(1.0, min(exponent, 1023)))


def outer_of(points: NDArray[np.floating] | SparseRows) -> float:
    """Return a power of two above all values: squares of what is divided by it cannot overflow."""
    values = points.values if isinstance(points, SparseRows) else points
    return power_of_two(float(np.abs(values).max(initial=0.0)))


class Box(NamedTuple):
    """The box round the rows of a class: its first division, centre and second division."""

    outer: float
    centre: NDArray[np.float64]
    inner: float


def box_of(low: NDArray[np.float64], high: NDArray[np.float64], middle: NDArray[np.float64]) -> Box:
    """Return the box of columns between `low` and `high`, centred at a value of each (d,)."""
    outer = power_of_two(float(max(high.max(initial=0.0), -low.min(initial=0.0))))
    centre = middle / outer
    reach = np.maximum(high / outer - centre, centre - low / outer)
    return Box(outer, centre, power_of_two(float(np.max(reach, initial=0.0))))


def make_fixed_point(
    points: Table, is_float64: bool, workers: Workers, total_weight: int | None = None
) -> FixedPoint:
    """Return the fixed point of a class whose rows are all at hand.

    Parameters
    ----------
    points : table of float64 or float32, shape (n, d)
        All rows of the class.
    is_float64 : bool
    workers : Workers
    total_weight : int, optional
        Of the rows, in whole numbers; default: the number of rows.

    Notes
    -----
    The centre is, column by column, the median of up to 4,096 rows: outliers do not move it. The
    bound on distances is twice the largest distance from the mean. Time 4 n d; memory: for rows on
    disk 16,384 of them a thread, else next to none.
    """
    n, d = points.shape
    tasks = column_tasks(points, CHUNK_ROWS, workers)

    def total(chunk: slice, share: Share) -> NDArray[np.float64]:
        rows, out = points[chunk], np.zeros(d)
        if d == 1:  # numpy adds up a single column by halves
            return np.asarray(centred(rows, *box).sum(axis=0))
        passes.add_centred(*with_factors(rows, box), share.span, out)
        return out

    def spreads(chunk: slice, share: Share) -> tuple[NDArray[np.float64], float]:
        rows, out = points[chunk], np.zeros(d)
        passes.add_squares(*with_factors(rows, box), mean, share.span, out)
        return out, longest_square(rows[share.rows(len(rows))], box, mean)

    low, high = extremes_of(points, tasks, workers)
    box = box_of(low, high, middles(points, workers))
    mean = np.sum(workers.map(total, tasks), axis=0) / n
    squares, longest = zip(*workers.map(spreads, tasks), strict=True)
    diameter = 2.0 * float(np.sqrt(max(longest)))
    return finished(box, np.sum(squares, axis=0), diameter, total_weight or n, is_float64)


def with_factors(
    points: NDArray[np.floating], box: Box
) -> tuple[NDArray[np.floating], tuple[float, NDArray[np.float64], float]]:
    """Return points and their box as kernels take them: multiplied by the inverses of the powers of
    two, which is as exact as divided by them, and several times faster.
    """
    by_outer, by_inner = 1.0 / box.outer, 1.0 / box.inner
    if np.isfinite(by_outer) and np.isfinite(by_inner):
        return points, (by_outer, box.centre, by_inner)
    # Of numbers near the least there are.
    return centred(points, *box), (1.0, np.zeros(points.shape[1]), 1.0)


def longest_square(rows: NDArray[np.floating], box: Box, mean: NDArray[np.float64]) -> float:
    """Return the largest squared length of centred rows less their mean, 0 where there are none.

    Lengths are added up as numpy does only of the rows whose quick sums come within rounding of
    the largest.
    """
    if len(rows) == 0:
        return 0.0
    quick = np.empty(len(rows))
    passes.row_squares(*with_factors(rows, box), mean, quick)
    within = 1.0 - (rows.shape[1] + 16) * 1e-15
    squares = centred(rows[quick >= quick.max() * within], *box)
    squares -= mean
    return float(np.square(squares, out=squares).sum(axis=1).max())


def shared_fixed_point(columns: ColumnSummary, scaling: Scaling, is_float64: bool) -> FixedPoint:
    """Return the fixed point of a class from the summary of its rows as read, which parts share.

    Other than that of `make_fixed_point`, its bound on distances is the diagonal of the box round
    the rows, which parts can tell without each other's rows, and its centre a median of medians:
    distances are coarser by a bit or two, and no less sound.
    """
    divisors = np.ones(columns.n_columns)
    if scaling.divisors is not None:
        divisors[: len(scaling.divisors)] = scaling.divisors
    if scaling.target_divisor is not None:
        divisors[-1] = scaling.target_divisor
    low, high, middle = (v / divisors for v in (columns.low, columns.high, columns.middle))
    longest = np.inf
    if scaling.unit_rows:
        own = slice(0, len(low) - (scaling.target_divisor is not None))
        low[own], high[own], middle[own] = -1.0, 1.0, 0.0
        longest = np.hypot(2.0, float((high - low)[own.stop :].max(initial=0.0)))
    box = box_of(low, high, middle)
    diagonal = float(np.sqrt(np.square((high / box.outer - low / box.outer) / box.inner).sum()))
    diameter = min(diagonal, longest / box.outer / box.inner)
    spread = columns.lengths / divisors
    return finished(box, spread, diameter, int(columns.n_rows), is_float64)


def finished(
    box: Box, spread: NDArray[np.float64], diameter: float, total_weight: int, is_float64: bool
) -> FixedPoint:
    """Return the fixed point of a box, given how widely each column spreads (d,)."""
    scale, auxiliary = quantum(diameter, total_weight, len(spread), is_float64)
    columns = np.argsort(-spread, kind="stable")
    return FixedPoint(box.outer, box.inner, box.centre, columns, scale, auxiliary, is_float64)


def quantum(
    diameter: float, total_weight: int, n_columns: int, is_float64: bool
) -> tuple[float, int]:
    """Return the quantised distances per unit, and that of the auxiliary element, above any.

    No distance is larger than `diameter`. Beside float32 coordinates they span 2^30; beside float64
    ones they take what int64 sums over all rows leave room for, and no more than float64 resolves.
    The margin of the auxiliary element covers what rounding makes of n_columns additions.
    """
    if diameter == 0:
        return 0.0, 2
    bits = min(52, 61 - int(total_weight).bit_length()) if is_float64 else FLOAT32_BITS
    scale = float(np.ldexp(1.0, bits - int(np.frexp(diameter)[1])))
    return scale, int(diameter * scale * (1 + (min(n_columns, 100_000) + 16) * ROUNDING)) + 2
