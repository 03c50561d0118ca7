"""How many rows each class gives."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from craig_cli.errors import UsageError
from craig_cli.selection.class_count import FEW_CLASSES
from craig_cli.settings import Budget

Number = TypeVar("Number", int, float)


def budget_size(budget: Budget, n_rows: int, n_classes: int) -> int:
    """Return the rows to select in all: ``--size``, or the fraction of n rounded (halves up), at
    least one row.

    Raises
    ------
    UsageError
        More rows than there are, or fewer than classes: a class without a pick would be stood for
        by nobody.
    """
    if budget.size is not None:
        size, option = budget.size, f"--size {budget.size}"
        if size > n_rows:
            raise UsageError(
                f"--size: {size} rows asked for, the data has {n_rows}. Use --size "
                f"{n_rows} or less."
            )
    else:
        assert budget.fraction is not None
        size, option = (
            max(1, math.floor(budget.fraction * n_rows + 0.5)),
            (f"--fraction {budget.fraction}"),
        )
    if size < n_classes:
        rows = "1 row" if size == 1 else f"{size} rows"
        raise UsageError(
            f"{option}: {rows} cannot stand for {n_classes} classes. Use --size "
            f"{n_classes} or more, {way_out(n_classes)}."
        )
    return size


def way_out(n_classes: int) -> str:
    """Return what else can be done about too many classes."""
    if n_classes <= FEW_CLASSES:
        return "or --no-label"
    return "--task regression if the label is a number to predict, or --no-label"


def class_weights(counts: Sequence[int], allocation: str) -> list[int]:
    """Return what the rows of each class are in proportion to: its rows, their square root in units
    of 2^-32 (rounded down, and exact for squares), or 1.

    Power allocation is that of Bankier (1988), with the power 1/2.
    """
    if allocation == "power":
        return [math.isqrt(count << 64) for count in counts]
    return [1 if allocation == "equal" else count for count in counts]


def filled(size: Number, counts: Sequence[int], weights: Sequence[int]) -> tuple[Number, int]:
    """Return two numbers, `left` and `total`: a class gives ``left * weight / total`` rows, or all
    that it has.

    What a class cannot give falls to the others, in proportion to their weights. The total is 0
    where all classes give all they have.
    """
    free: Sequence[int] = range(len(counts))
    while True:
        total = sum(weights[c] for c in free)
        kept = [c for c in free if size * weights[c] < counts[c] * total]
        if len(kept) == len(free):
            return size, total
        size -= sum(counts[c] for c in set(free).difference(kept))
        free = kept


def class_quotas(size: float, counts: NDArray[np.int64], allocation: str) -> list[float]:
    """Return the rows that each class would give if they could be cut, at most all it has."""
    rows: list[int] = counts.tolist()
    weights = class_weights(rows, allocation)
    left, total = filled(size, rows, weights)
    return [
        min(float(count), left * weight / total) if total else float(count)
        for count, weight in zip(rows, weights, strict=True)
    ]


def class_sizes(
    size: int, counts: NDArray[np.int64], allocation: str = "proportional"
) -> NDArray[np.int64]:
    """Return how many rows each class gives: largest-remainder rounding, at least one row and at
    most all of a class.

    Parameters
    ----------
    size : int
        Rows in all; between the number of classes and the number of rows.
    counts : ndarray of int64, shape (n_classes,)
        Rows of each class.
    allocation : {'proportional', 'power', 'equal'}
        In proportion to the rows of a class, to their square root, or the same for each. What a
        class cannot give falls to the others, in the same proportion.

    Returns
    -------
    ndarray of int64, shape (n_classes,)
        Adds up to `size`. Of equal remainders the earlier class is served first.
    """
    rows: list[int] = counts.tolist()  # Python integers: exact, and they cannot overflow
    weights = class_weights(rows, allocation)
    left, total = filled(size, rows, weights)
    if total == 0:
        return counts.astype(np.int64)
    products = [left * weight for weight in weights]
    sizes = [
        min(count, max(1, product // total)) for product, count in zip(products, rows, strict=True)
    ]
    missing = size - sum(sizes)
    step = 1 if missing > 0 else -1
    ends = rows if step > 0 else [1] * len(rows)
    waiting = [
        (step * (sizes[c] * total - products[c]), step * c)
        for c in range(len(rows))
        if sizes[c] != ends[c]
    ]
    heapq.heapify(waiting)
    for _ in range(abs(missing)):
        excess, place = heapq.heappop(waiting)
        sizes[step * place] += step
        if sizes[step * place] != ends[step * place]:
            heapq.heappush(waiting, (excess + total, place))
    return np.array(sizes, np.int64)


def sizes_within(
    size: int,
    counts: NDArray[np.int64],
    allocation: str,
    least: NDArray[np.int64],
    most: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return how many rows each class gives: by `class_sizes`, but no fewer than `least` and no
    more than `most` of each.

    Classes whose share lies outside those limits get the limit, and the others share what is left;
    adds up to `size`, which must lie between the sums of the limits.
    """
    sizes = np.zeros(len(counts), np.int64)
    free = np.ones(len(counts), bool)
    while free.any():
        left = size - int(sizes[~free].sum())
        shares = np.zeros_like(sizes)
        shares[free] = class_sizes(left, counts[free], allocation)
        low, high = free & (shares < least), free & (shares > most)
        # Only the limits on the side that is further out are kept: the other classes can then still
        # add up to what is left.
        is_low = (least - shares)[low].sum() >= (shares - most)[high].sum()
        fixed = low if is_low else high
        if not fixed.any():
            sizes[free] = shares[free]
            break
        sizes[fixed] = (least if is_low else most)[fixed]
        free &= ~fixed
    return sizes
