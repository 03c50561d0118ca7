"""Rows per class."""

from __future__ import annotations

import numpy as np
import pytest
from reference import largest_remainder

from craig_cli.errors import UsageError
from craig_cli.selection.budgets import budget_size, class_quotas, class_sizes, sizes_within
from craig_cli.settings import Budget
from craig_cli.settings.catalog import ALLOCATIONS, names

ALLOCATED = names(ALLOCATIONS)


def random_counts(seed, n_cases=300):
    """Sizes and rows of classes: like ones, unlike ones, and many that have one row."""
    rng = np.random.default_rng(seed)
    for case in range(n_cases):
        n_classes = int(rng.integers(1, 9 if case % 3 else 40))
        most = (60, 100_000, 3)[case % 3]
        counts = np.exp(rng.uniform(0, np.log(most), n_classes)).astype(np.int64)
        yield int(rng.integers(n_classes, counts.sum() + 1)), counts


@pytest.mark.parametrize("allocation", ALLOCATED)
def test_random_counts_against_the_slow_twin(allocation):
    for size, counts in random_counts(0):
        sizes = class_sizes(size, counts, allocation)
        if counts.sum() < 5000:
            assert sizes.tolist() == largest_remainder(size, counts, allocation), (size, counts)
        assert sizes.sum() == size
        assert (sizes >= 1).all()
        assert (sizes <= counts).all()
        # Who has more rows gives no fewer, but for the one of a remainder.
        assert (np.diff(sizes[np.argsort(counts, kind="stable")]) >= -1).all()


@pytest.mark.parametrize("allocation", ALLOCATED)
def test_quotas_are_the_sizes_before_rounding(allocation):
    roots = {"proportional": 1.0, "power": 0.5, "equal": 0.0}
    for size, counts in random_counts(1):
        quotas = np.array(class_quotas(float(size), counts, allocation))
        assert quotas.sum() == pytest.approx(size)
        free = quotas < counts * (1 - 1e-9)
        rates = quotas[free] / counts[free] ** roots[allocation]
        np.testing.assert_allclose(rates, rates.max(initial=0.0), rtol=1e-9)
        if (quotas >= 1).all():
            assert (np.abs(class_sizes(size, counts, allocation) - quotas) < 1 + 1e-6).all()
    assert class_quotas(50.0, np.array([3, 4]), allocation) == [3, 4]


@pytest.mark.parametrize(
    ("allocation", "size", "counts", "wanted"),
    [
        ("power", 30, [400, 100], [20, 10]),
        ("power", 30, [100, 400], [10, 20]),
        ("power", 10, [900, 100, 1], [7, 2, 1]),
        ("power", 4648, [92523, 439], [4348, 300]),
        ("power", 49, [2, 64, 64, 1], [2, 23, 23, 1]),
        ("power", 50, [2, 64, 64, 1], [2, 24, 23, 1]),
        ("equal", 30, [3, 100, 100], [3, 14, 13]),
        ("equal", 7, [5, 5, 5], [3, 2, 2]),
        ("equal", 104, [3, 100, 100], [3, 51, 50]),
        ("equal", 5, [9], [5]),
        ("power", 9, [9], [9]),
        ("power", 2, [1, 10**15], [1, 1]),
    ],
)
def test_sizes_worked_out_by_hand(allocation, size, counts, wanted):
    assert class_sizes(size, np.array(counts), allocation).tolist() == wanted


@pytest.mark.parametrize("allocation", ALLOCATED)
def test_limits_are_kept(allocation):
    rng = np.random.default_rng(2)
    for size, counts in random_counts(2):
        most = rng.integers(1, counts + 1)
        least = rng.integers(1, most + 1)
        size = int(min(max(size, least.sum()), most.sum()))
        sizes = sizes_within(size, counts, allocation, least, most)
        assert sizes.sum() == size and (sizes >= least).all() and (sizes <= most).all()
        free = sizes_within(size, counts, allocation, np.ones_like(counts), counts)
        assert free.tolist() == class_sizes(size, counts, allocation).tolist()


def test_ijcnn1_at_ten_percent():
    assert class_sizes(4999, np.array([45137, 4853])).tolist() == [4514, 485]


def test_a_thousand_classes_of_one_row():
    assert class_sizes(1000, np.ones(1000, np.int64)).tolist() == [1] * 1000


@pytest.mark.parametrize(
    ("fraction", "n", "size"),
    ((0.1, 49990, 4999), (0.5, 3, 2), (1e-9, 10, 1), (1.0, 7, 7), (0.25, 10, 3)),
)
def test_fraction_of_rows_halves_up(fraction, n, size):
    assert budget_size(Budget(fraction=fraction), n, 1) == size


@pytest.mark.parametrize(
    ("budget", "text"),
    (
        (Budget(size=11), "--size: 11 rows asked for, the data has 10. Use --size 10 or less."),
        (
            Budget(size=2),
            "--size 2: 2 rows cannot stand for 3 classes. Use --size 3 or more, or --no-label.",
        ),
        (
            Budget(fraction=0.1),
            "--fraction 0.1: 1 row cannot stand for 3 classes. Use --size 3 or "
            "more, or --no-label.",
        ),
    ),
)
def test_budgets_that_do_not_fit(budget, text):
    with pytest.raises(UsageError) as caught:
        budget_size(budget, 10, 3)
    assert str(caught.value) == text
