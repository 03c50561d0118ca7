"""How many rows each class gives."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from craig_cli.errors import UsageError
from craig_cli.selection.class_count import FEW_CLASSES
from craig_cli.settings import Budget


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


def class_sizes(size: int, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many rows each class gives, class ratios kept: largest-remainder rounding, at
    least one row and at most all of a class.

    Parameters
    ----------
    size : int
        Rows in all; between the number of classes and the number of rows.
    counts : ndarray of int64, shape (n_classes,)
        Rows of each class.

    Returns
    -------
    ndarray of int64, shape (n_classes,)
        Adds up to `size`. Of equal remainders the earlier class is served first.
    """
    total = int(counts.sum())
    products = [
        size * int(count) for count in counts
    ]  # Python integers: exact, and they cannot overflow
    sizes = np.array([max(1, product // total) for product in products], np.int64)
    shortfall = [
        product - int(given) * total for product, given in zip(products, sizes, strict=True)
    ]
    while (missing := size - int(sizes.sum())) != 0:
        step = 1 if missing > 0 else -1
        movable = [
            c for c in range(len(counts)) if (sizes[c] < counts[c] if step > 0 else sizes[c] > 1)
        ]
        movable.sort(key=lambda c: (-step * shortfall[c], step * c))
        for c in movable[: abs(missing)]:
            sizes[c] += step
            shortfall[c] -= step * total
    return sizes
