"""How many picks each class gets, on every road: sizes by the slow twin, and sound coresets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from reference import largest_remainder
from test_greedi import by_cells, by_rows, cut
from test_lazy_greedy import made, sparse
from test_outofcore import from_disk, small_cells  # noqa: F401

from craig_cli.dataset import Dataset
from craig_cli.errors import UsageError
from craig_cli.selection import check_coreset, select
from craig_cli.selection.memory import shape_of_selection
from craig_cli.selection.methods import METHODS
from craig_cli.selection.prefix import first_picks
from craig_cli.settings import Budget, SelectionSettings
from craig_cli.settings.catalog import methods_that

OTHERS = ("power", "equal")
COUNTS = (630, 60, 8, 2)
LABELS = np.random.default_rng(5).permutation(np.repeat(np.arange(4), COUNTS))
ROWS = made("clusters")
WEIGHTS = np.random.default_rng(6).integers(0, 4, len(ROWS)).astype(np.float64)
WEIGHTS[np.flatnonzero(LABELS == 3)] = 2


def chosen(method, allocation, size=60, **options):
    return SelectionSettings(
        Budget(size=size), method, allocation=allocation, cell_size=128, **options
    )


def sizes_of(coreset):
    return [summary.n_selected for summary in coreset.classes]


def assert_shared_out(coreset, counts, allocation):
    """Check sizes against the slow twin, and that weights add up to the rows of each class."""
    check_coreset(coreset)
    wanted = largest_remainder(len(coreset.index), counts, allocation)
    assert sizes_of(coreset) == wanted
    assert coreset.allocation == allocation
    for summary, k in zip(coreset.classes, wanted, strict=True):
        own = coreset.of_class(summary)
        assert own.sum() == k
        assert coreset.weight[own].sum() == pytest.approx(summary.total_weight)


@pytest.mark.parametrize("allocation", OTHERS)
@pytest.mark.parametrize("method", METHODS)
def test_all_methods(method, allocation):
    for weights in (None, WEIGHTS):
        dataset = Dataset(ROWS, LABELS, weights=weights)
        coreset = select(dataset, chosen(method, allocation))
        assert_shared_out(coreset, COUNTS, allocation)
        # The two rarest classes give all they have.
        assert sizes_of(coreset)[3] == 2 and (allocation == "power" or sizes_of(coreset)[2] == 8)
        other = select(dataset, chosen(method, allocation, threads=1))
        np.testing.assert_array_equal(coreset.index, other.index)
        np.testing.assert_array_equal(coreset.weight, other.weight)
    assert_shared_out(
        select(Dataset(sparse(ROWS), LABELS), chosen(method, allocation)), COUNTS, allocation
    )


@pytest.mark.parametrize("allocation", OTHERS)
@pytest.mark.parametrize("method", METHODS)
def test_awkward_classes(method, allocation):
    few = np.r_[np.flatnonzero(LABELS == 3), np.flatnonzero(LABELS == 0)[:20]]
    for rows, labels, size in (
        (ROWS[few], LABELS[few], 22),
        (ROWS[few], LABELS[few], 21),
        (ROWS[few], LABELS[few], 2),
        (ROWS[few], np.zeros(22, int), 7),
        (np.zeros((22, 3)), LABELS[few], 8),
        (ROWS[few], np.arange(22), 22),
    ):
        coreset = select(Dataset(rows, labels), chosen(method, allocation, size))
        assert_shared_out(coreset, np.unique(labels, return_counts=True)[1], allocation)
    alone = [select(Dataset(ROWS, None), chosen(method, a, 9)) for a in ("proportional", "equal")]
    np.testing.assert_array_equal(alone[0].index, alone[1].index)


@pytest.mark.parametrize("allocation", OTHERS)
@pytest.mark.parametrize("method", methods_that("disk"))
def test_from_disk_as_in_memory(method, allocation, small_cells):  # noqa: F811
    coreset = from_disk(ROWS, 60, LABELS, method, allocation=allocation)
    assert_shared_out(coreset, COUNTS, allocation)


@pytest.mark.parametrize("allocation", OTHERS)
@pytest.mark.parametrize("budget", [{"size": 60}, {"fraction": 60 / 700}])
@pytest.mark.parametrize("n_parts", [1, 3])
def test_in_parts(n_parts, budget, allocation):
    settings = SelectionSettings(
        Budget(**budget), "cells", allocation=allocation, cell_size=128, threads=1
    )
    for parts in (cut(ROWS, LABELS, n_parts), cut(ROWS, np.sort(LABELS), n_parts)):
        coreset, _ = by_rows(parts, settings)
        assert len(coreset.index) == 60
        if n_parts == 1 or (np.diff(parts[0].labels) < 0).any():
            assert_shared_out(coreset, COUNTS, allocation)
        assert_shared_out(by_cells(parts, settings, 2 * n_parts), COUNTS, allocation)


def test_parts_that_are_unlike_give_what_they_have():
    labels = np.repeat([0, 1], [650, 50])
    settings = SelectionSettings(Budget(fraction=0.05), "cells", allocation="equal", threads=1)
    coreset, _ = by_rows(cut(ROWS, labels, 14), settings, oversampling=1.0)
    # The last part alone has class 1, 50 rows of it, and offers a twentieth and eight of these.
    assert sizes_of(coreset) == [24, 11]
    assert sizes_of(by_cells(cut(ROWS, labels, 14), settings, 14)) == [18, 17]


def test_given_rows_and_an_extension():
    rare = np.flatnonzero(LABELS == 2)
    settings = chosen("exact", "power", 30, include=tuple(rare.tolist()))
    coreset = select(Dataset(ROWS, LABELS), settings)
    assert sizes_of(coreset) == [16, 5, 8, 1]
    check_coreset(coreset)
    settings = chosen("exact", "power", 60, exclude=tuple(rare[:-1].tolist()))
    assert sizes_of(select(Dataset(ROWS, LABELS), settings)) == [44, 13, 1, 2]
    small = select(Dataset(ROWS, LABELS), chosen("exact", "power", 30))
    grown = select(
        Dataset(ROWS, LABELS), chosen("exact", "power", 60, extend=tuple(small.index.tolist()))
    )
    np.testing.assert_array_equal(grown.index[:30], small.index)
    assert_shared_out(grown, COUNTS, "power")


@pytest.mark.parametrize("method", METHODS)
def test_the_first_picks(method):
    dataset, settings = Dataset(ROWS, LABELS), chosen(method, "power")
    coreset = select(dataset, settings)
    prefix = first_picks(dataset, settings, coreset, 55)
    check_coreset(prefix)
    assert prefix.allocation == "power"
    assert prefix.weight.sum() == pytest.approx(len(ROWS))


def test_forecasts_know_the_largest_share():
    for allocation, most in (("proportional", 53), ("power", 41), ("equal", 25)):
        settings = chosen("exact", allocation)
        assert shape_of_selection(Dataset(ROWS, LABELS), settings).n_selected == most
        assert max(sizes_of(select(Dataset(ROWS, LABELS), settings))) == most


def test_what_is_refused():
    for budget in ({"epsilon": 3.0}, {"mean_epsilon": 3.0}, {"budget_cost": 3.0}):
        with pytest.raises(UsageError) as caught:
            SelectionSettings(Budget(**budget), allocation="power")
        assert str(caught.value) == (
            "--allocation power: a budget of epsilon or of costs says by itself how many rows each "
            "class gives. Use --size or --fraction."
        )
    for name in ("auto", "sqrt"):
        with pytest.raises(UsageError, match=f"--allocation: '{name}' is not one of proportional"):
            replace(SelectionSettings(Budget(size=3)), allocation=name)
