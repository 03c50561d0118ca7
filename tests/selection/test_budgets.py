"""Rows per class."""

from __future__ import annotations

import numpy as np
import pytest
from reference import largest_remainder

from craig_cli.errors import UsageError
from craig_cli.selection.budgets import budget_size, class_sizes
from craig_cli.settings import Budget


def test_random_counts_against_the_slow_twin():
    rng = np.random.default_rng(0)
    for _ in range(300):
        counts = rng.integers(1, 60, size=rng.integers(1, 9))
        size = int(rng.integers(len(counts), counts.sum() + 1))
        sizes = class_sizes(size, counts)
        assert sizes.tolist() == largest_remainder(size, counts), (size, counts)
        assert sizes.sum() == size
        assert (sizes >= 1).all()
        assert (sizes <= counts).all()


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
