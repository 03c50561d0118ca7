"""What candidates would gain as the next pick, over dense rows: exact sums, and bounds on them."""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import inlined, kernel
from craig_cli.kernels.reach import are_apart, box_squares, is_out_of_reach
from craig_cli.kernels.squares import (
    columns_in,
    gain_over,
    limit_of,
    quantise_row,
    room_for_columns,
    squared_distances,
    squares_of_four_within,
)
from craig_cli.kernels.tiles import TILE, copy_row, lay_out


@kernel
def gains(layout, state, candidates, span, out, weights=None):
    """Add to `out` what each candidate gains over the rows of some tiles: the sum of max(0, nearest
    - distance), times the weight of the row.

    Parameters
    ----------
    layout : Layout
    state : State
    candidates : int64 (m,)
        Rows, counted through the tiles; fastest if those side by side are near each other.
    span : (int, int)
        The first tile, and that after the last.
    out : int64 (m,)
        Added to in place.
    weights : int32 (n_tiles, TILE), optional
        Of the rows; 0 after the last one.

    Notes
    -----
    Time m n d at worst; tiles out of a candidate's reach cost one distance, rows out of reach some
    coordinates. Memory 2 m d.
    """
    tiles, centres, radii, low, high = layout[:5]
    nearest, farthest, scale = state.nearest, state.farthest, layout.scale
    n_candidates, d = candidates.shape[0], tiles.shape[1]
    vectors = np.empty((n_candidates, d), tiles.dtype)
    for c in range(n_candidates):
        copy_row(tiles, candidates[c], vectors, c)
    # Twice: one after the other for the distances to rows, and side by side, as if they were rows
    # themselves, for the distances of a centre or a box to TILE candidates at a time.
    lanes = np.zeros((n_candidates // TILE + 1, d, TILE), tiles.dtype)
    lay_out(vectors, lanes)
    to_centre = np.empty(TILE, tiles.dtype)
    to_box = np.empty(TILE, tiles.dtype)
    squares = np.empty((4, TILE), tiles.dtype)
    distances = np.empty(TILE, nearest.dtype)
    limits = np.empty((1, 1, TILE), tiles.dtype)
    no_limit, columns = tiles.dtype.type(0), room_for_columns(d)
    reached = np.empty(n_candidates + 3, np.int64)
    for t in range(span[0], span[1]):
        # Every candidate is written to the list, and stays if it is counted: no branch that the
        # processor could guess wrong.
        n_reached = 0
        for c in range(n_candidates):
            if c % TILE == 0:
                squared_distances(lanes, c // TILE, centres, t, to_centre)
                box_squares(lanes, c // TILE, low, high, t, d, to_box)
            reached[n_reached] = c
            n_reached += not (
                is_out_of_reach(to_box[c % TILE], 0.0, d, scale, farthest[t])
                or is_out_of_reach(to_centre[c % TILE], radii[t], d, scale, farthest[t])
            )
        if n_reached == 0:
            continue
        # The last four are filled up with copies of the last, of which nothing is added.
        reached[n_reached : n_reached + 3] = reached[n_reached - 1]
        # A sum may be cut off above a row's limit: then the distance is above `nearest` whatever
        # the other columns are, and the difference counts as 0 all the same.
        for i in range(TILE):
            limits[0, 0, i] = limit_of(nearest[t, i], scale)
        box = columns_in(layout, t, columns)
        for first in range(0, n_reached, 4):
            four = (reached[first], reached[first + 1], reached[first + 2], reached[first + 3])
            if not squares_of_four_within(
                tiles, t, vectors, four, limits, 0, no_limit, squares, box
            ):
                continue
            for r in range(min(4, n_reached - first)):
                quantise_row(squares, r, scale, distances)
                out[four[r]] += gain_over(nearest, t, distances, weights)


@inlined
def add_gains_of_two(squares, r, scale, reach, reach_a, reach_b, column):
    """Return what two rows gain from those of a tile, whose nearest picks are at `reach` (TILE,);
    add what these gain from the two to `column`.

    The squared distances are the rows r and r + 1 of `squares`. Two at a time: `reach` and `column`
    are loaded, and `column` stored, once for both.
    """
    half, whole = squares.dtype.type(0.5), reach.dtype.type
    gain_a, gain_b = np.int64(0), np.int64(0)
    for i in range(TILE):
        to_a = whole(np.sqrt(squares[r, i]) * scale + half)
        to_b = whole(np.sqrt(squares[r + 1, i]) * scale + half)
        gain_a += max(whole(reach[i] - to_a), whole(0))
        gain_b += max(whole(reach[i] - to_b), whole(0))
        column[i] += np.int64(max(whole(reach_a - to_a), whole(0))) + np.int64(
            max(whole(reach_b - to_b), whole(0))
        )
    return gain_a, gain_b


@inlined
def add_weighted_gains_of_two(squares, r, scale, reach, two, weights, t, column):
    """Return and add what `add_gains_of_two` does, times the weights of the rows, int32 (n_tiles,
    TILE); `two` are the distances and the weights of the two.
    """
    half, whole = squares.dtype.type(0.5), reach.dtype.type
    reach_a, reach_b, weight_a, weight_b = two
    gain_a, gain_b = np.int64(0), np.int64(0)
    for i in range(TILE):
        to_a = whole(np.sqrt(squares[r, i]) * scale + half)
        to_b = whole(np.sqrt(squares[r + 1, i]) * scale + half)
        weight = np.int64(weights[t, i])
        gain_a += weight * np.int64(max(whole(reach[i] - to_a), whole(0)))
        gain_b += weight * np.int64(max(whole(reach[i] - to_b), whole(0)))
        own = weight_a * np.int64(max(whole(reach_a - to_a), whole(0)))
        column[i] += own + weight_b * np.int64(max(whole(reach_b - to_b), whole(0)))
    return gain_a, gain_b


@kernel
def gains_of_pairs(layout, state, limits, span, out, weights=None):
    """Add to `out` what all rows gain by each other, as far as one of a pair is in some tiles and
    the other in the same or later ones.

    Each distance serves both of its rows, so that all tiles together cost half of `gains` of all
    rows. `limits` (1, n_tiles, TILE) are `limit_of` the distances `nearest`, `span` the first tile
    and that after the last; `out` int64 (n_tiles, TILE), `weights` of the rows int32 (n_tiles,
    TILE). What is added for places after the last row means nothing.
    """
    tiles, centres, radii, low, high = layout[:5]
    nearest, farthest, scale = state.nearest, state.farthest, layout.scale
    n_tiles, d, _ = tiles.shape
    first_tile, last_tile = span
    vectors = np.empty(((last_tile - first_tile) * TILE, d), tiles.dtype)
    for v in range(vectors.shape[0]):
        copy_row(tiles, first_tile * TILE + v, vectors, v)
    squares = np.empty((4, TILE), tiles.dtype)
    reach, column = np.empty(TILE, nearest.dtype), np.empty(TILE, np.int64)
    columns = room_for_columns(d)
    for t in range(first_tile, n_tiles):
        for i in range(TILE):
            reach[i], column[i] = nearest[t, i], 0
        box = columns_in(layout, t, columns)
        for s in range(first_tile, min(t + 1, last_tile)):
            # A pair gains nothing either way only if it is out of reach of both.
            if are_apart(centres, radii, low, high, s, t, scale, max(farthest[s], farthest[t])):
                continue
            for c in range(0, TILE, 4):
                own = max(
                    max(limits[0, s, c], limits[0, s, c + 1]),
                    max(limits[0, s, c + 2], limits[0, s, c + 3]),
                )
                v = (s - first_tile) * TILE + c
                if not squares_of_four_within(
                    tiles, t, vectors, (v, v + 1, v + 2, v + 3), limits, t, own, squares, box
                ):
                    continue
                for r in range(0, 4, 2):
                    a, b = nearest[s, c + r], nearest[s, c + r + 1]
                    # Within a tile both orders of a pair come up: each row gains as the candidate,
                    # and a reach of 0 keeps it from gaining as the row once more.
                    if s == t:
                        a = b = nearest.dtype.type(0)
                    if weights is None:
                        gain_a, gain_b = add_gains_of_two(squares, r, scale, reach, a, b, column)
                    else:
                        w = np.int64(weights[s, c + r]), np.int64(weights[s, c + r + 1])
                        gain_a, gain_b = add_weighted_gains_of_two(
                            squares, r, scale, reach, (a, b, w[0], w[1]), weights, t, column
                        )
                    out[s, c + r] += gain_a
                    out[s, c + r + 1] += gain_b
        for i in range(TILE):
            out[t, i] += column[i]


@kernel
def first_gain_bounds(layout, span, out):
    """Write for each row from ``span[0]`` to ``span[1] - 1`` no less than what it would gain as the
    first pick, at the price of one distance a tile.
    """
    tiles, centre_lanes, n_rows = layout.tiles, layout.centre_lanes, layout.n_rows
    n_tiles, d, _ = tiles.shape
    vector = np.empty((1, d), tiles.dtype)
    squares = np.empty(TILE, tiles.dtype)
    # The distance to x is a convex function of the row, so that those of a tile's rows add up to at
    # least their number times the distance to their mean (Jensen). The first pick gains the
    # auxiliary element's distance less its own from every row: a lower bound on the sum of
    # distances is an upper bound on the gain. The margins are for rounding: d additions in float32,
    # the unit that quantising may take off, and the sum of the tiles in float64.
    margin = 1.0 - (d + 16) * 1.2e-7
    for row in range(span[0], span[1]):
        copy_row(tiles, row, vector, 0)
        total = 0.0
        for t in range(n_tiles):
            if t % TILE == 0:
                squared_distances(centre_lanes, t // TILE, vector, 0, squares)
            total += min(TILE, n_rows - t * TILE) * max(
                np.float64(np.sqrt(squares[t % TILE])) * margin * layout.scale - 1.0, 0.0
            )
        out[row] = n_rows * np.float64(layout.auxiliary_distance) - total * (1 - 1e-9) + 1.0
