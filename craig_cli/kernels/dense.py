"""Greedy selection over dense rows, held in tiles (see `tiles`): picks, and lists of near
candidates. What candidates gain is found in `gains`.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import inlined, kernel
from craig_cli.kernels.lists import next_pick, shrink_list
from craig_cli.kernels.reach import box_squares, is_out_of_reach, squares_to_boxes
from craig_cli.kernels.squares import (
    WIDE,
    any_below,
    columns_in,
    gain_over,
    limit_of,
    quantise,
    quantise_row,
    room_for_columns,
    squared_distances,
    squares_of_four_within,
    squares_of_wide_within,
    squares_within,
    write_limits,
)
from craig_cli.kernels.tiles import TILE, copy_row, lay_out

LEADING = 12
"""Columns of the boxes that tell which picks are out of a tile's reach: the others, which spread
less, hardly make the bound stronger.
"""

ROWS_LISTED = 16
"""Rows whose lists are made side by side: each tile that comes from memory serves all of them."""

FEW_IN_REACH = 4
"""Of `TILE` picks: where the box round a tile leaves more, its ball is asked too."""


@kernel
def reaching(layout, state, lanes, span, own, found):
    """Write the picks from ``own[0]``, a multiple of TILE, to ``own[1] - 1`` which the box round
    all of some tiles does not tell to be out of reach into `found`, and return how many; `lanes`
    has the picks side by side.
    """
    d, first, last = layout.low.shape[1], span[0], span[1]
    low, high = layout.low[first : first + 1].copy(), layout.high[first : first + 1].copy()
    farthest = state.farthest[first]
    for t in range(first + 1, last):
        farthest = max(farthest, state.farthest[t])
        for k in range(d):
            low[0, k] = min(low[0, k], layout.low[t, k])
            high[0, k] = max(high[0, k], layout.high[t, k])
    reach = low.dtype.type(limit_of(farthest, layout.scale))
    to_box = np.empty(TILE, low.dtype)
    n_found = 0
    for u in range(own[0], own[1], TILE):
        box_squares(lanes, u // TILE, low, high, 0, d, to_box)
        for i in range(min(TILE, own[1] - u)):
            found[n_found] = u + i
            n_found += to_box[i] <= reach
    return n_found


@kernel
def absorb(layout, state, picks, numbers, span, gain, weights=None):
    """Let picks take the rows that are nearer to them than to any earlier pick, in the order given.

    Parameters
    ----------
    layout : Layout
    state : State
        Changed in place.
    picks : float (m, d)
        Vectors, which need not be rows of the group.
    numbers : int64 (m,)
        How they are called in `cluster`.
    span : (int, int)
        The first tile, and that after the last.
    gain : int64 (m,)
        What each pick gained over these tiles is added.
    weights : int32 (n_tiles, TILE), optional
        Of the rows.

    Notes
    -----
    Time m n d at worst; most picks are told to be out of a tile's reach by its box or ball.
    """
    tiles, low, high, scale = layout.tiles, layout.low, layout.high, layout.scale
    centres, radii, d = layout.centres, layout.radii, layout.tiles.shape[1]
    nearest, farthest, cluster = state
    n_leading = min(LEADING, tiles.shape[1])
    lanes = np.zeros((picks.shape[0] // TILE + 1, tiles.shape[1], TILE), tiles.dtype)
    lay_out(picks, lanes)
    to_box, to_centre = np.empty(TILE, tiles.dtype), np.empty(TILE, tiles.dtype)
    squares = np.empty((4, TILE), tiles.dtype)
    distances = np.empty(TILE, nearest.dtype)
    limits = np.empty((1, 1, TILE), tiles.dtype)
    in_reach = np.empty(TILE + 1, np.int64)
    columns = room_for_columns(d)
    zero, is_wide = tiles.dtype.type(0), tiles.shape[1] >= WIDE
    # All picks meet one tile before the next: the tile stays in the cache, and since tiles do not
    # depend on each other the picks still come in their order to every row.
    for t in range(span[0], span[1]):
        for i in range(TILE):
            limits[0, 0, i] = limit_of(nearest[t, i], scale)
        reach = tiles.dtype.type(limit_of(farthest[t], scale))
        box = columns_in(layout, t, columns)
        for u in range(0, picks.shape[0], TILE):
            # The square to the box is added up in the order of the columns, as that to a row is,
            # from terms none of which is larger: rounding cannot bring it above the row's.
            box_squares(lanes, u // TILE, low, high, t, n_leading, to_box)
            n_in_reach = 0
            for i in range(min(TILE, picks.shape[0] - u)):
                in_reach[n_in_reach] = i
                n_in_reach += to_box[i] <= reach
            if n_in_reach > FEW_IN_REACH:
                squared_distances(lanes, u // TILE, centres, t, to_centre)
                n_boxed, n_in_reach = n_in_reach, 0
                for r in range(n_boxed):
                    i = in_reach[r]
                    in_reach[n_in_reach] = i
                    n_in_reach += not is_out_of_reach(to_centre[i], radii[t], d, scale, farthest[t])
            for r in range(n_in_reach):
                if is_wide and r % 4 == 0:
                    last = n_in_reach - 1
                    v1, v2, v3 = min(r + 1, last), min(r + 2, last), min(r + 3, last)
                    four = (u + in_reach[r], u + in_reach[v1], u + in_reach[v2], u + in_reach[v3])
                    squares_of_wide_within(tiles, t, picks, four, limits, 0, zero, squares, box)
                # Asked again: the picks just absorbed have drawn the reach in.
                if to_box[in_reach[r]] > reach:
                    continue
                if is_wide:
                    if not any_below(squares, r % 4, limits):
                        continue
                elif not squares_within(tiles, t, picks, u + in_reach[r], limits[0], 0, squares[0]):
                    continue
                quantise_row(squares, r % 4 if is_wide else 0, scale, distances)
                gained = gain_over(nearest, t, distances, weights)
                if gained > 0:
                    p = u + in_reach[r]
                    gain[p] += gained
                    largest = np.int64(0)
                    for i in range(TILE):
                        if distances[i] < nearest[t, i]:
                            nearest[t, i] = distances[i]
                            limits[0, 0, i] = limit_of(distances[i], scale)
                            cluster[t, i] = numbers[p]
                        largest = max(largest, np.int64(nearest[t, i]))
                    farthest[t] = largest
                    reach = tiles.dtype.type(limit_of(largest, scale))


@kernel
def neighbours(layout, state, positions, span, lists):
    """List for some rows the candidates that are nearer than the row's nearest pick, until the
    lists might not fit; return the place in `positions` to go on with.

    Parameters
    ----------
    layout : Layout
    state : State
    positions : int64 (m,)
        Rows; fastest if four side by side are near each other.
    span : (int, int)
        The first place in `positions` to list, and that after the last.
    lists : (int64, int32, int)
        Written: `starts`, candidates and their distances. Those of ``positions[p]`` begin at
        ``starts[p - span[0]]``.

    Notes
    -----
    Memory 8 n (float64: 12 n) for each of `ROWS_LISTED`.
    """
    tiles, centre_lanes, (starts, columns, distances) = layout.tiles, layout.centre_lanes, lists
    (n_tiles, d, _), (first, last) = tiles.shape, span
    vectors = np.empty((ROWS_LISTED, d), tiles.dtype)
    to_centre = np.empty((ROWS_LISTED, TILE), tiles.dtype)
    squares = np.empty((4, TILE), tiles.dtype)
    lane = np.empty(TILE, state.nearest.dtype)
    no_limits = np.zeros((1, 1, TILE), tiles.dtype)
    infinite, for_columns = tiles.dtype.type(np.inf), room_for_columns(d)
    own, reach = np.zeros(ROWS_LISTED, tiles.dtype), np.zeros(ROWS_LISTED, state.nearest.dtype)
    counts = np.zeros(ROWS_LISTED, np.int64)
    room = (ROWS_LISTED, n_tiles * TILE)
    found, apart = np.empty(room, np.int32), np.empty(room, state.nearest.dtype)
    starts[0] = filled = 0
    for p in range(first, last, ROWS_LISTED):
        # Each of the rows may list every row: with less room than that the caller empties the lists
        # first, and no append has to ask whether it fits.
        if filled + ROWS_LISTED * n_tiles * TILE > columns.shape[0]:
            return p
        n_listed = min(ROWS_LISTED, last - p)
        for r in range(ROWS_LISTED):
            row = positions[p + min(r, n_listed - 1)]
            copy_row(tiles, row, vectors, r)
            # Those after the last are copies of it, which list nothing.
            reach[r] = state.nearest[row // TILE, row % TILE] * (r < n_listed)
            own[r] = limit_of(reach[r], layout.scale)
            counts[r] = 0
        for t in range(n_tiles):
            box = columns_in(layout, t, for_columns)
            for v in range(0, n_listed, 4):
                four = (v, v + 1, v + 2, v + 3)
                if t % TILE == 0:
                    squares_of_four_within(
                        centre_lanes, t // TILE, vectors, four, no_limits, 0, infinite, squares
                    )
                    to_centre[v : v + 4] = squares
                if is_any_in_reach(layout, t, to_centre, reach, v):
                    # Sums are cut off where all four are above the widest of their limits, hence
                    # each above its own.
                    widest = max(max(own[v], own[v + 1]), max(own[v + 2], own[v + 3]))
                    squares_of_four_within(
                        tiles, t, vectors, four, no_limits, 0, widest, squares, box
                    )
                    append_near(layout, t, squares, v, own, reach, lane, (counts, found, apart))
        for r in range(n_listed):
            for j in range(counts[r]):
                columns[filled + j], distances[filled + j] = found[r, j], apart[r, j]
            filled += counts[r]
            starts[p + r - first + 1] = filled
    return last


@inlined
def is_any_in_reach(layout, t, to_centre, reach, v):
    """Return whether tile `t` may have a row nearer than `reach` to any of the vectors v ... v + 3;
    picks and their duplicates, whose reach is 0, have none.
    """
    is_any, d = False, layout.tiles.shape[1]
    for r in range(v, v + 4):
        is_any |= reach[r] > 0 and not is_out_of_reach(
            to_centre[r, t % TILE], layout.radii[t], d, layout.scale, np.int64(reach[r])
        )
    return is_any


@inlined
def append_near(layout, t, squares, v, own, reach, lane, lists):
    """Append the rows of tile `t` that are nearer than `reach` to the vectors v ... v + 3 to what
    these have `found`; `squares` are the distances, `own` the limits.
    """
    counts, found, apart = lists
    for r in range(4):
        n_within = np.int32(0)
        for i in range(TILE):
            n_within = np.int32(n_within + np.int32(squares[r, i] <= own[v + r]))
        if n_within == 0:
            continue
        quantise_row(squares, r, layout.scale, lane)
        # Written always, counted if nearer: no branch to guess wrong.
        count = counts[v + r]
        for i in range(min(TILE, layout.n_rows - t * TILE)):
            found[v + r, count] = t * TILE + i
            apart[v + r, count] = lane[i]
            count += lane[i] < reach[v + r]
        counts[v + r] = count


@kernel
def take_picks(layout, state, lists, choice, made, weights=None):
    """Make greedy picks, gains kept up to date by the lists; return how many gained anything.

    Parameters
    ----------
    layout : Layout
    state : State
        Changed in place, but for `cluster`.
    lists : Lists
        Changed in place.
    choice : Choice
    made : (int64 (n_picks,), int64 (n_picks,))
        Written: the picks, and what each gained.
    weights : int32 (n,), optional
        Of the rows, if they differ.

    Notes
    -----
    Time a pick: n for the largest gain, the tiles in reach, and the lists of the rows taken over.
    """
    tiles, centre_lanes, radii = layout.tiles, layout.centre_lanes, layout.radii
    low_lanes, high_lanes, scale = layout.low_lanes, layout.high_lanes, layout.scale
    nearest, farthest, gain = state.nearest, state.farthest, choice.gain
    n_tiles, d, _ = tiles.shape
    vector = np.empty((1, d), tiles.dtype)
    to_centre = np.empty(TILE, tiles.dtype)
    to_box = np.empty(TILE, tiles.dtype)
    squares = np.empty(TILE, tiles.dtype)
    distances = np.empty(TILE, nearest.dtype)
    limits = np.empty((n_tiles, TILE), tiles.dtype)
    write_limits(nearest, scale, limits)
    for p in range(made[0].shape[0]):
        pick = next_pick(choice, p, made)
        if pick < 0:
            return p
        copy_row(tiles, pick, vector, 0)
        # What is skipped here, by tile or by row, is no nearer to the pick than to an earlier one:
        # no row of it would be taken over, and no list shrink.
        for t in range(n_tiles):
            if t % TILE == 0:
                squared_distances(centre_lanes, t // TILE, vector, 0, to_centre)
                squares_to_boxes(low_lanes, high_lanes, t // TILE, vector, 0, to_box)
            if is_out_of_reach(to_box[t % TILE], 0.0, d, scale, farthest[t]) or is_out_of_reach(
                to_centre[t % TILE], radii[t], d, scale, farthest[t]
            ):
                continue
            if not squares_within(tiles, t, vector, 0, limits, t, squares):
                continue
            quantise(squares, scale, distances)
            largest = np.int64(0)
            for i in range(TILE):
                if distances[i] < nearest[t, i]:
                    row, old = t * TILE + i, nearest[t, i]
                    shrink_list(lists, row, old, distances[i], gain, weights)
                    nearest[t, i] = distances[i]
                    limits[t, i] = limit_of(distances[i], scale)
                largest = max(largest, np.int64(nearest[t, i]))
            farthest[t] = largest
        # Last, since the lists of the rows it took have just brought its own gain down to 0.
        gain[pick] = -1
    return made[0].shape[0]
