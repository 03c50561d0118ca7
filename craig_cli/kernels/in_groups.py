"""Greedy facility location in small groups of rows, each on its own."""

from __future__ import annotations

import numpy as np

from craig_cli.kernels import kernel


@kernel
def greedy_in_groups(points, order, bounds, places, first, last, picks, weights):
    """Write the greedy picks of the groups ``first ... last - 1``, and how many rows of the group
    each is nearest to.

    Parameters
    ----------
    points : float32 (n, d)
    order : int64 (n,)
        Rows; group g is ``order[bounds[g]:bounds[g + 1]]``, its rows ascending.
    places : int64 (n_groups + 1,)
        The picks of group g go to ``places[g] ... places[g + 1] - 1``; at least one, at most all of
        its rows.
    picks : int64 (k,)
        Rows.
    weights : float64 (k,)

    Notes
    -----
    The first pick is the medoid; ties go to the lowest row, and rows to the earlier pick. All
    distances within a group are held: time m^2 d for m rows, and m for each row that changes its
    pick; memory 4 m^2.
    """
    d = points.shape[1]
    for g in range(first, last):
        start, m, k = bounds[g], bounds[g + 1] - bounds[g], places[g + 1] - places[g]
        columns = np.empty((d, m), np.float32)
        for a in range(m):
            for c in range(d):
                columns[c, a] = points[order[start + a], c]
        distances = np.zeros((m, m), np.float32)
        farthest = np.float32(0)
        for a in range(m):
            for c in range(d):
                own = columns[c, a]
                for b in range(m):
                    gap = own - columns[c, b]
                    distances[a, b] += gap * gap
            for b in range(m):
                distances[a, b] = np.sqrt(distances[a, b])
                farthest = max(farthest, distances[a, b])
        # From an auxiliary element, farther than any row: the first pick is then the medoid.
        nearest = np.full(m, 2 * farthest, np.float32)
        owner = np.zeros(m, np.int64)
        is_picked = np.zeros(m, np.bool_)
        gain = np.zeros(m)
        for r in range(m):
            for e in range(m):
                gain[e] += nearest[r] - distances[r, e]
        for p in range(k):
            best = -1
            for e in range(m):
                if not is_picked[e] and (best < 0 or gain[e] > gain[best]):
                    best = e
            is_picked[best] = True
            picks[places[g] + p] = order[start + best]
            # Only rows that change their pick change what others gain, and soon these are few; they
            # are told by what they gave before and give now, and not added up anew.
            for r in range(m):
                old, new = nearest[r], distances[r, best]
                if new < old:
                    for e in range(m):
                        gain[e] -= max(old - distances[r, e], np.float32(0)) - max(
                            new - distances[r, e], np.float32(0)
                        )
                    nearest[r], owner[r] = new, p
            # An equal row picked earlier has it at distance 0: it stands for itself all the same.
            owner[best] = p
        for p in range(k):
            weights[places[g] + p] = 0
        for r in range(m):
            weights[places[g] + owner[r]] += 1
