"""What the methods share that draw rows at random: rows of weight 0, and sums of weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.selection.row_weights import uneven

Drawn: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Places of picks, and their weights."""
Draw: TypeAlias = Callable[[NDArray[np.int64], int, NDArray[np.float64] | None], Drawn]


def weighted_picks(
    weights: NDArray[np.float64] | None, n_rows: int, size: int, draw: Draw
) -> Drawn:
    """Return distinct rows that `draw` takes, and weights that add up to those of all rows.

    Parameters
    ----------
    weights : ndarray of float64, shape (n,), or None
        Of the rows, not all of them 0; None for all 1.
    n_rows, size : int
    draw : callable
        ``draw(rows, k, own)`` returns k places in `rows` and their weights, up to a factor, for
        rows of the weights `own`; None for equal ones.

    Notes
    -----
    Only rows of a weight above 0 are drawn; where these are too few, the lowest of the others
    follow, of weight 0.
    """
    if uneven(weights) is None:
        places, drawn = draw(np.arange(n_rows), size, None)
        return places, drawn if weights is None else drawn * weights[0]
    assert weights is not None
    counting, idle = np.flatnonzero(weights > 0), np.flatnonzero(weights == 0)
    n_drawn = min(size, len(counting))
    places, drawn = draw(counting, n_drawn, weights[counting])
    picks = np.concatenate([counting[places], idle[: size - n_drawn]])
    return picks, np.concatenate([drawn * (weights.sum() / drawn.sum()), np.zeros(size - n_drawn)])
