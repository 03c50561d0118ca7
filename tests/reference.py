"""Slow, obvious twins of what craig computes fast. Nothing here is shared with the package."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

import numpy as np
from scipy.optimize import minimize


def distance_matrix(points):
    """All distances, float64, by differences."""
    points = np.asarray(points, np.float64)
    return np.stack([np.sqrt(((points - p) ** 2).sum(axis=1)) for p in points])


def naive_greedy(distances, size, *, epsilon=None, first=(), excluded=(), weights=None):
    """Plain facility-location greedy on a distance matrix: picks, gains (the first from infinity:
    NaN) and L after each pick.

    The rows of `first` are picked first, in that order; those of `excluded` are never picked, but
    count as rows. Rows count by their `weights`, whole numbers.

    Each step evaluates every candidate in full; ties go to the lowest row; stops at `size` picks or
    once L <= epsilon. Distances are first rounded to multiples of a power of two, as fine as int64
    sums allow: two rows that have only each other gain exactly the same, which is common, and sums
    of float64 in different orders would decide such ties by their rounding.
    """
    n = len(distances)
    weights = np.ones(n, np.int64) if weights is None else np.asarray(weights, np.int64)
    bits = 61 - int(weights.sum()).bit_length()
    unit = 2.0 ** (np.frexp(distances.max())[1] - bits)
    whole = np.rint(distances / unit).astype(np.int64)
    nearest = np.full(n, 2 ** (bits + 1))
    picks, gains, remaining = [], [], []
    while len(picks) < size and not (
        epsilon is not None and len(picks) >= max(1, len(first)) and remaining[-1] <= epsilon
    ):
        gain = (weights[:, None] * np.maximum(nearest[:, None] - whole, 0)).sum(axis=0)
        gain[picks] = -1
        gain[list(excluded)] = -1
        pick = first[len(picks)] if len(picks) < len(first) else int(np.argmax(gain))
        picks.append(pick)
        gains.append(gain[pick] * unit if remaining else float("nan"))
        nearest = np.minimum(nearest, whole[:, pick])
        remaining.append((weights * nearest).sum() * unit)
    return np.array(picks), np.array(gains), np.array(remaining)


def clusters(distances, picks):
    """Nearest pick of each row (as its number); a pick stands for itself, other ties go to the
    earlier pick.
    """
    cluster = np.argmin(distances[:, picks], axis=1)
    cluster[picks] = np.arange(len(picks))
    return cluster


CLASS_WEIGHTS = {
    "proportional": lambda n: n,
    "power": lambda n: Fraction(isqrt(n * 2**64), 2**32),
    "equal": lambda n: 1,
}


def class_rate(size, counts, weights):
    """Rows a weight, so that all classes give `size` and none more than it has: tried for each
    number of classes that give all, those first that have the fewest rows for their weight.
    """
    order = sorted(range(len(counts)), key=lambda c: counts[c] / Fraction(weights[c]))
    for n_full in range(len(counts)):
        full, others = order[:n_full], order[n_full:]
        rate = Fraction(size - sum(counts[c] for c in full)) / sum(weights[c] for c in others)
        if all(rate * weights[c] < counts[c] for c in others):
            return rate
    return None


def largest_remainder(size, counts, allocation="proportional"):
    """Rows per class by largest remainder, at least one each, at most all: one row at a time."""
    counts = [int(c) for c in counts]
    weights = [CLASS_WEIGHTS[allocation](c) for c in counts]
    rate = class_rate(size, counts, weights)
    if rate is None:
        return counts
    quota = [rate * w for w in weights]
    sizes = [min(n, max(1, int(q))) for n, q in zip(counts, quota, strict=True)]
    while sum(sizes) < size:
        sizes[
            max(
                (c for c in range(len(counts)) if sizes[c] < counts[c]),
                key=lambda c: (quota[c] - sizes[c], -c),
            )
        ] += 1
    while sum(sizes) > size:
        sizes[
            min(
                (c for c in range(len(counts)) if sizes[c] > 1),
                key=lambda c: (quota[c] - sizes[c], -c),
            )
        ] -= 1
    return sizes


def thinned_greedily(distances: np.ndarray, size: int) -> list[int]:
    """Return the columns left of `distances` (n rows, k picks) when the one whose removal costs
    least is given up until `size` are left.

    Of equal ones the last goes. Distances are rounded to nine digits, so that what is equal but for
    rounding counts as equal.
    """
    kept = list(range(distances.shape[1]))
    while len(kept) > size:
        costs = [
            distances[:, [p for p in kept if p != gone]].min(axis=1).sum().round(9) for gone in kept
        ]
        kept.pop(max(range(len(kept)), key=lambda place: (-costs[place], place)))
    return kept


PLAIN_LOSSES = {
    "logistic": lambda s, y: np.log(1 + np.exp(-y * s)),
    "squared": lambda s, y: (s - y) ** 2 / 2,
    "squared-hinge": lambda s, y: max(0, 1 - y * s) ** 2,
    "smoothed-hinge": lambda s, y: (
        0 if y * s >= 1 else 1 / 2 - y * s if y * s <= 0 else (1 - y * s) ** 2 / 2
    ),
}
"""The formulas of the catalog, of one score and one target."""


def row_loss(loss, scores, target):
    """The loss of a row: one against the rest where there are several scores, and softmax by its
    definition.
    """
    if loss == "softmax" and len(scores) > 1:
        return -np.log(np.exp(scores)[int(target)] / np.exp(scores).sum())
    signs = [target] if len(scores) == 1 else [1 if c == target else -1 for c in range(len(scores))]
    return sum(PLAIN_LOSSES[loss](s, y) for s, y in zip(scores, signs, strict=True))


def row_slopes(loss, scores, target, width=1e-6):
    """The derivatives of `row_loss` by the scores, by central differences."""
    sides = [
        [row_loss(loss, scores + side * width * unit, target) for side in (1, -1)]
        for unit in np.eye(len(scores))
    ]
    return np.array([(above - below) / (2 * width) for above, below in sides])


def objective(loss, rows, targets, weights, model, l2):
    """F: the weighted mean of the losses plus l2/2 ||w||^2, one row at a time; the intercept stands
    last in `model` (m, d + 1).
    """
    total = sum(
        g * row_loss(loss, model[:, :-1] @ x + model[:, -1], t)
        for x, t, g in zip(rows, targets, weights, strict=True)
    )
    return total / sum(weights) + l2 / 2 * (model[:, :-1] ** 2).sum()


class PlainSteps:
    """Steps of an incremental solver on whole dense vectors, as its formula is written: nothing
    lazy, nothing kept up to date.

    `model` (m, d + 1) is changed by `step`; `inputs` are the rows with the intercept's 1 (or 0)
    after them.
    """

    def __init__(
        self, solver, loss, inputs, targets, weights, scales, model, l2, momentum=0.9, radius=0.0
    ):
        self.solver, self.loss, self.inputs, self.targets, self.scales = (
            solver,
            loss,
            inputs,
            targets,
            scales,
        )
        self.shares, self.model, self.l2, self.momentum, self.radius = (
            weights / sum(weights),
            model,
            l2,
            momentum,
            radius,
        )
        self.table = np.array([self.slopes(row) for row in range(len(inputs))])
        self.velocity, self.first, self.second, self.clock = (
            np.zeros_like(model) for _ in range(4)
        )

    def slopes(self, row):
        return row_slopes(self.loss, self.model @ self.inputs[row], self.targets[row])

    def ridge(self):
        return self.l2 * np.column_stack([self.model[:, :-1], np.zeros(len(self.model))])

    def step(self, row, size):
        x, g, slopes = self.inputs[row], self.scales[row], self.slopes(row)
        gradient = g * np.outer(slopes, x)
        if self.solver == "sgd":
            self.model -= size * (gradient + self.ridge())
            length = np.linalg.norm(self.model[:, :-1])
            if self.radius and length > self.radius:
                self.model[:, :-1] *= self.radius / length
        elif self.solver == "momentum":
            self.velocity = self.momentum * self.velocity + gradient + self.ridge()
            self.model -= size * self.velocity
        elif self.solver in ("saga", "svrg"):
            mean = (self.table * self.shares[:, None]).T @ self.inputs
            self.model -= size * (g * np.outer(slopes - self.table[row], x) + mean + self.ridge())
            if self.solver == "saga":
                self.table[row] = slopes
        else:
            self.adapt(gradient, x != 0, size)

    def adapt(self, gradient, moves, size):
        self.clock += moves
        if self.solver == "adagrad":
            self.second += gradient**2
            direction, height = gradient, np.sqrt(self.second) + 1e-8
        else:
            self.first = np.where(moves, 0.9 * self.first + 0.1 * gradient, self.first)
            self.second = np.where(moves, 0.999 * self.second + 0.001 * gradient**2, self.second)
            late = np.maximum(self.clock, 1)
            direction, height = (
                self.first / (1 - 0.9**late),
                np.sqrt(self.second / (1 - 0.999**late)) + 1e-8,
            )
        self.model -= size * np.where(moves, direction / height, 0)
        self.model[:, :-1] /= 1 + size * self.l2 / height[:, :-1]


def nearest_weights(shares, parts, wanted, ridge, lower, upper):
    """Weights g from lower x share to upper x share that minimise sum (g - share)^2 / (2 share) +
    sum over sums of (missed by)^2 / (2 ridge), those of ridge 0 exact, and that minimum: by SLSQP.
    """
    exact = ridge == 0

    def objective(g):
        missed = (parts.T @ g - wanted)[~exact]
        return ((g - shares) ** 2 / (2 * shares)).sum() + (missed**2 / (2 * ridge[~exact])).sum()

    def slope(g):
        missed = (parts.T @ g - wanted)[~exact]
        return (g - shares) / shares + parts[:, ~exact] @ (missed / ridge[~exact])

    kept = {
        "type": "eq",
        "fun": lambda g: (parts.T @ g - wanted)[exact],
        "jac": lambda g: parts[:, exact].T,
    }
    options = {"maxiter": 2000, "ftol": 1e-16}
    found = minimize(
        objective,
        shares,
        jac=slope,
        bounds=np.column_stack([lower * shares, upper * shares]),
        constraints=[kept],
        method="SLSQP",
        options=options,
    )
    return found.x, found.fun


def long_distances(points):
    """All distances in long double, whose exponents are those of float64 times sixteen: squares
    neither overflow nor vanish.
    """
    points = np.asarray(points, np.longdouble)
    return np.stack([np.sqrt(((points - p) ** 2).sum(axis=1)) for p in points])


def long_epsilon(rows, labels, index):
    """L of picks within their classes, in long double, and the size of each pick's cluster."""
    rows = rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows)
    total, sizes = np.longdouble(0), np.zeros(len(index), int)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        places = np.flatnonzero(labels[index] == label)
        distances = long_distances(rows[members])
        own = clusters(distances, np.searchsorted(members, index[places]))
        nearest = np.searchsorted(members, index[places])[own]
        total += distances[np.arange(len(members)), nearest].sum()
        sizes[places] = np.bincount(own, minlength=len(places))
    return float(total), sizes


def weighted_spread(rows, weights):
    """Standard deviations, lows and highs of columns, each row repeated as often as it weighs."""
    repeated = np.repeat(np.asarray(rows, np.longdouble), weights, axis=0)
    return repeated.std(axis=0), repeated.min(axis=0), repeated.max(axis=0)


def leverages(inputs):
    """The squared length of each row in an orthonormal basis of the columns, by their singular
    vectors; columns that hang on others count once.
    """
    left, values, _ = np.linalg.svd(np.asarray(inputs, np.float64), full_matrices=False)
    return np.square(left[:, values > 1e-9 * values.max()]).sum(axis=1)


def lewis_weights(inputs):
    """The l1 Lewis weights w: those that are the leverages of the rows over the roots of w."""
    inputs = np.asarray(inputs, np.float64)
    weights = np.ones(len(inputs))
    for _ in range(200):
        rows = inputs / np.sqrt(weights)[:, None]
        weights = np.sqrt(weights * leverages(rows))
    return weights
