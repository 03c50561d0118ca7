"""Greedy selection over sparse rows, through an inverted index: a candidate meets only the rows
that share a column with it.

Distances are quantised, as those of dense rows (`tiles`); squares come from float64 dot products as
||x||^2 + ||y||^2 - 2 x.y, added up in column order, so that equal rows are at distance 0 exactly
and d(x, y) and d(y, x) have the same bits.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from craig_cli.kernels import kernel
from craig_cli.kernels.lists import next_pick, shrink_list, weight_of
from craig_cli.kernels.reverse_greedy import insert

Compressed: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]


class InvertedIndex(NamedTuple):
    """The rows of a group, as kernels take them.

    Parameters
    ----------
    rows : (indptr int64, indices int32, values float64)
        By row.
    postings : (indptr int64, rows int32, values float64)
        By column.
    squares : float64 (n,)
        The squared lengths, added up in column order.
    scale : float
        Quantised distances per unit.
    """

    rows: Compressed
    postings: Compressed
    squares: NDArray[np.float64]
    scale: float


@kernel
def distances_from(index, candidate, dots, distances):
    """Write the quantised distances of `candidate` to all rows into `distances` (n,).

    `dots` float64 (n,) is overwritten.
    """
    indptr, indices, values = index.rows
    column_starts, owners, column_values = index.postings
    squares, scale = index.squares, index.scale
    dots[:] = 0
    for j in range(indptr[candidate], indptr[candidate + 1]):
        column, value = indices[j], values[j]
        for p in range(column_starts[column], column_starts[column + 1]):
            dots[owners[p]] += value * column_values[p]
    for row in range(distances.shape[0]):
        # Rounding may leave less than 0 between rows that are nearly equal.
        square = max((squares[candidate] + squares[row]) - 2.0 * dots[row], 0.0)
        distances[row] = np.sqrt(square) * scale + 0.5


@kernel
def gains(index, state, candidates, out, weights=None):
    """Write the gain of each candidate, the sum over all rows of max(0, nearest - distance), times
    the weight (int32), into `out` (int64).

    Time: the postings of the candidates' columns, plus m n. Memory 16 n.
    """
    nearest = state.nearest
    dots = np.empty(nearest.shape[0])
    distances = np.empty(nearest.shape[0], nearest.dtype)
    for c in range(candidates.shape[0]):
        distances_from(index, candidates[c], dots, distances)
        total = np.int64(0)
        for row in range(nearest.shape[0]):
            if distances[row] < nearest[row]:
                total += weight_of(weights, row) * np.int64(nearest[row] - distances[row])
        out[c] = total


@kernel
def absorb(index, state, picks, first_number, gain, weights=None):
    """Let picks take the rows nearer to them than to any earlier pick, in order.

    Pick p is written to `cluster` as first_number + p, what it gained to ``gain[p]``.
    """
    nearest, cluster = state.nearest, state.cluster
    dots = np.empty(nearest.shape[0])
    distances = np.empty(nearest.shape[0], nearest.dtype)
    for p in range(picks.shape[0]):
        distances_from(index, picks[p], dots, distances)
        gain[p] = 0
        for row in range(nearest.shape[0]):
            if distances[row] < nearest[row]:
                gain[p] += weight_of(weights, row) * np.int64(nearest[row] - distances[row])
                nearest[row] = distances[row]
                cluster[row] = first_number + p


@kernel
def near_picks(index, picks, first_number, near, distances):
    """Put picks, called `first_number` and on, on the lists of the rows that they are among the
    nearest to, as `reverse_greedy.near_picks` does.
    """
    dots, last = np.empty(near.shape[0]), near.shape[1] - 1
    lane = np.empty(near.shape[0], distances.dtype)
    for p in range(picks.shape[0]):
        distances_from(index, picks[p], dots, lane)
        for row in range(near.shape[0]):
            # Picks come with rising numbers: one as near as the last on a full list stays behind
            # it, and need not be tried.
            if near[row, last] < 0 or lane[row] < distances[row, last]:
                insert(near, distances, row, first_number + p, lane[row])


@kernel
def neighbours(index, state, positions, span, lists):
    """List for some rows the candidates nearer than the row's nearest pick, as `dense.neighbours`
    does.
    """
    nearest, (starts, columns, apart) = state.nearest, lists
    n, first = nearest.shape[0], span[0]
    dots = np.empty(n)
    distances = np.empty(n, nearest.dtype)
    filled = 0
    starts[0] = 0
    for p in range(first, span[1]):
        row = positions[p]
        if filled + n > columns.shape[0]:
            return p
        if nearest[row] > 0:
            distances_from(index, row, dots, distances)
            for e in range(n):
                if distances[e] < nearest[row]:
                    columns[filled] = e
                    apart[filled] = distances[e]
                    filled += 1
        starts[p - first + 1] = filled
    return span[1]


@kernel
def take_picks(index, state, lists, choice, made, weights=None):
    """Make greedy picks, gains kept up to date by the lists, as `dense.take_picks` does; return how
    many gained anything.
    """
    nearest, gain = state.nearest, choice.gain
    dots = np.empty(nearest.shape[0])
    distances = np.empty(nearest.shape[0], nearest.dtype)
    for p in range(made[0].shape[0]):
        pick = next_pick(choice, p, made)
        if pick < 0:
            return p
        distances_from(index, pick, dots, distances)
        for row in range(nearest.shape[0]):
            if distances[row] < nearest[row]:
                shrink_list(lists, row, nearest[row], distances[row], gain, weights)
                nearest[row] = distances[row]
        gain[pick] = -1
    return made[0].shape[0]


@kernel
def pair_distance(rows, a, b):
    """Return the float64 distance of two rows, by differences of merged entries."""
    indptr, indices, values = rows
    i, i_end, j, j_end = indptr[a], indptr[a + 1], indptr[b], indptr[b + 1]
    total = 0.0
    while i < i_end or j < j_end:
        if j == j_end or (i < i_end and indices[i] < indices[j]):
            difference = values[i]
            i += 1
        elif i == i_end or indices[j] < indices[i]:
            difference = values[j]
            j += 1
        else:
            difference = values[i] - values[j]
            i += 1
            j += 1
        total += difference * difference
    return np.sqrt(total)


@kernel
def pair_distances(rows, first, second, out):
    """Write the distance of row ``first[p]`` to row ``second[p]`` into ``out[p]``."""
    for p in range(out.shape[0]):
        out[p] = pair_distance(rows, first[p], second[p])


@kernel
def cluster_medoids(index, clusters, limit, span, medoids, weights=None):
    """Write for each cluster the member whose distances to all members add up to least, as
    `in_cells.cluster_medoids` does.
    """
    starts, members = clusters
    for c in range(span[0], span[1]):
        least = np.inf
        for a in range(starts[c], min(starts[c + 1], starts[c] + limit)):
            total = 0.0
            for b in range(starts[c], starts[c + 1]):
                weight = weight_of(weights, members[b])
                total += weight * pair_distance(index.rows, members[a], members[b])
                # The sum only grows, and a later member needs a smaller one: ties stay with the
                # first.
                if total >= least:
                    break
            if total < least:
                least = total
                medoids[c] = members[a]
