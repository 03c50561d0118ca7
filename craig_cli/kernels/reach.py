"""Which tiles a vector cannot reach: lower bounds on its distances to their rows, from a ball or a
box round them. A tile told apart so costs one distance instead of `TILE`.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import inlined
from craig_cli.kernels.simd import add_square
from craig_cli.kernels.tiles import TILE


@inlined
def is_out_of_reach(square, radius, d, scale, farthest):
    """Return whether no row of a tile can be nearer to a vector than to its pick.

    `square` is the squared distance of the vector to the tile's centre, `farthest` the largest
    ``nearest`` of the tile; for a box `radius` is 0. By the triangle inequality.
    """
    # A pick must stay as it is if nothing is skipped, so the bound gives way to every rounding: the
    # relative margin covers d additions and a few more steps of float32 in each of the distances
    # involved (an error of 2^-24 a step), the 2 the rounding to quantised distances.
    distance = np.float64(np.sqrt(square))
    margin = (d + 16) * 1.2e-7 * (distance + radius)
    return (distance - radius - margin) * np.float64(scale) - 2.0 >= farthest


@inlined
def are_apart(centres, radii, low, high, s, t, scale, farthest):
    """Return whether no row of tile `s` is nearer to one of tile `t` than `farthest`.

    As their balls or their boxes tell.
    """
    d = centres.shape[1]
    between, gap = centres.dtype.type(0), centres.dtype.type(0)
    for k in range(d):
        x = centres[s, k] - centres[t, k]
        between += x * x
        x = max(max(low[s, k] - high[t, k], low[t, k] - high[s, k]), centres.dtype.type(0))
        gap += x * x
    return is_out_of_reach(gap, 0.0, d, scale, farthest) or is_out_of_reach(
        between, radii[s] + radii[t], d, scale, farthest
    )


@inlined
def box_squares(lanes, u, low, high, t, n_columns, squares):
    """Write the squared distances of TILE vectors to the box round tile `t`.

    In the first `n_columns`, the widest: fewer make the bound cheaper, and only weaker. It is
    stronger than that of a ball where columns are constant within a tile, as those of a category
    are.
    """
    zero = lanes.dtype.type(0)
    for i in range(TILE):
        squares[i] = 0
    for k in range(n_columns):
        least, most = low[t, k], high[t, k]
        for i in range(TILE):
            x = max(max(least - lanes[u, k, i], lanes[u, k, i] - most), zero)
            squares[i] = add_square(x, zero, squares[i])


@inlined
def squares_to_boxes(low_lanes, high_lanes, u, vectors, v, squares):
    """Write the squared distances of vector `v` to TILE boxes: `box_squares` turned round."""
    zero = low_lanes.dtype.type(0)
    for i in range(TILE):
        squares[i] = 0
    for k in range(low_lanes.shape[1]):
        value = vectors[v, k]
        for i in range(TILE):
            x = max(max(low_lanes[u, k, i] - value, value - high_lanes[u, k, i]), zero)
            squares[i] = add_square(x, zero, squares[i])
