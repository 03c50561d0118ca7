"""Slow, obvious twins of what craig computes fast. Nothing here is shared with the package."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from scipy.optimize import minimize


def distance_matrix(points):
    """All distances, float64, by differences."""
    points = np.asarray(points, np.float64)
    return np.stack([np.sqrt(((points - p) ** 2).sum(axis=1)) for p in points])


def naive_greedy(distances, size, *, epsilon=None):
    """Plain facility-location greedy on a distance matrix: picks, gains (the first from infinity: NaN) and L after each pick.

    Each step evaluates every candidate in full; ties go to the lowest row; stops at `size` picks or once L <= epsilon. Distances are first
    rounded to multiples of a power of two, as fine as int64 sums allow: two rows that have only each other gain exactly the same, which is
    common, and sums of float64 in different orders would decide such ties by their rounding.
    """
    n = len(distances)
    bits = 61 - n.bit_length()
    unit = 2.0 ** (np.frexp(distances.max())[1] - bits)
    whole = np.rint(distances / unit).astype(np.int64)
    nearest = np.full(n, 2 ** (bits + 1))
    picks, gains, remaining = [], [], []
    while len(picks) < size and not (epsilon is not None and remaining and remaining[-1] <= epsilon):
        gain = np.maximum(nearest[:, None] - whole, 0).sum(axis=0)
        gain[picks] = -1
        pick = int(np.argmax(gain))
        picks.append(pick)
        gains.append(gain[pick] * unit if remaining else float("nan"))
        nearest = np.minimum(nearest, whole[:, pick])
        remaining.append(nearest.sum() * unit)
    return np.array(picks), np.array(gains), np.array(remaining)


def clusters(distances, picks):
    """Nearest pick of each row (as its number); a pick stands for itself, other ties go to the earlier pick."""
    cluster = np.argmin(distances[:, picks], axis=1)
    cluster[picks] = np.arange(len(picks))
    return cluster


def largest_remainder(size, counts):
    """Rows per class by largest remainder, at least one each, at most all: one row at a time."""
    counts = [int(c) for c in counts]
    quota = [Fraction(size * c, sum(counts)) for c in counts]
    sizes = [max(1, int(q)) for q in quota]
    while sum(sizes) < size:
        sizes[max((c for c in range(len(counts)) if sizes[c] < counts[c]), key=lambda c: (quota[c] - sizes[c], -c))] += 1
    while sum(sizes) > size:
        sizes[min((c for c in range(len(counts)) if sizes[c] > 1), key=lambda c: (quota[c] - sizes[c], -c))] -= 1
    return sizes


def thinned_greedily(distances: np.ndarray, size: int) -> list[int]:
    """Return the columns left of `distances` (n rows, k picks) when the one whose removal costs least is given up until `size` are left.

    Of equal ones the last goes. Distances are rounded to nine digits, so that what is equal but for rounding counts as equal.
    """
    kept = list(range(distances.shape[1]))
    while len(kept) > size:
        costs = [distances[:, [p for p in kept if p != gone]].min(axis=1).sum().round(9) for gone in kept]
        kept.pop(max(range(len(kept)), key=lambda place: (-costs[place], place)))
    return kept


def nearest_weights(shares, parts, wanted, ridge):
    """Weights g >= 0 that minimise sum (g - share)^2 / (2 share) + sum over sums of (missed by)^2 / (2 ridge), those of ridge 0 exact: by SLSQP."""
    exact = ridge == 0

    def objective(g):
        missed = (parts.T @ g - wanted)[~exact]
        return ((g - shares) ** 2 / (2 * shares)).sum() + (missed**2 / (2 * ridge[~exact])).sum()

    def slope(g):
        missed = (parts.T @ g - wanted)[~exact]
        return (g - shares) / shares + parts[:, ~exact] @ (missed / ridge[~exact])

    kept = {"type": "eq", "fun": lambda g: (parts.T @ g - wanted)[exact], "jac": lambda g: parts[:, exact].T}
    options = {"maxiter": 2000, "ftol": 1e-16}
    return minimize(objective, shares, jac=slope, bounds=[(0, None)] * len(shares), constraints=[kept], method="SLSQP", options=options).x
