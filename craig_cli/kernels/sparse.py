"""Greedy selection over sparse rows, through an inverted index: a candidate meets only the rows
that share a column with it.

Distances are whole numbers, as in `dense`; squares come from float64 dot products as ||x||^2 +
||y||^2 - 2 x.y, added up in column order, so that equal rows are at distance 0 exactly and d(x, y)
and d(y, x) have the same bits.

Arguments common to the kernels: ``rows`` = (indptr, indices, values) by row, ``postings`` =
(indptr, rows int32, values) by column, ``squares`` float64 (n,) the squared lengths, ``scale`` the
whole-number distances per unit.
"""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import kernel
from craig_cli.kernels.lists import best_of, shrink_lists, weight_of
from craig_cli.kernels.reverse_greedy import K, insert


@kernel
def squared_lengths(rows, squares):
    """Write each row's squared length."""
    for row in range(squares.shape[0]):
        total = 0.0
        for j in range(rows[0][row], rows[0][row + 1]):
            total += rows[2][j] * rows[2][j]
        squares[row] = total


@kernel
def distances_from(rows, postings, squares, scale, candidate, dots, distances):
    """Write the distances of `candidate` to all rows into `distances` (n,); `dots` float64 (n,) is
    scratch.
    """
    dots[:] = 0
    for j in range(rows[0][candidate], rows[0][candidate + 1]):
        column, value = rows[1][j], rows[2][j]
        for p in range(postings[0][column], postings[0][column + 1]):
            dots[postings[1][p]] += value * postings[2][p]
    for row in range(distances.shape[0]):
        square = max((squares[candidate] + squares[row]) - 2.0 * dots[row], 0.0)
        distances[row] = np.sqrt(square) * scale + 0.5


@kernel
def gains(rows, postings, squares, scale, nearest, candidates, out, weights=None):
    """Write the gain of each candidate, the sum over all rows of max(0, nearest - distance), times
    the weight (int32), into `out` (int64).

    Time: the postings of the candidates' columns, plus m n. Memory 16 n.
    """
    dots = np.empty(nearest.shape[0])
    distances = np.empty(nearest.shape[0], nearest.dtype)
    for c in range(candidates.shape[0]):
        distances_from(rows, postings, squares, scale, candidates[c], dots, distances)
        total = np.int64(0)
        for row in range(nearest.shape[0]):
            if distances[row] < nearest[row]:
                total += weight_of(weights, row) * np.int64(nearest[row] - distances[row])
        out[c] = total


@kernel
def absorb(
    rows, postings, squares, scale, nearest, cluster, picks, first_number, gain, weights=None
):
    """Let picks take the rows nearer to them than to any earlier pick, in order; pick p is written
    to `cluster` as first_number + p.
    """
    dots = np.empty(nearest.shape[0])
    distances = np.empty(nearest.shape[0], nearest.dtype)
    for p in range(picks.shape[0]):
        distances_from(rows, postings, squares, scale, picks[p], dots, distances)
        gain[p] = 0
        for row in range(nearest.shape[0]):
            if distances[row] < nearest[row]:
                gain[p] += weight_of(weights, row) * np.int64(nearest[row] - distances[row])
                nearest[row] = distances[row]
                cluster[row] = first_number + p


@kernel
def near_picks(rows, postings, squares, scale, picks, first_number, near, distances):
    """Put picks, called `first_number` and on, on the lists of the rows that they are among the
    nearest to, as `reverse_greedy.near_picks` does.
    """
    dots = np.empty(near.shape[0])
    lane = np.empty(near.shape[0], distances.dtype)
    for p in range(picks.shape[0]):
        distances_from(rows, postings, squares, scale, picks[p], dots, lane)
        for row in range(near.shape[0]):
            if near[row, K - 1] < 0 or lane[row] < distances[row, K - 1]:
                insert(near, distances, row, first_number + p, lane[row])


@kernel
def neighbours(
    rows, postings, squares, scale, nearest, positions, first, last, starts, columns, lane
):
    """List for each row the candidates nearer than its nearest pick, as `dense.neighbours` does
    (`lane`: their distances).
    """
    n = nearest.shape[0]
    dots = np.empty(n)
    distances = np.empty(n, nearest.dtype)
    filled = 0
    starts[0] = 0
    for p in range(first, last):
        row = positions[p]
        if filled + n > columns.shape[0]:
            return p
        if nearest[row] > 0:
            distances_from(rows, postings, squares, scale, row, dots, distances)
            for e in range(n):
                if distances[e] < nearest[row]:
                    columns[filled] = e
                    lane[filled] = distances[e]
                    filled += 1
        starts[p - first + 1] = filled
    return last


@kernel
def take_picks(
    rows,
    postings,
    squares,
    scale,
    nearest,
    starts,
    ends,
    columns,
    lane,
    gain,
    rank,
    choices,
    picks,
    gained,
    weights=None,
):
    """Make as many greedy picks as `picks` has places, gains kept up to date by the lists; returns
    how many gained anything.

    `choices` int64 (n_picks, m) are the candidates of each pick; 0 columns for all rows. `nearest`,
    the lists and `gain` (selected rows: -1) are changed in place; picks (int64) and what each
    gained are written.
    """
    dots = np.empty(nearest.shape[0])
    distances = np.empty(nearest.shape[0], nearest.dtype)
    for p in range(picks.shape[0]):
        pick = best_of(gain, rank, choices, p)
        if gain[pick] <= 0:
            return p
        picks[p], gained[p] = pick, gain[pick]
        distances_from(rows, postings, squares, scale, pick, dots, distances)
        for row in range(nearest.shape[0]):
            if distances[row] < nearest[row]:
                shrink_lists(
                    starts, ends, columns, lane, row, nearest[row], distances[row], gain, weights
                )
                nearest[row] = distances[row]
        gain[pick] = -1
    return picks.shape[0]


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
def cluster_medoids(rows, starts, members, limit, first, last, medoids, weights=None):
    """Write for each cluster the member whose distances to all members add up to least, as
    `in_cells.cluster_medoids` does.
    """
    for c in range(first, last):
        least = np.inf
        for a in range(starts[c], min(starts[c + 1], starts[c] + limit)):
            total = 0.0
            for b in range(starts[c], starts[c + 1]):
                total += weight_of(weights, members[b]) * pair_distance(
                    rows, members[a], members[b]
                )
                if total >= least:
                    break
            if total < least:
                least = total
                medoids[c] = members[a]
