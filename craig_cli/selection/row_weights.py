"""The weights of the rows of a class as whole numbers, so that weighted sums, too, do not depend on
their order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels.tiles import TILE

LARGEST_TOTAL = 1 << 30
"""Whole weights add up to this, about: times distances of 2^30, gains stay below 2^61."""
FLOAT64_SHARE = 1 << 8
"""Beside int64 distances they add up to so many times the rows, which leaves the more bits to the
distances.
"""
TINY, RAISED = 1e-200, 1000
"""Weights that add up to less are multiplied by 2^1000 before they are made whole numbers."""


@dataclass(frozen=True)
class RowWeights:
    """Weights of some rows of a class: ``whole * unit``, up to rounding.

    Parameters
    ----------
    whole : ndarray of int32, shape (n,), or None
        At least 1 where the weight is above 0; None for all 1.
    unit : float
    n_rows : int
    """

    whole: NDArray[np.int32] | None
    unit: float
    n_rows: int

    @property
    def total(self) -> int:
        """The sum of the whole numbers."""
        return self.n_rows if self.whole is None else int(self.whole.sum(dtype=np.int64))

    def take(self, rows: NDArray[np.int64]) -> RowWeights:
        """Return the weights of some of the rows, in the order given."""
        return replace(
            self, whole=None if self.whole is None else self.whole[rows], n_rows=len(rows)
        )

    def in_tiles(self, rank: NDArray[np.int64]) -> NDArray[np.int32] | None:
        """Return the whole numbers at each position, int32 (n_tiles, TILE), 0 after the last row;
        None for all 1.
        """
        if self.whole is None:
            return None
        tiles = np.zeros((-(-self.n_rows // TILE), TILE), np.int32)
        tiles.reshape(-1)[: self.n_rows] = self.whole[rank]
        return tiles


def row_weights(weights: NDArray[np.float64] | None, n_rows: int, is_float64: bool) -> RowWeights:
    """Return the weights (n,) of a class as whole numbers; without any, all are 1.

    Equal weights are all 1, whole numbers stay as they are, if their sum is not too large; others
    are rounded to such shares of their sum that the largest sum comes out. `is_float64`: for
    distances of int64.
    """
    if uneven(weights) is None:
        return RowWeights(None, 1.0 if weights is None else float(weights[0]), n_rows)
    assert weights is not None
    most = min(LARGEST_TOTAL, FLOAT64_SHARE * n_rows) if is_float64 else LARGEST_TOTAL
    total = float(weights.sum())
    if total < TINY:
        found = row_weights(np.ldexp(weights, RAISED), n_rows, is_float64)
        return replace(found, unit=float(np.ldexp(found.unit, -RAISED)))
    if total <= most and (weights == np.floor(weights)).all():
        return RowWeights(weights.astype(np.int32), 1.0, n_rows)
    whole = np.where(weights > 0, np.maximum(np.rint(weights * (most / total)), 1), 0)
    return RowWeights(whole.astype(np.int32), total / most, n_rows)


def uneven(weights: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Return the weights if they differ; None where rows count alike."""
    return None if weights is None or (weights == weights[0]).all() else weights


def drawn_by_weight(
    weights: NDArray[np.float64], bounds: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return one place of each group, by chances in proportion to the weights: group g are the
    places ``bounds[g]`` to ``bounds[g + 1] - 1``.

    Of a group whose weights are all 0 it may be any.
    """
    ends = np.cumsum(weights)
    before = np.concatenate([[0.0], ends])
    low, high = before[bounds[:-1]], before[bounds[1:]]
    places = np.searchsorted(ends, low + rng.random(len(low)) * (high - low), side="right")
    drawn: NDArray[np.int64] = np.clip(places, bounds[:-1], bounds[1:] - 1)
    return drawn
