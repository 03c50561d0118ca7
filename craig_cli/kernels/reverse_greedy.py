"""Giving up picks: from more picks than wanted, the one that is missed least goes, again and again
(greedy in reverse).

Each row knows a few nearest picks, or nearly: those of some near blocks of picks. What a removal
costs is what the rows of the pick lose when they turn to their next pick.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import kernel
from craig_cli.kernels.squares import (
    WIDE,
    any_below,
    columns_in,
    limit_of,
    quantise_row,
    room_for_columns,
    squared_distances,
    squares_of_wide_within,
    squares_within,
)
from craig_cli.kernels.tiles import TILE

K = 6
"""Picks that a row knows. About half of all picks go: if chance chose them, one row in 64 would see
all of its six go, and greedy spares the last ones of a neighbourhood.
"""
WIDE_K = 12
"""The same of wide rows, where a few picks are near to very many rows: with six some row soon knows
no other, and all rows would have to look for near picks again, which takes most of the time there.
"""
BLOCK = 16
"""Picks of a block: neighbours in the order of the tiles."""
BLOCKS = 48
"""Blocks that are looked at for the rows of a tile: 768 picks. So the work grows with the rows, not
with rows times picks. Only those nearest to the mean of the tile are looked at, which is why a row
far from it may miss some near picks of its own.
"""
SHELVES = 32
"""Of `TILE` blocks side by side, a shelf, so many are looked through for these: all of them up to
65,536 picks, and beyond that those whose means are nearest to that of the tile.
"""
STUCK = 1 << 61
"""More than any removal costs, as the sums of distances of a class stay below it; twice as much
still fits int64.
"""


@kernel
def nearest_means(centres, t, lanes, shelves, n_shelves, n_means, squares, found, found_squares):
    """Write which of the means that stand side by side on some shelves of `lanes` are nearest to
    the centre of tile `t` into `found`, nearest first, as many as it has places; return how many.
    """
    n_found, most = 0, found.shape[0]
    for s in range(n_shelves):
        u = shelves[s]
        squared_distances(lanes, u, centres, t, squares)
        for i in range(min(TILE, n_means - u * TILE)):
            if n_found == most and squares[i] >= found_squares[most - 1]:
                continue
            n_found = min(n_found + 1, most)
            place = n_found - 1
            while place > 0 and found_squares[place - 1] > squares[i]:
                found_squares[place], found[place] = found_squares[place - 1], found[place - 1]
                place -= 1
            found_squares[place], found[place] = squares[i], u * TILE + i
    return n_found


@kernel
def near_picks(layout, block_lanes, shelf_lanes, vectors, numbers, span, lists):
    """Write the picks nearest to the rows of some tiles, and their distances, nearest first.

    Parameters
    ----------
    layout : Layout
    block_lanes : float (m, d, TILE)
        Means of the blocks of picks, side by side.
    shelf_lanes : float (m // TILE + 1, d, TILE)
        Means of these shelves, side by side.
    vectors : float (k, d)
        The picks in the order of the tiles: block b has the picks from ``b * BLOCK`` on.
    numbers : int32 (k,)
        How each pick is called; of equally near ones the lower number comes first.
    span : (int, int)
        The first tile, and that after the last.
    lists : (int32 (n_rows, m), int (n_rows, m))
        Near picks and distances, filled in for the rows of the tiles; number -1 where no more picks
        were looked at.

    Notes
    -----
    Time n d BLOCK BLOCKS, and for each tile a look at every shelf, and at the blocks of some.
    """
    tiles, centres, scale, (near, distances) = layout.tiles, layout.centres, layout.scale, lists
    n_known = near.shape[1]
    squares, is_wide = np.empty((4, TILE), tiles.dtype), tiles.shape[1] >= WIDE
    limits, zero = np.empty((1, 1, TILE), tiles.dtype), tiles.dtype.type(0)
    lane, columns = np.empty(TILE, distances.dtype), room_for_columns(tiles.shape[1])
    found = np.empty(BLOCKS, np.int64)
    found_squares = np.empty(BLOCKS, tiles.dtype)
    n_blocks = (vectors.shape[0] + BLOCK - 1) // BLOCK
    n_shelves = (n_blocks + TILE - 1) // TILE
    every = np.arange(shelf_lanes.shape[0])
    shelves, shelf_squares = np.empty(SHELVES, np.int64), np.empty(SHELVES, tiles.dtype)
    for t in range(span[0], span[1]):
        start, stop = t * TILE, min((t + 1) * TILE, layout.n_rows)
        near[start:stop] = -1
        box = columns_in(layout, t, columns)
        # Any pick may come on a list that is not full; then only one no farther than its last. So
        # the nearest blocks come first, and soon most of a block is cut off early. No pick is near
        # the places after the last row.
        limits[:] = np.inf
        limits[0, 0, stop - start :] = -1
        n_near = nearest_means(
            *(centres, t, shelf_lanes, every, len(every), n_shelves),
            *(squares[0], shelves, shelf_squares),
        )
        # In their order: of equally near blocks the first counts, wherever its shelf is.
        shelves[:n_near].sort()
        for f in range(
            nearest_means(
                *(centres, t, block_lanes, shelves, n_near, n_blocks),
                *(squares[0], found, found_squares),
            )
        ):
            first, last = found[f] * BLOCK, min((found[f] + 1) * BLOCK, vectors.shape[0])
            for p in range(first, last):
                r = 0
                if is_wide:
                    r = (p - first) % 4
                    if r == 0:
                        v1, v2, v3 = (
                            min(p + 1, last - 1),
                            min(p + 2, last - 1),
                            min(p + 3, last - 1),
                        )
                        four = (p, v1, v2, v3)
                        squares_of_wide_within(
                            tiles, t, vectors, four, limits, 0, zero, squares, box
                        )
                    if not any_below(squares, r, limits):
                        continue
                elif not squares_within(tiles, t, vectors, p, limits[0], 0, squares[0]):
                    continue
                quantise_row(squares, r, scale, lane)
                for row in range(start, stop):
                    if squares[r, row - start] <= limits[0, 0, row - start] and insert(
                        near, distances, row, numbers[p], lane[row - start]
                    ):
                        limits[0, 0, row - start] = limit_of(distances[row, n_known - 1], scale)


@kernel
def insert(near, distances, row, number, distance):
    """Put a pick on the list of a row, if it is nearer than another there; return whether the list
    is full.
    """
    # Ordered by distance, then number, whatever order the picks come in. From the end: most picks
    # stop at the first comparison.
    place = n_known = near.shape[1]
    while place > 0:
        other = near[row, place - 1]
        if other >= 0 and (
            distances[row, place - 1] < distance
            or (distances[row, place - 1] == distance and other < number)
        ):
            break
        place -= 1
        if place < n_known - 1:
            near[row, place + 1] = near[row, place]
            distances[row, place + 1] = distances[row, place]
    if place < n_known:
        near[row, place], distances[row, place] = number, distance
    return near[row, n_known - 1] >= 0


@kernel
def rows_of_picks(near, starts, rows):
    """Write the rows on whose lists, ``near`` int32 (n, m), each pick is: those of pick p become
    ``rows[starts[p]:starts[p + 1]]``, ascending.

    `starts` int64 (k + 2,) is zeroed; its last entry means nothing afterwards. `rows` int32 (n m,);
    entries of -1 count for nobody. Time n m.
    """
    # A counting sort. Counts stand two places on, so that after the running sum entry p + 1 is
    # where pick p begins; it serves as the place to write next, and ends where pick p + 1 begins.
    for row in range(near.shape[0]):
        for place in range(near.shape[1]):
            if near[row, place] >= 0:
                starts[near[row, place] + 2] += 1
    for p in range(2, starts.shape[0]):
        starts[p] += starts[p - 1]
    for row in range(near.shape[0]):
        for place in range(near.shape[1]):
            if near[row, place] >= 0:
                pick = near[row, place]
                rows[starts[pick + 1]] = row
                starts[pick + 1] += 1


@kernel
def sift_down(heap, size, key, place):
    """Move the entry at `place` of a heap down to where it belongs: the least key on top, of equal
    ones the highest number.
    """
    # No two entries are equal in key and number, so that the top is one and the same however the
    # heap came about.
    moved = heap[place]
    while 2 * place + 1 < size:
        child = 2 * place + 1
        right = child + 1
        if right < size and (
            key[heap[right]] < key[heap[child]]
            or (key[heap[right]] == key[heap[child]] and heap[right] > heap[child])
        ):
            child = right
        if key[heap[child]] > key[moved] or (
            key[heap[child]] == key[moved] and heap[child] < moved
        ):
            break
        # The entry is written once, where it comes to rest: on the way the hole moves, not it.
        heap[place] = heap[child]
        place = child
    heap[place] = moved


@kernel
def next_kept(near, row, place, is_kept):
    """Return the next place from `place` on of a row's list whose pick is kept; its length or more
    if there is none.
    """
    while place < near.shape[1] and not (near[row, place] >= 0 and is_kept[near[row, place]]):
        place += 1
    return place


@kernel
def count_row(near, distances, row, first, second, sign, loss, n_last):
    """Add to what the removal of a row's nearest kept pick costs, or take it off (`sign` -1): its
    way to the second, or that there is none.
    """
    n_known = near.shape[1]
    if first[row] < n_known:
        pick = near[row, first[row]]
        if second[row] < n_known:
            loss[pick] += sign * np.int64(distances[row, second[row]] - distances[row, first[row]])
        else:
            n_last[pick] += sign


@kernel
def drop_picks(lists, starts, rows, size, n_stuck_at_most, is_kept, first):
    """Give up picks until `size` are left, each time the one whose rows lose least, of equal ones
    the last; return how many are left.

    A pick that is the last on the list of some row is stuck: it goes only when all others have
    gone. Stops before when more than `n_stuck_at_most` picks are stuck.

    Parameters
    ----------
    lists : (int32 (n, m), int (n, m))
        The picks nearest to each row and what they cost it, as `near_picks` gives them.
    starts, rows : int64, int32
        As `rows_of_picks` gives them.
    size, n_stuck_at_most : int
    is_kept : bool (k,)
        All true; changed in place.
    first : int8 (n,)
        Filled in: the place in each row's list of its nearest pick that is kept; m if there is
        none.

    Notes
    -----
    Time m for each row on the list of a pick given up, and log k.
    """
    near, distances = lists
    (n, n_known), n_picks = near.shape, is_kept.shape[0]
    second = np.empty(n, np.int8)
    loss, n_last = np.zeros(n_picks, np.int64), np.zeros(n_picks, np.int64)
    for row in range(n):
        first[row] = next_kept(near, row, 0, is_kept)
        second[row] = next_kept(near, row, first[row] + 1, is_kept)
        count_row(near, distances, row, first, second, 1, loss, n_last)
    key = loss + STUCK * (n_last > 0)
    heap = np.arange(n_picks)
    for place in range(n_picks // 2 - 1, -1, -1):
        sift_down(heap, n_picks, key, place)
    n_left, n_stuck = n_picks, (n_last > 0).sum()
    while n_left > size and n_stuck <= n_stuck_at_most:
        # A removal sends rows to picks farther away, which makes the others dearer, never cheaper:
        # an old key is at most the price. So no key need be mended when a price changes; the top is
        # looked at, and if it is out of date it goes down by its true price. One that is up to date
        # is cheaper than, or as cheap as and later than, all lower bounds below it: it is the one.
        pick = heap[0]
        price = loss[pick] + STUCK * (n_last[pick] > 0)
        if key[pick] < price:
            key[pick] = price
            sift_down(heap, n_left, key, 0)
            continue
        n_left -= 1
        heap[0] = heap[n_left]
        sift_down(heap, n_left, key, 0)
        is_kept[pick] = False
        n_stuck -= n_last[pick] > 0
        for j in range(starts[pick], starts[pick + 1]):
            row = rows[j]
            is_first = first[row] < n_known and near[row, first[row]] == pick
            is_second = second[row] < n_known and near[row, second[row]] == pick
            # A pick farther down the list of a row has no share in any price; `next_kept` will pass
            # over it when its turn comes.
            if not (is_first or is_second):
                continue
            # What the row adds to the price of its nearest pick is taken off as it was added, and
            # added anew: whole numbers, so nothing is left over.
            count_row(near, distances, row, first, second, -1, loss, n_last)
            if is_first:
                first[row] = second[row]
            second[row] = next_kept(near, row, max(first[row], second[row]) + 1, is_kept)
            count_row(near, distances, row, first, second, 1, loss, n_last)
            # Counted only when the first row comes to hang on a pick. No pick that is kept is ever
            # set free: only a row of the removed pick is taken off `n_last`, from that pick.
            if first[row] < n_known and second[row] >= n_known:
                n_stuck += n_last[near[row, first[row]]] == 1
    return n_left
